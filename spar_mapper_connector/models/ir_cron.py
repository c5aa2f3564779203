from odoo import models
from odoo.exceptions import UserError

from ..expressions import is_at_run_time, scheduled
from ..lib.waiting import SCHEDULE
from ..server.database import limited

#: The fields that determine whether and when a job runs.
_KEPT = {
    "active",
    "interval_number",
    "interval_type",
    "nextcall",
    "user_id",
    "code",
    "model_id",
    "model_name",
    "state",
    "ir_actions_server_id",
}


class IrCron(models.Model):
    """The registry's jobs run as its addons define: without them nothing is checked."""

    _name = "ir.cron"
    _inherit = ["ir.cron"]

    def write(self, vals):
        self._check_kept(vals.keys() & _KEPT)
        return super().write(vals)

    def unlink(self):
        self._check_kept({"active"})
        return super().unlink()

    def _check_kept(self, changed: set[str]) -> None:
        """Raise UserError if one of our jobs would be switched off or postponed."""
        if not changed or not is_at_run_time(self.env):
            return
        if any((cron.model_id.sudo().model or "").startswith("spar.") for cron in self):
            raise UserError(
                self.env._(
                    "You cannot switch off or change the registry's scheduled jobs: "
                    "they check it and carry out pending changes."
                )
            )

    @classmethod
    def _process_job(cls, cron_cr, job):
        """Run the job with the time limits of schedules, whatever it waits for."""
        with limited(SCHEDULE), scheduled():
            return super()._process_job(cron_cr, job)
