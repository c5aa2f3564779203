"""Changes of the directory after which addresses may have another form."""

from odoo import api, models


class SparAddressRule(models.AbstractModel):
    """A record of the directory that decides how addresses are read: the role.

    Where one comes, goes or changes, the addresses that it can concern are looked at in
    the background, and so are those that nothing could read before.
    """

    _name = "spar.address.rule"
    _description = "What decides how addresses are read"

    #: The fields that decide; no others matter.
    _forming: frozenset[str] = frozenset()

    def _get_scope(self) -> dict[str, set[int]]:
        """The providers and kinds whose addresses these records can concern, by id."""
        raise NotImplementedError

    def _look_at_addresses(self, *scopes: dict[str, set[int]]) -> None:
        names = ("providers", "types")
        ids = {n: sorted(set().union(*(s.get(n, ()) for s in scopes))) for n in names}
        self.env["spar.form.run"].sudo()._begin_addresses({**ids, "unread": True})

    @api.model_create_multi
    def create(self, vals_list):
        records = super().create(vals_list)
        records._look_at_addresses(records._get_scope())
        return records

    def write(self, vals):
        if not self._forming & vals.keys():
            return super().write(vals)
        before = self._get_scope()
        result = super().write(vals)
        self._look_at_addresses(before, self._get_scope())
        return result

    def unlink(self):
        scope = self._get_scope()
        result = super().unlink()
        self._look_at_addresses(scope)
        return result


class SparFsp(models.Model):
    _name = "spar.fsp"
    _inherit = ["spar.fsp", "spar.address.rule"]
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
            "branch_code_form",
        }
    )

    def _get_scope(self):
        return {"providers": set(self.ids)}


class SparFspBranch(models.Model):
    """Addresses name a branch as soon as their provider has one."""

    _name = "spar.fsp.branch"
    _inherit = ["spar.fsp.branch", "spar.address.rule"]
    _forming = frozenset({"code", "active", "provider_id"})

    def _get_scope(self):
        return {"providers": set(self.provider_id.ids)}


class SparFaStrategy(models.Model):
    _name = "spar.fa.strategy"
    _inherit = ["spar.fa.strategy", "spar.address.rule"]
    _forming = frozenset({"template", "is_default", "active"})

    def _get_scope(self):
        return {"types": set(self.type_id.ids)}


class SparFaTypePart(models.Model):
    _name = "spar.fa.type.part"
    _inherit = ["spar.fa.type.part", "spar.address.rule"]
    _forming = frozenset(
        {"key", "kind", "check_code", "check_parameter", "gaps_do_not_count", "type_id"}
    )

    def _get_scope(self):
        return {"types": set(self.type_id.ids)}
