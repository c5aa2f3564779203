"""Changes of the directory after which addresses may have another form."""

from odoo import api, models


def _begin(env, providers=(), types=()) -> None:
    """Look in the background at the addresses that a change can concern: of these
    providers and kinds, and those that nothing could read before."""
    scope = {"providers": list(providers), "types": list(types), "unread": True}
    env["spar.form.run"].sudo()._begin_addresses(scope)


class SparFsp(models.Model):
    _inherit = "spar.fsp"

    #: What says how a text that names a provider is read.
    _forming = frozenset(
        {
            "code",
            "kind",
            "bic",
            "country_id",
            "account_pattern",
            "account_shortest",
            "account_longest",
            "account_check",
            "account_check_parameter",
            "phone_prefixes",
        }
    )

    @api.model_create_multi
    def create(self, vals_list):
        providers = super().create(vals_list)
        _begin(self.env)
        return providers

    def write(self, vals):
        result = super().write(vals)
        if self._forming & vals.keys():
            _begin(self.env, providers=self.ids)
        return result


class SparFspBranch(models.Model):
    _inherit = "spar.fsp.branch"

    @api.model_create_multi
    def create(self, vals_list):
        """A provider's first branch: its addresses name one from then on."""
        branches = super().create(vals_list)
        _begin(self.env, providers=branches.provider_id.ids)
        return branches

    def write(self, vals):
        providers = self.provider_id if {"code", "active"} & vals.keys() else None
        result = super().write(vals)
        if providers:
            _begin(self.env, providers=providers.ids)
        return result


class SparFaStrategy(models.Model):
    _inherit = "spar.fa.strategy"

    @api.model_create_multi
    def create(self, vals_list):
        strategies = super().create(vals_list)
        _begin(self.env, types=strategies.type_id.ids)
        return strategies

    def write(self, vals):
        result = super().write(vals)
        if {"template", "is_default", "active"} & vals.keys():
            _begin(self.env, types=self.type_id.ids)
        return result


class SparFaTypePart(models.Model):
    _inherit = "spar.fa.type.part"

    #: What says what a text is of which it is a part.
    _forming = frozenset(
        {"key", "kind", "check_code", "check_parameter", "gaps_do_not_count", "type_id"}
    )

    @api.model_create_multi
    def create(self, vals_list):
        parts = super().create(vals_list)
        _begin(self.env, types=parts.type_id.ids)
        return parts

    def write(self, vals):
        result = super().write(vals)
        if self._forming & vals.keys():
            _begin(self.env, types=self.type_id.ids)
        return result

    def unlink(self):
        types = self.type_id.ids
        result = super().unlink()
        _begin(self.env, types=types)
        return result
