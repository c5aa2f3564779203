import logging

from odoo import api, models
from odoo.exceptions import ValidationError
from odoo.tools import SQL

from ...expressions import is_at_run_time
from ...server.reading import find_related_addons

_logger = logging.getLogger(__name__)


class SparAddonsSchema(models.AbstractModel):
    """Notes of which addon needs a constraint, an index or a table.

    Deleting such a note drops the constraint at once; uninstalling an addon drops the
    tables that notes with its name list. Odoo writes them by SQL as it loads addons.
    """

    _name = "spar.addons.schema"
    _description = "Parts of the database's schema that only addons define"

    @api.model_create_multi
    def create(self, vals_list):
        self._check_loading()
        return super().create(vals_list)

    def write(self, vals):
        self._check_loading()
        return super().write(vals)

    def unlink(self):
        if self:
            self._check_loading()
        return super().unlink()

    def _update_field_translations(self, *args, **kwargs):
        self._check_loading()
        return super()._update_field_translations(*args, **kwargs)

    @api.model
    def _check_loading(self) -> None:
        """Raise ValidationError at run time."""
        if is_at_run_time(self.env):
            raise ValidationError(
                self.env._(
                    "You cannot change the constraints and tables of the database here "
                    "because they protect what is stored. Only addons define them."
                )
            )

    def _forget(self):
        """Delete these notes by SQL, so that Odoo drops nothing; return the others."""
        foreign = self.filtered(lambda note: note._is_foreign())
        if foreign:
            _logger.error(
                "SPAR ALARM %s noted parts of the database that are not its own: %s; "
                "they are not dropped with it",
                ", ".join(sorted(set(foreign.module.mapped("name")))),
                ", ".join(sorted(set(foreign.mapped("name")))),
            )
            self.env.cr.execute(
                SQL(
                    "DELETE FROM %s WHERE id = ANY(%s)",
                    SQL.identifier(self._table),
                    foreign.ids,
                )
            )
            self.env.invalidate_all()
        return self - foreign

    def _is_foreign(self) -> bool:
        """Return whether an addon notes something that is not its own."""
        raise NotImplementedError


class IrModelConstraint(models.Model):
    _name = "ir.model.constraint"
    _inherit = ["spar.addons.schema", "ir.model.constraint"]

    def unlink(self):
        if self:
            self._check_loading()
        return super(IrModelConstraint, self._forget()).unlink()

    def _is_foreign(self):
        """Return whether an addon without ours has a constraint on a model of ours."""
        addons = find_related_addons(self.env.registry)
        is_ours = (self.model.model or "").startswith("spar.")
        return is_ours and self.module.name not in addons


class IrModelRelation(models.Model):
    _name = "ir.model.relation"
    _inherit = ["spar.addons.schema", "ir.model.relation"]

    def _module_data_uninstall(self):
        return super(IrModelRelation, self._forget())._module_data_uninstall()

    def _is_foreign(self):
        """Return whether this is the table of another addon's model."""
        owners = {
            model._original_module
            for model in self.env.registry.values()
            if model._table == self.name and not model._abstract
        }
        return bool(owners) and self.module.name not in owners
