"""Reading what a batch works on, under lock: three statements, whatever its size."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from odoo.addons.spar_mapper_connector.exceptions import SealBroken
from odoo.addons.spar_mapper_connector.lib.keyring import OpenKeyring

from ..lib import seals
from ..lib.records import (
    MAPPING_COLUMNS,
    OCCUPYING,
    ChangeRow,
    Holding,
    MappingRow,
    new_uuid,
)
from ..lib.transitions import WAIT_BEGINS, WAIT_ENDS
from .database import Cursor, Row, build_array, build_bytes_array, fetch


class Identified(Protocol):
    """An ID in the form under which it is stored, and its type."""

    @property
    def canonical(self) -> str:
        """The stored form."""

    @property
    def type_id(self) -> int:
        """The row of the ID's type."""


#: What an alarm names: a table, a row of it, and what is wrong.
Problem = tuple[str, int, str]

_CHANGE_COLUMNS = tuple(
    "uuid operation base_version asserted_at needs_approval effective_at why".split()
)
_MAPPINGS = f"""
    SELECT m.id, m.subject_id, m.identifier_id, m.sealed, m.last_mac, c.id,
           EXISTS (SELECT FROM spar_event e
                    WHERE e.mapping_id = m.id AND e.seq > m.last_seq),
           {", ".join(f"m.{name}" for name in MAPPING_COLUMNS)}
      FROM spar_mapping m
      LEFT JOIN spar_change c ON c.mapping_id = m.id AND c.state = 'waiting'
"""
_CHANGES = f"""
    SELECT c.sealed, c.id,
           (SELECT e.kind FROM spar_event e
             WHERE e.mapping_id = c.mapping_id AND e.kind = ANY(%s)
             ORDER BY e.seq DESC LIMIT 1),
           {", ".join(f"c.{name}" for name in _CHANGE_COLUMNS)},
           {", ".join(f"c.{name}" for name in seals.ChangeTerms._fields)}
      FROM spar_change c WHERE c.id = ANY(%s::int[])
"""
_ADDED = """
    WITH given AS (
         SELECT * FROM unnest(%s::bytea[], %s::bytea[], %s::varchar[], %s::bytea[],
                              %s::int[], %s::varchar[])
             AS g (digest_a, digest_b, uuid, sealed, type_id, subject)),
         added AS (
         INSERT INTO spar_subject_id (subject_id, digest_a, digest_b, uuid, sealed,
                                      type_id, active)
         SELECT nextval('spar_subject_id_seq'), digest_a, digest_b, uuid, sealed,
                type_id, true
           FROM given ON CONFLICT DO NOTHING
         RETURNING id, subject_id, uuid),
         subjects AS (
         INSERT INTO spar_subject (id, uuid, change_lock, pay_stop, since)
         SELECT added.subject_id, given.subject, 'none', false,
                now() AT TIME ZONE 'UTC'
           FROM added JOIN given ON given.uuid = added.uuid)
    SELECT id, subject_id, uuid FROM added
"""


class Loader:
    """The way from rows to what a batch works on; opens what is sealed.

    ``problems`` are the rows that did not open: whoever loads raises alarms for them.
    """

    def __init__(self, cr: Cursor, keyring: OpenKeyring):
        self.cr = cr
        self.keyring = keyring
        self.problems: list[Problem] = []
        self._other_ids: dict[int, Row] = {}

    # === IDS === #

    def add_new(self, identifiers: Iterable[Identified]) -> dict[str, Holding]:
        """Make a subject for each ID that has none; return those by canonical ID.

        One statement, in digest order: whoever races for the same ID waits here for the
        other's end, and then finds it. Nobody else sees the new ones yet and they hold
        nothing, so they are neither locked nor read again.
        """
        rows = sorted(map(self._build_new, identifiers))
        if not rows:
            return {}
        digests_a, digests_b, uuids, sealed, types, subjects, _canonicals = zip(
            *rows, strict=True
        )
        by_uuid = {row[2]: row for row in rows}
        found = fetch(
            self.cr,
            _ADDED,
            _build_digests(digests_a),
            _build_digests(digests_b),
            build_array(uuids),
            build_bytes_array(sealed),
            build_array(types),
            build_array(subjects),
        )
        return {
            by_uuid[uuid][6]: Holding(
                by_uuid[uuid][6], row_id, subject, by_uuid[uuid][5]
            )
            for row_id, subject, uuid in found
        }

    def _build_new(self, identifier: Identified) -> Row:
        canonical = identifier.canonical
        digests = self.keyring.digests(seals.ID, canonical)
        uuid, subject = new_uuid(), new_uuid()
        context = seals.id_context(uuid, subject, "none", False)
        sealed = self.keyring.seal(seals.ID, canonical, context)
        columns = (digests.get("a", b""), digests.get("b", b""))
        return (*columns, uuid, sealed, identifier.type_id, subject, canonical)

    def lock(self, canonicals: Iterable[str]) -> dict[str, Holding]:
        """Lock the rows of IDs, in digest order; leave out IDs that are not known."""
        digest = self.keyring.digester(seals.ID)
        wanted = {digest(canonical): canonical for canonical in canonicals}
        if not wanted:
            return {}
        column = f"i.digest_{self.keyring.roles.read_column}"
        rows = fetch(
            self.cr,
            f"""SELECT {column}, i.id, i.uuid, i.subject_id, i.sealed,
                       i.active, s.uuid, s.change_lock, s.pay_stop
                  FROM spar_subject_id i JOIN spar_subject s ON s.id = i.subject_id
                 WHERE {column} = ANY(%s::bytea[])
                 ORDER BY 1 FOR UPDATE""",
            build_bytes_array(wanted),
        )
        holdings = {}
        for found, *row in rows:
            holding = self._build_holding(wanted[bytes(found)], *row)
            holdings[holding.canonical] = holding
        return holdings

    def _build_holding(
        self,
        canonical: str,
        row_id: int,
        uuid: str,
        subject_id: int,
        sealed: bytes,
        active: bool,
        subject_uuid: str,
        change_lock: str,
        pay_stop: bool,
    ) -> Holding:
        context = seals.id_context(uuid, subject_uuid, change_lock, pay_stop)
        is_broken = not (active and self._opens_to(canonical, sealed, context))
        if is_broken:
            problem = "ID does not open" if active else "ID was switched off"
            self.problems.append(("spar_subject_id", row_id, problem))
        return Holding(
            canonical,
            row_id,
            subject_id,
            subject_uuid,
            change_lock,
            pay_stop,
            is_broken,
        )

    def _opens_to(self, canonical: str, sealed: bytes, context: bytes) -> bool:
        try:
            return self.keyring.unseal(seals.ID, bytes(sealed), context) == canonical
        except SealBroken:
            return False

    # === MAPPINGS === #

    def load(self, canonicals: Iterable[str]) -> dict[str, Holding]:
        """Lock IDs, then read what is known of them.

        The locks come first, in a statement of their own: a row that was waited for is
        read anew, and what is joined to it is not.
        """
        holdings = self.lock(canonicals)
        if not holdings:
            return holdings
        by_subject = _group_by_subject(holdings.values())
        rows = self.fetch(
            "m.subject_id = ANY(%s::int[]) AND m.state = ANY(%s) AND m.rank = 1",
            build_array(by_subject),
            list(OCCUPYING),
        )
        changes = self._fetch_changes([row[5] for row in rows if row[5]])
        self._fetch_other_ids({row[2] for row in rows}, holdings.values())
        for row in rows:
            same = by_subject[row[1]]
            try:
                self._add(same[0], row, changes)
            except SealBroken:
                for holding in same:
                    holding.is_broken = True
                self.problems.append(("spar_mapping", row[0], "address does not open"))
        return holdings

    def fetch(self, condition: str, *values: object) -> list[Row]:
        """Return rows of mappings ``m``, still sealed, as :meth:`open` takes them."""
        return fetch(self.cr, f"{_MAPPINGS} WHERE {condition}", *values)

    def open(self, holding: Holding, row: Row) -> MappingRow:
        """Open a row; raises SealBroken."""
        row_id, _subject, identifier_id, sealed, last_mac = row[:5]
        _change_id, is_behind, *columns = row[5:]
        if is_behind:
            raise SealBroken("there are newer events of the address than it names")
        uuid, _purpose, state, version = columns[:4]
        canonical = holding.canonical
        if identifier_id != holding.identifier_row_id:
            canonical = self._open_other_id(holding, identifier_id)
        context = seals.address_context(
            uuid, holding.subject_uuid, version, state, canonical
        )
        text = self.keyring.unseal(seals.ADDRESS, bytes(sealed), context)
        fa, details, packed = seals.split(text)
        # By position, in the order of the fields: by name it costs twice as much.
        values: Row = (
            *columns[:4],
            fa,
            *columns[4:11],
            details,
            *columns[11:],
            bytes(last_mac),
            row_id,
            canonical,
            (details, packed),
        )
        return MappingRow(*values)

    def _add(self, holding: Holding, row: Row, changes: Mapping[int, Row]) -> None:
        mapping = self.open(holding, row)
        holding.mappings[mapping.purpose] = mapping
        if row[5]:
            change = self._open_change(mapping, changes[row[5]])
            holding.changes[mapping.purpose] = change

    def _open_other_id(self, holding: Holding, identifier_id: int) -> str:
        """Return the ID under which an address was sealed, where it is another one of
        the subject's; raises SealBroken."""
        self._fetch_other_ids({identifier_id}, ())
        if identifier_id not in self._other_ids:
            raise SealBroken("the ID of the address is gone")
        uuid, sealed = self._other_ids[identifier_id]
        context = seals.id_context(
            uuid, holding.subject_uuid, holding.change_lock, holding.pay_stop
        )
        return self.keyring.unseal(seals.ID, bytes(sealed), context)

    def _fetch_other_ids(self, row_ids: set[int], known: Iterable[Holding]) -> None:
        """Read the sealed IDs of ``row_ids`` but for those ``known``, all at once."""
        row_ids -= {holding.identifier_row_id for holding in known}
        row_ids -= self._other_ids.keys()
        if row_ids:
            query = (
                "SELECT id, uuid, sealed FROM spar_subject_id WHERE id = ANY(%s::int[])"
            )
            for row_id, *place in fetch(self.cr, query, build_array(row_ids)):
                self._other_ids[row_id] = tuple(place)

    # === CHANGES THAT WAIT === #

    def _fetch_changes(self, row_ids: list[int]) -> dict[int, Row]:
        if not row_ids:
            return {}
        kinds = [*WAIT_BEGINS, *WAIT_ENDS]
        rows = fetch(self.cr, _CHANGES, kinds, build_array(row_ids))
        return {row[1]: row for row in rows}

    def _open_change(self, mapping: MappingRow, row: Row) -> ChangeRow:
        sealed, row_id, last_kind, *columns = row
        if last_kind not in WAIT_BEGINS:
            raise SealBroken("the history says that the change has ended")
        count = len(_CHANGE_COLUMNS)
        values = dict(zip(_CHANGE_COLUMNS, columns[:count], strict=True))
        terms = seals.ChangeTerms(*columns[count:])
        context = seals.change_context(values["uuid"], mapping.canonical, terms)
        text = self.keyring.unseal(seals.CHANGE, bytes(sealed), context)
        fa, details = seals.unpack(text)
        return ChangeRow(
            **values, mapping=mapping, fa=fa, details=details, row_id=row_id
        )


def _build_digests(digests: Iterable[bytes]) -> str | None:
    """An array of digests; NULL for a column that is not written now."""
    known = list(digests)
    return build_bytes_array(known) if known[0] else None


def _group_by_subject(holdings: Iterable[Holding]) -> dict[int, list[Holding]]:
    """The holdings of each subject; IDs of one subject hold the same addresses."""
    by_subject: dict[int, list[Holding]] = {}
    for holding in holdings:
        same = by_subject.setdefault(holding.subject_id, [])
        same.append(holding)
        holding.mappings, holding.changes = same[0].mappings, same[0].changes
    return by_subject
