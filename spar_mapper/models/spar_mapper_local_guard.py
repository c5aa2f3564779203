from odoo import api, models
from odoo.tools import SQL

from odoo.addons.spar_mapper_connector.lib.keyring import OpenKeyring

from ..lib import seals
from ..lib.ledger import Guard, Ledger


class SparMapperLocal(models.AbstractModel):
    """Setting who may change a subject's addresses, and whether it is paid."""

    _inherit = "spar.mapper.local"  # pylint: disable=consider-merging-classes-inherited

    @api.model
    def _save_guards(self, ledger: Ledger) -> None:
        """Write locks and stops; every ID of the subject is sealed anew for them."""
        for guard in ledger.guards.values():
            self._save_guard(ledger.keyring, guard)

    @api.model
    def _save_guard(self, keyring: OpenKeyring, guard: Guard) -> None:
        holding = guard.holding
        rows = self.env.execute_query(
            SQL(
                """SELECT id, uuid, sealed FROM spar_subject_id
                    WHERE subject_id = %s ORDER BY id FOR UPDATE""",
                holding.subject_id,
            )
        )
        resealed = [
            (row_id, self._reseal_id(keyring, guard, uuid, bytes(sealed)))
            for row_id, uuid, sealed in rows
        ]
        self._update_subject(holding)
        self.env.cr.execute_values(
            """UPDATE spar_subject_id i SET sealed = v.sealed
                 FROM (VALUES %s) AS v (id, sealed) WHERE i.id = v.id""",
            resealed,
            template="(%s, %s::bytea)",
            page_size=len(resealed),
        )

    @api.model
    def _reseal_id(self, keyring, guard: Guard, uuid: str, sealed: bytes) -> bytes:
        """The ID sealed for what now holds of its subject; raises SealBroken."""
        subject = guard.holding.subject_uuid
        before = seals.id_context(uuid, subject, guard.change_lock, guard.pay_stop)
        text = keyring.unseal(seals.ID, sealed, before)
        now = guard.holding
        after = seals.id_context(uuid, subject, now.change_lock, now.pay_stop)
        return keyring.seal(seals.ID, text, after)

    @api.model
    def _update_subject(self, holding) -> None:
        self.env.cr.execute(
            "UPDATE spar_subject SET change_lock = %s, pay_stop = %s WHERE id = %s",
            (holding.change_lock, holding.pay_stop, holding.subject_id),
        )
