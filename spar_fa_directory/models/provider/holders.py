"""Providers and branches as plain values, and the query for them."""

from ...lib.bank_registry import HEAD_OFFICE
from ...lib.fa_accounts import NO_RULE, ProviderRule
from ...lib.fa_phone import read_prefixes
from ...lib.fa_reader import Holder

#: Whether a provider has branches to choose, or only archived and closed ones.
OPEN, SHUT = "open", "shut"
#: The index of the branch code form in a row of ``QUERY``, after provider and branch.
FORM_INDEX = 9
# The spellings of a provider's column in an address that names it by that column.
SPELLINGS = {
    "code": lambda code: [code],
    "bic": lambda bic: list({bic, bic.removesuffix(HEAD_OFFICE)}),
}

QUERY = """
       WITH found AS (
           SELECT requested.provider, requested.branch,
                  min(fsp.id) AS fsp_id, min(branch.id) AS branch_id
             FROM unnest(%(spellings)s, %(providers)s, %(branches)s)
               AS requested (spelling, provider, branch)
             JOIN spar_fsp AS fsp
               ON upper(fsp.%(column)s COLLATE "C") = requested.spelling
        LEFT JOIN spar_fsp_branch AS branch
               ON branch.provider_id = fsp.id
              AND upper(branch.code COLLATE "C") = requested.branch
         GROUP BY requested.provider, requested.branch
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

# The columns of a provider that matter for its addresses.
COLUMNS = (
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


def build_holder(
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
    provider = dict(zip(COLUMNS, values, strict=True))
    return Holder(
        provider["id"],
        branch_id,
        provider["kind"],
        country or "",
        provider["active"],
        bool(branch_is_active),
        provider["code"],
        branch_code or "",
        bool(branches),
        provider["bic"] or "",
        tuple(filter(None, (provider["registry_key"], provider["code"]))),
        _build_rule(provider),
        read_prefixes(provider["phone_prefixes"] or ""),
        branches == OPEN,
        provider_is_closed,
        branch_is_closed,
        provider_is_replaced,
        branch_is_replaced,
    )


def _build_rule(provider: dict) -> ProviderRule:
    rule = ProviderRule(
        provider["account_pattern"] or "",
        provider["account_shortest"] or 0,
        provider["account_longest"] or 0,
        provider["account_check"] or "",
        provider["account_check_parameter"] or "",
    )
    return NO_RULE if rule == NO_RULE else rule
