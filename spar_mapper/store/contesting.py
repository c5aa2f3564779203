"""Two people's decisions on IDs of several people that coincide."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ..exceptions import NotDecidable, RowBroken
from ..lib.ledger import Ledger
from ..lib.locks import LOCK_AUTHORITY
from ..lib.records import IN_FORCE, Holding, StoredId, Subject
from ..lib.waiting import drop_change
from .database import Row, build_array, fetch
from .forming import LOCKED_ID, FormTask, open_id
from .opening import ID_WIDTH
from .work import Work

#: For an ID: its record stays; its person is the one who stays; it was mistyped.
KEEP, MERGE, OFF = "keep", "merge", "off"
#: For the people of one account there is a fourth decision, "apart": this person is a
#: legitimate holder, too, so that nothing changes.

_ROWS = """
    SELECT id FROM spar_subject_id
     WHERE id = ANY(%s::bigint[])
        OR (active AND subject_id IN (
            SELECT subject_id FROM spar_subject_id WHERE id = ANY(%s::bigint[])))
"""
_MERGED_BEFORE = "SELECT id FROM spar_subject WHERE merged_into = ANY(%s::bigint[])"


class Judge:
    """Carries out one decision, in one transaction."""

    def __init__(self, work: Work, task: FormTask):
        self.work = work
        self.task = task

    def decide(self, decisions: Mapping[int, str]) -> None:
        """Carry out the decision on each ID, by row: ``keep``, ``merge`` or ``off``.

        The IDs that are not kept are deactivated. A person who was recorded twice gets
        all other IDs and the address of the record that is kept. Raises NotDecidable if
        the records cannot be merged now, RowBroken if one was altered.
        """
        ids, subjects = self._load(decisions)
        self._check_one_id([ids[row_id] for row_id in decisions])
        (kept,) = [row_id for row_id, word in decisions.items() if word == KEEP]
        owner = subjects[kept]
        ledger = self.work.begin()
        for row_id, word in decisions.items():
            if word != KEEP:
                self._switch_off(ledger, subjects[row_id], ids[row_id])
        for row_id, word in decisions.items():
            if word == MERGE or (
                word == OFF and self._has_no_id(row_id, ids, subjects)
            ):
                self._end_record(ledger, subjects[row_id], owner, ids[row_id])
        stored = ids[kept]
        form, canonical, type_id = stored.form, stored.canonical, stored.type_id
        reading = self.task.foresee(form, canonical, type_id)
        values = (reading.canonical, reading.type_id, self.task.number)
        ledger.rewrite_id(owner, stored, *values)
        merged = [subjects[r] for r, word in decisions.items() if word == MERGE]
        others = [ids[r] for r in ids if r not in decisions]
        self._merge(ledger, merged, owner, others, subjects)
        self.work.save(ledger)

    def decide_account(self, decisions: Mapping[int, str]) -> None:
        """Carry out the decision on each holder of an account, by a row of their IDs.

        It is ``keep``, ``merge`` (the same person, who keeps all IDs), or ``apart``.
        """
        merging = {r: word for r, word in decisions.items() if word in (KEEP, MERGE)}
        if MERGE not in merging.values():
            return
        ids, subjects = self._load(merging)
        _check_one_account([subjects[row_id] for row_id in merging])
        self._merge_all(merging, ids, subjects)

    def join(self, decisions: Mapping[int, str]) -> None:
        """Merge somebody without an ID card into the person whose card it is.

        :param decisions: ``keep`` for the row of the ID on the card, ``merge`` for a
            row of the person who had none
        """
        self._merge_all(decisions, *self._load(decisions))

    def _merge_all(
        self,
        decisions: Mapping[int, str],
        ids: Mapping[int, StoredId],
        subjects: Mapping[int, Subject],
    ) -> None:
        """End what is paid to those who are merged, who keep all their IDs."""
        owner = next(subjects[r] for r, word in decisions.items() if word == KEEP)
        ledger = self.work.begin()
        merged = [subjects[r] for r, word in decisions.items() if word == MERGE]
        for row_id, word in decisions.items():
            if word == MERGE and subjects[row_id] is not owner:
                _end_places(ledger, Holding("", row_id, subjects[row_id]))
        self._merge(ledger, merged, owner, list(ids.values()), subjects)
        self.work.save(ledger)

    # === LOADING === #

    def _load(
        self, decisions: Mapping[int, str]
    ) -> tuple[dict[int, StoredId], dict[int, Subject]]:
        """Return all IDs of all people concerned, and their owners, locked in order.

        The order is that of a batch.
        """
        given = build_array(decisions)
        row_ids = [row_id for (row_id,) in fetch(self.work.cr, _ROWS, given, given)]
        query = LOCKED_ID.format(column=self.work.keyring.roles.read_column)
        rows = fetch(self.work.cr, query, build_array(row_ids))
        loader = self.work.load()
        subjects = loader.load_people({row[ID_WIDTH] for row in rows})
        ids, owners = {}, {}
        for row in rows:
            subject = subjects.get(row[ID_WIDTH])
            if subject is None or subject.is_broken:
                problem = "the person's record cannot be verified"
                raise RowBroken("spar_subject", row[ID_WIDTH], problem)
            ids[row[0]] = open_id(loader.opener, subject, row)
            owners[row[0]] = subject
        self._check(decisions, ids, owners.values())
        return ids, owners

    def _check(
        self,
        decisions: Mapping[int, str],
        ids: Mapping[int, StoredId],
        subjects: Iterable[Subject],
    ) -> None:
        if any(row_id not in ids or not ids[row_id].active for row_id in decisions):
            raise NotDecidable("gone")
        if any(subject.change_lock == "objection" for subject in subjects):
            raise NotDecidable("objection")

    def _check_one_id(self, stored: list[StoredId]) -> None:
        """Raise NotDecidable unless they all become one ID in the current form."""
        foresee = self.task.foresee
        read = {foresee(s.form, s.canonical, s.type_id).canonical for s in stored}
        if len(read) > 1:
            raise NotDecidable("apart")

    # === RECORDS THAT END === #

    def _switch_off(self, ledger: Ledger, subject: Subject, stored: StoredId) -> None:
        stored.form = self.task.number
        ledger.switch_off_id(subject, stored)

    def _has_no_id(
        self, row_id: int, ids: Mapping[int, StoredId], subjects: Mapping[int, Subject]
    ) -> bool:
        """Return whether an ID's person has no active ID among those loaded."""
        subject = subjects[row_id]
        return not any(ids[r].active for r in ids if subjects[r] is subject)

    def _end_record(
        self, ledger: Ledger, subject: Subject, owner: Subject, stored: StoredId
    ) -> None:
        """End the places of a record without an ID, or of a person's second record."""
        if subject is not owner:
            _end_places(ledger, Holding(stored.canonical, stored.row_id, subject))

    def _merge(
        self,
        ledger: Ledger,
        merged: list[Subject],
        owner: Subject,
        others: list[StoredId],
        owners: Mapping[int, Subject],
    ) -> None:
        """Give all other IDs of ``merged`` to ``owner``, and record who they are."""
        merged = list({s.uuid: s for s in merged if s is not owner}.values())
        for stored in others:
            giver = owners[stored.row_id]
            if giver in merged and stored.active:
                ledger.hand_over_id(giver, owner, stored)
        for subject in (*merged, *self._load_merged_before(merged)):
            ledger.merge(subject, owner)
            _copy_guards(owner, subject)

    def _load_merged_before(self, merged: list[Subject]) -> list[Subject]:
        """Return people merged into these earlier: they are the same person, too."""
        ids = build_array([subject.row_id for subject in merged])
        rows: list[Row] = fetch(self.work.cr, _MERGED_BEFORE, ids)
        found = self.work.load().load_people({row[0] for row in rows})
        if any(subject.is_broken for subject in found.values()):
            raise NotDecidable("broken")
        return list(found.values())


def _check_one_account(subjects: list[Subject]) -> None:
    """Raise NotDecidable unless they all have one address in common."""
    each = [
        {
            head.address.identity or head.address.key
            for head in subject.heads.values()
            if head.address is not None
        }
        for subject in subjects
    ]
    if not set.intersection(*each):
        raise NotDecidable("apart")


def _end_places(ledger: Ledger, holding: Holding) -> None:
    """End everything that is paid, or pending, under a record."""
    subject = holding.subject
    for change in list(subject.changes.values()):
        drop_change(ledger, holding, change, "cancelled")
    for head in list(subject.heads.values()):
        if head.state in IN_FORCE:
            ledger.end(holding, head, "unlinked")


def _copy_guards(owner: Subject, subject: Subject) -> None:
    """Apply the stop and lock of one record to the record that is kept."""
    owner.pay_stop = owner.pay_stop or subject.pay_stop
    locks = (owner.change_lock, subject.change_lock)
    owner.change_lock = max(locks, key=LOCK_AUTHORITY.__getitem__)
