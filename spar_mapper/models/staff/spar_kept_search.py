from collections.abc import Iterable

from odoo import api, models
from odoo.exceptions import ValidationError

#: Fields that are searched by a whole ID or address.
_SEARCHED = ("id_value", "fa_value")


class SparKeptSearch(models.AbstractModel):
    """A model in which Odoo keeps searches, but never those for an ID or an address.

    The searched value would be stored there in clear.
    """

    _name = "spar.kept.search"
    _description = "Saved searches"

    #: The fields in which a search is kept.
    _kept_fields: tuple[str, ...] = ()

    @api.model_create_multi
    def create(self, vals_list):
        self._check_saved(vals_list)
        return super().create(vals_list)

    def write(self, vals):
        self._check_saved([vals])
        return super().write(vals)

    @api.model
    def _check_saved(self, vals_list: Iterable[dict]) -> None:
        texts = [
            str(vals.get(name)) for vals in vals_list for name in self._kept_fields
        ]
        if any(name in text for text in texts for name in _SEARCHED):
            raise ValidationError(
                self.env._(
                    "A search for an ID or an address cannot be saved, because it "
                    "would be stored unencrypted. Remove that part of the search "
                    "first."
                )
            )


class IrFilters(models.Model):
    _inherit = ["ir.filters", "spar.kept.search"]
    _name = "ir.filters"
    _kept_fields = ("domain", "context")


class IrUiViewCustom(models.Model):
    _inherit = ["ir.ui.view.custom", "spar.kept.search"]
    _name = "ir.ui.view.custom"
    _kept_fields = ("arch",)


class IrEmbeddedActions(models.Model):
    _inherit = ["ir.embedded.actions", "spar.kept.search"]
    _name = "ir.embedded.actions"
    _kept_fields = ("domain", "context")
