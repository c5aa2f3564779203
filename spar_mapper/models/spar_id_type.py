from odoo import api, models

from odoo.addons.spar_mapper_connector.lib.id_forms import NEWEST, IdForm

from ..lib.id_reading import to_plain


class SparIdType(models.Model):
    """What a change of the rules of an ID type does to the IDs that are stored."""

    _inherit = "spar.id.type"

    @api.model
    def _get_id_forms(self) -> tuple[IdForm, ...]:
        """The form of now, and those of before of which there may still be rows."""
        state = self.env["spar.id.form"]._get_state()
        return state.newest, *(form for _number, form in state.older)

    @api.model
    def _describe_rules(self) -> dict:
        """The rules of all types as a form keeps them."""
        return to_plain(IdForm(NEWEST, self._get_rules()))

    def _describe_effect(self, values: dict) -> list[str]:
        """What a dry run has found."""
        lines = super()._describe_effect(values)
        changes_sudo = self.sudo().setting_change_ids.filtered(
            lambda change: change._open_kept()["values"] == values
        )
        runs_sudo = self.env["spar.form.run"].sudo()._get_dry_runs(changes_sudo)
        return lines + [run._describe() for run in runs_sudo[:1]]
