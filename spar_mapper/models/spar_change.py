from odoo import api, fields, models
from odoo.tools import SQL

from ..lib import seals

#: Who may decide, by the group that the backend asks for.
SUPERVISOR = "spar_fa_directory.group_supervisor"


class SparChange(models.Model):
    """A change that waits for its time or for a second person."""

    _name = "spar.change"
    _description = "Change that waits"
    _inherit = ["spar.store.table", "spar.sealed.storage"]
    _rec_name = "uuid"
    _order = "id desc"
    _log_access = False

    uuid = fields.Char(required=True, readonly=True, string="Reference")
    mapping_id = fields.Many2one(
        "spar.mapping", required=True, readonly=True, index=True, ondelete="restrict"
    )
    operation = fields.Selection(
        [
            ("link", "Link"),
            ("update", "Change"),
            ("unlink", "Unlink"),
            ("resume", "Resume"),
        ],
        required=True,
        readonly=True,
    )
    base_version = fields.Integer(readonly=True)
    state = fields.Selection(
        [
            ("waiting", "Waiting"),
            ("applied", "Applied"),
            ("cancelled", "Cancelled"),
            ("refused", "Refused"),
            ("stale", "Overtaken"),
            ("expired", "Expired"),
        ],
        required=True,
        readonly=True,
    )
    needs_approval = fields.Boolean(readonly=True)
    why = fields.Char(readonly=True, string="Rule", help="The rule that made it wait.")
    proposed_at = fields.Datetime(required=True, readonly=True)
    effective_at = fields.Datetime(readonly=True)
    expires_at = fields.Datetime(readonly=True)
    asserted_at = fields.Datetime(readonly=True)
    proposer = fields.Char(required=True, readonly=True)
    on_behalf_of = fields.Char(readonly=True)
    channel = fields.Char(required=True, readonly=True)
    authority = fields.Integer(readonly=True)
    authenticated_by = fields.Char(readonly=True)
    message_reference = fields.Char(readonly=True)
    reason = fields.Char(readonly=True)
    decided_by = fields.Char(readonly=True, string="Decided by (reference)")
    decided_at = fields.Datetime(readonly=True)
    purpose = fields.Char(related="mapping_id.purpose")

    _waiting_uniq = models.UniqueIndex(
        "(mapping_id) WHERE state = 'waiting'", "One change waits for a mapping."
    )
    _message_reference = models.Index("(message_reference)")

    def _get_seal_contexts(self, keyring, row_ids):
        rows = self.env.execute_query(
            SQL(
                """SELECT c.id, c.uuid, m.identifier_id, %s
                     FROM spar_change c JOIN spar_mapping m ON m.id = c.mapping_id
                    WHERE c.id = ANY(%s)""",
                SQL(", ").join(
                    SQL.identifier("c", name) for name in seals.ChangeTerms._fields
                ),
                list(row_ids),
            )
        )
        identifiers = self.env["spar.subject.id"]._unseal_ids(
            keyring, list({row[2] for row in rows})
        )
        return {
            row_id: (
                seals.CHANGE,
                seals.change_context(
                    uuid, identifiers[identifier], seals.ChangeTerms(*terms)
                ),
            )
            for row_id, uuid, identifier, *terms in rows
            if identifier in identifiers
        }

    # === DECISIONS === #

    def action_approve(self):
        """A second person lets the change happen; it is applied at once."""
        self._check_supervisor()
        with self.env["spar.staff.answers"]._say_errors():
            mapper = self.env["spar.mapper.local"]
            mapper._approve_change(self._get_staff_call(), self.id)

    def action_refuse(self):
        """A second person says no."""
        self._check_supervisor()
        self._end(self._get_staff_call(), "refused")

    def action_cancel(self):
        """Take the change back: by the one who proposed it, or by a supervisor."""
        call = self._get_staff_call()
        if self.proposer != call.actor:
            self._check_supervisor()
        self._end(call, "cancelled")

    def _end(self, call, end: str) -> None:
        with self.env["spar.staff.answers"]._say_errors():
            self.env["spar.mapper.local"]._end_change(call, self.id, end)

    @api.model
    def _check_supervisor(self):
        self.env["spar.mapper.local"]._check_member(SUPERVISOR)

    def _get_staff_call(self):
        self.ensure_one()
        return self.env["spar.mapper.local"]._build_staff_call()
