from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import SQL

from ...lib.branch_code import fit_branch_code, list_writings
from ...lib.directory_query import JoinedWords, SearchAttempt, SearchToken
from . import search_queries
from .spar_directory_search import MAX_RANKED

#: The columns of a branch that ``_search_fitted`` returns, as ``Holder`` names them.
_HOLDER = (
    "branch_id",
    "branch_code",
    "branch_is_active",
    "branch_is_closed",
    "branch_is_replaced",
)
#: The maximum number of branch code forms whose other spellings are searched.
_MAX_FORMS = 20


class SparFspBranch(models.Model):
    """A branch of a provider, with a code of its own.

    It is found by name, code and town, and by the words of its provider.
    """

    _name = "spar.fsp.branch"
    _description = "Branch of a Financial Service Provider"
    _inherit = [
        "spar.directory.used",
        "spar.directory.closing",
        "spar.directory.search",
        "spar.directory.sourced",
        "spar.directory.texts",
    ]
    _order = "provider_id, name, id"
    _rec_names_search = ["name", "code", "city"]
    _searched_text = "name || ' | ' || code || ' | ' || coalesce(city, '')"

    name = fields.Char(required=True)
    code = fields.Char(
        required=True,
        copy=False,
        help="Part of financial addresses, so it cannot be changed once an address "
        "contains it. Upper and lower case are equivalent.",
    )
    provider_id = fields.Many2one(
        "spar.fsp", required=True, index=True, ondelete="cascade"
    )
    city = fields.Char()
    active = fields.Boolean(default=True)
    successor_id = fields.Many2one(
        "spar.fsp.branch",
        index="btree_not_null",
        ondelete="restrict",
        help="The branch that took over the accounts: of this provider, or of another "
        "one of its kind.",
    )

    _code_uniq = models.UniqueIndex(
        '(provider_id, upper(code COLLATE "C"))',
        "Another branch of this provider has this code (case is ignored).",
    )
    _listed_idx = models.Index("(provider_id, name, id)")

    @api.model_create_multi
    def create(self, vals_list):
        cleaned = [self._clean_texts(vals) for vals in vals_list]
        return super().create(self._fit_codes(cleaned))

    def write(self, vals):
        vals = self._fit_new_code(self._clean_texts(vals))
        self.filtered(lambda branch: branch._changes_code(vals))._check_unused()
        return super().write(vals)

    def _changes_code(self, vals: dict) -> bool:
        current = {"code": self.code, "provider_id": self.provider_id.id}
        return any(current[name] != vals[name] for name in current.keys() & vals.keys())

    @api.ondelete(at_uninstall=False)
    def _unlink_except_used(self):
        self._check_unused()

    def _check_unused(self):
        if used := self._is_used():
            raise UserError(
                self.env._(
                    "Financial addresses use %(branches)s: the code and the provider "
                    "cannot be changed, and the branch cannot be deleted. Archive it "
                    "and add a new one. %(uses)s",
                    branches=", ".join(used.mapped("display_name")),
                    uses=used._get_uses_text(),
                )
            )

    # === BRANCH CODES === #

    @api.model
    def _fit_codes(self, vals_list: list[dict]) -> list[dict]:
        """Return the values of new branches, codes in the form of their providers.

        Raises ValidationError for a code that does not fit, or already exists.
        """
        forms = self._get_code_forms({vals.get("provider_id") for vals in vals_list})
        if not forms:
            return vals_list
        stored = self._get_other_codes(forms)
        return [self._fit_code(vals, forms, stored) for vals in vals_list]

    def _fit_new_code(self, vals: dict) -> dict:
        """Return the values of a write, with a new code in the form of the provider."""
        changed = self.filtered(lambda branch: branch.code != vals.get("code", False))
        if "code" not in vals or not changed:
            return vals
        provider_id = vals.get("provider_id") or changed[:1].provider_id.id
        forms = self._get_code_forms({provider_id})
        fitted = self._fit_code({"provider_id": provider_id, **vals}, forms, {})
        return {**vals, "code": fitted["code"]}

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
    def _search_fitted(self, requested: dict[tuple[int, str], str]) -> dict:
        """Return ``Holder`` values for branches with a code in their provider's form.

        Archived ones are included; none if several branches have the code, in different
        spellings.

        :param requested: the form of the codes, by provider and code in that form
        """
        self.flush_model(["code", "provider_id", "active", "closed_on", "successor_id"])
        providers, codes = zip(*requested, strict=True) if requested else ((), ())
        rows = self.env.execute_query(
            SQL(
                """
                SELECT requested.provider_id, requested.code, branch.id, branch.code,
                       branch.active, coalesce(branch.closed_on <= %s, FALSE),
                       branch.successor_id IS NOT NULL
                  FROM unnest(%s::int[], %s::text[], %s::int[])
                    AS requested (provider_id, code, length)
                  JOIN spar_fsp_branch AS branch
                    ON branch.provider_id = requested.provider_id
                   AND (upper(branch.code COLLATE "C") = requested.code
                        OR length(branch.code) <> requested.length)
                """,
                fields.Date.today(),
                list(providers),
                list(codes),
                [len(form) for form in requested.values()],
            )
        )
        found: dict[tuple[int, str], list[dict]] = {}
        for provider_id, code, *values in rows:
            if fit_branch_code(values[1], requested[provider_id, code]) == code:
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
                    "equivalent.",
                    code=there,
                )
            )
        return {**vals, "code": fitted}

    @api.model
    def _get_bad_code_text(self, code: str, form: str) -> str:
        return self.env._(
            "%(code)s does not have the format of this provider's branch codes: "
            "%(form)s.",
            code=code,
            form=form,
        )

    # === CLOSING === #

    @api.constrains("successor_id", "provider_id")
    def _check_successor_kind(self):
        for branch in self.filtered("successor_id"):
            if branch.successor_id.provider_id.kind != branch.provider_id.kind:
                raise ValidationError(
                    branch.env._(
                        "%(successor)s belongs to a provider of another kind, so it "
                        "cannot take over.",
                        successor=branch.successor_id.display_name,
                    )
                )

    # === SEARCH === #

    @api.model
    def _get_joined(self, tokens: list[SearchToken]) -> list[JoinedWords]:
        """Return the joined words; a code is found in any of its spellings, too."""
        joined = super()._get_joined(tokens)
        names = {place: token.name for place, token in enumerate(tokens)}
        coded = {p: n for p, n in names.items() if any(map(str.isdigit, n))}
        forms = self._get_all_forms() if coded else []
        return joined + [
            JoinedWords(writing.lower(), place, place + 1)
            for place, name in coded.items()
            for writing in sorted({w for f in forms for w in list_writings(name, f)})
        ]

    @api.model
    def _get_all_forms(self) -> list[str]:
        self.env["spar.fsp"].flush_model(["branch_code_form"])
        query = """SELECT DISTINCT branch_code_form FROM spar_fsp
                    WHERE branch_code_form IS NOT NULL ORDER BY 1 LIMIT %s"""
        return [form for (form,) in self.env.execute_query(SQL(query, _MAX_FORMS))]

    @api.model
    def _build_rest(self, attempt: SearchAttempt) -> SQL:
        """Return SQL for the providers' words, and those left for the branches."""
        return SQL(
            search_queries.REST,
            words=[word.any for word in attempt.words],
            all=2 ** len(attempt.words) - 1,
            may_miss_one=attempt.may_miss_one,
        )

    @api.model
    def _build_found(
        self, attempt: SearchAttempt, domain_ids: SQL | None, most: int | None
    ) -> SQL:
        return SQL(
            search_queries.BRANCHES_FOUND,
            rest=self._build_rest(attempt),
            all=2 ** len(attempt.words) - 1,
            nearness=self._build_nearness(attempt, SQL("fsp.search_words")),
            penalty=self._build_penalty(attempt, SQL("fsp.search_words")),
            name=self.env["spar.fsp"]._field_to_sql("fsp", "name"),
            in_domain=SQL("AND branch.id IN %s", domain_ids) if domain_ids else SQL(),
            most=most and MAX_RANKED,
            most_whole=most,
        )

    @api.model
    def _build_ranked(
        self, attempt: SearchAttempt, text: str, domain_ids: SQL, most: int
    ) -> SQL:
        vectors = SQL("branch.search_words"), SQL("fsp.search_words")
        return SQL(
            search_queries.BRANCHES_RANKED,
            found=self._build_found(attempt, domain_ids, most),
            code=text.upper(),
            nearness=self._build_nearness(attempt, *vectors),
            penalty=self._build_penalty(attempt, *vectors),
            name=self.env["spar.fsp"]._field_to_sql("fsp", "name"),
            most=most,
        )
