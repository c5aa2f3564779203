from odoo import models
from odoo.exceptions import UserError

from ..expressions import is_on_command_line, scheduled
from ..lib.waiting import SCHEDULE
from ..server.database import limited

#: What makes a job run, and when.
_KEPT = {"active", "interval_number", "interval_type", "nextcall", "user_id", "code"}


class IrCron(models.Model):
    """The registry's jobs run as the addons say: without them nothing is checked."""

    _name = "ir.cron"
    _inherit = ["ir.cron"]

    def write(self, vals):
        self._check_kept(vals.keys() & _KEPT)
        return super().write(vals)

    def unlink(self):
        self._check_kept({"active"})
        return super().unlink()

    def _check_kept(self, changed: set[str]) -> None:
        """Raise UserError where a job of ours would be switched off, or put off."""
        if not changed or not self.env.registry.ready or is_on_command_line():
            return
        if any((cron.model_id.sudo().model or "").startswith("spar.") for cron in self):
            raise UserError(
                self.env._(
                    "The jobs of the registry cannot be switched off or changed here: "
                    "they check it, and move what waits."
                )
            )

    @classmethod
    def _process_job(cls, cron_cr, job):
        """Whatever a schedule waits for, it waits no longer than schedules may."""
        with limited(SCHEDULE), scheduled():
            return super()._process_job(cron_cr, job)
