from odoo import api, models

#: Fields that strategies may write into addresses besides the code: a key ends in one.
_IN_ADDRESSES = ("name", "bic")


class SparFsp(models.Model):
    """Changes to numbers and providers that take two people.

    They are numbers beside the numbering plan, and the values of a provider in use that
    addresses contain: its BIC, and its name where a strategy writes it.
    """

    _name = "spar.fsp"
    _inherit = ["spar.fsp", "spar.second.person", "spar.sealed.setting"]

    _guarded_fields = ("phone_prefixes", *_IN_ADDRESSES)
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
        return name == "phone_prefixes" and not value

    def _is_guarded(self, name, value):
        """Return whether the change needs a second person.

        Removing all prefixes does not, nor does a value that no address contains.
        """
        if name not in _IN_ADDRESSES:
            return bool(value)
        return bool(self._is_used()) and self._is_in_strategies(name)

    @api.model
    def _is_in_strategies(self, name: str) -> bool:
        """Return whether an approved strategy writes this into addresses."""
        strategies_sudo = self.env["spar.fa.strategy"].sudo()
        approved = strategies_sudo.with_context(active_test=False).search(
            [("is_approved", "=", True)]
        )
        return any(
            key.endswith(f"_{name}")
            for strategy in approved
            for key, (_kind, field) in strategy._get_directory_keys().items()
            if field == name and f"{{{key}}}" in (strategy.template or "")
        )
