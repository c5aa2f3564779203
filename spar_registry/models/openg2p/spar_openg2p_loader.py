import json
import re
from dataclasses import dataclass, field
from datetime import datetime, timezone

from odoo import api, models

from odoo.addons.spar_fa_directory.lib.csv_file import is_undecoded
from odoo.addons.spar_fa_directory.lib.directory_rows import Row, RowProblem
from odoo.addons.spar_fa_directory.lib.exceptions import LoadStopped
from odoo.addons.spar_fa_directory.lib.fa_form import CanonicalAddress, find_own_id
from odoo.addons.spar_mapper_connector.exceptions import InvalidIdentifier, MapperError
from odoo.addons.spar_mapper_connector.lib.contract import (
    Authority,
    CallContext,
    Details,
    LinkRequest,
    Outcome,
    ResolveRequest,
    Result,
)
from odoo.addons.spar_mapper_connector.lib.id_rules import CardCheck
from odoo.addons.spar_mapper_connector.lib.matching import match_results

from ...lib.calls import build_call
from ...lib.row_outcome import Reason, RowOutcome

#: What an older page of OpenG2P stored as everybody's name and telephone number.
_NO_DETAIL = "string"
#: Results that are listed with a reason and counted apart from refusals.
_HOURS_ONLY = re.compile(r":\d\d(?:\.\d+)?[+-]\d\d$")
_LISTED = ("held", "coinciding", "unknown")


@dataclass
class _Mapping:
    """A row of their table of mappings."""

    row: Row
    reasons: list[Reason] = field(default_factory=list)
    id_value: str = ""
    canonical: str = ""
    formed: CanonicalAddress | None = None
    additional_info: tuple = ()
    result: str = "accepted"

    @property
    def is_good(self) -> bool:
        return not self.reasons

    @property
    def fa(self) -> str:
        return self.row.values.get("fa_value", "")

    def get(self, name: str) -> str:
        return self.row.values.get(name, "")


class SparOpeng2pLoader(models.AbstractModel):
    """Turning OpenG2P's mappings into links, or into reasons.

    Every row passes the rules of the directory and of the mapper. A check finds out
    which rows coincide; nothing is linked for IDs with several addresses.
    """

    _name = "spar.openg2p.loader"
    _description = "Loader of an OpenG2P SPAR"

    @api.model
    def _load_rows(
        self, job, rows: list[Row], unsplit: list[tuple[Row, list[RowProblem]]]
    ) -> RowOutcome:
        """Process rows as the job says: check, link or compare them."""
        items = [_Mapping(row) for row in rows]
        self._read_ids(job, items)
        compares_backends = job.is_comparison and job.compared_backend_id
        if not compares_backends:
            self._read_addresses(job, items)
        if not job.is_comparison:
            if not job.is_noted:
                self._note(job, items)
                return RowOutcome()
            self._find_coinciding(job, items)
        elif not compares_backends:
            self._find_repeated(job, items)
        try:
            if compares_backends:
                self.env["spar.openg2p.comparison"]._compare(job, items)
            else:
                self._compare(job, items)
            if not (job.is_trial or job.is_comparison):
                self._link(job, items)
        except MapperError as error:
            answers = self.env["spar.staff.answers"]
            raise LoadStopped(answers._get_error_text(error)) from error
        return self._collect(items, unsplit)

    @api.model
    def _collect(self, items: list[_Mapping], unsplit) -> RowOutcome:
        outcome = RowOutcome()
        texts = self.env["spar.directory.loader"]._get_problem_texts()
        for row, problems in unsplit:
            reasons = [Reason(texts[p.code] % p.values) for p in problems]
            outcome.refused.append((row, reasons))
        for item in items:
            if item.is_good or item.result in _LISTED:
                outcome.counts[item.result] += 1
            if not item.is_good:
                outcome.refused.append((item.row, item.reasons))
                outcome.listed += item.result in _LISTED
        return outcome

    # === READING === #

    @api.model
    def _read_ids(self, job, items: list[_Mapping]) -> None:
        """Read each ID as one of the chosen type."""
        types_sudo = self.env["spar.id.type"].sudo()
        id_type_sudo = job.id_type_id.sudo()
        read = types_sudo._build_reader()
        other = Reason(
            self.env._("ID: it is an ID of another type than the chosen one.")
        )
        for item in items:
            try:
                written = id_type_sudo._write_id(item.get("id_value"))
                found = read(written, CardCheck.PARTICIPANTS)
            except InvalidIdentifier as error:
                item.reasons.append(self._get_id_reason(error.code))
                continue
            item.id_value, item.canonical = written, found.canonical
            if found.type_id != id_type_sudo.id:
                item.reasons.append(other)

    @api.model
    def _get_id_reason(self, code: str) -> Reason:
        result = Result(Outcome.INVALID_ID, problem=code)
        return Reason(self.env["spar.staff.answers"]._get_refusal(result))

    @api.model
    def _read_addresses(self, job, items: list[_Mapping]) -> None:
        """Check each address against the directory."""
        strategies = self.env["spar.fa.strategy"]
        empty = Reason(self.env._("Address: this is empty."))
        unreadable = Reason(
            self.env._(
                "Some letters cannot be read in the chosen encoding. Export the table "
                "as UTF-8."
            )
        )
        for item in items:
            self._read_info(job, item)
            if not item.fa:
                item.reasons.append(empty)
            if is_undecoded("".join(item.row.values.values())):
                item.reasons.append(unreadable)
        good = [item for item in items if item.is_good]
        formed = strategies._canonicalise_addresses([item.fa for item in good])
        accounts = self.env["spar.payment.account"]
        texts: dict[tuple, Reason] = {}
        for item, form in zip(good, formed, strict=True):
            item.formed = form
            problem = form.problem or find_own_id(form, [item.canonical])
            if not problem:
                continue
            key = (problem, form.provider_id, form.branch_id)
            if key not in texts:
                shown = CanonicalAddress("", *key[:1], None, *key[1:])
                texts[key] = Reason(accounts._get_address_refusal("", shown))
            item.reasons.append(texts[key])

    @api.model
    def _read_info(self, job, item: _Mapping) -> None:
        """Read the further data, which names the strategy of the address."""
        text = item.get("additional_info")
        try:
            info = json.loads(text) if text else []
        except ValueError:
            item.reasons.append(
                Reason(self.env._("additional_info: this is not valid JSON."))
            )
            return
        item.additional_info = tuple(info) if isinstance(info, list) else (info,)
        first = item.additional_info[0] if item.additional_info else {}
        number = first.get("strategy_id") if isinstance(first, dict) else None
        if problem := (job.refused_strategies or {}).get(str(number)):
            name = self.env["spar.openg2p.directory"]._name_strategy(number)
            item.reasons.append(Reason(f"{name}: {problem}"))

    # === COINCIDING === #

    @api.model
    def _note(self, job, items: list[_Mapping]) -> None:
        """Note the IDs and addresses of the valid rows, before any of them counts."""
        seen_sudo = self.env["spar.sealed.import.seen"].sudo()
        seen_sudo._note_addresses(job, self._get_keys(items))

    @api.model
    def _get_keys(self, items: list[_Mapping]) -> dict[int, tuple[str, str]]:
        """Return ID and address of the valid rows, by the number of the row."""
        return {
            item.row.number: (item.canonical, item.formed.key)
            for item in items
            if item.is_good and item.formed
        }

    @api.model
    def _find_coinciding(self, job, items: list[_Mapping]) -> None:
        """List the rows whose ID, in canonical form, occurs in several rows."""
        good = [item for item in items if item.is_good and item.formed]
        seen_sudo = self.env["spar.sealed.import.seen"].sudo()
        first = seen_sudo._find_addresses(job, self._get_keys(items))
        several = self.env._(
            "The ID occurs in several rows, in other spellings, with different "
            "addresses. Find out which one is right, and remove the others."
        )
        same = self.env._("The ID occurs in an earlier row, with the same address.")
        for item in good:
            number, is_disputed = first.get(item.row.number, (item.row.number, False))
            if is_disputed:
                text = self.env._("%(text)s See row %(row)s.", text=several, row=number)
                item.reasons.append(Reason(text, several))
                item.result = "coinciding"
            elif number != item.row.number:
                text = self.env._("%(text)s See row %(row)s.", text=same, row=number)
                item.reasons.append(Reason(text, same))
                item.result = "coinciding"

    @api.model
    def _find_repeated(self, job, items: list[_Mapping]) -> None:
        """Leave out rows whose ID occurs in an earlier row: each could be a guess."""
        good = {item.row.number: item.canonical for item in items if item.is_good}
        first = self.env["spar.sealed.import.seen"].sudo()._note(job, good)
        general = self.env._("The ID occurs in an earlier row. Only that was compared.")
        for item in items:
            if number := first.get(item.row.number):
                text = self.env._("%(text)s See row %(row)s.", text=general, row=number)
                item.reasons.append(Reason(text, general))

    # === AT THE MAPPER === #

    @api.model
    def _compare(self, job, items: list[_Mapping]) -> None:
        """Compare with what resolves here: the same address, another, or none.

        Addresses that differ count like IDs of nobody: each could be a guess.
        """
        good = [item for item in items if item.is_good]
        mapper_sudo = self._get_mapper_sudo(job)
        requests = [
            ResolveRequest(item.id_value, purpose=job.purpose or "") for item in good
        ]
        results = mapper_sudo._resolve_fa(self._build_call(job), requests)
        matched = match_results([item.id_value for item in good], results)
        texts = [result.fa or "" if result else "" for result in matched]
        forms = self.env["spar.fa.strategy"]._canonicalise_addresses(texts)
        rows = list(zip(good, matched, forms, strict=True))
        beyond = self._find_beyond(rows)
        reason = Reason(self._get_comparison_texts()["beyond"])
        for item, result, form in rows:
            if item.row.number in beyond:
                self._leave(job, item, reason)
            else:
                self._compare_row(job, item, result, form)

    @api.model
    def _find_beyond(self, rows: list[tuple]) -> set[int]:
        """Count addresses that are compared; return the rows that are too many."""
        numbers, same = {}, {}
        for item, result, form in rows:
            if item.formed and result and result.outcome is Outcome.FOUND:
                name = f"{item.canonical} {item.formed.key}"
                numbers[item.row.number] = name
                same[name] = form.key == item.formed.key
        answered = self.env["spar.registry.lookup"]._count_file(same)
        return {number for number, name in numbers.items() if name not in answered}

    @api.model
    def _compare_row(
        self, job, item: _Mapping, result: Result | None, form: CanonicalAddress
    ) -> None:
        texts = self._get_comparison_texts()
        if result is None:
            self._leave(job, item, Reason(texts["no_answer"]))
        elif result.outcome is Outcome.NOT_LINKED:
            if job.is_comparison:
                item.reasons.append(Reason(texts["not_linked"]))
        elif result.outcome is Outcome.FOUND and item.formed:
            if form.key == item.formed.key:
                item.result = "unchanged"
            else:
                item.reasons.append(Reason(texts["another"]))
        elif result.outcome is Outcome.SUSPENDED:
            item.reasons.append(Reason(texts["stopped"]))
        else:
            self._leave(job, item, self._get_refusal(result))

    @api.model
    def _leave(self, job, item: _Mapping, reason: Reason) -> None:
        """Leave a row out: it is refused, or in a comparison could not be compared."""
        item.reasons.append(reason)
        if job.is_comparison:
            item.result = "unknown"

    @api.model
    def _get_comparison_texts(self) -> dict[str, str]:
        return {
            "no_answer": self.env._(
                "The mapper did not answer for this ID. Try again."
            ),
            "beyond": self.env._(
                "This row was not compared, because too many addresses of your files "
                "differed in the last 24 hours. Try again tomorrow."
            ),
            "not_linked": self.env._("No address is in force here."),
            "another": self.env._("Another address is in force here."),
            "stopped": self.env._("Payments to this person are stopped here."),
        }

    @api.model
    def _get_refusal(self, result: Result) -> Reason:
        return Reason(self.env["spar.staff.answers"]._get_refusal(result))

    @api.model
    def _link(self, job, items: list[_Mapping]) -> None:
        """Link what is not linked yet; each row gets its own answer."""
        new = [item for item in items if item.is_good and item.result == "accepted"]
        mapper_sudo = self._get_mapper_sudo(job)
        requests = [self._build_request(job, item) for item in new]
        results = mapper_sudo._link_fa(self._build_call(job), requests)
        matched = match_results([item.id_value for item in new], results)
        texts = self._get_comparison_texts()
        for item, result in zip(new, matched, strict=True):
            if result is None:
                item.reasons.append(Reason(texts["no_answer"]))
            elif result.outcome is Outcome.HELD:
                item.result = "held"
                item.reasons.append(self._get_refusal(result))
            elif result.outcome is Outcome.ALREADY_LINKED and result.same_fa:
                item.result = "unchanged"
            elif result.outcome is not Outcome.LINKED:
                item.reasons.append(self._get_refusal(result))

    @api.model
    def _build_request(self, job, item: _Mapping) -> LinkRequest:
        details = [
            text if (text := item.get(name)) != _NO_DETAIL else ""
            for name in ("name", "phone")
        ]
        return LinkRequest(
            item.id_value,
            item.fa,
            details=Details(*details, item.additional_info),
            purpose=job.purpose or "",
            asserted_at=_read_time(item.get("updated_at") or item.get("created_at")),
        )

    @api.model
    def _get_mapper_sudo(self, job):
        return self.env["spar.mapper.backend"]._get_mapper(job.id_type_id).sudo()

    @api.model
    def _build_call(self, job) -> CallContext:
        return build_call(
            self.env.uid,
            authority=Authority(int(job.authority)),
            reason="moved in from OpenG2P",
            checks_addresses=True,
            checks_cards=False,
        )


def _read_time(text: str) -> datetime | None:
    """Return a time of their database, which it keeps in UTC; None if it is none.

    A time in the future is not passed on: nothing could replace the address until then.
    """
    if _HOURS_ONLY.search(text):
        text += ":00"
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    return moment if moment <= datetime.now(timezone.utc) else None
