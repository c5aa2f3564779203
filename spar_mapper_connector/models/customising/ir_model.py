from collections.abc import Iterator

from odoo import api, models
from odoo.exceptions import ValidationError
from odoo.fields import NO_ACCESS

from ...expressions import is_loading
from ...server.our_fields import is_our_field

#: The beginning of the tables and columns that Odoo makes for custom fields.
_CUSTOM = "x_"


class IrModel(models.Model):
    _name = "ir.model"
    _inherit = ["ir.model", "spar.shipped.record"]

    def _list_external_ids(self):
        """Return those of our models: a model that we extend has one of ours, too."""
        ours = self.filtered(lambda model: model.model.startswith("spar."))
        return super(IrModel, ours)._list_external_ids()


class IrModelFields(models.Model):
    _name = "ir.model.fields"
    _inherit = ["ir.model.fields", "spar.closed.customising", "spar.shipped.record"]

    def _get_closed_models(self):
        added = self.filtered(lambda field: field.state == "manual")
        return {*added.mapped("model"), *filter(None, added.mapped("relation"))}

    @api.constrains(
        "model_id",
        "model",
        "relation",
        "relation_table",
        "state",
        "related",
        "compute",
    )
    def _check_not_ours(self):
        self._check_closed()
        if is_loading(self.env):
            return
        for field in self._find_reading_ours():
            raise ValidationError(
                self.env._(
                    "You cannot add %(field)s here because it reads the registry's "
                    "records, or what nobody may read, past their access rights. Ship "
                    "it in an addon.",
                    field=field.name,
                )
            )

    @api.ondelete(at_uninstall=False)
    def _unlink_except_tables(self):
        """Raise ValidationError where Odoo would delete somebody else's table."""
        for field in self.filtered(
            lambda field: field.state == "manual" and field._takes_table()
        ):
            raise ValidationError(
                self.env._(
                    "Deleting %(field)s would delete the table %(table)s. The server's "
                    "operator has to remove it.",
                    field=field.name,
                    table=field.relation_table,
                )
            )

    @api.model
    def _find_foreign(self) -> list[int]:
        """Return the ids of custom fields that can no longer be added."""
        added = self.sudo().search([("state", "=", "manual")], order="id")
        return added._find_reading_ours().ids

    def _find_reading_ours(self):
        """Return the custom fields that show or change what is not open to their users.

        Odoo reads a related field as superuser, and the table of a many2many field past
        every model: it also deletes rows of it, and the table with the field.
        """
        return self.filtered(
            lambda field: field.state == "manual"
            and (field._takes_table() or any(field._iter_ours()))
        )

    def _takes_table(self) -> bool:
        """Return whether this is a many2many field over somebody else's table."""
        table = self.relation_table or _CUSTOM
        return self.ttype == "many2many" and not table.startswith(_CUSTOM)

    def _iter_ours(self) -> Iterator[str]:
        """Yield the parts of the path of a related field that are ours.

        What nobody may read, such as the secret of an authenticator, counts as ours:
        Odoo would store a copy of it in clear.
        """
        model = self.env.get(self.model or "")
        for part in (self.related or "").split("."):
            field = model._fields.get(part) if model is not None else None
            if field is None:
                return
            model = self.env.get(field.comodel_name or "")
            is_ours = is_our_field(field) or self._is_ours(field.comodel_name or "")
            if is_ours or field.groups == NO_ACCESS:
                yield part


class IrModelFieldsSelection(models.Model):
    _name = "ir.model.fields.selection"
    _inherit = ["ir.model.fields.selection", "spar.shipped.record"]
