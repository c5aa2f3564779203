"""A beneficiary, as stated by their ID provider and verified by us."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from odoo.addons.spar_mapper_connector.lib.contract import OwnerLogin
from odoo.addons.spar_mapper_connector.lib.oidc.verified import Contacts


@dataclass(frozen=True)
class Beneficiary:
    """A person who authenticated at an ID provider.

    ``key`` is an opaque reference to the person, suitable for histories and digests.
    ``id_value`` is the ID in its transmitted form, built by the ID type's strategy from
    verified claims; ``id_type`` is that type's code. ``issuer`` is who asserted it.
    ``login`` holds the issuer's signed tokens, where a mapper reads for a portal only
    with them.
    """

    key: str
    id_value: str
    id_type: str
    issuer: str
    name: str = ""
    contacts: Contacts = Contacts()
    login: OwnerLogin | None = None

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Beneficiary:
        """Return the person that ``dataclasses.asdict`` wrote.

        >>> from dataclasses import asdict
        >>> login = OwnerLogin("https://op", "a.b.c")
        >>> ada = Beneficiary("a1", "token:1@id", "id", "https://op", login=login)
        >>> Beneficiary.from_json(asdict(ada)) == ada
        True
        """
        login = document.get("login")
        return cls(
            **{
                **document,
                "contacts": Contacts(**document["contacts"]),
                "login": OwnerLogin(**login) if login else None,
            }
        )

    def with_visit(self, reference: str) -> Beneficiary:
        """Return the person with the visit that they allowed at the mapper.

        >>> ada = Beneficiary("a1", "token:1@id", "id", "https://op")
        >>> ada.with_visit("v1") == ada
        True
        >>> login = OwnerLogin("https://op", "a.b.c")
        >>> replace(ada, login=login).with_visit("v1").login.visit
        'v1'
        """
        if self.login is None:
            return self
        return replace(self, login=replace(self.login, visit=reference))

    def __repr__(self) -> str:
        """Return a representation without ID and name, which is safe to log.

        >>> Beneficiary("a1", "token:4711@nationalid", "national_id", "https://op")
        Beneficiary(key='a1', issuer='https://op')
        """
        return f"Beneficiary(key={self.key!r}, issuer={self.issuer!r})"


@dataclass(frozen=True)
class AgentTicket:
    """A proof that a person authenticated on an officer's device, for one draft.

    Taking it uses it up. ``nonce`` names this authentication in the history.
    """

    beneficiary: Beneficiary
    officer_id: int
    nonce: str
