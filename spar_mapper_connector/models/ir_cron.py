from odoo import api, models
from odoo.exceptions import UserError

from ..expressions import is_by_operator, is_loading_ours, refuse_expressions, scheduled
from ..lib.waiting import SCHEDULE
from ..server.database import limited

#: The only field of our jobs that people change: which of two that are due runs first.
#: Odoo counts failures in others, and switches off a job that failed for a week.
_FREE = {"priority"}
#: The model of Odoo's job that also deletes what the registry no longer needs: forms
#: that people left, old drafts, failed logins.
_CLEANING = "ir.autovacuum"


def _is_shipped(env) -> bool:
    """Return whether an addon of ours, or the operator, writes about jobs."""
    return is_loading_ours(env) or is_by_operator(env)


class IrCron(models.Model):
    """The registry's jobs run as its addons define: without them nothing is checked."""

    _name = "ir.cron"
    _inherit = ["ir.cron"]

    def write(self, vals):
        self._check_kept(vals.keys() - _FREE)
        return super().write(vals)

    def unlink(self):
        self._check_kept({"active"})
        return super().unlink()

    def _is_ours(self) -> bool:
        """Return whether the registry depends on one of these jobs."""
        names = self.sudo().mapped("model_id.model")
        return any(name.startswith("spar.") or name == _CLEANING for name in names)

    def _check_kept(self, changed: set[str]) -> None:
        """Raise UserError if one of our jobs would be switched off or postponed."""
        if not changed or _is_shipped(self.env):
            return
        if self._is_ours():
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


class IrCronProgress(models.Model):
    """How far a job came: one that seems to have timed out three times is not run."""

    _inherit = "ir.cron.progress"

    @api.model_create_multi
    def create(self, vals_list):
        notes = super().create(vals_list)
        notes._check_not_ours()
        return notes

    def write(self, vals):
        self._check_not_ours()
        result = super().write(vals)
        self._check_not_ours()
        return result

    def unlink(self):
        self._check_not_ours()
        return super().unlink()

    def _check_not_ours(self) -> None:
        """Raise an error if anybody but Odoo itself writes about one of our jobs.

        Raises UserError, and CalledFromExpression for an expression.
        """
        jobs_sudo = self.sudo().cron_id
        if _is_shipped(self.env) or not jobs_sudo._is_ours():
            return
        refuse_expressions()
        if not self.env.su:
            jobs_sudo._check_kept({"active"})
