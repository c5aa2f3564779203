from odoo import api, fields, models
from odoo.tools import SQL

from ..fields import CheckedMany2one
from ..lib import integrity, seals

#: What of a row never changes; the database refuses it.
_FIXED = (
    *("uuid", "subject_id", "identifier_id", "purpose", "rank", "authority"),
    *("channel", "origin", "proof", "valid_from", "asserted_at", "strategy_number"),
    *("fa_type_id", "provider_id", "branch_id"),
)
#: What changes with a new event only; the rest is sealed values and digests.
_MOVING = ("state", "version", "valid_to")


class SparMapping(models.Model):
    """One period of one address of one subject."""

    _name = "spar.mapping"
    _description = "Mapping"
    _inherit = ["spar.store.table", "spar.sealed.storage"]
    _rec_name = "uuid"
    _order = "id desc"
    _log_access = False
    _digest_columns = ("fa_digest_a", "fa_digest_b", "last_mac")
    _references = {
        "subject_id": "spar_subject",
        "identifier_id": "spar_subject_id",
        "fa_type_id": "spar_fa_type",
        "provider_id": "spar_fsp",
        "branch_id": "spar_fsp_branch",
    }
    _refuses_delete = "rows are ended, not deleted"

    uuid = fields.Char(required=True, readonly=True, string="Reference")
    subject_id = CheckedMany2one(
        "spar.subject", required=True, readonly=True, index=True, ondelete="restrict"
    )
    identifier_id = CheckedMany2one(
        "spar.subject.id",
        required=True,
        readonly=True,
        ondelete="restrict",
        help="The ID under which the address was sealed.",
    )
    purpose = fields.Char(readonly=True, help="Empty: any purpose.")
    rank = fields.Integer(
        readonly=True, help="1: paid first; later ones are fallbacks."
    )
    state = fields.Selection(
        [
            ("proposed", "Proposed"),
            ("active", "Active"),
            ("suspended", "Suspended"),
            ("ended", "Ended"),
        ],
        string="State of the period",
        required=True,
        readonly=True,
    )
    version = fields.Integer(readonly=True)
    authority = fields.Integer(readonly=True)
    channel = fields.Char(readonly=True)
    origin = fields.Char(readonly=True)
    proof = fields.Char(readonly=True, string="Authenticated by")
    valid_from = fields.Datetime(required=True, readonly=True)
    valid_to = fields.Datetime(readonly=True)
    asserted_at = fields.Datetime(required=True, readonly=True)
    strategy_number = fields.Integer(readonly=True)
    fa_type_id = CheckedMany2one(
        "spar.fa.type", string="Kind", readonly=True, ondelete="restrict"
    )
    provider_id = CheckedMany2one(
        "spar.fsp", readonly=True, ondelete="restrict", index="btree_not_null"
    )
    branch_id = CheckedMany2one(
        "spar.fsp.branch", readonly=True, ondelete="restrict", index="btree_not_null"
    )
    last_seq = fields.Integer(required=True, readonly=True)
    event_ids = fields.One2many("spar.event", "mapping_id", readonly=True)
    change_ids = fields.One2many("spar.change", "mapping_id", readonly=True)

    _in_force_uniq = models.UniqueIndex(
        "(subject_id, purpose, rank) "
        "WHERE state IN ('proposed', 'active', 'suspended')",
        "A subject has one address in force for a purpose and rank.",
    )
    _uuid_uniq = models.UniqueIndex("(uuid)", "A reference is given once.")

    def init(self):
        result = super().init()
        # Partial as what is searched: else, before the first ANALYZE, the planner reads
        # the whole index of addresses in force for each address asked about.
        for name in ("fa_digest_a", "fa_digest_b"):
            self.env.cr.execute(
                SQL(
                    """CREATE INDEX IF NOT EXISTS %s ON spar_mapping (%s)
                        WHERE state IN ('active', 'suspended')
                          AND %s IS NOT NULL""",
                    SQL.identifier(f"spar_mapping_{name}_index"),
                    *(SQL.identifier(name),) * 2,
                )
            )
        self._guard_table()
        return result

    @api.model
    def _guard_table(self):
        """Let the database refuse what does not come with an event.

        A stumbling block for a plain statement, not a lock: whoever switches triggers
        off is found by the seals at resolve and by the chain at the check.
        """
        self.env.cr.execute("DROP TRIGGER IF EXISTS spar_mapping_guard ON spar_mapping")
        for statement in integrity.build_update_guard(self._table, _FIXED, _MOVING):
            self.env.cr.execute(statement)

    def _get_seal_contexts(self, keyring, row_ids):
        rows = self.env.execute_query(
            SQL(
                """SELECT m.id, m.identifier_id, m.uuid, s.uuid, m.version, m.state
                     FROM spar_mapping m JOIN spar_subject s ON s.id = m.subject_id
                    WHERE m.id = ANY(%s)""",
                list(row_ids),
            )
        )
        identifiers = self.env["spar.subject.id"]._unseal_ids(
            keyring, list({row[1] for row in rows})
        )
        return {
            row_id: (
                seals.ADDRESS,
                seals.address_context(*place, identifiers[identifier]),
            )
            for row_id, identifier, *place in rows
            if identifier in identifiers
        }
