from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timezone

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from odoo.addons.spar_fa_directory.lib import fa_form, fa_syntax
from odoo.addons.spar_fa_directory.lib.directory_rows import (
    Row,
    RowProblem,
    check_row,
    fold_header,
)
from odoo.addons.spar_fa_directory.lib.exceptions import LoadStopped, MissingPart
from odoo.addons.spar_fa_directory.lib.fa_form import CanonicalAddress, find_own_id
from odoo.addons.spar_fa_directory.lib.fa_reader import fold_code
from odoo.addons.spar_mapper_connector.exceptions import InvalidIdentifier
from odoo.addons.spar_mapper_connector.lib.contract import Outcome, Result
from odoo.addons.spar_mapper_connector.lib.id_rules import CardCheck, Identifier

from ...lib.account_columns import ACCOUNT_COLUMNS
from ...lib.row_outcome import Reason, RowOutcome
from ..account.spar_payment_account import NewAccount, Target


@dataclass
class _ImportedRow:
    """A row on its way to an account."""

    row: Row
    reasons: list[Reason] = field(default_factory=list)
    identifier: Identifier | None = None
    #: The ID as it travels, before its value is spelt canonically.
    written: str = ""
    fa: str = ""
    formed: CanonicalAddress | None = None
    collected_at: datetime | None = None
    partner_id: int = 0
    target: Target | None = None
    is_unchanged: bool = False

    @property
    def is_good(self) -> bool:
        return not self.reasons

    def get(self, name: str) -> str:
        return self.row.values.get(name, "")


class SparAccountLoader(models.AbstractModel):
    """Turning the rows of a file into collected accounts, or into reasons.

    The number of statements for a set of rows is constant. A trial takes the same
    steps, except those that store something or would answer guesses: whether a row
    says the account that is known is asked last, of rows that are loaded, and whose an
    ID is only where a person has to be known. IDs of nobody count.
    """

    _name = "spar.account.loader"
    _description = "Loader of accounts"

    @api.model
    def _load_rows(
        self, job, rows: list[Row], unsplit: list[tuple[Row, list[RowProblem]]]
    ) -> RowOutcome:
        """Load rows of a file: the valid ones are queued, the others refused."""
        problem_texts = self._get_cell_texts()
        outcome = RowOutcome()
        outcome.refused = [
            (row, [Reason(problem_texts[p.code] % p.values) for p in problems])
            for row, problems in unsplit
        ]
        items = [_ImportedRow(row) for row in rows]
        for step in (
            self._check_cells,
            self._read_ids,
            self._read_times,
            self._read_addresses,
            self._find_repeated,
            self._find_people,
            self._find_targets,
            self._find_unchanged,
        ):
            step(job, items)
        outcome.refused += [(i.row, i.reasons) for i in items if not i.is_good]
        good = [item for item in items if item.is_good]
        changed = [item for item in good if not item.is_unchanged]
        outcome.counts.update(
            unchanged=len(good) - len(changed),
            accepted=len(changed),
            created=sum(not item.partner_id for item in changed),
        )
        if changed and not job.is_trial:
            self._save(job, changed)
        return outcome

    # === CELLS === #

    @api.model
    def _check_cells(self, job, items: list[_ImportedRow]) -> None:
        texts = self._get_cell_texts()
        labels = dict(self.env["spar.sealed.import.column"]._selection_name())
        for item in items:
            for problem in check_row(item.row, ACCOUNT_COLUMNS):
                text = texts[problem.code] % problem.values
                item.reasons.append(Reason(f"{labels[problem.column]}: {text}"))

    @api.model
    def _get_cell_texts(self) -> dict[str, str]:
        """Return what is wrong with a cell or a row; the directory's files share it."""
        return self.env["spar.directory.loader"]._get_problem_texts()

    @api.model
    def _read_times(self, job, items: list[_ImportedRow]) -> None:
        """Read when each account was collected; the file says it for other rows."""
        now = fields.Datetime.now()
        bad = self.env._("Collected at: write the date as 2026-12-31.")
        future = self.env._("Collected at: it must not be in the future.")
        for item in items:
            text = item.get("collected_at")
            moment = _read_time(text) if text else job.collected_at
            if moment is None:
                item.reasons.append(Reason(bad))
            elif moment > now:
                item.reasons.append(Reason(future))
            item.collected_at = moment

    # === IDS === #

    @api.model
    def _read_ids(self, job, items: list[_ImportedRow]) -> None:
        """Bring each ID into its canonical form, by the type that the row names."""
        types_sudo = self.env["spar.id.type"].sudo()
        by_name = {
            fold_header(name or ""): each
            for each in types_sudo.search([])
            for name in (each.name, each.code)
        }
        read = types_sudo._build_reader()
        unknown = Reason(self.env._("ID type: there is no ID type with this name."))
        refuse = self._remember(self._get_id_reason)
        for item in items:
            if not item.get("id"):
                continue
            named = fold_header(item.get("id_type"))
            id_type_sudo = by_name.get(named) if named else job.id_type_id.sudo()
            if not id_type_sudo:
                item.reasons.append(unknown)
                continue
            try:
                written = id_type_sudo._write_id(item.get("id"))
                found = read(written, CardCheck.PEOPLE)
            except InvalidIdentifier as error:
                item.reasons.append(refuse(error.code, id_type_sudo.id))
                continue
            if found.type_id != id_type_sudo.id:
                item.reasons.append(refuse("other_type", id_type_sudo.id))
            item.identifier, item.written = found, written

    @api.model
    def _get_id_reason(self, code: str, type_id: int) -> Reason:
        if code == "other_type":
            return Reason(self.env._("ID: this is an ID of another type."))
        look = self.env["spar.id.type"]._get_card_look(type_id)
        result = Result(Outcome.INVALID_ID, problem=code, problem_values={"look": look})
        return Reason(self.env["spar.staff.answers"]._get_refusal(result))

    @api.model
    def _find_repeated(self, job, items: list[_ImportedRow]) -> None:
        """Refuse rows whose ID occurred in an earlier valid row of the file."""
        good = {
            item.row.number: item.identifier.canonical
            for item in items
            if item.is_good and item.identifier
        }
        first = self.env["spar.sealed.import.seen"].sudo()._note(job, good)
        general = self.env._("The ID occurs in an earlier row of the file.")
        for item in items:
            if number := first.get(item.row.number):
                text = self.env._(
                    "Row %(row)s of the file has the same ID: delete one of them.",
                    row=number,
                )
                item.reasons.append(Reason(text, general))

    # === ADDRESSES === #

    @api.model
    def _read_addresses(self, job, items: list[_ImportedRow]) -> None:
        """Write each address from its parts, and check it against the directory."""
        strategies = self.env["spar.fa.strategy"]
        self._write_addresses(job, [item for item in items if item.is_good])
        written = [item for item in items if item.is_good and item.fa]
        formed = strategies._canonicalise_addresses([item.fa for item in written])
        refuse = self._remember(self._get_address_reason)
        for item, form in zip(written, formed, strict=True):
            item.formed = form
            item.fa = fa_form.write_as_read(form) or item.fa
            ids = (item.identifier.canonical, item.get("id")) if item.identifier else ()
            if problem := form.problem or find_own_id(form, ids):
                place = (form.provider_id, form.branch_id)
                item.reasons.append(refuse(problem, *place))

    @api.model
    def _write_addresses(self, job, items: list[_ImportedRow]) -> None:
        """Write each address in the strategy of the kind; a full one is kept."""
        missing = Reason(self.env._("Account number: this is empty. Fill it in."))
        bad = Reason(self.env._("Account number: it cannot be used. Type it again."))
        syntax, account_key = self._get_template(job)
        self._find_providers(job, items)
        for item in items:
            if item.fa:
                continue
            if full := item.get("fa"):
                item.fa = full
            elif not item.get("account"):
                item.reasons.append(missing)
            elif item.is_good:
                parts = {**item.row.values, account_key: item.get("account")}
                try:
                    item.fa = fa_syntax.build(syntax, parts)
                except MissingPart:
                    item.reasons.append(bad)

    @api.model
    def _get_template(self, job) -> tuple[fa_syntax.Strategy, str]:
        """Return the strategy in which addresses are written, and the number's part.

        Raises UserError for a kind whose addresses a file cannot contain by parts.
        """
        parts = job.fa_type_id.sudo().part_ids
        texts = parts.filtered(lambda part: part.kind == "text").mapped("key")
        strategies = job.fa_type_id.sudo().strategy_ids.sorted(
            lambda one: (not one.is_default, one.number)
        )
        for strategy in strategies.filtered("is_approved"):
            syntax = fa_syntax.compile_strategy(strategy.template)
            if len(texts) == 1 and set(syntax.keys) <= set(parts.mapped("key")):
                return syntax, texts[0]
        raise UserError(
            self.env._(
                "Addresses of the kind %(kind)s cannot be loaded by their parts. Add a "
                "column with the full financial address.",
                kind=job.fa_type_id.name,
            )
        )

    @api.model
    def _find_providers(self, job, items: list[_ImportedRow]) -> None:
        """Write the codes of provider and branch into the rows, by the parts' keys."""
        keys = {part.kind: part.key for part in job.fa_type_id.sudo().part_ids}
        provider_key, branch_key = keys.get("provider", ""), keys.get("branch", "")
        asking = [item for item in items if not item.get("fa")]
        names = {item.get("provider") for item in asking} - {""}
        loader_sudo = self.env["spar.directory.loader.branch"].sudo()
        found = loader_sudo._search_providers(names) if names else {}
        at_branch = self._search_by_branches(
            {fold_code(item.get("branch")) for item in asking} - {""}
        )
        codes = self._get_codes(job, found, at_branch)
        refuse = self._remember(self._get_provider_reason)
        for item in asking:
            name, branch = item.get("provider"), item.get("branch")
            provider = found[name] if name else job.provider_id.id
            if not provider or isinstance(provider, str):
                # A branch code that only one provider has names it as well.
                provider = at_branch.get(fold_code(branch), provider)
            if provider_key and (not provider or isinstance(provider, str)):
                item.reasons.append(refuse(provider or "missing"))
                continue
            if not branch and provider == job.provider_id.id:
                branch = job.branch_id.sudo().code or ""
            item.row.values[provider_key] = codes.get(provider, "")
            item.row.values[branch_key] = branch

    @api.model
    def _get_codes(self, job, found: dict, at_branch: dict) -> dict[int, str]:
        """Return the code of each provider that rows name, by row id."""
        known = {each for each in found.values() if isinstance(each, int)}
        known |= set(at_branch.values()) | set(job.provider_id.ids)
        return {one.id: one.code for one in self.env["spar.fsp"].sudo().browse(known)}

    @api.model
    def _search_by_branches(self, codes: set[str]) -> dict[str, int]:
        """Return the provider of each branch code that only one provider has."""
        if not codes:
            return {}
        query = SQL(
            """SELECT upper(code COLLATE "C"), min(provider_id)
                 FROM spar_fsp_branch
                WHERE upper(code COLLATE "C") = ANY(%s) AND active
                GROUP BY 1 HAVING count(DISTINCT provider_id) = 1""",
            list(codes),
        )
        return dict(self.env.execute_query(query))

    @api.model
    def _get_provider_reason(self, code: str) -> Reason:
        texts = {
            "missing": self.env._(
                "the file does not name one. Choose the provider before you check the "
                "file, or fill it in."
            ),
            "provider_unknown": self.env._(
                "the directory has no provider with this code or name. Correct it."
            ),
            "provider_unclear": self.env._(
                "several providers have this name. Enter the code instead."
            ),
            "provider_archived": self.env._(
                "this provider is archived. Ask the person for another account."
            ),
        }
        label = self.env._("Provider")
        return Reason(f"{label}: {texts[code]}")

    @api.model
    def _get_address_reason(self, problem, provider_id, branch_id) -> Reason:
        form = CanonicalAddress("", problem, None, provider_id, branch_id)
        accounts = self.env["spar.payment.account"]
        return Reason(accounts._get_address_refusal("", form))

    # === PEOPLE === #

    @api.model
    def _find_people(self, job, items: list[_ImportedRow]) -> None:
        """Find the person of each ID; unknown ones are added if the file says so.

        A trial does not find those who would be added if they are unknown: loading
        them leaves people in the user's name, a trial would only say who exists. Raises
        LoadStopped where too many IDs were of nobody.
        """
        people = self.env["res.partner"]
        good = [item for item in items if item.is_good and item.identifier]
        adding = self._find_adding(job, good)
        if job.is_trial:
            good = [item for item in good if item.row.number not in adding]
        found = people._spar_find_by_ids([item.identifier.canonical for item in good])
        known = people.browse({one for ids in found.values() for one in ids})
        known = known.with_context(active_test=False)
        seen = set(known._filtered_access("read").ids)
        asked = [item for item in good if item.row.number not in adding]
        self._count_people(job, asked, found, seen)
        texts = self._get_people_reasons()
        for item in [item for item in good if item.is_good]:
            ids = found[item.identifier.canonical]
            if len(ids) > 1:
                item.reasons.append(texts["shared"])
            elif ids and ids[0] not in seen:
                item.reasons.append(texts["hidden"])
            elif ids:
                item.partner_id = ids[0]
            elif job.on_unknown == "refuse":
                item.reasons.append(texts["unknown"])
            elif not item.get("name"):
                item.reasons.append(texts["name"])

    @api.model
    def _find_adding(self, job, items: list[_ImportedRow]) -> set[int]:
        """Return the rows whose people are added if they are unknown, by number."""
        if job.on_unknown == "refuse" or self._find_obstacle_of_new(job.programme_id):
            return set()
        return {item.row.number for item in items if item.get("name")}

    @api.model
    def _count_people(
        self, job, items: list[_ImportedRow], found: dict, seen: set[int]
    ) -> None:
        """Count IDs that are known, and those that are not; refuse those beyond.

        Raises LoadStopped if nothing may be said of any of them.
        """
        canonicals = [item.identifier.canonical for item in items if item.identifier]
        counted = {
            canonical: bool(found[canonical]) and found[canonical][0] in seen
            for canonical in canonicals
        }
        answered = self.env["spar.registry.lookup"]._count_file(counted)
        if counted and not answered:
            raise LoadStopped(self._get_limit_text(job))
        beyond = Reason(
            self.env._(
                "This row was not compared with Contacts, because too many IDs of your "
                "files were in no contact."
            )
        )
        for item in items:
            if item.identifier and item.identifier.canonical not in answered:
                item.reasons.append(beyond)

    @api.model
    def _get_limit_text(self, job) -> str:
        """Return why a file with too many IDs of nobody stops, and what to do."""
        texts = [
            self.env._(
                "Too many IDs of your files were in no contact in the last 24 hours. "
                "Check that the column with the IDs and the ID type are right."
            )
        ]
        if job.on_unknown == "refuse":
            texts.append(
                self.env._(
                    "If these people are new, choose to add people who are not in "
                    "Contacts."
                )
            )
        texts.append(
            self.env._("Otherwise ask a colleague to load it, or try again tomorrow.")
        )
        return " ".join(texts)

    @api.model
    def _get_people_reasons(self) -> dict[str, Reason]:
        texts = {
            "shared": self.env._(
                "ID: several people in Contacts have this ID. Correct one of them "
                "first."
            ),
            "hidden": self.env._(
                "ID: this is the ID of a person you do not have access to."
            ),
            "unknown": self.env._(
                "ID: nobody in Contacts has this ID. Check it against the document, or "
                "choose to add people who are not in Contacts."
            ),
            "name": self.env._(
                "Name: this is empty. A name is needed to add the person."
            ),
        }
        return {code: Reason(text) for code, text in texts.items()}

    @api.model
    def _find_unchanged(self, job, items: list[_ImportedRow]) -> None:
        """Mark the rows that say what was collected before.

        A trial does not: otherwise it would tell of any number of guesses which one is
        right. For the same reason a person's account is loaded only a few times a day.
        """
        if job.is_trial:
            return
        accounts = self.env["spar.payment.account"]
        known = [item for item in items if item.is_good and item.partner_id]
        tried = accounts._find_often_loaded([item.partner_id for item in known])
        often = Reason(
            self.env._(
                "You have loaded several accounts of this person in the last 24 hours. "
                "Try again tomorrow, or collect the account on the person's form."
            )
        )
        for item in known:
            if item.partner_id in tried:
                item.reasons.append(often)
        known = [item for item in known if item.is_good]
        places = accounts._find_unchanged(
            job.programme_id, [self._build_account(item) for item in known]
        )
        for place in places:
            known[place].is_unchanged = True

    @api.model
    def _find_targets(self, job, items: list[_ImportedRow]) -> None:
        """Find who is paid for each person; a row without one is refused."""
        accounts = self.env["spar.payment.account"]
        open_items = [item for item in items if item.is_good]
        people = self.env["res.partner"].browse(
            list(dict.fromkeys(i.partner_id for i in open_items if i.partner_id))
        )
        targets = accounts._find_targets(people, job.programme_id)
        obstacle = self._find_obstacle_of_new(job.programme_id)
        refuse = self._remember(lambda code: Reason(accounts._get_refusal(code)))
        for item in open_items:
            code = obstacle
            if item.partner_id:
                item.target = targets[item.partner_id]
                code = item.target.obstacle.code if item.target.obstacle else ""
            if code:
                item.reasons.append(refuse(code))

    @api.model
    def _find_obstacle_of_new(self, programme) -> str:
        """Return why nobody can be paid for a person who is added now, or ""."""
        if programme.needs_consent:
            return "no_consent"
        is_own_payee = programme.payee_rule in (False, "self", "household")
        return "" if is_own_payee else "no_payee"

    # === SAVING === #

    @api.model
    def _save(self, job, items: list[_ImportedRow]) -> None:
        """Add the people, collect the accounts and queue them."""
        accounts = self.env["spar.payment.account"]
        new = [item for item in items if not item.partner_id]
        if new:
            self._add_people(job, new)
            people = self.env["res.partner"].browse([i.partner_id for i in new])
            targets = accounts._find_targets(people, job.programme_id)
            for item in new:
                item.target = targets[item.partner_id]
        queued = [i for i in items if i.target and not i.target.obstacle]
        accounts._collect_batch(
            [self._build_account(item) for item in queued],
            job.programme_id,
            "file",
            [item.target for item in queued if item.target],
        )

    @api.model
    def _add_people(self, job, items: list[_ImportedRow]) -> None:
        countries = self._get_countries()
        people = self.env["res.partner"]._spar_add_people(
            [
                {
                    "name": item.get("name"),
                    "phone": item.get("phone") or False,
                    "street": item.get("street") or False,
                    "city": item.get("city") or False,
                    "zip": item.get("zip") or False,
                    "country_id": countries.get(item.get("country").lower(), False),
                }
                for item in items
            ]
        )
        for item, person in zip(items, people, strict=True):
            item.partner_id = person.id
        self.env["spar.person.identity"]._add_batch(
            {
                item.partner_id: (item.identifier, self._spell(item))
                for item in items
                if item.identifier
            }
        )

    @api.model
    def _spell(self, item: _ImportedRow) -> str:
        """Return an ID as it travels, its value in canonical spelling."""
        types_sudo = self.env["spar.id.type"].sudo()
        id_type_sudo = types_sudo.browse(item.identifier.type_id)
        return id_type_sudo._write_id(types_sudo._get_clean_value(item.written))

    @api.model
    def _get_countries(self) -> dict[str, int]:
        return self.env["spar.directory.loader.provider"].sudo()._get_countries()

    @api.model
    def _build_account(self, item: _ImportedRow) -> NewAccount:
        moment = item.collected_at or fields.Datetime.now()
        return NewAccount(item.partner_id, item.fa, item.formed, moment)

    @api.model
    def _remember(self, function: Callable) -> Callable:
        """Return ``function``, with its results kept: most reasons occur many times."""
        results: dict[tuple, Reason] = {}

        def remember(*arguments):
            if arguments not in results:
                results[arguments] = function(*arguments)
            return results[arguments]

        return remember


def _read_time(text: str) -> datetime | None:
    """Return a date or time in naive UTC, None if it is neither."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo:
        moment = moment.astimezone(timezone.utc).replace(tzinfo=None)
    return moment
