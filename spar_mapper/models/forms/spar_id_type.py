from odoo import api, models

from odoo.addons.spar_mapper_connector.lib.id_forms import NEWEST, IdForm

from ...lib.id_reading import to_plain


class SparIdType(models.Model):
    """The effect of changed ID-type rules on stored IDs."""

    _inherit = "spar.id.type"

    @api.model
    def _get_id_forms(self) -> tuple[IdForm, ...]:
        """Return the current form, and older ones of which rows may still exist."""
        state = self.env["spar.id.form"]._get_state()
        return state.newest, *(form for _number, form in state.older)

    @api.model
    def _describe_rules(self) -> dict:
        """Return the rules of all types as a form stores them."""
        return to_plain(IdForm(NEWEST, self._get_rules()))

    def _describe_effect(self, values: dict) -> list[str]:
        """Return the findings of a dry run."""
        lines = super()._describe_effect(values)
        changes_sudo = self.sudo().setting_change_ids.filtered(
            lambda change: change._open_kept()["values"] == values
        )
        runs_sudo = self.env["spar.form.run"].sudo()._get_dry_runs(changes_sudo)
        return lines + [run._describe() for run in runs_sudo[:1]]
