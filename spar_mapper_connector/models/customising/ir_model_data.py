import logging

from odoo import api, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain
from odoo.tools import SQL

from ...expressions import is_loading, is_loading_ours
from ...loaded_files import is_ours
from .ir_ui_view import FRAME

_logger = logging.getLogger(__name__)
_OURS = "spar_"
#: Records of Odoo that mirror what the addons' code defines: it names them itself.
_REFLECTED = (
    "ir.model",
    "ir.model.constraint",
    "ir.model.fields",
    "ir.model.fields.selection",
    "ir.model.inherit",
)
#: Models whose records Odoo and SPAR look up by their names, or know as an addon's.
_NAMED = ("ir.asset", "res.groups", "res.users")
#: The fields that say which record has which name.
_NAMING = {"module", "model", "res_id"}
#: The beginning of what is no addon: external IDs of an import or an export.
_NO_ADDON = "__"


def _is_ours(addon: str, model: str) -> bool:
    """Return whether a name is one of SPAR, or one of its records."""
    return addon.startswith(_OURS) or model.startswith("spar.")


class IrModelData(models.Model):
    """External IDs of SPAR, and of every addon's groups, which only addons define.

    A role is looked up by its name, and so is what belongs to SPAR: a menu or label
    without its external ID would be anybody's.
    """

    _inherit = "ir.model.data"

    @api.model
    def _update_xmlids(self, data_list, update=False):
        """Check the names of an import as well: Odoo writes them past the ORM."""
        for data in data_list:
            addon, record = data["xml_id"].split(".", 1)[0], data["record"]
            if record._name not in _REFLECTED:
                self._check_name(addon, record._name)
                self._check_only_name(addon, record._name, record.id)
        return super()._update_xmlids(data_list, update)

    @api.model
    def _module_data_uninstall(self, modules_to_remove):
        """Delete no record of ours that an addon without ours gave a name to.

        Odoo deletes whatever has a name of the uninstalled addon.
        """
        self._forget_foreign(modules_to_remove)
        return super()._module_data_uninstall(modules_to_remove)

    @api.model
    def _process_end(self, modules):
        """Do the same where an addon is installed or upgraded.

        Odoo deletes whatever has a name of the addon that its files do not have.
        """
        self._forget_foreign(modules or ())
        return super()._process_end(modules)

    @api.model
    def _forget_foreign(self, addons) -> None:
        """Delete the names that these addons, without ours, gave to records of ours."""
        foreign = {addon for addon in addons if not is_ours(addon)}
        names_sudo = self.sudo().search([("module", "in", sorted(foreign))])
        named_sudo = names_sudo.filtered(lambda name: name.model.startswith("spar."))
        named_sudo |= names_sudo._filter_also_ours()
        if named_sudo:
            _logger.error(
                "SPAR ALARM %s named records of SPAR; they are not deleted with it",
                ", ".join(sorted(set(named_sudo.mapped("module")))),
            )
            self.env.cr.execute(
                "DELETE FROM ir_model_data WHERE id = ANY(%s)", [named_sudo.ids]
            )
            self.env.invalidate_all()

    def _filter_also_ours(self):
        """Return those of these names whose record has one of ours, too."""
        query = SQL(
            """SELECT n.id FROM ir_model_data n
                WHERE n.id = ANY(%s) AND n.model <> ALL(%s) AND EXISTS (
                      SELECT FROM ir_model_data o
                       WHERE o.model = n.model AND o.res_id = n.res_id
                         AND o.module LIKE 'spar\\_%%')""",
            self.ids,
            list(_REFLECTED),
        )
        return self.browse(row_id for (row_id,) in self.env.execute_query(query))

    @api.model_create_multi
    def create(self, vals_list):
        records = super().create(vals_list)
        records._check_names()
        records._check_only_names()
        return records

    def write(self, vals):
        self._check_names()
        result = super().write(vals)
        self._check_names()
        if _NAMING & vals.keys():
            self._check_only_names()
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_not_ours(self):
        """Refuse it, unless the record was deleted: Odoo deletes its name after it."""
        self.filtered(lambda name: name._has_record())._check_names()

    def _has_record(self) -> bool:
        model = self.env.get(self.model)
        return model is not None and bool(model.sudo().browse(self.res_id).exists())

    def _check_names(self) -> None:
        """Raise ValidationError if such a name is created or changed at run time."""
        for name in self:
            self._check_name(name.module or "", name.model or "")

    @api.model
    def _check_name(self, addon: str, model: str) -> None:
        if is_loading_ours(self.env):
            return
        if is_loading(self.env) and not _is_ours(addon, model):
            return
        if self._is_closed(addon, model):
            self._refuse_name()

    def _check_only_names(self) -> None:
        for name in self:
            self._check_only_name(name.module or "", name.model or "", name.res_id)

    @api.model
    def _check_only_name(self, addon: str, model: str, res_id: int) -> None:
        """Raise ValidationError if another addon's record would belong to this addon.

        Installing an addon overwrites, and uninstalling it deletes, whatever has a name
        of it: a rule, a job or a screen of any other.
        """
        if is_loading(self.env):
            return
        if addon.startswith(_NO_ADDON) or not self._is_addon(addon):
            return
        same = Domain("model", "=", model) & Domain("res_id", "=", res_id)
        others_sudo = self.sudo().search(same & Domain("module", "!=", addon))
        if any(map(self._is_addon, set(others_sudo.mapped("module")))):
            self._refuse_name()

    @api.model
    def _refuse_name(self) -> None:
        raise ValidationError(
            self.env._(
                "You cannot change the external IDs of SPAR, of groups and users or of "
                "other apps' records here. Only addons define them."
            )
        )

    @api.model
    def _is_closed(self, addon: str, model: str) -> bool:
        """Return whether only addons give records of a model a name of this addon.

        What an addon gave a name to is deleted with it.
        """
        if addon.startswith(_OURS):
            return True
        if model == "ir.ui.view":
            return f"{addon}." == FRAME
        if model.startswith("spar."):
            return self._is_addon(addon)
        return model in _NAMED and not addon.startswith(_NO_ADDON)

    @api.model
    def _is_addon(self, name: str) -> bool:
        addons_sudo = self.env["ir.module.module"].sudo()
        return bool(addons_sudo.search_count([("name", "=", name)], limit=1))
