from odoo import api, fields, models
from odoo.tools import SQL

from ...lib.outbox import EntryState


class SparOutboxSummary(models.Model):
    """What waits in the outbox, by programme; of the people whom the user may see.

    It has no table: it is counted whenever it is shown.
    """

    _name = "spar.outbox.summary"
    _description = "Outbox by programme"
    _auto = False
    _order = "failed desc, oldest_at, id"
    _rec_name = "programme_id"
    _depends = {"spar.outbox.entry": ["state", "programme_id", "partner_id"]}

    programme_id = fields.Many2one("spar.programme", readonly=True)
    waiting = fields.Integer(readonly=True, help="Waiting, or being sent now.")
    parked = fields.Integer(readonly=True, string="Waiting for approval")
    failed = fields.Integer(readonly=True)
    conflict = fields.Integer(readonly=True, string="Conflicts")
    done = fields.Integer(readonly=True, string="Confirmed")
    oldest_at = fields.Datetime(readonly=True, string="Oldest since")
    oldest_text = fields.Char(compute="_compute_oldest_text", string="Oldest")
    failed_text = fields.Text(
        compute="_compute_failed_text", string="Failed, by reason"
    )

    @property
    def _table_query(self) -> SQL:
        entries = self.env["spar.outbox.entry"]
        seen = entries._search([]).subselect()
        return SQL(
            """SELECT coalesce(e.programme_id, 0) + 1 AS id,
                      e.programme_id,
                      count(*) FILTER (WHERE e.state IN ('waiting', 'sending'))
                          AS waiting,
                      count(*) FILTER (WHERE e.state = 'parked') AS parked,
                      count(*) FILTER (WHERE e.state = 'failed') AS failed,
                      count(*) FILTER (WHERE e.state = 'conflict') AS conflict,
                      count(*) FILTER (WHERE e.state = 'done') AS done,
                      min(e.create_date) FILTER (
                          WHERE e.state IN ('waiting', 'sending', 'parked', 'failed'))
                          AS oldest_at
                 FROM spar_outbox_entry e WHERE e.id IN %s
                GROUP BY e.programme_id""",
            seen,
        )

    @api.depends("oldest_at")
    def _compute_oldest_text(self):
        """Say for how long the oldest open entry has been there."""
        now = fields.Datetime.now()
        for summary in self:
            summary.oldest_text = False
            if summary.oldest_at:
                hours = (now - summary.oldest_at).total_seconds() / 3600
                summary.oldest_text = self._get_age_text(hours)

    @api.model
    def _get_age_text(self, hours: float) -> str:
        if hours < 1:
            return self.env._("%(minutes)s min", minutes=int(hours * 60))
        if hours < 48:
            return self.env._("%(hours)s h", hours=int(hours))
        return self.env._("%(days)s days", days=int(hours / 24))

    def _compute_failed_text(self):
        """List how many failed for each reason, the most frequent first."""
        entries = self.env["spar.outbox.entry"]
        for summary in self:
            groups = entries._read_group(
                [
                    ("state", "=", EntryState.FAILED.value),
                    ("programme_id", "=", summary.programme_id.id),
                ],
                ["reason"],
                ["__count"],
                order="__count DESC",
            )
            summary.failed_text = "\n".join(
                f"{count} × {entries._get_reason_text(reason or '')}"
                for reason, count in groups
            )

    # === STAFF === #

    def _open_entries(self, *states: EntryState):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.programme_id.name or self.env._("Outbox"),
            "res_model": "spar.outbox.entry",
            "view_mode": "list,graph,pivot",
            "domain": [
                ("programme_id", "=", self.programme_id.id),
                ("state", "in", [state.value for state in states]),
            ],
        }

    def action_open_waiting(self):
        """List what waits, or is being sent."""
        return self._open_entries(EntryState.WAITING, EntryState.SENDING)

    def action_open_parked(self):
        """List what waits for approval at the mapper."""
        return self._open_entries(EntryState.PARKED)

    def action_open_failed(self):
        """List what failed, to try it again or give it up."""
        return self._open_entries(EntryState.FAILED)

    def action_open_conflicts(self):
        """List what was not sent because another address is in force."""
        return self._open_entries(EntryState.CONFLICT)
