"""The rewriting of stored IDs in the current form, piece by piece, without merging.

First every row is checked, and its outcome is recorded: its digest in the new form,
never the ID (:class:`IdSurveyor`). Then rows are rewritten (:class:`IdRewriter`). Two
rows that would coincide in the new form keep the form they have: each is still found by
its own spelling, and a case is opened for staff.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from odoo.addons.spar_mapper_connector.exceptions import SealBroken
from odoo.addons.spar_mapper_connector.lib.contract import Authority, CallContext
from odoo.addons.spar_mapper_connector.lib.id_forms import IdForm

from ..exceptions import RowBroken
from ..lib import seals
from ..lib.id_reading import OTHER, SAME, IdOutcome, read_in_form
from ..lib.ledger import Ledger
from ..lib.records import StoredId, Subject
from .database import Row, build_array, build_bytes_array, copy_rows, fetch
from .identifying import find_contested
from .opening import ID_ALTERED, ID_COLUMNS, ID_WIDTH, Opener
from .sealing import mac_forecast
from .work import Work

#: The actor that rewrites IDs in a form, or reads them in one.
FORMS = CallContext("system", "forms", Authority.STAFF)

_SEEN = """
    SELECT i.id, i.uuid, i.sealed, i.active, i.last_seq, i.form, i.type_id, s.uuid
      FROM (SELECT * FROM spar_subject_id
             WHERE id > %s AND (%s::int[] IS NULL OR form = ANY(%s::int[]))
             ORDER BY id LIMIT %s) i
      JOIN spar_subject s ON s.id = i.subject_id
     ORDER BY i.id
"""
_NEXT = """
    SELECT id FROM spar_subject_id WHERE id > %s AND form = ANY(%s::int[])
     ORDER BY id LIMIT %s
"""
LOCKED_ID = f"""
    SELECT {ID_COLUMNS}, i.subject_id, i.form, i.type_id FROM spar_subject_id i
     WHERE i.id = ANY(%s::bigint[]) ORDER BY i.digest_{{column}}, i.id FOR UPDATE
"""
#: Rows that would coincide in a new form: those that have the digest already, and those
#: that would get it.
_RIVALS = """
    SELECT digest_{column}, id FROM spar_subject_id
     WHERE digest_{column} = ANY(%s::bytea[])
     UNION
    SELECT f.digest, f.row_id FROM spar_form_row f
      JOIN spar_subject_id i ON i.id = f.row_id
     WHERE f.run_id = %s AND f.digest = ANY(%s::bytea[]) AND i.form <> %s AND i.active
"""
COUNT_COINCIDING = """
    WITH named AS (
        SELECT digest, row_id FROM spar_form_row
         WHERE run_id = %s AND digest IS NOT NULL
    ), those AS (
        SELECT digest, row_id FROM named
         UNION
        SELECT i.digest_{column}, i.id FROM spar_subject_id i
          JOIN named ON named.digest = i.digest_{column}
    )
    SELECT coalesce(sum(rows), 0), count(*) FROM (
        SELECT count(*) AS rows FROM those GROUP BY digest HAVING count(*) > 1) several
"""


@dataclass
class FormPiece:
    """The result of one piece: where to continue, and how many rows had which outcome.

    ``moved`` rows are in the new form, ``rewritten`` ones of them with another text.
    ``contested`` are rows by the ID that they would share.
    """

    after: int
    seen: int = 0
    verdicts: dict[str, int] = field(default_factory=dict)
    rewritten: int = 0
    moved: int = 0
    contested: dict[str, list[int]] = field(default_factory=dict)

    def count(self, verdict: str) -> None:
        """Count one more row."""
        self.verdicts[verdict] = self.verdicts.get(verdict, 0) + 1


@dataclass(frozen=True)
class FormTask:
    """The source forms, by number, the target form, and the run of the notes."""

    run_id: int
    forms: Mapping[int, IdForm]
    number: int
    target: IdForm

    def foresee(self, form: int, canonical: str, type_id: int) -> IdOutcome:
        """Return the outcome for one ID."""
        return read_in_form(self.forms.get(form), self.target, canonical, type_id)


class IdSurveyor:
    """Checks rows and records what would become of them; changes nothing."""

    def __init__(self, work: Work, task: FormTask):
        self.work = work
        self.task = task

    def check(self, after: int, limit: int, forms: Iterable[int] | None) -> FormPiece:
        """Check the next rows after ``after``; none are left if ``seen`` is 0.

        :param forms: check only rows in these forms; None: all rows
        """
        wanted = None if forms is None else build_array(forms)
        rows = fetch(self.work.cr, _SEEN, after, wanted, wanted, limit)
        piece = FormPiece(rows[-1][0] if rows else after, len(rows))
        digest = self.work.keyring.digester(seals.ID)
        notes = []
        for row in rows:
            reading = self._read(row)
            if reading is None:
                continue
            piece.count(reading.verdict)
            if reading.verdict != SAME:
                new = digest(reading.canonical) if reading.verdict == OTHER else None
                note = (self.task.run_id, row[0], new, reading.verdict)
                notes.append((*note, mac_forecast(self.work.keyring, *note)))
        columns = ("run_id", "row_id", "digest", "verdict", "mac")
        copy_rows(self.work.cr, "spar_form_row", columns, notes)
        return piece

    def _read(self, row: Row) -> IdOutcome | None:
        """Return a row's outcome, or None if it does not open or is deactivated."""
        row_id, uuid, sealed, active, last_seq, form, type_id, subject = row
        if not active:
            return None
        context = seals.id_context(uuid, subject, True, last_seq or 0)
        try:
            text = self.work.keyring.unseal(seals.ID, bytes(sealed or b""), context)
        except SealBroken:
            self.work.problems.append(("spar_subject_id", row_id, ID_ALTERED))
            return None
        canonical, _typed = seals.split_id(text)
        return self.task.foresee(form, canonical, type_id)

    def count_coinciding(self) -> tuple[int, int]:
        """Return how many rows would coincide with others, and in how many IDs."""
        column = self.work.keyring.roles.read_column
        query = COUNT_COINCIDING.format(column=column)
        ((rows, groups),) = fetch(self.work.cr, query, self.task.run_id)
        return int(rows), int(groups)


class IdRewriter:
    """Rewrites rows that would coincide with no other person's."""

    def __init__(self, work: Work, task: FormTask):
        self.work = work
        self.task = task

    def rewrite(self, after: int, limit: int) -> FormPiece:
        """Rewrite the next rows of older forms in the new one."""
        rows = fetch(self.work.cr, _NEXT, after, build_array(self.task.forms), limit)
        piece = FormPiece(rows[-1][0] if rows else after, len(rows))
        if rows:
            self.rewrite_rows([row_id for (row_id,) in rows], piece)
        return piece

    def rewrite_rows(self, row_ids: list[int], piece: FormPiece) -> None:
        """Rewrite these rows in the new form, except contested ones."""
        column = self.work.keyring.roles.read_column
        query = LOCKED_ID.format(column=column)
        locked = fetch(self.work.cr, query, build_array(row_ids))
        loader = self.work.load()
        subjects = loader.load_people({row[ID_WIDTH] for row in locked})
        ledger = self.work.begin()
        read = [
            (subject, stored, self.task.foresee(stored.form, stored.canonical, type_id))
            for subject, stored, type_id in self._open(locked, subjects)
        ]
        wanted = [(stored.row_id, reading) for _subject, stored, reading in read]
        rivals = self._find_rivals(wanted, piece)
        same: list[int] = [row[0] for row in locked if not row[3]]
        for subject, stored, reading in read:
            piece.count(reading.verdict)
            if reading.canonical in rivals or reading.verdict not in (SAME, OTHER):
                continue
            if reading.verdict == SAME:
                same.append(stored.row_id)
            else:
                self._rewrite(ledger, subject, stored, reading)
                piece.rewritten += 1
        self.work.save(ledger)
        self._number(same)
        piece.moved += piece.rewritten + len(same)

    def _open(
        self, rows: list[Row], subjects: dict[int, Subject]
    ) -> Iterable[tuple[Subject, StoredId, int]]:
        """Yield the IDs that open, with their subjects; deactivated ones stay so."""
        opener = self.work.load().opener
        for row in rows:
            subject = subjects.get(row[ID_WIDTH])
            if subject is None or subject.is_broken or not row[3]:
                continue
            try:
                yield subject, open_id(opener, subject, row), row[-1]
            except RowBroken as error:
                self.work.problems.append(error.problem)

    def _find_rivals(
        self, wanted: list[tuple[int, IdOutcome]], piece: FormPiece
    ) -> set[str]:
        """Return the IDs of ``wanted`` that several rows have or would get.

        Those that are not known as contested are added to ``piece``.
        """
        digest = self.work.keyring.digester(seals.ID)
        rows: dict[str, set[int]] = {}
        for row_id, reading in wanted:
            if reading.verdict in (SAME, OTHER):
                rows.setdefault(reading.canonical, set()).add(row_id)
        requested = {digest(canonical): canonical for canonical in rows}
        if not requested:
            return set()
        query = _RIVALS.format(column=self.work.keyring.roles.read_column)
        digests, task = build_bytes_array(requested), self.task
        for found, row_id in fetch(
            self.work.cr, query, digests, task.run_id, digests, task.number
        ):
            rows[requested[bytes(found)]].add(row_id)
        for canonical, row_ids in rows.items():
            if len(row_ids) > 1:
                piece.contested[canonical] = sorted(row_ids)
        known = find_contested(self.work.cr, self.work.keyring, rows)
        self.work.problems.extend(filter(None, known.values()))
        return known.keys() | piece.contested.keys()

    def _rewrite(
        self, ledger: Ledger, subject: Subject, stored: StoredId, reading: IdOutcome
    ) -> None:
        rewrite = ledger.rewrite_id
        rewrite(subject, stored, reading.canonical, reading.type_id, self.task.number)

    def _number(self, row_ids: list[int]) -> None:
        """Record that rows are in the new form as they stand."""
        if row_ids:
            self.work.cr.execute(
                """UPDATE spar_subject_id SET form = %s
                    WHERE id = ANY(%s::bigint[]) AND form < %s""",
                (self.task.number, build_array(row_ids), self.task.number),
            )


def open_id(opener: Opener, subject: Subject, row: Row) -> StoredId:
    """Return the ID of a locked row; raises RowBroken."""
    row_id, uuid, _sealed, active, last_seq = row[:ID_WIDTH]
    canonical, typed = opener.read_id(subject, row[:ID_WIDTH])
    form, type_id = row[ID_WIDTH + 1 :]
    return StoredId(row_id, uuid, type_id, form, canonical, typed, active, last_seq)
