from odoo import api, fields, models
from odoo.tools import SQL

from odoo.addons.spar_mapper_connector.models.spar_sealed_storage import add_columns

from ..fields import CheckedMany2one, StoreMany2one
from ..lib import integrity, seals
from ..lib.records import ADDRESS_COLUMNS

#: The columns of a head that never change; the database enforces it.
_FIXED = ("uuid", "subject_id", "purpose", "rank")
#: The columns that change only with a new event; the rest is the sealed address.
_MOVING = (
    "state",
    "version",
    "state_since",
    "period_id",
    "address_uuid",
    "address_version",
    "mac",
    *ADDRESS_COLUMNS,
)
STATES = [
    ("proposed", "Proposed"),
    ("active", "Active"),
    ("suspended", "Suspended"),
    ("ended", "Ended"),
]


class SparStoredAddress(models.AbstractModel):
    """The columns that a place and each of its periods have for an address."""

    _name = "spar.stored.address"
    _description = "Address as it is stored"

    authority = fields.Integer(readonly=True)
    channel = fields.Char(readonly=True)
    origin = fields.Char(readonly=True)
    proof = fields.Char(readonly=True, string="Authenticated by")
    valid_from = fields.Datetime(readonly=True)
    asserted_at = fields.Datetime(readonly=True)
    strategy_number = fields.Integer(readonly=True)
    fa_type_id = CheckedMany2one(
        "spar.fa.type", string="Kind", readonly=True, ondelete="restrict"
    )
    provider_id = CheckedMany2one("spar.fsp", readonly=True, ondelete="restrict")
    branch_id = CheckedMany2one("spar.fsp.branch", readonly=True, ondelete="restrict")
    version = fields.Integer(readonly=True)
    state = fields.Selection(
        STATES, string="State of the address", required=True, readonly=True
    )
    state_since = fields.Datetime(required=True, readonly=True)
    address_uuid = fields.Char(
        required=True, readonly=True, help="The same as long as the address is."
    )
    address_version = fields.Integer(
        readonly=True, help="The version under which the address was sealed."
    )

    def _get_seal_contexts(self, keyring, row_ids):
        rows = self.env.execute_query(
            SQL(
                """SELECT m.id, m.address_uuid, s.uuid, m.address_version
                     FROM %s m JOIN spar_subject s ON s.id = m.subject_id
                    WHERE m.id = ANY(%s)""",
                SQL.identifier(self._table),
                list(row_ids),
            )
        )
        return {
            row_id: (seals.ADDRESS, seals.address_context(uuid, subject, version))
            for row_id, uuid, subject, version in rows
        }


class SparMapping(models.Model):
    """One place of a subject, and the address that is in it now: what resolve reads.

    A row is changed where it stands. Earlier states are in the periods.
    """

    _name = "spar.mapping"
    _description = "Mapping"
    _inherit = ["spar.store.table", "spar.stored.address", "spar.sealed.storage"]
    _rec_name = "uuid"
    _order = "id desc"
    _log_access = False
    _references = {"subject_id": "spar_subject"}
    _refuses_delete = "rows are ended, not deleted"

    uuid = fields.Char(required=True, readonly=True, string="Reference")
    subject_id = StoreMany2one(
        "spar.subject", required=True, readonly=True, ondelete="restrict"
    )
    purpose = fields.Char(required=True, readonly=True, help="Empty: any purpose.")
    rank = fields.Integer(
        readonly=True, help="1: paid first; later ones are fallbacks."
    )
    period_id = StoreMany2one(
        "spar.mapping.period", readonly=True, string="Period in force"
    )
    last_seq = fields.Integer(
        required=True, readonly=True, help="The event that last changed it."
    )
    change_ids = fields.One2many("spar.change", "mapping_id", readonly=True)

    # Also finds a subject's places, for resolve and for changes.
    _place_uniq = models.UniqueIndex(
        "(subject_id, purpose, rank)",
        "A subject has one place for a purpose and rank.",
    )

    def init(self):
        result = super().init()
        add_columns(self.env.cr, self._table, ("mac",))
        # No column that changes is indexed, and pages keep room: an update stays on its
        # page and touches no index.
        self.env.cr.execute("ALTER TABLE spar_mapping SET (fillfactor = 70)")
        self._guard_table()
        return result

    @api.model
    def _guard_table(self):
        """Make the database refuse changes that come without an event.

        This is an obstacle to a plain statement, not a lock: if triggers are switched
        off, the seals reveal the change at resolve, and the chain at the check.
        """
        guard = integrity.build_update_guard(self._table, _FIXED, _MOVING)
        for statement in (*guard, *integrity.build_queue_table()):
            self.env.cr.execute(statement)
        for statement in integrity.build_head_tie():
            self.env.cr.execute(statement)
