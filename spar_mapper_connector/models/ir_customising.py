"""What an administrator of Odoo may not add to the models of this registry.

A field, an action or a rule that somebody adds runs in the request of whoever is
authorised, beside the values that are shown to them. So ours take none, but for those
that come with an addon.
"""

from odoo import api, models
from odoo.exceptions import ValidationError

#: The directory has nothing about people: rules and fields of one's own are harmless.
HARMLESS = "spar_fa_directory"


class SparClosedCustomising(models.AbstractModel):
    _name = "spar.closed.customising"
    _description = "Customising that the registry's models do not take"

    def _get_closed_models(self) -> set[str]:
        """Return the names of the models that this record customises."""
        return set(self.mapped("model_id.model"))

    def _check_closed(self) -> None:
        """Raise ValidationError where the registry is customised at run time."""
        if not self.env.registry.ready:
            return
        ours = sorted(filter(self._is_ours, self._get_closed_models()))
        if ours:
            raise ValidationError(
                self.env._(
                    "%(model)s holds people's accounts, or decides who may see or "
                    "change them: it takes no added fields, actions, rules or "
                    "templates. Put them into an addon.",
                    model=self.env["ir.model"]._get(ours[0]).name or ours[0],
                )
            )

    @api.model
    def _is_ours(self, name: str) -> bool:
        if not name.startswith("spar.") or name not in self.env:
            return False
        return self.env[name]._original_module != HARMLESS


class IrModelFields(models.Model):
    _name = "ir.model.fields"
    _inherit = ["ir.model.fields", "spar.closed.customising"]

    def _get_closed_models(self):
        added = self.filtered(lambda field: field.state == "manual")
        return {*added.mapped("model"), *filter(None, added.mapped("relation"))}

    @api.constrains("model_id", "model", "relation", "state", "related", "compute")
    def _check_not_ours(self):
        self._check_closed()


class IrRule(models.Model):
    _name = "ir.rule"
    _inherit = ["ir.rule", "spar.closed.customising"]

    @api.constrains("model_id", "domain_force", "active", "groups")
    def _check_not_ours(self):
        self._check_closed()
