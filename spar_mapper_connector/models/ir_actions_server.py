import re

from odoo import api, models
from odoo.exceptions import ValidationError
from odoo.http import request

from ..expressions import get_person, is_at_run_time, names_jobs

#: The whole code of an action that only names a job: one of ours, or Odoo's own that
#: deletes old drafts, ours among them.
_NAMES_A_JOB = re.compile(r"\s*model\.(_cron_\w+|_run_vacuum_cleaner)\(\)\s*")
_VACUUM = "ir.autovacuum"
#: What the schedule says to a job.
_OF_CRON = {"cron_end_time", "cron_id", "ir_cron_progress_id", "lastcall"}
#: The fields that say what an action does.
_CALLING = {"model_id", "code", "state", "child_ids", "group_ids"}


class IrActionsServer(models.Model):
    _name = "ir.actions.server"
    _inherit = ["ir.actions.server", "spar.closed.customising"]

    # === SCHEDULED JOBS === #

    @names_jobs
    def _run_action_code_multi(self, eval_context):
        """Call one of our jobs by its name, instead of evaluating the call.

        An expression may not use keys (``expressions.py``), and jobs do. The job knows
        nothing of the request that starts it: who calls sets no clock and no filter.
        """
        job = self._get_job()
        if job is None:
            return super()._run_action_code_multi(eval_context)
        self._check_starter()
        return job()

    def _get_job(self):
        """Return the scheduled job that is the whole code of this action, or None.

        Only an action of the type *code* runs its code.
        """
        named = self.state == "code" and _NAMES_A_JOB.fullmatch(self.code or "")
        model = self.model_id.sudo().model or ""
        if not named or (named[1] == "_run_vacuum_cleaner") != (model == _VACUUM):
            return None
        if model != _VACUUM and not model.startswith("spar."):
            return None
        kept = {
            key: self.env.context[key] for key in _OF_CRON & self.env.context.keys()
        }
        return getattr(self.env(context=kept)[model], named[1], None)

    def _check_starter(self) -> None:
        """Raise AccessError for somebody who starts a job and manages no schedule.

        Every user may run an action that has no groups, and a job takes seconds.
        """
        if request:
            starter = get_person(self.env)
            self.env["ir.cron"].with_user(starter).check_access("write")

    # === REFUSALS === #

    def _run(self, records, eval_context):
        """Refuse to run what was written past the check of added actions.

        So does what opens a form of ours: it would fill it in, under a title of its
        own.
        """
        self._check_closed()
        result = super()._run(records, eval_context)
        self._check_closed_models(self._find_opened(result))
        return result

    def _get_closed_models(self):
        added = self.filtered(lambda action: not action._get_job())
        crud = added.mapped("crud_model_id.model")
        return {*added.mapped("model_id.model"), *crud}

    @api.model_create_multi
    def create(self, vals_list):
        self._check_author()
        return super().create(vals_list)

    def write(self, vals):
        if vals.keys() & _CALLING:
            self._check_no_job()
            self._check_author()
        return super().write(vals)

    @api.model
    def _check_author(self) -> None:
        """Raise AccessError if superuser code writes an action for its caller.

        A method of another addon that creates what a request names would let everybody
        write code.
        """
        if not self.env.su or not is_at_run_time(self.env):
            return
        author = self.env["res.users"].browse(get_person(self.env))
        self.with_user(author).check_access("write")

    def unlink(self):
        self._check_no_job()
        return super().unlink()

    def _check_no_job(self) -> None:
        """Raise ValidationError if one of these actions calls a job of ours."""
        if not is_at_run_time(self.env):
            return
        if any(action._get_job() for action in self):
            raise ValidationError(
                self.env._("Only addons define what the registry's scheduled jobs do.")
            )

    @api.constrains("model_id", "crud_model_id", "code", "state")
    def _check_not_ours(self):
        self._check_closed()
