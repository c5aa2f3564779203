"""One row of a resolve: still sealed."""

from __future__ import annotations

from dataclasses import dataclass

from odoo.addons.spar_mapper_connector.exceptions import SealBroken
from odoo.addons.spar_mapper_connector.lib.contract import (
    Details,
    ProviderInfo,
)
from odoo.addons.spar_mapper_connector.lib.keyring import OpenKeyring

from . import seals


@dataclass(slots=True)
class Found:
    """An ID and an address in force for it; ``id`` is None where there is none.

    ``sealing_uuid`` and ``sealing_sealed`` are of the ID under which the address was
    sealed where that is another one of the subject's IDs; ``is_behind`` tells that the
    history knows newer events of the address than its row names. ``table`` and
    ``broken_id`` name the row at which opening failed, if it did.
    """

    identifier_id: int
    identifier_uuid: str
    identifier_sealed: bytes
    active: bool
    subject_uuid: str
    change_lock: str
    pay_stop: bool
    sealed_under: int | None
    id: int | None
    uuid: str | None
    version: int | None
    state: str | None
    purpose: str | None
    origin: str | None
    sealed: bytes | None
    provider_id: int | None
    branch_id: int | None
    is_behind: bool
    sealing_uuid: str | None = None
    sealing_sealed: bytes | None = None
    provider: ProviderInfo | None = None
    table: str = "spar_subject_id"

    @property
    def broken_id(self) -> int:
        if self.table == "spar_subject_id" or self.id is None:
            return self.identifier_id
        return self.id

    def unseal_id(self, keyring: OpenKeyring) -> str:
        """The canonical ID of the row; raises SealBroken."""
        if not self.active:
            raise SealBroken("the ID was switched off")
        return self._unseal_id(keyring, self.identifier_uuid, self.identifier_sealed)

    def _unseal_id(self, keyring: OpenKeyring, uuid: str, sealed: bytes) -> str:
        context = seals.id_context(
            uuid, self.subject_uuid, self.change_lock, self.pay_stop
        )
        return keyring.unseal(seals.ID, bytes(sealed), context)

    def unseal_fa(self, keyring: OpenKeyring, canonical: str) -> tuple[str, Details]:
        """The address and what travels with it; raises SealBroken.

        ``canonical`` is the row's own ID.
        """
        self.table = "spar_mapping"
        uuid, version, state = self.uuid, self.version, self.state
        if self.sealed is None or uuid is None or version is None or state is None:
            raise SealBroken("there is no sealed address")
        if self.is_behind:
            raise SealBroken("there are newer events of the address than it names")
        if self.sealed_under != self.identifier_id:
            sealing_uuid, sealed = self.sealing_uuid or "", self.sealing_sealed or b""
            canonical = self._unseal_id(keyring, sealing_uuid, sealed)
        return seals.unseal_address(
            keyring,
            bytes(self.sealed),
            uuid,
            self.subject_uuid,
            version,
            state,
            canonical,
        )
