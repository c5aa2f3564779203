import json

from odoo import api, models
from odoo.exceptions import ValidationError
from odoo.tools.json import json_default

from ...expressions import is_at_run_time, is_loading, is_loading_ours
from ...lib.opened import find_opened
from ...server.our_fields import HARMLESS
from ..credentials import FORMS

_OURS = "spar_"


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
        if is_loading_ours(self.env):
            return
        self._check_no_credentials(names)
        ours = sorted(filter(self._is_ours, names))
        if ours:
            raise ValidationError(
                self.env._(
                    "You cannot add fields, actions, rules or templates to %(model)s "
                    "here because it holds people's accounts, or decides who may see "
                    "or change them. Ship them in an addon.",
                    model=self.env["ir.model"]._get(ours[0]).name or ours[0],
                )
            )

    @api.model
    def _check_no_credentials(self, names: set[str]) -> None:
        """Raise ValidationError for a form of Odoo in which credentials are typed."""
        if FORMS.isdisjoint(names) or is_loading(self.env):
            return
        raise ValidationError(
            self.env._(
                "You cannot add fields, actions, rules or templates here: people type "
                "passwords into this form. Ship them in an addon."
            )
        )

    @api.model
    def _find_opened(self, action) -> set[str]:
        """Return the models that an action opens, as the browser is sent it."""
        if not isinstance(action, dict | list | tuple):
            return set()
        return set(find_opened(json.loads(json.dumps(action, default=json_default))))

    @api.model
    def _is_ours(self, name: str) -> bool:
        if not name.startswith("spar.") or name not in self.env:
            return False
        return self.env[name]._original_module != HARMLESS


class SparShippedRecord(models.AbstractModel):
    """Records of our addons that nobody changes at run time.

    Menus, actions, labels and names of groups lead staff and name what they see.
    """

    _name = "spar.shipped.record"
    _description = "Records that only their addon changes"
    #: The fields that stay as they were shipped; None for all.
    _shipped_fields: frozenset[str] | None = None

    @api.model_create_multi
    def create(self, vals_list):
        records = super().create(vals_list)
        records._check_not_shipped()
        return records

    def write(self, vals):
        if self._shipped_fields is not None and not self._shipped_fields & vals.keys():
            return super().write(vals)
        self._check_not_shipped()
        result = super().write(vals)
        self._check_not_shipped()
        return result

    def _update_field_translations(self, *args, **kwargs):
        self._check_not_shipped()
        return super()._update_field_translations(*args, **kwargs)

    @api.ondelete(at_uninstall=False)
    def _unlink_not_shipped(self):
        self._check_not_shipped()

    def _check_not_shipped(self) -> None:
        """Raise ValidationError if a record of our addons is changed at run time."""
        if not self._is_run_time():
            return
        names = self._list_external_ids()
        if is_loading(self.env):
            names = [name for name in names if name.startswith(_OURS)]
        if any(map(self._is_shipped_name, names)):
            raise ValidationError(
                self.env._(
                    "You cannot change this menu, action, label or group because "
                    "staff of SPAR rely on it. Change it in an addon."
                )
            )

    @api.model
    def _is_run_time(self) -> bool:
        """Return whether no addon of ours is loaded; others change only their own."""
        loads_others = is_loading(self.env) and not is_loading_ours(self.env)
        return loads_others or is_at_run_time(self.env)

    @api.model
    def _is_shipped_name(self, name: str) -> bool:
        """Return whether an external ID is that of a record that stays."""
        return name.startswith(_OURS)

    def _list_external_ids(self) -> list[str]:
        """Return the external IDs of these records."""
        found = self.sudo()._get_external_ids()
        return [name for names in found.values() for name in names]


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
