import re

from odoo import api, models

from ..expressions import names_jobs

#: The whole code of an action that only names a job of ours.
_NAMES_A_JOB = re.compile(r"\s*model\.(_cron_\w+)\(\)\s*")


class IrActionsServer(models.Model):
    _name = "ir.actions.server"
    _inherit = ["ir.actions.server", "spar.closed.customising"]

    # === WHAT IS SCHEDULED === #

    @names_jobs
    def _run_action_code_multi(self, eval_context):
        """Call a job of ours as it is named, instead of evaluating its call.

        An expression may not use keys (``expressions.py``), and jobs do.
        """
        job = self._get_job()
        return job() if job else super()._run_action_code_multi(eval_context)

    def _get_job(self):
        """Return the scheduled job that is all of this action's code, or None."""
        named = _NAMES_A_JOB.fullmatch(self.code or "")
        model = self.model_id.sudo().model or ""
        if not named or not model.startswith("spar."):
            return None
        return getattr(self.env[model], named[1], None)

    # === WHAT IS REFUSED === #

    def _run(self, records, eval_context):
        """What was written past the check of what is added is not run either."""
        self._check_closed()
        return super()._run(records, eval_context)

    def _get_closed_models(self):
        added = self.filtered(lambda action: not action._get_job())
        crud = added.mapped("crud_model_id.model")
        return {*added.mapped("model_id.model"), *crud}

    @api.constrains("model_id", "crud_model_id", "code", "state")
    def _check_not_ours(self):
        self._check_closed()
