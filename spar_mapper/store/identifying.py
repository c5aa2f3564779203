"""The identification of texts as IDs, in the form in which the store has them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import repeat

from odoo.addons.spar_mapper_connector.exceptions import InvalidIdentifier
from odoo.addons.spar_mapper_connector.lib.contract import Outcome
from odoo.addons.spar_mapper_connector.lib.id_rules import CardCheck, Identifier
from odoo.addons.spar_mapper_connector.lib.identifier import StoredIdentifier
from odoo.addons.spar_mapper_connector.lib.keyring import OpenKeyring

from ..exceptions import BrokenId, ContestedId, RowBroken
from ..lib import audit, seals
from ..lib.audit import Finding
from ..lib.id_reading import FormState
from .database import StoreCursor, build_array, build_bytes_array, fetch
from .sealing import CASES, RUNS, RowSeals, mac_forecast
from .showing import show_ids
from .work import Work

#: An ID, the reason why a text is none, or None if there is no text.
IdReading = Identifier | InvalidIdentifier | None
#: Reads a text by the current rules; raises InvalidIdentifier.
ReadId = Callable[[str, CardCheck], Identifier]
#: The reading of a text in an older form, and the number of that form.
OlderReading = tuple[int, Identifier]

_ROWS = """
    SELECT id, form, digest_{column} FROM spar_subject_id
     WHERE digest_{column} = ANY(%s::bytea[])
"""
#: Includes closed cases: one that was closed without the registry is altered.
_CASES = """
    SELECT id, digest_{column}, state <> 'closed' FROM spar_form_case
     WHERE kind = 'ids' AND digest_{column} = ANY(%s::bytea[])
"""
_OPEN_RUN = "kind = 'ids' AND state NOT IN ('done', 'overtaken') AND number = %s"
_RUN = "kind = 'ids' AND state IN ('ready', 'rewriting') AND number = %s"
#: The rows by which an ID in the current form is found while they are in an older form.
_FORESEEN = """
    SELECT f.digest, f.row_id, f.verdict, f.mac FROM spar_form_row f
     WHERE f.run_id = %s AND f.digest = ANY(%s::bytea[])
       AND NOT EXISTS (
           SELECT FROM spar_subject_id i WHERE i.digest_{column} = f.digest)
"""


def read_ids(
    read: ReadId,
    texts: Sequence[str | None],
    bounds: Sequence[CardCheck] | None = None,
) -> list[IdReading]:
    """Return the reading of each text by the current rules.

    :param bounds: which of them must match the format on the card; none by default
    """
    return [
        None if text is None else _read_id(read, text, bound)
        for text, bound in zip(texts, bounds or repeat(CardCheck.NONE), strict=False)
    ]


def _read_id(read: ReadId, text: str, bound: CardCheck) -> IdReading:
    try:
        return read(text, bound)
    except InvalidIdentifier as error:
        return error


def get_outcome(error: InvalidIdentifier) -> Outcome:
    """Return the answer to an invalid ID; one of several people has to wait."""
    if isinstance(error, BrokenId):
        return Outcome.LOCKED
    is_contested = isinstance(error, ContestedId)
    return Outcome.HELD if is_contested else Outcome.INVALID_ID


def find_rows(
    cr: StoreCursor, keyring: OpenKeyring, canonicals: Iterable[str]
) -> list[tuple[int, int, str]]:
    """Return the row, the form and the canonical ID of those that are stored."""
    digest = keyring.digester(seals.ID)
    wanted = {digest(canonical): canonical for canonical in canonicals}
    if not wanted:
        return []
    query = _ROWS.format(column=keyring.roles.read_column)
    rows = fetch(cr, query, build_bytes_array(wanted))
    return [(row_id, form, wanted[bytes(found)]) for row_id, form, found in rows]


def find_contested(
    cr: StoreCursor, keyring: OpenKeyring, canonicals: Iterable[str]
) -> dict[str, Finding | None]:
    """Return the IDs that have an open case, and why a case cannot be trusted."""
    digest = keyring.digester(seals.ID)
    requested = {digest(canonical): canonical for canonical in canonicals}
    if not requested:
        return {}
    query = _CASES.format(column=keyring.roles.read_column)
    rows = fetch(cr, query, build_bytes_array(requested))
    if not rows:
        return {}
    ids = build_array([row_id for row_id, _digest, _is_open in rows])
    condition = "t.id = ANY(%s::bigint[])"
    altered = RowSeals(cr, keyring).find_altered(CASES, condition, ids)
    problems = {problem[1]: problem for problem in altered}
    return {
        requested[bytes(found)]: problems.get(row_id)
        for row_id, found, is_open in rows
        if is_open or row_id in problems
    }


class FormReader:
    """Finds IDs that are stored in an older form, and those that coincide.

    The rows that govern this are used only if they are as the registry left them;
    anything that depends on altered ones is treated as no one's ID, and is a problem of
    ``work``.
    """

    def __init__(self, work: Work, state: FormState):
        self.work = work
        self.state = state

    def prefer_stored(
        self, texts: Sequence[str | None], found: Sequence[IdReading]
    ) -> list[IdReading]:
        """Return ``found``, with IDs stored in an older form by exactly this spelling.

        Such a spelling finds its ID until that ID is in the current form. A contested
        ID can be found in no other way.
        """
        if self.state.problem:
            broken = self._report_broken(self.state.problem)
            return [
                one if _is_exact(text) else broken
                for text, one in zip(texts, found, strict=True)
            ]
        older = [
            self._read_older(text, newest)
            for text, newest in zip(texts, found, strict=True)
        ]
        canonicals = {one.canonical for each in older for _number, one in each}
        if self.state.contested:
            canonicals |= {
                one.canonical for one in found if isinstance(one, Identifier)
            }
        rows = find_rows(self.work.cr, self.work.keyring, canonicals)
        stored = {canonical: (row_id, form) for row_id, form, canonical in rows}
        contested = self._find_contested(found) if self.state.contested else {}
        chosen = [
            newest
            if _is_exact(text)
            else self._choose(newest, readings, stored, contested)
            for text, newest, readings in zip(texts, found, older, strict=True)
        ]
        return self._find_foreseen(chosen) if self.state.foreseen else chosen

    def _report_broken(self, problem: Finding) -> BrokenId:
        self.work.problems.append(problem)
        return BrokenId()

    def _read_older(self, text: str | None, newest: IdReading) -> list[OlderReading]:
        """Return the reading of ``text`` in each older form that accepts it."""
        if text is None or _is_exact(text):
            return []
        readings = []
        for number, form in self.state.older:
            try:
                identifier = form.identify(text)
            except InvalidIdentifier:
                continue
            # An ID that is the same in both forms is found by the current one.
            if self.state.contested or identifier != newest:
                readings.append((number, identifier))
        return readings

    def _choose(
        self,
        newest: IdReading,
        readings: list[OlderReading],
        stored: dict[str, tuple[int, int]],
        contested: dict[str, Finding | None],
    ) -> IdReading:
        """Return the ID stored in the form by which it was read, else the current one.

        If that is contested, only the spelling of a row is accepted.
        """
        for number, identifier in readings:
            row_id, form = stored.get(identifier.canonical, (0, number))
            if row_id and form == number:
                return replace(identifier, is_stored=True)
            if not self._fits(form, identifier, newest):
                return self._report_broken(("spar_subject_id", row_id, audit.ID_FORM))
        if not isinstance(newest, Identifier):
            return newest
        if newest.canonical not in contested:
            _row_id, form = stored.get(newest.canonical, (0, self.state.number))
            if form != self.state.number and not self._is_under_way():
                return self._report_broken(("spar_form_case", 0, audit.CASE_MISSING))
            return newest
        if problem := contested[newest.canonical]:
            return self._report_broken(problem)
        # As the oldest form has it: to the letter.
        for _number, identifier in readings[-1:]:
            if identifier.canonical in stored:
                return replace(identifier, is_stored=True)
        return ContestedId()

    def _fits(self, form: int, identifier: Identifier, newest: IdReading) -> bool:
        """Return whether a row in ``form`` can match what another form read."""
        if form == self.state.number and identifier == newest:
            return True
        return self.state.has_row(form, identifier.canonical, identifier.type_id)

    def _is_under_way(self) -> bool:
        """Return whether rows are being rewritten in the current form.

        If so, a row that is still in another form stays there because it is contested.
        """
        cr, number = self.work.cr, self.state.number
        ((is_open,),) = fetch(
            cr, f"SELECT EXISTS (SELECT FROM spar_form_run WHERE {_OPEN_RUN})", number
        )
        row_seals = RowSeals(cr, self.work.keyring)
        return is_open and not row_seals.find_altered(RUNS, _OPEN_RUN, number)

    def _find_contested(self, found: Sequence[IdReading]) -> dict[str, Finding | None]:
        """Return the IDs in ``found`` that belong to several people."""
        identifiers = [one.canonical for one in found if isinstance(one, Identifier)]
        return find_contested(self.work.cr, self.work.keyring, identifiers)

    # === OUTCOMES OF A DRY RUN === #

    def _find_foreseen(self, found: list[IdReading]) -> list[IdReading]:
        """Return ``found``, with IDs that rows are to become mapped to those rows.

        Such an ID belongs to the row that is still to be rewritten, however that is
        spelt now.
        """
        digest = self.work.keyring.digester(seals.ID)
        requested = {
            digest(one.canonical): one
            for one in found
            if isinstance(one, Identifier) and not one.is_stored
        }
        if not requested:
            return found
        try:
            rows = self._fetch_foreseen(self._get_run(), requested)
        except RowBroken as error:
            broken = self._report_broken(error.problem)
            return [broken if one in requested.values() else one for one in found]
        shown = show_ids(self.work, [row_id for row_id in rows.values() if row_id])
        chosen: dict[Identifier, IdReading] = {
            requested[each]: replace(
                requested[each], canonical=shown[row_id], is_stored=True
            )
            if row_id in shown
            else BrokenId()
            for each, row_id in rows.items()
        }
        return [
            chosen.get(one, one) if isinstance(one, Identifier) else one
            for one in found
        ]

    def _get_run(self) -> int:
        """Return the dry run whose notes count; raises RowBroken."""
        cr, number = self.work.cr, self.state.number
        rows = fetch(cr, f"SELECT id FROM spar_form_run WHERE {_RUN}", number)
        row_seals = RowSeals(cr, self.work.keyring)
        altered = row_seals.find_altered(RUNS, _RUN, number)
        if len(rows) != 1 or altered:
            alone = ("spar_id_form", number, audit.FORECASTS_ALONE)
            raise RowBroken(*(altered or [alone])[0])
        return int(rows[0][0])

    def _fetch_foreseen(
        self, run_id: int, digests: Iterable[bytes]
    ) -> dict[bytes, int | None]:
        """Return the row that is to get each digest, if there is one.

        It is None if the note that states it was altered.
        """
        query = _FORESEEN.format(column=self.work.keyring.roles.read_column)
        rows: dict[bytes, set[int | None]] = {}
        for digest, row_id, verdict, mac in fetch(
            self.work.cr, query, run_id, build_bytes_array(digests)
        ):
            values = (run_id, row_id, bytes(digest), verdict)
            is_true = bytes(mac or b"") == mac_forecast(self.work.keyring, *values)
            rows.setdefault(bytes(digest), set()).add(row_id if is_true else None)
            if not is_true:
                problem = ("spar_form_row", row_id, audit.FORECAST_ALTERED)
                self.work.problems.append(problem)
        return {
            digest: None if None in row_ids else next(iter(row_ids))
            for digest, row_ids in rows.items()
            if len(row_ids) == 1 or None in row_ids
        }


def _is_exact(text: str | None) -> bool:
    """Return whether nothing is to be read, because a row has exactly this."""
    return text is None or isinstance(text, StoredIdentifier)
