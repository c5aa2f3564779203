from odoo import api, models
from odoo.exceptions import UserError

#: Kinds of address, how they are written, and their checks: none of these sets is used
#: without the others.
_MODELS = ("spar.fa.type", "spar.fa.type.part", "spar.fa.strategy")


class SparFaType(models.Model):
    """A kind of address, which defines what an address is: two people create one."""

    _name = "spar.fa.type"
    _inherit = ["spar.fa.type", "spar.second.person", "spar.sealed.setting"]
    _guarded_fields = ("code", "active", "provider_kind", "people_per_address")
    _guarded_parts = ("part_ids",)
    _counts_by = "active"

    def _is_guarded(self, name, value):
        """Return whether the change concerns a kind in use, or would put it to use."""
        return bool(self.active or name == "active")

    def _describe_effect(self, values):
        """Add the parts and their checks, which are approved with the kind."""
        lines = super()._describe_effect(values)
        return lines + [line for part in self.part_ids for line in part._describe()]


class SparFaTypePart(models.Model):
    """A part and its check, which tell one account from another."""

    _name = "spar.fa.type.part"
    _inherit = ["spar.fa.type.part", "spar.second.person", "spar.sealed.setting"]
    _guarded_fields = (
        "type_id",
        "sequence",
        "key",
        "kind",
        "check_code",
        "check_parameter",
        "gaps_do_not_count",
        "is_account_number",
    )

    def _is_guarded(self, name, value):
        return bool(self.type_id.active)

    def _list_named(self, values):
        """Return nothing: a kind's parts are fixed as long as it has a strategy."""
        return []

    def _describe(self) -> list[str]:
        """Return a description, one line for each guarded value that is set."""
        return [f"{self.label}: {line}" for line in self._describe_effect({})]

    @api.model_create_multi
    def create(self, vals_list):
        """Create parts; raise UserError if a person adds them to a kind in use."""
        parts = super().create(vals_list)
        if not self.env.su:
            parts._check_editable()
        return parts

    def _check_deletable(self):
        result = super()._check_deletable()
        self._check_editable()
        return result

    def _check_editable(self) -> None:
        """Raise UserError unless one person may add or remove these parts alone."""
        self.type_id._check_unclaimed({})
        if any(self.type_id.mapped("active")):
            raise UserError(
                self.env._(
                    "Addresses of this kind are in use. Archive the kind first: a "
                    "second administrator must approve that."
                )
            )


class SparFaStrategy(models.Model):
    """The way an address is written and read: what a payer receives."""

    _name = "spar.fa.strategy"
    _inherit = ["spar.fa.strategy", "spar.second.person", "spar.sealed.setting"]
    _guarded_fields = (
        "number",
        "type_id",
        "template",
        "is_approved",
        "is_default",
        "active",
    )
    _guarded_at_creation = ("is_default",)
    _counts_by = "is_approved"

    def _list_named(self, values):
        """Return nothing: a kind's parts are fixed as long as it has a strategy."""
        return []

    def _is_guarded(self, name, value):
        """Return whether the strategy is in use, or the change would put it to use."""
        return bool(self.is_approved or name in ("is_approved", "is_default"))

    def write(self, vals):
        if vals.get("is_default") and self._may_write_at_once():
            # There is one default: the previous one loses the flag in the same step.
            others_sudo = self.sudo().search(
                [
                    ("type_id", "in", self.type_id.ids),
                    ("is_default", "=", True),
                    ("id", "not in", self.ids),
                ]
            )
            others_sudo.write({"is_default": False})
            self.env.flush_all()
        return super().write(vals)

    def action_set_default(self):
        """Propose this strategy for writing new addresses of its kind."""
        self.ensure_one()
        self.write({"is_default": True})

    @api.model
    def _build_known_kinds(self):
        self._check_address_settings()
        return super()._build_known_kinds()

    @api.model
    def _build_known_strategies(self):
        self._check_address_settings()
        return super()._build_known_strategies()

    @api.model
    def _check_address_settings(self) -> None:
        """Raise SettingsAltered if addresses would be read or written differently."""
        for name in _MODELS:
            self.env[name]._check_settings()
