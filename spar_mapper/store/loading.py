"""The locked reading of a batch's data: three statements, whatever its size.

One more says who suspended payments, where payments are suspended.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import repeat
from typing import Protocol

from odoo.addons.spar_fa_directory.lib.fa_form import is_free_text
from odoo.addons.spar_mapper_connector.exceptions import SealBroken
from odoo.addons.spar_mapper_connector.lib.contract import CallContext
from odoo.addons.spar_mapper_connector.lib.keyring import OpenKeyring

from ..exceptions import RowBroken
from ..lib import audit, seals
from ..lib.audit import Finding
from ..lib.chain import bind_moment, commit_to_change, mark_id
from ..lib.records import (
    ID_FORM,
    KEY_FORM,
    ChangeRow,
    Head,
    Holding,
    StoredAddress,
    StoredId,
    Subject,
    new_uuid,
)
from ..lib.transitions import WAIT_BEGINS, WAIT_ENDS
from .database import Row, StoreCursor, build_array, build_bytes_array, fetch
from .opening import (
    HEAD_COLUMNS,
    ID_COLUMNS,
    ID_WIDTH,
    NEWEST_MAC,
    SUBJECT_COLUMNS,
    Opener,
    check_complete,
    name_columns,
)
from .stopping import find_stops


class CanonicalId(Protocol):
    """An ID in the form under which it is stored, and its type."""

    @property
    def canonical(self) -> str:
        """Return the stored form."""

    @property
    def type_id(self) -> int:
        """Return the row of the ID's type."""

    @property
    def is_stored(self) -> bool:
        """Return whether a row with exactly this form was found."""


_CHANGE_COLUMNS = (
    "uuid",
    "operation",
    "base_version",
    "asserted_at",
    "needs_approval",
    "effective_at",
    "why",
)
#: The proposer's accompanying statements.
_STATEMENTS = ("authenticated_by", "message_reference", "reason", "why")
_LOCK_SUBJECTS = f"""
    SELECT {SUBJECT_COLUMNS} FROM spar_subject s
     WHERE s.id = ANY(%s::bigint[]) ORDER BY s.id FOR UPDATE
"""
#: A statement of its own, after the lock: rows joined to a row that was waited for
#: would not be read again.
_HEADS = f"""
    SELECT s.id, {NEWEST_MAC}, c.id, {HEAD_COLUMNS}
      FROM unnest(%s::bigint[]) AS s (id)
      LEFT JOIN spar_mapping m ON m.subject_id = s.id
      LEFT JOIN spar_change c ON c.mapping_id = m.id AND c.state = 'waiting'
"""
_CHANGES = f"""
    SELECT c.id, c.sealed, e.kind, e.commitment_change,
           {name_columns("c", _CHANGE_COLUMNS)},
           {name_columns("c", seals.ChangeTerms._fields)},
           {name_columns("c", _STATEMENTS)}
      FROM spar_change c JOIN spar_mapping m ON m.id = c.mapping_id
      LEFT JOIN LATERAL (
           SELECT kind, commitment_change FROM spar_event
            WHERE subject_id = m.subject_id AND mapping_id = m.id AND kind = ANY(%s)
            ORDER BY id DESC LIMIT 1) e ON true
     WHERE c.id = ANY(%s::bigint[])
"""
_ADD = """
    INSERT INTO spar_subject_id (subject_id, digest_a, digest_b, uuid, sealed, type_id,
                                 active, last_seq, form)
    SELECT nextval('spar_subject_id_seq'), digest_a, digest_b, uuid, sealed, type_id,
           true, 0, %s
      FROM unnest(%s::bytea[], %s::bytea[], %s::varchar[], %s::bytea[], %s::int[])
        AS g (digest_a, digest_b, uuid, sealed, type_id)
        ON CONFLICT DO NOTHING
    RETURNING id, subject_id, uuid
"""


_ADD_TO = """
    INSERT INTO spar_subject_id (subject_id, digest_a, digest_b, uuid, sealed, type_id,
                                 active, last_seq, form)
    VALUES (%s, %s, %s, %s, %s, %s, true, 0, %s)
        ON CONFLICT DO NOTHING
    RETURNING id
"""


#: Returns a key for each address, which does not depend on how it is written.
BuildKeys = Callable[[list[str]], list[str]]


def identify(
    build_keys: BuildKeys,
    addresses: Iterable[StoredAddress],
    older_below: int = KEY_FORM,
) -> None:
    """Make older addresses comparable with any other.

    These are addresses stored in an older form, or as free text, which the directory
    may be able to read by now.
    """
    old = [a for a in addresses if a.form < older_below or is_free_text(a.key)]
    if old:
        keys = build_keys([address.fa for address in old])
        for address, key in zip(old, keys, strict=True):
            address.identity = key


class Loader:
    """Converts rows to the objects that a batch works on.

    ``problems`` are the rows that cannot be trusted: the caller raises alarms for them.

    :param build_keys: by which addresses of pending changes, and those stored in an
        older form, are compared
    :param id_form: the number of the form in which new IDs are written
    :param older_below: addresses with a lower form number are in an older form
    """

    def __init__(
        self,
        call: CallContext,
        cr: StoreCursor,
        keyring: OpenKeyring,
        build_keys: BuildKeys,
        id_form: int = ID_FORM,
        older_below: int = KEY_FORM,
    ):
        self.cr = cr
        self.keyring = keyring
        self.build_keys = build_keys
        self.id_form = id_form
        self.older_below = older_below
        self.opener = Opener(call, keyring)
        self.problems: list[Finding] = []

    # === IDS === #

    def add_new(self, identifiers: Iterable[CanonicalId]) -> dict[str, Holding]:
        """Create each ID that is missing; return the created ones by canonical ID.

        It takes one statement, in digest order: a transaction that races for the same
        ID waits here for the other's end, and then finds it. No other transaction sees
        the new ones yet, and they contain nothing, so they are neither locked nor read
        again. Their subjects are written with the results of the batch.
        """
        rows = sorted(self._build_new(list(identifiers)))
        if not rows:
            return {}
        digests_a, digests_b, uuids, sealed, types, _subjects, _ids = zip(
            *rows, strict=True
        )
        by_uuid = {row[2]: row for row in rows}
        found = fetch(
            self.cr,
            _ADD,
            self.id_form,
            _build_digests(digests_a),
            _build_digests(digests_b),
            build_array(uuids),
            build_bytes_array(sealed),
            build_array(types),
        )
        holdings = {}
        for row_id, subject_id, uuid in found:
            *_columns, subject_uuid, canonical = by_uuid[uuid]
            marks = {mark_id(row_id): 0}
            subject = Subject(subject_uuid, subject_id, marks=marks, is_new=True)
            holdings[canonical] = Holding(canonical, row_id, subject)
        return holdings

    def add_to(self, subject: Subject, identifier: CanonicalId) -> StoredId | None:
        """Insert one more ID of a locked subject; return it, or None if it is taken.

        Its event is to be recorded in the same transaction.
        """
        uuid, canonical = new_uuid(), identifier.canonical
        context = seals.id_context(uuid, subject.uuid, True, 0)
        digests = self.keyring.digests(seals.ID, canonical)
        rows = fetch(
            self.cr,
            _ADD_TO,
            subject.row_id,
            digests.get("a"),
            digests.get("b"),
            uuid,
            self.keyring.seal(seals.ID, canonical, context),
            identifier.type_id,
            self.id_form,
        )
        if not rows:
            return None
        ((row_id,),) = rows
        type_id, form = identifier.type_id, self.id_form
        return StoredId(row_id, uuid, type_id, form, canonical, "", True, 0)

    def _build_new(self, identifiers: Sequence[CanonicalId]) -> list[Row]:
        """Return the rows of new IDs, and their canonical forms."""
        names = [(new_uuid(), new_uuid()) for _identifier in identifiers]
        contexts = [seals.id_context(*name, True, 0) for name in names]
        canonicals = [identifier.canonical for identifier in identifiers]
        pairs = list(zip(canonicals, contexts, strict=True))
        sealed = self.keyring.seal_all(seals.ID, pairs)
        digests = self.keyring.digests_all(seals.ID, canonicals)
        columns = (
            digests.get("a") or repeat(b""),
            digests.get("b") or repeat(b""),
            [uuid for uuid, _subject in names],
            sealed,
            [identifier.type_id for identifier in identifiers],
            [subject for _uuid, subject in names],
            canonicals,
        )
        return list(zip(*columns, strict=False))

    def load(self, canonicals: Iterable[str]) -> dict[str, Holding]:
        """Lock IDs, then their subjects; return what is known of them.

        Unknown IDs are omitted.
        """
        digest = self.keyring.digester(seals.ID)
        wanted = {digest(canonical): canonical for canonical in canonicals}
        if not wanted:
            return {}
        column = f"i.digest_{self.keyring.roles.read_column}"
        rows = fetch(
            self.cr,
            f"""SELECT {ID_COLUMNS}, i.subject_id, {column} FROM spar_subject_id i
                 WHERE {column} = ANY(%s::bytea[]) ORDER BY {column} FOR UPDATE""",
            build_bytes_array(wanted),
        )
        expected = [wanted[bytes(row[-1])] for row in rows]
        subjects = self._load_subjects({row[ID_WIDTH] for row in rows})
        return {
            canonical: self._build_holding(subjects, row, canonical)
            for canonical, row in zip(expected, rows, strict=True)
        }

    def load_subject(self, subject_id: int) -> Holding | None:
        """Lock all IDs of a subject, then the subject; return its oldest ID that opens.

        Deactivated IDs come last. Return None if no ID opens.
        """
        return self.load_subjects([subject_id]).get(subject_id)

    def load_subjects(self, subject_ids: Iterable[int]) -> dict[int, Holding]:
        """Return the same for many, by subject; locked in the order of a batch.

        Those without an ID that opens are omitted.
        """
        rows = fetch(
            self.cr,
            f"""SELECT {ID_COLUMNS}, i.subject_id FROM spar_subject_id i
                 WHERE i.subject_id = ANY(%s::bigint[])
                 ORDER BY i.digest_{self.keyring.roles.read_column} FOR UPDATE""",
            build_array(subject_ids),
        )
        subjects = self._load_subjects({row[ID_WIDTH] for row in rows})
        found: dict[int, Holding] = {}
        for row in sorted(rows, key=lambda row: (not row[3], row[0])):
            holding = self._build_holding(subjects, row)
            if not holding.does_not_open:
                found.setdefault(row[ID_WIDTH], holding)
        return found

    def _build_holding(
        self, subjects: dict[int, Subject], row: Row, expected: str | None = None
    ) -> Holding:
        """Open one ID; if it cannot be trusted, neither can its content."""
        subject = subjects.get(row[ID_WIDTH])
        if subject is None:
            missing = Subject("", row[ID_WIDTH], is_broken=True)
            return Holding(expected or "", row[0], missing, does_not_open=True)
        holding = Holding(expected or "", row[0], subject)
        try:
            holding.canonical = self.opener.open_id(subject, row[:ID_WIDTH], expected)
        except RowBroken as error:
            holding.does_not_open = True
            self.problems.append(error.problem)
        return holding

    # === SUBJECTS AND THEIR PLACES === #

    def load_people(self, row_ids: set[int]) -> dict[int, Subject]:
        """Lock subjects whose IDs are locked; return them with their places."""
        return self._load_subjects(row_ids)

    def _load_subjects(self, row_ids: set[int]) -> dict[int, Subject]:
        """Lock subjects in the order of their ids, then read their places.

        For a subject that cannot be trusted, only its row and that it is broken are
        known.
        """
        if not row_ids:
            return {}
        locked = fetch(self.cr, _LOCK_SUBJECTS, build_array(row_ids))
        places: dict[int, list[Row]] = {}
        newest = {}
        for row_id, mac, *rest in fetch(self.cr, _HEADS, build_array(row_ids)):
            newest[row_id] = mac
            if rest[1] is not None:
                places.setdefault(row_id, []).append(tuple(rest))
        waiting = [rest[0] for rows in places.values() for rest in rows if rest[0]]
        changes = fetch_changes(self.cr, waiting)
        subjects = {
            row[0]: self._build_subject(
                (*row, newest[row[0]]), places.get(row[0], []), changes
            )
            for row in locked
        }
        self._identify_addresses(subjects.values())
        heads = [head for one in subjects.values() for head in one.heads.values()]
        find_stops(self.cr, heads)
        return subjects

    def _identify_addresses(self, subjects: Iterable[Subject]) -> None:
        """Make addresses in an older form, and those of changes, comparable."""
        addresses = [
            head.address
            for subject in subjects
            for head in subject.heads.values()
            if head.address is not None
        ]
        identify(self.build_keys, addresses, self.older_below)
        waiting = [c for subject in subjects for c in subject.changes.values() if c.fa]
        if waiting:
            keys = self.build_keys([change.fa for change in waiting])
            for change, key in zip(waiting, keys, strict=True):
                change.key = key

    def _build_subject(
        self, row: Row, places: list[Row], changes: dict[int, Row]
    ) -> Subject:
        try:
            subject = self.opener.open_subject(row)
            check_complete(subject, len(places))
            for change_id, *columns in places:
                head = self.opener.open_head(subject, tuple(columns))
                if head.rank != 1:
                    continue
                subject.heads[head.purpose] = head
                if change_id:
                    change = changes[change_id]
                    subject.changes[head.purpose] = open_change(
                        self.keyring, subject.uuid, head, change
                    )
        except RowBroken as error:
            self.problems.append(error.problem)
            return Subject(row[1], row[0], is_broken=True)
        return subject


# === PENDING CHANGES === #


def fetch_changes(cr: StoreCursor, row_ids: list[int]) -> dict[int, Row]:
    """Return the rows of changes that :func:`open_change` takes, by id."""
    if not row_ids:
        return {}
    kinds = [*WAIT_BEGINS, *WAIT_ENDS]
    rows = fetch(cr, _CHANGES, kinds, build_array(row_ids))
    return {row[0]: row for row in rows}


def open_change(
    keyring: OpenKeyring, subject_uuid: str, head: Head, row: Row
) -> ChangeRow:
    """Return a change that is pending by its row and its own event; raises RowBroken.

    A legacy event names no change: then it suffices that some change is pending.
    """
    row_id, sealed, last_kind, named, *columns = row
    if last_kind not in WAIT_BEGINS:
        raise RowBroken("spar_change", row_id, audit.CHANGE_ENDED)
    count = len(_CHANGE_COLUMNS)
    values = dict(zip(_CHANGE_COLUMNS, columns[:count], strict=True))
    terms = seals.ChangeTerms(*columns[count : -len(_STATEMENTS)])
    context = seals.change_context(values["uuid"], subject_uuid, head.uuid, terms)
    try:
        text = keyring.unseal(seals.CHANGE, bytes(sealed or b""), context)
    except SealBroken as error:
        raise RowBroken("spar_change", row_id, audit.CHANGE_DOES_NOT_OPEN) from error
    statements = (bind_moment(values["asserted_at"]), *columns[-len(_STATEMENTS) :])
    commitment = commit_to_change(keyring, values["uuid"], text, terms, *statements)
    if named is not None and bytes(named) != commitment:
        raise RowBroken("spar_change", row_id, audit.CHANGE_OTHER)
    fa, details = seals.unpack(text)
    change = ChangeRow(**values, head=head, fa=fa, details=details, row_id=row_id)
    change.commitment = commitment
    return change


def _build_digests(digests: Iterable[bytes]) -> str | None:
    """Return an array of digests, or NULL for a column that is not written now."""
    known = list(digests)
    return build_bytes_array(known) if known[0] else None
