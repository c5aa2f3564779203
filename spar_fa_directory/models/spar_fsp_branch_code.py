from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import SQL

from ..lib.branch_code import fit_branch_code, is_branch_code_form

#: The columns of a branch that ``_search_fitted`` returns, as ``Holder`` names them.
_HOLDER = (
    "branch_id",
    "branch_code",
    "branch_is_active",
    "branch_is_closed",
    "branch_is_replaced",
)


class SparFsp(models.Model):
    """The format of a provider's branch codes."""

    _inherit = "spar.fsp"  # pylint: disable=consider-merging-classes-inherited

    branch_code_form = fields.Char(
        "Branch Codes Look Like",
        help="A sign for each of the code's: 0 for a digit, A for a letter, ? for "
        "either; others stand for themselves. With 000000, 30100 and 030100 are one "
        "branch: zeros that are missing are put in front.",
    )

    @api.constrains("branch_code_form")
    def _check_branch_code_form(self):
        """Convert the codes of existing branches to the form, where they fit.

        A code that addresses name stays as it is; it is found in either spelling.
        """
        for provider in self.filtered("branch_code_form"):
            if not is_branch_code_form(provider.branch_code_form):
                raise ValidationError(
                    provider.env._(
                        "Write how a branch code looks in at most 30 signs, without "
                        "spaces: 0 for a digit, A for a letter, ? for either."
                    )
                )
            provider._fit_branch_codes()

    def _fit_branch_codes(self) -> None:
        branches = self.with_context(active_test=False).branch_ids
        used = branches._is_used()
        for branch in branches - used:
            code = fit_branch_code(branch.code, self.branch_code_form)
            if code and code != branch.code.upper():
                branch.code = code


class SparFspBranch(models.Model):
    """A branch whose code has the form of its provider's branch codes."""

    _inherit = "spar.fsp.branch"  # pylint: disable=consider-merging-classes-inherited

    @api.model_create_multi
    def create(self, vals_list):
        provider_ids = {vals.get("provider_id") for vals in vals_list}
        forms = self._get_code_forms(provider_ids)
        if not forms:
            return super().create(vals_list)
        stored = self._get_other_codes(forms)
        return super().create([self._fit_code(v, forms, stored) for v in vals_list])

    def write(self, vals):
        changed = self.filtered(lambda branch: branch.code != vals.get("code", False))
        if "code" not in vals or not changed:
            return super().write(vals)
        provider_id = vals.get("provider_id") or changed[:1].provider_id.id
        forms = self._get_code_forms({provider_id})
        fitted = self._fit_code({"provider_id": provider_id, **vals}, forms, {})
        return super().write({**vals, "code": fitted["code"]})

    @api.model
    def _get_code_forms(self, provider_ids) -> dict[int, str]:
        """Return the form of the branch codes of each provider that states one."""
        providers = self.env["spar.fsp"].browse(filter(None, provider_ids))
        return {p.id: p.branch_code_form for p in providers if p.branch_code_form}

    @api.model
    def _get_other_codes(self, forms: dict[int, str]) -> dict[tuple[int, str], str]:
        """Return codes in another spelling, by their provider and current form."""
        self.flush_model(["code", "provider_id"])
        rows = self.env.execute_query(
            SQL(
                """
                SELECT branch.provider_id, branch.code
                  FROM unnest(%s::int[], %s::int[]) AS form (provider_id, length)
                  JOIN spar_fsp_branch AS branch
                    ON branch.provider_id = form.provider_id
                   AND length(branch.code) <> form.length
                """,
                list(forms),
                [len(form) for form in forms.values()],
            )
        )
        return {(p, fit_branch_code(code, forms[p])): code for p, code in rows}

    @api.model
    def _search_fitted(self, asked: dict[tuple[int, str], str]) -> dict:
        """Return ``Holder`` values for branches with a code in their provider's form.

        Archived ones are included; none if several branches have the code, in different
        spellings.

        :param asked: the form of the codes, by provider and code in that form
        """
        self.flush_model(["code", "provider_id", "active", "closed_on", "successor_id"])
        providers, codes = zip(*asked, strict=True) if asked else ((), ())
        rows = self.env.execute_query(
            SQL(
                """
                SELECT asked.provider_id, asked.code, branch.id, branch.code,
                       branch.active, coalesce(branch.closed_on <= %s, FALSE),
                       branch.successor_id IS NOT NULL
                  FROM unnest(%s::int[], %s::text[], %s::int[])
                    AS asked (provider_id, code, length)
                  JOIN spar_fsp_branch AS branch
                    ON branch.provider_id = asked.provider_id
                   AND (upper(branch.code COLLATE "C") = asked.code
                        OR length(branch.code) <> asked.length)
                """,
                fields.Date.today(),
                list(providers),
                list(codes),
                [len(form) for form in asked.values()],
            )
        )
        found: dict[tuple[int, str], list[dict]] = {}
        for provider_id, code, *values in rows:
            if fit_branch_code(values[1], asked[provider_id, code]) == code:
                branch = dict(zip(_HOLDER, values, strict=True))
                found.setdefault((provider_id, code), []).append(branch)
        return {place: many[0] for place, many in found.items() if len(many) == 1}

    @api.model
    def _fit_code(self, vals: dict, forms: dict, stored: dict) -> dict:
        """Return the values with the code in the provider's form.

        :raises ValidationError: for a code that does not fit, or already exists
        """
        provider_id, code = vals.get("provider_id"), vals.get("code")
        if not code or provider_id not in forms:
            return vals
        fitted = fit_branch_code(code, forms[provider_id])
        if not fitted:
            raise ValidationError(self._get_bad_code_text(code, forms[provider_id]))
        if there := stored.get((provider_id, fitted)):
            raise ValidationError(
                self.env._(
                    "Another branch of this provider has the code %(code)s, which is "
                    "the same.",
                    code=there,
                )
            )
        return {**vals, "code": fitted}

    @api.model
    def _get_bad_code_text(self, code: str, form: str) -> str:
        return self.env._(
            "%(code)s: the branch codes of this provider look like %(form)s.",
            code=code,
            form=form,
        )
