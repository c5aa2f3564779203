"""Customisations that an administrator of Odoo may not make to the registry's models.

An added field, action or rule runs in the request of an authorised user, beside the
values that are shown to them. So our models accept none, except those that come with an
addon.
"""

from odoo import api, models
from odoo.exceptions import ValidationError

from odoo.addons.base.models.assetsbundle import AssetsBundle
from odoo.addons.spar_fa_directory.models.spar_group_log import CODE_GROUPS

from ..expressions import is_called_from_file_of, is_on_command_line

#: The directory contains nothing about people: custom rules and fields are harmless.
HARMLESS = "spar_fa_directory"


class SparClosedCustomising(models.AbstractModel):
    _name = "spar.closed.customising"
    _description = "Customising that the registry's models do not take"

    def _get_closed_models(self) -> set[str]:
        """Return the names of the models that this record customises."""
        return set(self.mapped("model_id.model"))

    def _check_closed(self) -> None:
        """Raise ValidationError if the registry is customised at run time."""
        self._check_closed_models(self._get_closed_models())

    @api.model
    def _check_closed_models(self, names: set[str]) -> None:
        """Raise ValidationError if one of the models of these names is ours."""
        if not self.env.registry.ready:
            return
        ours = sorted(filter(self._is_ours, names))
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


class SparSealedCustomising(models.AbstractModel):
    """Rights on the registry's models, and their views, are sealed.

    The integrity check names a row that plain SQL adds, changes or removes.
    """

    _name = "spar.sealed.customising"
    _description = "Rights and views that are sealed"
    _inherit = ["spar.closed.customising", "spar.sealed.setting"]

    # The directory's rights are loaded before the addon that has the keys.
    _sealed_rows = """
        t.model_id IN (SELECT m.id FROM ir_model m
                        WHERE left(m.model, 5) = 'spar.' AND NOT EXISTS (
                              SELECT FROM ir_model_data d
                               WHERE d.model = 'ir.model' AND d.res_id = m.id
                                 AND d.module = 'spar_fa_directory'))"""

    def _filter_sealed(self):
        return self.filtered(lambda right: self._is_ours(right.model_id.model or ""))

    def _find_good(self):
        return super(SparSealedCustomising, self._filter_sealed())._find_good()

    def _seal_again(self, ids):
        """Seal only our own: those of other models need no keys."""
        ours = self.browse(ids).exists()._filter_sealed()
        return super()._seal_again(ours.ids)

    @api.ondelete(at_uninstall=False)
    def _unlink_not_ours(self):
        # A view can be gone already: a website's page takes its own along.
        self.exists()._check_closed()


class IrModelFields(models.Model):
    _name = "ir.model.fields"
    _inherit = ["ir.model.fields", "spar.closed.customising"]

    def _get_closed_models(self):
        added = self.filtered(lambda field: field.state == "manual")
        return {*added.mapped("model"), *filter(None, added.mapped("relation"))}

    @api.constrains("model_id", "model", "relation", "state", "related", "compute")
    def _check_not_ours(self):
        self._check_closed()


class IrDefault(models.Model):
    _name = "ir.default"
    _inherit = ["ir.default", "spar.closed.customising"]

    def _get_closed_models(self):
        return set(self.mapped("field_id.model"))

    @api.constrains("field_id", "json_value")
    def _check_not_ours(self):
        self._check_closed()


#: The key of Odoo's own templates. Staff screens are made of them; websites have their
#: own in place of them.
_FRAME = "web."
#: Bundles of scripts that only websites load.
_WEBSITES = ("web.assets_frontend", "website.")
_STYLES = (".css", ".scss")


class IrUiView(models.Model):
    """Views of staff: a form can contain a script, which acts as its user."""

    _name = "ir.ui.view"
    _inherit = ["ir.ui.view", "spar.sealed.customising"]
    _sealed_fields = ("inherit_id", "active", "mode", "model")
    # Translations are loaded past the ORM.
    _sealed_beside = {"arch": "t.arch_db->>'en_US'"}
    # The directory's views are loaded before the addon that has the keys.
    _sealed_rows = """left(t.model, 5) = 'spar.' AND NOT EXISTS (
        SELECT FROM ir_model_data d WHERE d.model = 'ir.ui.view' AND d.res_id = t.id
                                      AND d.module = 'spar_fa_directory')"""

    def _get_closed_models(self):
        return set(filter(None, self.mapped("model")))

    @api.model
    def _is_ours(self, name):
        """Return True for the directory, too: officers open it beside accounts."""
        return name.startswith("spar.") and name in self.env

    @api.constrains(
        "model",
        "arch_db",
        "inherit_id",
        "active",
        "mode",
        "priority",
        "key",
        "type",
    )
    def _check_not_ours(self):
        self._check_closed()
        self._check_frames()

    def _check_frames(self) -> None:
        """Raise ValidationError if the frame of the staff screens would change."""
        if not self.env.registry.ready:
            return
        for view in self:
            parent = view.inherit_id if view.mode == "extension" else view.browse()
            keys = (view.key, view.xml_id, parent.key, parent.xml_id)
            if view.type == "qweb" and any((k or "").startswith(_FRAME) for k in keys):
                raise ValidationError(
                    self.env._(
                        "%(view)s is part of the frame of staff's screens. A script "
                        "there could act as any member of staff: put it into an addon.",
                        view=view.name,
                    )
                )

    def _filter_sealed(self):
        return self.filtered(lambda view: (view.model or "").startswith("spar."))


class IrActionsActWindow(models.Model):
    """Actions that open a form can fill it in, and show help beside it."""

    _name = "ir.actions.act_window"
    _inherit = ["ir.actions.act_window", "spar.closed.customising"]

    def _get_closed_models(self):
        return set(filter(None, self.mapped("res_model")))

    @api.constrains(
        "res_model",
        "context",
        "domain",
        "help",
        "view_id",
        "view_mode",
        "search_view_id",
        "name",
        "limit",
        "res_id",
        "group_ids",
    )
    def _check_not_ours(self):
        self._check_closed()


class IrAttachment(models.Model):
    """Attachments: the scripts of the staff screens are files that Odoo writes."""

    _inherit = "ir.attachment"

    @api.model_create_multi
    def create(self, vals_list):
        attachments = super().create(vals_list)
        attachments._check_no_bundle()
        return attachments

    def write(self, vals):
        self._check_no_bundle()
        result = super().write(vals)
        self._check_no_bundle()
        return result

    def _check_no_bundle(self) -> None:
        """Raise ValidationError if anything but Odoo itself writes a bundle."""
        if not self.env.registry.ready or is_on_command_line():
            return
        urls = self.sudo().exists().mapped("url")
        is_bundle = any((url or "").startswith("/web/assets/") for url in urls)
        if is_bundle and not is_called_from_file_of(AssetsBundle.save_attachment):
            raise ValidationError(
                self.env._("The scripts of Odoo's screens are written by Odoo itself.")
            )


class IrAsset(models.Model):
    _inherit = "ir.asset"

    @api.constrains("bundle", "path", "directive", "target", "active")
    def _check_not_staffs(self):
        """Raise ValidationError if the browsers of staff would load a script."""
        if not self.env.registry.ready or is_on_command_line():
            return
        for asset in self:
            is_style = (asset.path or "").lower().endswith(_STYLES)
            if not is_style and not (asset.bundle or "").startswith(_WEBSITES):
                raise ValidationError(
                    self.env._(
                        "%(bundle)s is loaded by staff's screens. A script there could "
                        "act as any member of staff: put it into an addon.",
                        bundle=asset.bundle,
                    )
                )


class IrRule(models.Model):
    _name = "ir.rule"
    _inherit = ["ir.rule", "spar.sealed.customising"]
    _sealed_fields = (
        "model_id",
        "domain_force",
        "active",
        "groups",
        "perm_read",
        "perm_write",
        "perm_create",
        "perm_unlink",
    )

    @api.constrains(
        "model_id",
        "domain_force",
        "active",
        "groups",
        "name",
        "perm_read",
        "perm_write",
        "perm_create",
        "perm_unlink",
    )
    def _check_not_ours(self):
        self._check_closed()


class IrModelAccess(models.Model):
    _name = "ir.model.access"
    _inherit = ["ir.model.access", "spar.sealed.customising"]
    _sealed_fields = (
        "model_id",
        "group_id",
        "active",
        "perm_read",
        "perm_write",
        "perm_create",
        "perm_unlink",
    )

    @api.constrains(
        "model_id",
        "group_id",
        "active",
        "name",
        "perm_read",
        "perm_write",
        "perm_create",
        "perm_unlink",
    )
    def _check_not_ours(self):
        self._check_closed()


class IrModelData(models.Model):
    """External IDs of roles, and of groups that reach code, which only addons define.

    A role is looked up by its name.
    """

    _inherit = "ir.model.data"

    @api.model_create_multi
    def create(self, vals_list):
        records = super().create(vals_list)
        records._check_names()
        return records

    def write(self, vals):
        self._check_names()
        result = super().write(vals)
        self._check_names()
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_not_ours(self):
        self._check_names()

    def _check_names(self) -> None:
        """Raise ValidationError if such a name is created or changed at run time."""
        if self.env.registry.ready and any(map(self._is_closed, self)):
            raise ValidationError(
                self.env._(
                    "The external IDs of SPAR's roles, of the groups that it watches "
                    "and of Odoo's templates are given by addons: they are not changed "
                    "here."
                )
            )

    @api.model
    def _is_closed(self, record) -> bool:
        if record.model == "ir.ui.view":
            return f"{record.module}." == _FRAME
        if record.model != "res.groups":
            return False
        is_ours = (record.module or "").startswith("spar_")
        return is_ours or f"{record.module}.{record.name}" in CODE_GROUPS
