from odoo import api, fields, models
from odoo.tools import SQL

from ..lib.bank_registry import HEAD_OFFICE
from ..lib.branch_code import fit_branch_code
from ..lib.fa_accounts import NO_RULE, ProviderRule
from ..lib.fa_phone import read_prefixes
from ..lib.fa_reader import Holder, Place

#: Whether a provider has branches to choose, or only archived and closed ones.
_OPEN, _SHUT = "open", "shut"
#: The index of the branch code form in a row of ``_FOUND``, after provider and branch.
_FORM = 9
# The spellings of a provider's column in an address that names it by that column.
_SPELLINGS = {
    "code": lambda code: [code],
    "bic": lambda bic: list({bic, bic.removesuffix(HEAD_OFFICE)}),
}

_FOUND = """
       WITH found AS (
           SELECT asked.provider, asked.branch,
                  min(fsp.id) AS fsp_id, min(branch.id) AS branch_id
             FROM unnest(%(spellings)s, %(providers)s, %(branches)s)
               AS asked (spelling, provider, branch)
             JOIN spar_fsp AS fsp
               ON upper(fsp.%(column)s COLLATE "C") = asked.spelling
        LEFT JOIN spar_fsp_branch AS branch
               ON branch.provider_id = fsp.id
              AND upper(branch.code COLLATE "C") = asked.branch
         GROUP BY asked.provider, asked.branch
           HAVING count(*) = 1
       )
       SELECT found.provider, found.branch, country.code,
              CASE WHEN EXISTS (SELECT FROM spar_fsp_branch AS any_branch
                                 WHERE any_branch.provider_id = fsp.id
                                   AND any_branch.active
                                   AND (any_branch.closed_on IS NULL
                                        OR any_branch.closed_on > %(today)s))
                   THEN %(open)s
                   WHEN EXISTS (SELECT FROM spar_fsp_branch AS any_branch
                                 WHERE any_branch.provider_id = fsp.id)
                   THEN %(shut)s ELSE '' END,
              branch.id, branch.code, branch.active,
              coalesce(branch.closed_on <= %(today)s, FALSE),
              coalesce(fsp.closed_on <= %(today)s, FALSE),
              branch.successor_id IS NOT NULL,
              fsp.successor_id IS NOT NULL, fsp.branch_code_form, %(values)s
         FROM found
         JOIN spar_fsp AS fsp ON fsp.id = found.fsp_id
    LEFT JOIN res_country AS country ON country.id = fsp.country_id
    LEFT JOIN spar_fsp_branch AS branch ON branch.id = found.branch_id
"""


class SparFsp(models.Model):
    """Providers and branches, as plain values for reading and checking addresses."""

    _inherit = "spar.fsp"  # pylint: disable=consider-merging-classes-inherited

    @api.model
    def _search_places(self, places: set[Place]) -> dict[Place, Holder]:
        """Return providers and branches of the places in addresses, even archived ones.

        At most one statement for the codes and one for the BICs, and one more for
        branch codes in another spelling than the directory's, at providers that state a
        form. A BIC that several providers have matches none.

        :return: known providers only
        """
        by = {kind: [p for p in places if p.by == kind] for kind in ("code", "bic")}
        self.flush_model(
            [*_COLUMNS[1:], "country_id", "closed_on", "successor_id"]
            + ["branch_code_form"]
        )
        self.env["spar.fsp.branch"].flush_model(
            ["code", "provider_id", "active", "closed_on", "successor_id"]
        )
        found = {}
        for kind, asked in by.items():
            if asked:
                found.update(self._search_places_by(kind, asked))
        return found

    @api.model
    def _search_places_by(self, kind: str, places: list[Place]) -> dict[Place, Holder]:
        spelled = [
            (spelling, place)
            for place in places
            for spelling in _SPELLINGS[kind](place.provider)
        ]
        rows = self.env.execute_query(
            SQL(
                _FOUND,
                spellings=[spelling for spelling, _place in spelled],
                providers=[place.provider for _spelling, place in spelled],
                branches=[place.branch for _spelling, place in spelled],
                column=SQL.identifier(kind),
                today=fields.Date.today(),
                open=_OPEN,
                shut=_SHUT,
                values=SQL(", ").join(SQL.identifier("fsp", n) for n in _COLUMNS),
            )
        )
        found, unmatched = {}, {}
        for provider, branch, *known in rows:
            place, form = Place(kind, provider, branch), known.pop(_FORM)
            found[place] = _build_holder(*known)
            if form and branch and not found[place].branch_id:
                unmatched[place] = form
        return self._fit_branches(found, unmatched) if unmatched else found

    @api.model
    def _fit_branches(
        self, found: dict[Place, Holder], forms: dict[Place, str]
    ) -> dict[Place, Holder]:
        """Return ``found``, adding branches whose code is spelt differently.

        A code that the directory has in another spelling is found by its equivalent in
        the provider's form.

        :param forms: the form of the provider's branch codes, for places whose branch
            was not found
        """
        branches = self.env["spar.fsp.branch"]
        codes = {
            place: code
            for place, form in forms.items()
            if (code := fit_branch_code(place.branch, form))
        }
        asked = {
            (found[place].provider_id, code): forms[place]
            for place, code in codes.items()
        }
        known = branches._search_fitted(asked)
        fitted = {}
        for place, code in codes.items():
            holder = found[place]
            fitted[place] = holder._replace(branch_code=code)
            if branch := known.get((holder.provider_id, code)):
                fitted[place] = holder._replace(**branch)
        return {**found, **fitted}

    def _get_holder(self, branch=None) -> Holder:
        """Return this provider with one or none of its branches; requires no rights.

        :return: an empty one for no provider
        """
        if not self:
            return Holder()
        provider_sudo = self.sudo()._origin
        branches_sudo = self.env["spar.fsp.branch"].sudo()
        branch_sudo = branch.sudo()._origin if branch else branches_sudo
        return _build_holder(
            provider_sudo.country_id.code,
            provider_sudo._get_branches_word(),
            branch_sudo.id or None,
            branch_sudo.code,
            branch_sudo.active,
            branch_sudo.is_closed,
            provider_sudo.is_closed,
            bool(branch_sudo.successor_id),
            bool(provider_sudo.successor_id),
            *(provider_sudo[name] for name in _COLUMNS),
        )

    def _get_branches_word(self) -> str:
        """Return whether there are branches to choose, only others, or none at all."""
        if self.has_branches:
            return _OPEN
        branches_sudo = self.env["spar.fsp.branch"].sudo()
        every_sudo = branches_sudo.with_context(active_test=False)
        has_any = every_sudo.search_count([("provider_id", "=", self.id)], limit=1)
        return _SHUT if has_any else ""


# The columns of a provider that matter for its addresses.
_COLUMNS = (
    "id",
    "code",
    "kind",
    "active",
    "bic",
    "registry_key",
    "account_pattern",
    "account_shortest",
    "account_longest",
    "account_check",
    "account_check_parameter",
    "phone_prefixes",
)


def _build_holder(
    country: str | None,
    branches: str,
    branch_id: int | None,
    branch_code: str | None,
    branch_is_active: bool | None,
    branch_is_closed: bool,
    provider_is_closed: bool,
    branch_is_replaced: bool,
    provider_is_replaced: bool,
    *values,
) -> Holder:
    known = dict(zip(_COLUMNS, values, strict=True))
    return Holder(
        known["id"],
        branch_id,
        known["kind"],
        country or "",
        known["active"],
        bool(branch_is_active),
        known["code"],
        branch_code or "",
        bool(branches),
        known["bic"] or "",
        tuple(filter(None, (known["registry_key"], known["code"]))),
        _build_rule(known),
        read_prefixes(known["phone_prefixes"] or ""),
        branches == _OPEN,
        provider_is_closed,
        branch_is_closed,
        provider_is_replaced,
        branch_is_replaced,
    )


def _build_rule(known: dict) -> ProviderRule:
    rule = ProviderRule(
        known["account_pattern"] or "",
        known["account_shortest"] or 0,
        known["account_longest"] or 0,
        known["account_check"] or "",
        known["account_check_parameter"] or "",
    )
    return NO_RULE if rule == NO_RULE else rule
