from odoo import api, fields, models

#: Fields that strategies may write into addresses besides the code: a key ends in one.
_IN_ADDRESSES = ("name", "bic")
#: Fields that decide which accounts a provider takes.
_RULES = (
    "kind",
    "account_pattern",
    "account_shortest",
    "account_longest",
    "account_check",
    "account_check_parameter",
)


class SparFsp(models.Model):
    """Changes to numbers and providers that take two people.

    They are numbers beside the numbering plan, and of a provider in use the values that
    addresses contain (its BIC, and its name where a strategy writes it), its rules for
    accounts, and its reopening.
    """

    _name = "spar.fsp"
    _inherit = ["spar.fsp", "spar.second.person", "spar.sealed.setting"]

    _guarded_fields = ("phone_prefixes", *_IN_ADDRESSES, *_RULES, "closed_on")
    _guarded_at_creation = ("phone_prefixes",)

    _sealed_rows = "t.phone_prefixes <> ''"

    @api.model
    def _get_sealed_columns(self):
        return ("phone_prefixes",)

    @api.model
    def _touches_seal(self, vals):
        return "phone_prefixes" in vals

    @api.model
    def _concerns(self, vals):
        return not vals.keys().isdisjoint(self._guarded_fields)

    def _check_unclaimed(self, vals):
        """Let the rest of a provider be edited while a change of it waits."""
        return super()._check_unclaimed(vals) if self._concerns(vals) else None

    def _stops(self, name, value):
        if name == "phone_prefixes":
            return not value
        if name != "closed_on" or not value:
            return False
        # Closing, or closing earlier; later or never is reopening.
        return not self.closed_on or fields.Date.to_date(value) <= self.closed_on

    def _is_guarded(self, name, value):
        """Return whether the change needs a second person.

        Removing all prefixes does not, nor does a value that no address contains.
        """
        if name == "phone_prefixes":
            return bool(value)
        if not self._is_used():
            return False
        return name not in _IN_ADDRESSES or self._is_in_strategies(name)

    @api.model
    def _is_in_strategies(self, name: str) -> bool:
        """Return whether an approved strategy writes this into addresses."""
        strategies_sudo = self.env["spar.fa.strategy"].sudo()
        approved = strategies_sudo.with_context(active_test=False).search(
            [("is_approved", "=", True)]
        )
        return any(
            (kind, field) == ("provider", name)
            and f"{{{key}}}" in (strategy.template or "")
            for strategy in approved
            for key, (kind, field) in strategy._get_directory_keys().items()
        )
