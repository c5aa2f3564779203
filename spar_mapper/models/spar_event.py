from odoo import api, fields, models

from odoo.addons.spar_mapper_connector.models.spar_sealed_storage import add_columns

from ..fields import StoreMany2one
from ..lib import integrity
from ..lib.transitions import MIGRATED, OLD_EVENTS, PLACE_EVENTS, SUBJECT_EVENTS
from ..store.listing import EVENT_BYTES


class SparEvent(models.Model):
    """One thing that happened to a subject; never rewritten, never removed.

    It contains no ID and no address, sealed or not: only keyed commitments to them.
    """

    _name = "spar.event"
    _description = "Event"
    _inherit = ["spar.store.table"]
    _rec_name = "kind"
    _order = "id desc"
    _log_access = False
    # The subject is checked with its chain, the place with the period.
    _references = {"period_id": "spar_mapping_period"}
    _owned = {"period_id": ("subject_id", "mapping_id")}

    subject_id = StoreMany2one(
        "spar.subject", required=True, readonly=True, ondelete="restrict"
    )
    mapping_id = StoreMany2one(
        "spar.mapping",
        readonly=True,
        ondelete="restrict",
        help="Empty: it concerns the person.",
    )
    period_id = StoreMany2one("spar.mapping.period", readonly=True, ondelete="restrict")
    format = fields.Integer(
        required=True,
        readonly=True,
        help="How the event is secured; 1: in the history of one address, before the "
        "history was kept person by person.",
    )
    uuid = fields.Char(required=True, readonly=True)
    seq = fields.Integer(required=True, readonly=True, string="No.")
    kind = fields.Selection(
        selection=lambda self: self._selection_kind(), required=True, readonly=True
    )
    actor = fields.Char(required=True, readonly=True)
    on_behalf_of = fields.Char(readonly=True)
    channel = fields.Char(required=True, readonly=True)
    authenticated_by = fields.Char(readonly=True)
    message_reference = fields.Char(readonly=True)
    reason = fields.Char(readonly=True)
    happened_at = fields.Datetime(required=True, readonly=True)

    # Serves a subject's history and the check; and, read from the end, each resolve,
    # which verifies that the subject is up to date. Legacy events are numbered
    # separately for each address.
    _chain = models.UniqueIndex(
        "(subject_id, seq, (CASE WHEN format = 1 THEN id ELSE 0 END))",
        "An event has one place.",
    )
    # Rows arrive in chronological order: a few kilobytes suffice for a filter by date.
    _happened_at = models.Index("USING brin (happened_at)")

    @api.model
    def _selection_kind(self):
        kinds = (*PLACE_EVENTS, *SUBJECT_EVENTS, *OLD_EVENTS, MIGRATED)
        return [(kind, kind.replace("_", " ").capitalize()) for kind in kinds]

    def init(self):
        result = super().init()
        add_columns(
            self.env.cr,
            self._table,
            EVENT_BYTES,
        )
        self._tie_to_subjects()
        self._make_append_only()
        return result

    @api.model
    def _tie_to_subjects(self):
        """Make a statement fail unless its events continue their subjects' chains."""
        for statement in integrity.build_event_tie():
            self.env.cr.execute(statement)

    @api.model
    def _make_append_only(self):
        """Make the database refuse UPDATE, DELETE and TRUNCATE."""
        self.env.cr.execute(
            """
            CREATE OR REPLACE FUNCTION spar_event_append_only() RETURNS trigger AS $$
            BEGIN
                RAISE EXCEPTION 'spar_event: history is not rewritten';
            END $$ LANGUAGE plpgsql;
            CREATE OR REPLACE TRIGGER spar_event_append_only
                BEFORE UPDATE OR DELETE ON spar_event
                FOR EACH STATEMENT EXECUTE FUNCTION spar_event_append_only();
            CREATE OR REPLACE TRIGGER spar_event_append_only_truncate
                BEFORE TRUNCATE ON spar_event
                EXECUTE FUNCTION spar_event_append_only();
            """
        )

    @api.model
    def _lift_append_only(self):
        """Lift the protection, as a named step of a migration that must change rows.

        Call ``_make_append_only`` when done. If a migration changes an event's content,
        the check finds it.
        """
        self.env.cr.execute(
            """
            DROP TRIGGER IF EXISTS spar_event_append_only ON spar_event;
            DROP TRIGGER IF EXISTS spar_event_append_only_truncate ON spar_event;
            """
        )
