from odoo import api, models
from odoo.exceptions import ValidationError

from ...expressions import is_at_run_time, is_loading
from ...server.addon_code import is_closed_to_code
from ...server.our_fields import is_our_field

#: Models of Odoo whose records decide who may do what, and what runs: an addon brings
#: such records, and a default would complete them as they are loaded, when nothing is
#: refused. Besides these, all that begin with ``_INFRASTRUCTURE``.
_DECIDING = ("auth.oauth.provider", "res.groups", "res.groups.privilege")
_INFRASTRUCTURE = "ir."
#: The fields of an account that may have a default.
_OF_ACCOUNTS = ("company_id", "company_ids", "lang", "notification_type", "tz")


def _is_deciding(model: str, field: str) -> bool:
    if model == "res.users":
        return field not in _OF_ACCOUNTS
    return model in _DECIDING or model.startswith(_INFRASTRUCTURE)


class IrDefault(models.Model):
    _name = "ir.default"
    _inherit = ["ir.default", "spar.closed.customising"]

    def _get_closed_models(self):
        return set(self.mapped("field_id.model"))

    @api.model
    def _get_model_defaults(self, model_name, condition=False):
        """Leave out what decides who is paid, however it came there.

        As an addon is loaded, what would change what its files say as well.
        """
        found = super()._get_model_defaults(model_name, condition)
        is_loaded = self.env.registry.ready
        if model_name.startswith("spar.") and not is_loaded:
            return {}
        return {
            name: value
            for name, value in found.items()
            if not self._decides_who_is_paid(model_name, name)
            and (is_loaded or not _is_deciding(model_name, name))
        }

    @api.model
    def _decides_who_is_paid(self, model: str, field: str) -> bool:
        """Return whether a field of Odoo's own decides who is paid: addons name them.

        Nobody would see what a default puts there for people of a file.
        """
        return False

    @api.constrains("field_id", "json_value")
    def _check_not_ours(self):
        self._check_closed()
        if is_loading(self.env):
            return
        for field in self.field_id:
            model = self.env.get(field.model)
            known = model._fields.get(field.name) if model is not None else None
            is_ours = known is not None and is_our_field(known)
            if is_ours or self._decides_who_is_paid(field.model, field.name):
                raise ValidationError(
                    self.env._(
                        "You cannot set a default for %(field)s here because it "
                        "decides about people's payments.",
                        field=field.field_description,
                    )
                )

    @api.constrains("field_id", "json_value", "user_id", "company_id", "condition")
    def _check_not_deciding(self):
        """Raise ValidationError for what decides who may do what."""
        if not is_at_run_time(self.env):
            return
        for field in self.field_id:
            if _is_deciding(field.model, field.name):
                raise ValidationError(
                    self.env._(
                        "You cannot set a default for %(field)s here because it "
                        "decides who may do what.",
                        field=field.field_description,
                    )
                )

    @api.model_create_multi
    def create(self, vals_list):
        defaults = super().create(vals_list)
        defaults._check_own()
        return defaults

    def write(self, vals):
        result = super().write(vals)
        self._check_own()
        return result

    def _check_own(self) -> None:
        """Raise ValidationError for a default that somebody chooses for others.

        It completes what others create, and what SPAR creates for them: the household
        of a new person. Odoo's settings, which are superuser, set those that they show.
        """
        if self.env.su or not is_closed_to_code(self.env):
            return
        if any(default.user_id != self.env.user for default in self):
            raise ValidationError(
                self.env._(
                    "You can set default values for yourself only, because this "
                    "database holds people's accounts."
                )
            )
