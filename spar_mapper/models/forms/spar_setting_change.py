from odoo import api, models
from odoo.exceptions import UserError

from odoo.addons.spar_mapper_connector.models.spar_second_person import _Rehearsed


class SparSettingChange(models.Model):
    """A change of the rules for reading IDs, which begins with a dry run."""

    _inherit = "spar.setting.change"

    @api.model
    def _keep(self, record, values, proposer, named=()):
        change = super()._keep(record, values, proposer, named)
        change._begin_dry_run(record, values)
        return change

    def _begin_dry_run(self, record, values: dict) -> None:
        """Check stored IDs by the proposed rules, if these differ from the present."""
        if record._name != "spar.id.type":
            return
        data = self._get_proposed_rules(record, values)
        if data != record._describe_rules():
            self.env["spar.form.run"].sudo()._begin_proposal(self, data)

    @api.model
    def _get_proposed_rules(self, record, values: dict) -> dict:
        """Return the rules of all types as they would be with ``values``."""
        data = {}
        try:
            with self.env.cr.savepoint():
                record._write_approved(values)
                self.env.flush_all()
                data = record._describe_rules()
                raise _Rehearsed()
        except _Rehearsed:
            self.env.invalidate_all()
        return data

    def _apply(self) -> bool:
        """Apply the change, but only after a dry run of exactly these rules."""
        self._check_dry_run()
        before = self._get_rules_now()
        is_applied = super()._apply()
        if is_applied and before is not None and before != self._get_rules_now():
            self._rewrite_ids()
        return is_applied

    def _get_rules_now(self) -> dict | None:
        """Return the rules for reading IDs, or None if this concerns something else."""
        if self.res_model != "spar.id.type":
            return None
        return self.env["spar.id.type"]._describe_rules()

    def _check_dry_run(self) -> None:
        record = self._get_record()
        if self.res_model != "spar.id.type" or not record:
            return
        data = self._get_proposed_rules(record, self._open_kept()["values"])
        if data == record._describe_rules():
            return
        runs_sudo = self.env["spar.form.run"].sudo()
        run_sudo = runs_sudo._get_dry_runs(self).filtered(lambda run: run.data == data)
        if not run_sudo:
            # Rules of other types have changed since the proposal.
            raise UserError(
                self.env._(
                    "Other rules have changed since the dry run. Refuse this change "
                    "and propose it again."
                )
            )
        if run_sudo[:1].state != "done":
            raise UserError(
                self.env._(
                    "The dry run is not finished (%(percent)s %%). Review its "
                    "findings, then approve.",
                    percent=run_sudo[:1].progress,
                )
            )

    def _rewrite_ids(self) -> None:
        """Rewrite all IDs in the new form, now that two people have seen the effect."""
        self.env["spar.id.form"].sudo()._get_number()
        run_sudo = self.env["spar.form.run"].sudo()._get_open_ids()
        run_sudo.is_wanted = True
