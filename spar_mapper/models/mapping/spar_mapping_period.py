from datetime import datetime, time, timedelta
from itertools import pairwise

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from odoo.addons.spar_mapper_connector.exceptions import ServiceUnavailable

from ...fields import StoreMany2one
from ...lib import integrity
from ...lib.case import to_naive_utc


class SparMappingPeriod(models.Model):
    """One state and address of a place for a time; never rewritten, never removed.

    It lasts until the next one of the same place begins. When a place has ended, it has
    a period without an address.
    """

    _name = "spar.mapping.period"
    _description = "Period of an address"
    _inherit = ["spar.store.table", "spar.stored.address", "spar.sealed.storage"]
    _rec_name = "address_uuid"
    _order = "subject_id, mapping_id, seq desc"
    _log_access = False
    _digest_columns = ("fa_digest_a", "fa_digest_b")
    _references = {
        "mapping_id": "spar_mapping",
        "fa_type_id": "spar_fa_type",
        "provider_id": "spar_fsp",
        "branch_id": "spar_fsp_branch",
    }
    _owned = {"mapping_id": ("subject_id",)}
    _refuses_delete = "periods are not deleted"

    subject_id = StoreMany2one(
        "spar.subject", required=True, readonly=True, ondelete="restrict"
    )
    mapping_id = StoreMany2one(
        "spar.mapping", required=True, readonly=True, ondelete="restrict"
    )
    seq = fields.Integer(
        required=True,
        readonly=True,
        help="The event with which it began. Negative: from a previous version, which "
        "kept the history by address.",
    )
    form = fields.Integer(readonly=True, help="The form in which it is written.")

    # Finds the periods of a subject and of a place: history, "in force on", objections.
    _seq_uniq = models.UniqueIndex(
        "(subject_id, mapping_id, seq)", "An event begins only one period."
    )

    fa_masked = fields.Char(string="Financial address", compute="_compute_fa_masked")
    valid_to = fields.Datetime(string="Until", compute="_compute_valid_to")
    id_masked = fields.Char(related="mapping_id.id_masked", related_sudo=False)
    id_value = fields.Char(
        string="ID (exact)", compute="_compute_values", search="_search_id_value"
    )
    in_force_on = fields.Date(
        string="In force on", compute="_compute_values", search="_search_in_force_on"
    )

    def init(self):
        result = super().init()
        # Finds who has, or had, this account: resolve by address, and the search by
        # staff.
        for name in self._digest_columns:
            self.env.cr.execute(
                SQL(
                    """CREATE INDEX IF NOT EXISTS %s
                           ON spar_mapping_period (%s) WHERE %s IS NOT NULL""",
                    SQL.identifier(f"spar_mapping_period_{name}_index"),
                    *(SQL.identifier(name),) * 2,
                )
            )
        self._make_append_only()
        return result

    @api.model
    def _make_append_only(self):
        """Make the database refuse changes, except those of key rotation."""
        columns = [
            name
            for name, field in self._fields.items()
            if field.store and field.column_type
        ]
        for statement in integrity.build_append_only(self._table, sorted(columns)):
            self.env.cr.execute(statement)
        for statement in integrity.build_period_tie():
            self.env.cr.execute(statement)

    # === DISPLAY === #

    def _show(self) -> dict[int, str]:
        """Return the address of each period that opens, in clear, by row id.

        It may be called only for masking and for logged accesses.
        """
        self.check_access("read")
        mapper = self.env["spar.mapper.local"]
        return mapper._show_periods(mapper._build_staff_call(), self.ids)

    @api.depends("address_uuid")
    @api.depends_context("lang")
    def _compute_fa_masked(self):
        """Open the address for this display only; the result is not stored."""
        try:
            shown = self._show()
        except ServiceUnavailable:
            self.fa_masked = self.env._("Encryption keys unavailable")
            return
        masks = self.env["spar.masked.words"]._write_addresses(list(shown.values()))
        masked = dict(zip(shown, masks, strict=True))
        broken = self.env._("Cannot be opened: see the alarms")
        for period in self:
            # A form that is not saved yet shows copies of stored rows.
            period.fa_masked = masked.get(period._origin.id, broken)

    @api.depends("seq")
    def _compute_valid_to(self):
        """Compute the end of a period, which is the start of the place's next one."""
        periods = self.search([("subject_id", "in", self.subject_id.ids)])
        following = {}
        for later, earlier in pairwise(
            periods.sorted(lambda p: (p.mapping_id.id, -p.seq))
        ):
            if later.mapping_id == earlier.mapping_id:
                following[earlier.id] = later.state_since
        for period in self:
            period.valid_to = following.get(period._origin.id, False)

    # === FINDING === #

    @api.depends_context("uid")
    def _compute_values(self):
        """Leave empty: these fields are for searching only."""
        self.id_value = self.in_force_on = False

    @api.model
    def _search_id_value(self, operator, values):
        """Return the periods of the person with an ID."""
        found = self.env["spar.mapping"]._search_id_value(operator, values)
        if found is NotImplemented:
            return NotImplemented
        subjects = self.env["spar.mapping"].search(found).subject_id
        return Domain("subject_id", "in", subjects.ids)

    @api.model
    def _search_in_force_on(self, operator, values):
        """Return periods in force at some time of a day, in the user's time zone.

        In gaps, and while the address was suspended, there is none.
        """
        if operator != "in":
            return NotImplemented
        days = [fields.Date.to_date(value) for value in values if value]
        return Domain.OR(self._build_day_domain(day) for day in days)

    @api.model
    def _build_day_domain(self, day) -> Domain:
        start = self.env.tz.localize(datetime.combine(day, time.min))
        begin, end = to_naive_utc(start), to_naive_utc(start + timedelta(days=1))

        def is_in_force(_model, alias, _query) -> SQL:
            return SQL(
                """(%(period)s.state = 'active' AND %(period)s.state_since < %(end)s
                    AND NOT EXISTS (
                        SELECT FROM spar_mapping_period later
                         WHERE later.subject_id = %(period)s.subject_id
                           AND later.mapping_id = %(period)s.mapping_id
                           AND later.seq > %(period)s.seq
                           AND later.state_since <= %(begin)s))""",
                period=SQL.identifier(alias),
                begin=begin,
                end=end,
            )

        return Domain.custom(to_sql=is_in_force)

    def action_reveal(self):
        """Show the full ID and address, for auditors."""
        self.ensure_one()
        action = self.mapping_id.action_reveal()
        context = {**action["context"], "default_period_id": self.id}
        return {**action, "context": context}
