from odoo import api, models
from odoo.tools import SQL

from odoo.addons.spar_mapper_connector.exceptions import InvalidIdentifier, SealBroken
from odoo.addons.spar_mapper_connector.lib.contract import (
    CallContext,
    Operation,
    WaitingChange,
)

from ..lib import seals
from .spar_mapper_local_history import AUDITOR


class SparMapperLocal(models.AbstractModel):
    """What will happen to an ID's addresses unless somebody stops it."""

    _inherit = "spar.mapper.local"  # pylint: disable=consider-merging-classes-inherited

    @api.model
    def _waiting_changes(self, call: CallContext, id_value: str) -> list[WaitingChange]:
        """See the contract; raises SealBroken where one was tampered with."""
        self._check_channel(AUDITOR)
        keyring = self.env["spar.keyring"]._open()
        try:
            canonical = self.env["spar.id.type"]._identify(id_value).canonical
        except InvalidIdentifier:
            return []
        rows = self._fetch_waiting(keyring, canonical)
        contexts = self.env["spar.change"]._get_seal_contexts(
            keyring, [row["id"] for row in rows]
        )
        return [self._build_waiting(keyring, row, contexts) for row in rows]

    @api.model
    def _fetch_waiting(self, keyring, canonical: str) -> list[dict]:
        """Each waiting change with the event that told of it."""
        return self.env.execute_query_dict(
            SQL(
                """SELECT c.id, c.operation, c.proposed_at, c.effective_at, c.channel,
                          c.proposer AS actor, c.sealed, m.uuid AS period, m.purpose,
                          (SELECT max(e.seq) FROM spar_event e
                            WHERE e.mapping_id = m.id
                              AND e.kind IN ('held', 'proposed')) AS seq
                     FROM spar_subject_id i
                     JOIN spar_mapping m ON m.subject_id = i.subject_id
                     JOIN spar_change c ON c.mapping_id = m.id AND c.state = 'waiting'
                    WHERE %s = %s ORDER BY c.id""",
                SQL.identifier("i", f"digest_{keyring.roles.read_column}"),
                keyring.digest(seals.ID, canonical),
            )
        )

    @api.model
    def _build_waiting(self, keyring, row: dict, contexts: dict) -> WaitingChange:
        row_id, sealed = row.pop("id"), bytes(row.pop("sealed"))
        if row_id not in contexts:
            raise SealBroken("the change does not open")
        purpose, context = contexts[row_id]
        fa, _details = seals.unpack(keyring.unseal(purpose, sealed, context))
        return WaitingChange(**row | {"operation": Operation(row["operation"])}, fa=fa)
