"""Who a beneficiary is, as their ID provider said and we verified."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Contacts:
    """Ways to reach a person that their ID provider has verified; empty where not."""

    email: str = ""
    phone_number: str = ""


@dataclass(frozen=True)
class Beneficiary:
    """A person who authenticated at an ID provider.

    ``key`` is an opaque reference to the person, good for histories and digests.
    ``id_value`` is the ID as it travels, made by the ID type's strategy from verified
    claims; ``id_type`` is that type's code. ``issuer`` said so.
    """

    key: str
    id_value: str
    id_type: str
    issuer: str
    name: str = ""
    contacts: Contacts = Contacts()

    def __repr__(self) -> str:
        """Without the ID and the name: a log or a traceback may hold it.

        >>> Beneficiary("a1", "token:4711@nationalid", "national_id", "https://op")
        Beneficiary(key='a1', issuer='https://op')
        """
        return f"Beneficiary(key={self.key!r}, issuer={self.issuer!r})"


@dataclass(frozen=True)
class AgentTicket:
    """A person authenticated on an officer's device, for one draft.

    Used up by being given out. ``nonce`` names this authentication in the history.
    """

    beneficiary: Beneficiary
    officer_id: int
    nonce: str
