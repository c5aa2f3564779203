from odoo import api, models
from odoo.exceptions import UserError

#: Kinds of address, how they are written, and their checks: one set is not used
#: without the others.
_MODELS = ("spar.fa.type", "spar.fa.type.part", "spar.fa.strategy")


class SparFaType(models.Model):
    """A kind of address decides what is an address at all: two people make one."""

    _name = "spar.fa.type"
    _inherit = ["spar.fa.type", "spar.second.person", "spar.sealed.setting"]
    _guarded_fields = ("code", "active", "provider_kind")
    _guarded_parts = ("part_ids",)
    _counts_by = "active"

    def _is_guarded(self, name, value):
        """Whatever is so of a kind that counts; of another one, that it will."""
        return bool(self.active or name == "active")

    def _describe_effect(self, values):
        """Who lets a kind count approves its parts and their checks."""
        lines = super()._describe_effect(values)
        return lines + [line for part in self.part_ids for line in part._describe()]


class SparFaTypePart(models.Model):
    """A part and its check: what is one account and what is another."""

    _name = "spar.fa.type.part"
    _inherit = ["spar.fa.type.part", "spar.second.person", "spar.sealed.setting"]
    _guarded_fields = (
        *("type_id", "sequence", "key", "kind", "check_code", "check_parameter"),
        *("gaps_do_not_count", "is_account_number"),
    )

    def _is_guarded(self, name, value):
        return bool(self.type_id.active)

    def _list_named(self, values):
        """Not the kind: its parts stay what they are as long as it has a strategy."""
        return []

    def _describe(self) -> list[str]:
        """What it is, one line for each guarded value that is set."""
        return [f"{self.label}: {line}" for line in self._describe_effect({})]

    @api.model_create_multi
    def create(self, vals_list):
        """Parts of a kind that counts are there when two people let it count."""
        parts = super().create(vals_list)
        if not self.env.su:
            parts._check_editable()
        return parts

    def _check_deletable(self):
        result = super()._check_deletable()
        self._check_editable()
        return result

    def _check_editable(self) -> None:
        """Raise UserError unless a person may add or take away these parts alone."""
        self.type_id._check_unclaimed({})
        if any(self.type_id.mapped("active")):
            raise UserError(
                self.env._(
                    "Addresses of this kind are in use: archive the kind first, which "
                    "needs a second administrator."
                )
            )


class SparFaStrategy(models.Model):
    """How an address is written and read: what a payer is sent."""

    _name = "spar.fa.strategy"
    _inherit = ["spar.fa.strategy", "spar.second.person", "spar.sealed.setting"]
    _guarded_fields = (
        *("number", "type_id", "template", "is_approved", "is_default", "active"),
    )
    _guarded_at_creation = ("is_default",)
    _counts_by = "is_approved"

    def _list_named(self, values):
        """Not the kind: its parts stay what they are as long as it has a strategy."""
        return []

    def _is_guarded(self, name, value):
        """Everything about a strategy that is read; of another one, that it will be."""
        return bool(self.is_approved or name in ("is_approved", "is_default"))

    def write(self, vals):
        if vals.get("is_default") and self._may_write_at_once():
            # There is one default: the one before stops being it in the same step.
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
        """Propose to write new addresses of the kind in this strategy."""
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
        """Raise SettingsAltered where addresses would be read or written otherwise."""
        for name in _MODELS:
            self.env[name]._check_settings()
