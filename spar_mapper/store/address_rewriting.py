"""The rewriting of stored addresses in the current form, piece by piece.

An address keeps its reference, its version and everything recorded about it: the person
has the same address as before, written in its one form. From then on it is found by
what it is, however it is written and by any caller.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ..exceptions import RowBroken
from ..lib import seals
from ..lib.id_reading import OTHER, REFUSED, SAME
from ..lib.ledger import Ledger
from ..lib.records import (
    KEY_FORM,
    TEXT_FORM,
    Head,
    Holding,
    StoredAddress,
    Subject,
)
from .changing import DirectoryReading
from .database import Row, build_array, copy_rows, fetch
from .forming import FormPiece
from .opening import (
    HEAD_COLUMNS,
    NEWEST_MAC,
    SUBJECT_COLUMNS,
    SUBJECT_WIDTH,
)
from .sealing import CASES, RowSeals
from .work import Work

#: Returns the directory's reading of addresses, in the same order.
ReadAddresses = Callable[[list[str]], list[DirectoryReading]]

#: For an address that gets its form although it does not pass its checks.
UNFIT = "unfit"
#: Places whose address may be rewritten: those in an older form, and those that a
#: change of the directory can concern.
_WANTED = """
      FROM spar_mapping m JOIN spar_mapping_period p ON p.id = m.period_id
     WHERE m.id > %s AND m.sealed IS NOT NULL
       AND (p.form < %s OR m.provider_id = ANY(%s::int[])
            OR m.fa_type_id = ANY(%s::int[]) OR (%s AND m.provider_id IS NULL))
"""
_SEEN = f"""
    SELECT {HEAD_COLUMNS}, {SUBJECT_COLUMNS}, {NEWEST_MAC}
      FROM (SELECT m.* {_WANTED} ORDER BY m.id LIMIT %s) m
      JOIN spar_subject s ON s.id = m.subject_id ORDER BY m.id
"""
_NEXT = f"SELECT m.id, m.subject_id {_WANTED} ORDER BY m.id LIMIT %s"
COUNT_PLACES = f"SELECT count(*) {_WANTED}"
_LOCK_IDS = """
    SELECT id FROM spar_subject_id WHERE subject_id = ANY(%s::bigint[])
     ORDER BY digest_{column}, id FOR UPDATE
"""
#: Addresses of several people that are identical, although their spellings differed.
_SHARED = """
    SELECT f.digest
      FROM spar_form_row f JOIN spar_mapping m ON m.id = f.row_id
      JOIN spar_mapping_period p ON p.id = m.period_id
     WHERE f.run_id = %s AND f.digest IS NOT NULL
     GROUP BY f.digest
    HAVING count(DISTINCT m.subject_id) > 1
       AND count(DISTINCT p.fa_digest_{column}) > 1
"""
COUNT_SHARED = f"""
    SELECT count(DISTINCT f.digest), count(*) FROM spar_form_row f
     WHERE f.run_id = %s AND f.digest IN ({_SHARED})
"""
_OPEN_CASES = f"""
    INSERT INTO spar_form_case (uuid, kind, number, state, made_at, digest_{{column}})
    SELECT replace(gen_random_uuid()::text, '-', ''), 'accounts', %s, 'open',
           now() AT TIME ZONE 'UTC', digest FROM ({_SHARED}) shared
        ON CONFLICT DO NOTHING
    RETURNING id
"""
_CONCERNED = """
    SELECT DISTINCT c.id FROM spar_form_case c
      JOIN spar_form_row f ON f.digest = c.digest_{column}
     WHERE f.run_id = %s AND c.kind = 'accounts' AND c.state <> 'closed'
"""
_ADD_PLACES = """
    INSERT INTO spar_form_case_line (case_id, mapping_id)
    SELECT c.id, f.row_id FROM spar_form_case c
      JOIN spar_form_row f ON f.digest = c.digest_{column}
     WHERE f.run_id = %s AND c.id = ANY(%s::bigint[])
        ON CONFLICT DO NOTHING
"""


@dataclass(frozen=True)
class AddressScope:
    """The addresses to be checked besides those in an older form.

    :param unread: those whose provider is unknown
    :param below: the number below which forms are older ones
    """

    providers: tuple[int, ...] = ()
    types: tuple[int, ...] = ()
    unread: bool = False
    below: int = KEY_FORM

    @classmethod
    def from_data(cls, data: Mapping[str, Any] | None) -> AddressScope:
        """Return the scope from its JSON data."""
        data = data or {}
        providers, types = data.get("providers", ()), data.get("types", ())
        below = data.get("below", KEY_FORM)
        return cls(tuple(providers), tuple(types), bool(data.get("unread")), below)

    def build_values(self, after: int) -> tuple[object, ...]:
        """Return the values of ``_WANTED``."""
        arrays = (build_array(self.providers), build_array(self.types))
        return (after, self.below, *arrays, self.unread)


class AddressRewriter:
    """Checks addresses, and rewrites them."""

    def __init__(
        self, work: Work, run_id: int, scope: AddressScope, read: ReadAddresses
    ):
        self.work = work
        self.run_id = run_id
        self.scope = scope
        self.read = read

    def check(self, after: int, limit: int) -> FormPiece:
        """Check the next places after ``after``, and record the addresses' outcomes."""
        rows = fetch(self.work.cr, _SEEN, *self.scope.build_values(after), limit)
        piece = FormPiece(rows[-1][0] if rows else after, len(rows))
        found = self._open(rows)
        digest = self.work.keyring.digester(seals.ADDRESS)
        notes = []
        read = self.read([address.fa for _row_id, address in found])
        for (row_id, address), reading in zip(found, read, strict=True):
            verdict = _get_outcome(address, reading)
            piece.count(verdict)
            if reading.problem and verdict != REFUSED:
                piece.count(UNFIT)
            new = None if verdict == REFUSED else digest(reading.key)
            notes.append((self.run_id, row_id, new, verdict))
        columns = ("run_id", "row_id", "digest", "verdict")
        copy_rows(self.work.cr, "spar_form_row", columns, notes)
        return piece

    def _open(self, rows: list[Row]) -> list[tuple[int, StoredAddress]]:
        """Return the addresses that open, with the rows of their places."""
        opener, found = self.work.load().opener, []
        for row in rows:
            try:
                subject = opener.open_subject(row[-SUBJECT_WIDTH:])
                head = opener.open_head(subject, row[:-SUBJECT_WIDTH])
            except RowBroken as error:
                self.work.problems.append(error.problem)
                continue
            if head.address is not None:
                found.append((row[0], head.address))
        return found

    def count_shared(self) -> tuple[int, int]:
        """Return how many addresses coincide with others, and in how many accounts.

        Addresses that already coincided are not counted.
        """
        query = COUNT_SHARED.format(column=self.work.keyring.roles.read_column)
        ((groups, rows),) = fetch(self.work.cr, query, self.run_id, self.run_id)
        return int(rows), int(groups)

    def open_cases(self, number: int) -> None:
        """Open a case for each account that turns out to be several people's."""
        cr, keyring = self.work.cr, self.work.keyring
        column, row_seals = keyring.roles.read_column, RowSeals(cr, keyring)
        query = _OPEN_CASES.format(column=column)
        made = [row_id for (row_id,) in fetch(cr, query, number, self.run_id)]
        row_seals.sign(CASES, made, added=len(made))
        sound = self._find_concerned(row_seals)
        query = _ADD_PLACES.format(column=column)
        cr.execute(query, (self.run_id, build_array(sound)))
        row_seals.sign(CASES, sound)

    def _find_concerned(self, row_seals: RowSeals) -> list[int]:
        """Return the cases to which places are added, without altered ones."""
        query = _CONCERNED.format(column=self.work.keyring.roles.read_column)
        found = [row_id for (row_id,) in fetch(self.work.cr, query, self.run_id)]
        condition = "t.id = ANY(%s::bigint[])"
        altered = row_seals.find_altered(CASES, condition, build_array(found))
        self.work.problems.extend(altered)
        broken = {row_id for _table, row_id, _problem in altered}
        return [row_id for row_id in found if row_id not in broken]

    # === REWRITING === #

    def rewrite(self, after: int, limit: int) -> FormPiece:
        """Rewrite the addresses of the next places."""
        rows = fetch(self.work.cr, _NEXT, *self.scope.build_values(after), limit)
        piece = FormPiece(rows[-1][0] if rows else after, len(rows))
        if not rows:
            return piece
        people = build_array({subject_id for _row_id, subject_id in rows})
        column = self.work.keyring.roles.read_column
        fetch(self.work.cr, _LOCK_IDS.format(column=column), people)
        loader = self.work.load()
        subjects = loader.load_people({subject_id for _row_id, subject_id in rows})
        wanted = {row_id for row_id, _subject_id in rows}
        ledger = self.work.begin()
        places = [
            (subject, head)
            for subject in subjects.values()
            for head in subject.heads.values()
            if head.row_id in wanted and head.address is not None
        ]
        read = self.read([head.current.fa for _subject, head in places])
        for (subject, head), reading in zip(places, read, strict=True):
            if _get_outcome(head.current, reading) == OTHER:
                _rewrite(ledger, subject, head, reading)
                piece.rewritten += 1
        self.work.save(ledger)
        return piece


def _get_outcome(address: StoredAddress, reading: DirectoryReading) -> str:
    """Return an address's outcome: refused if it now reads as another bank's."""
    if address.provider_id and reading.address.provider_id != address.provider_id:
        return REFUSED
    is_same = address.form != TEXT_FORM and (address.key, address.fa) == (
        reading.key,
        reading.address.text,
    )
    return SAME if is_same else OTHER


def _rewrite(
    ledger: Ledger, subject: Subject, head: Head, reading: DirectoryReading
) -> None:
    old, new = head.current, reading.address
    address = replace(
        old,
        fa=new.text,
        typed=old.typed or (old.fa if old.fa != new.text else ""),
        key=reading.key,
        form=ledger.address_form,
        strategy_number=new.strategy_number,
        fa_type_id=new.type_id,
        provider_id=new.provider_id,
        branch_id=new.branch_id,
        sealed=b"",
        identity="",
    )
    ledger.rewrite(Holding("", 0, subject), head, address)
