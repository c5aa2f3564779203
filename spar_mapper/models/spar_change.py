from odoo import fields, models
from odoo.tools import SQL

from ..fields import BigMany2one
from ..lib import seals

#: The group that may decide, which the backend checks.
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
    mapping_id = BigMany2one(
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
                """SELECT c.id, c.uuid, s.uuid, m.uuid, %s
                     FROM spar_change c JOIN spar_mapping m ON m.id = c.mapping_id
                     JOIN spar_subject s ON s.id = m.subject_id
                    WHERE c.id = ANY(%s)""",
                SQL(", ").join(
                    SQL.identifier("c", name) for name in seals.ChangeTerms._fields
                ),
                list(row_ids),
            )
        )
        return {
            row_id: (
                seals.CHANGE,
                seals.change_context(uuid, subject, head, seals.ChangeTerms(*terms)),
            )
            for row_id, uuid, subject, head, *terms in rows
        }
