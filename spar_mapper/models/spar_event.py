from odoo import api, fields, models

from odoo.addons.spar_mapper_connector.models.spar_sealed_storage import add_columns

from ..fields import CheckedMany2one
from ..lib import integrity
from ..lib.transitions import MAPPING_EVENTS


class SparEvent(models.Model):
    """One thing that happened to a mapping; never rewritten, never removed.

    It holds no ID and no address, sealed or not: only keyed commitments to them.
    """

    _name = "spar.event"
    _description = "Event"
    _inherit = ["spar.store.table"]
    _rec_name = "kind"
    _order = "id desc"
    _log_access = False

    mapping_id = CheckedMany2one(
        "spar.mapping", required=True, readonly=True, ondelete="restrict"
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

    _chain = models.UniqueIndex("(mapping_id, seq)", "An event has one place.")
    # Rows come in the order of time: a few kilobytes do for a filter by date.
    _happened_at = models.Index("USING brin (happened_at)")

    @api.model
    def _selection_kind(self):
        return [(kind, kind.replace("_", " ").capitalize()) for kind in MAPPING_EVENTS]

    def init(self):
        result = super().init()
        add_columns(
            self.env.cr,
            self._table,
            ("commitment_before", "commitment_after", "previous_mac", "mac"),
        )
        self._tie_to_mappings()
        self._make_append_only()
        return result

    @api.model
    def _tie_to_mappings(self):
        """A mapping names its last event by number and MAC, or the commit fails."""
        self.env.cr.execute(
            """
            ALTER TABLE spar_mapping
                DROP CONSTRAINT IF EXISTS spar_mapping_last_event_fk;
            DROP INDEX IF EXISTS spar_event_chain_uniq;
            """
        )
        for statement in integrity.build_tie():
            self.env.cr.execute(statement)

    @api.model
    def _make_append_only(self):
        """Let the database refuse UPDATE, DELETE and TRUNCATE."""
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
        """The named step of a migration that must touch the table's rows.

        Call ``_make_append_only`` when done. What a migration changes of an event's
        content, the check finds.
        """
        self.env.cr.execute(
            """
            DROP TRIGGER IF EXISTS spar_event_append_only ON spar_event;
            DROP TRIGGER IF EXISTS spar_event_append_only_truncate ON spar_event;
            """
        )
