from odoo import api, models
from odoo.exceptions import UserError

from odoo.addons.spar_mapper_connector.lib.id_forms import NEWEST, IdForm

from ...lib.id_reading import to_plain
from ...lib.provisional import PROVISIONAL


class SparIdType(models.Model):
    """The effect of changed rules on stored IDs, and the type of references of ours."""

    _inherit = "spar.id.type"

    def write(self, vals):
        """Refuse to rename the code: the type would lose what protects its IDs."""
        if vals.get("code", PROVISIONAL) != PROVISIONAL:
            if PROVISIONAL in self.mapped("code"):
                raise UserError(
                    self.env._(
                        "Code: the type of provisional references keeps its code. To "
                        "stop issuing them, archive the type."
                    )
                )
        return super().write(vals)

    # === THE TYPE THAT ONLY THE REGISTRY ISSUES === #

    @api.model
    def _get_provisional_type_id(self) -> int:
        """Return the type of provisional references, archived or not; 0 if none."""
        versions = self.env["spar.row.versions"]
        return versions._reuse(self, "_find_provisional_type", self._name)

    @api.model
    def _find_provisional_type(self) -> int:
        self._check_settings()
        types_sudo = self.sudo().with_context(active_test=False)
        return types_sudo.search([("code", "=", PROVISIONAL)], limit=1).id or 0

    # === FORMS === #

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
