"""Objections ("This was not me"): they undo, lock, and call staff."""

from __future__ import annotations

from datetime import timedelta
from typing import NamedTuple

from odoo.addons.spar_mapper_connector.exceptions import (
    NoSuchEvent,
    OwnerProofRefused,
    SealBroken,
)
from odoo.addons.spar_mapper_connector.lib.contract import (
    ChangeLock,
    ObjectionAnswer,
    Remedy,
)

from ..exceptions import NoSuchObjection, OwnCase, OwnDoing
from ..lib import objection
from ..lib.actors import get_doers
from ..lib.ledger import Ledger
from ..lib.locks import OWNER_LOCK
from ..lib.past import Stay
from ..lib.records import Head, Holding, PeriodRow, StoredAddress, new_uuid
from ..lib.transitions import UNLOCKED, WAIT_BEGINS
from .auditing import check_person
from .database import Row, copy_rows, fetch
from .history import Historian, build_answer
from .loading import identify
from .proving import is_used, note_used
from .work import Work

_EVENT = """
    SELECT e.id, e.seq, e.kind, e.actor, e.authenticated_by, e.subject_id,
           e.mapping_id, p.address_uuid, o.uuid, o.remedy, o.state, o.id, o.stop_before
      FROM spar_event e
      JOIN spar_mapping_period p ON p.id = e.period_id
      LEFT JOIN spar_objection o ON o.event_id = e.id
"""
_CASE = """
    SELECT o.mapping_id, o.remedy, o.stop, o.is_disowned, o.lock_before, o.stop_before,
           o.state, p.id, p.seq, p.address_uuid
      FROM spar_objection o JOIN spar_mapping_period p ON p.id = o.period_id
     WHERE o.id = %s
"""
#: The outcome of a held change: the next of these events of its place.
_OUTCOMES = {
    "replaced": "replaced",
    "updated": "replaced",
    "updated_suspended": "replaced",
    "unlinked": "unlinked",
    "change_cancelled": "held",
    "change_refused": "held",
    "change_stale": "held",
    "change_expired": "held",
}
_OBJECTION = (
    "uuid",
    "event_id",
    "mapping_id",
    "period_id",
    "remedy",
    "stop",
    "state",
    "is_disowned",
    "lock_before",
    "stop_before",
    "channel",
    "actor",
    "on_behalf_of",
    "made_at",
)


class DisputedEvent(NamedTuple):
    """An event to which the owner may object, and its case, if there is one."""

    row_id: int
    seq: int
    kind: str
    actor: str
    authenticated_by: str | None
    subject_id: int
    head_id: int
    address_uuid: str
    reference: str | None
    remedy: str | None
    state: str | None
    case_id: int | None
    stop_before: bool | None

    @property
    def is_frozen(self) -> bool:
        """Return whether nothing was undone yet: the objector had not logged in."""
        return self.state == "open" and self.remedy == Remedy.FROZEN.value


class Objector:
    """Opens and closes the cases of objections.

    :param days: how long after its end the owner can have an address restored
    :param link_stops: whether an objection without a login stops payments
    """

    def __init__(self, work: Work, days: int, link_stops: bool = False):
        self.work = work
        self.days = days
        self.link_stops = link_stops
        #: The uuid of the case that was opened, if one was.
        self.opened = ""
        self.historian = Historian(work)

    # === OPENING A CASE === #

    def object_to(self, canonical: str, address_uuid: str, seq: int) -> ObjectionAnswer:
        """Undo what can be undone, lock, open a case; an event has one case at most.

        Without a login everything is frozen as it is; if the person then logs in and
        objects to the same event, the case is taken up. Raises NoSuchEvent, and
        SealBroken for what does not open.
        """
        holding = self._load(canonical)
        proof = self.work.proof
        if proof is not None and is_used(self.work.cr, proof):
            raise OwnerProofRefused("proof_replayed")
        event = self._fetch_event(
            "e.subject_id = %s AND e.seq = %s AND p.address_uuid = %s",
            holding.subject.row_id,
            seq,
            address_uuid,
        )
        if event.kind not in objection.DISPUTABLE:
            raise NoSuchEvent(event.kind)
        known = build_answer(event.reference, event.remedy, event.state)
        if known and not (event.is_frozen and objection.proves_person(self.work.call)):
            if proof is not None:
                note_used(self.work.cr, proof, self.work.get_now())
            return known
        return self._settle(holding, event)

    def _load(self, canonical: str) -> Holding:
        """Return a stored ID's holding, locked; raises NoSuchEvent and SealBroken."""
        holding = self.work.load().load([canonical]).get(canonical)
        if holding is None:
            raise NoSuchEvent("the ID is not known")
        return _check_opens(holding)

    def _fetch_event(self, condition: str, *values: object) -> DisputedEvent:
        rows = fetch(self.work.cr, f"{_EVENT} WHERE {condition}", *values)
        if not rows:
            raise NoSuchEvent("there is no such event")
        return DisputedEvent(*rows[0])

    def _settle(self, holding: Holding, event: DisputedEvent) -> ObjectionAnswer:
        # The history determines what is restored, whatever the rows state now.
        check_person(self.work, holding.subject.row_id)
        before = self._get_guards_before(holding)
        ledger = self.work.begin()
        dispute = self._build_dispute(ledger, holding, event)
        if objection.proves_person(self.work.call):
            remedy = objection.settle(dispute)
        else:
            remedy = objection.freeze(dispute, self.link_stops)
        self.work.save(ledger)
        if event.reference is not None:
            self._update_frozen_case(event, dispute, remedy)
            return ObjectionAnswer(remedy, event.reference[:8].upper())
        uuid = self.opened = self._open_case(event, dispute, remedy, before)
        return ObjectionAnswer(remedy, uuid[:8].upper())

    def confirm(self, objection_id: int) -> ObjectionAnswer:
        """Undo at once what a case has only frozen: a second person believes it.

        Raises NoSuchObjection unless the case is frozen, OwnDoing and OwnCase if the
        caller is not a second person, and SealBroken for what does not open.
        """
        event = self._fetch_event("o.id = %s", objection_id)
        if not event.is_frozen:
            raise NoSuchObjection(objection_id)
        self._check_independent(event, objection_id)
        loaded = self.work.load().load_subject(event.subject_id)
        if loaded is None:
            raise SealBroken("no ID of the person opens")
        return self._settle(_check_opens(loaded), event)

    def _check_independent(self, event: DisputedEvent, objection_id: int) -> None:
        """Refuse whoever made or approved the disputed change, or opened the case.

        Raises OwnDoing and OwnCase.
        """
        caller = self.work.call.actor
        if caller in self._search_doers(event):
            raise OwnDoing(objection_id)
        query = "SELECT actor FROM spar_objection WHERE id = %s"
        if (caller,) in fetch(self.work.cr, query, objection_id):
            raise OwnCase(objection_id)

    def _search_doers(self, event: DisputedEvent) -> set[str]:
        """Return who made the disputed change, and who approved it.

        The approval is the event just before the change, or follows the event with
        which it began to wait.
        """
        rows = fetch(
            self.work.cr,
            """SELECT e.actor, e.on_behalf_of
                 FROM spar_event d
                 JOIN spar_event e ON e.subject_id = d.subject_id
                                  AND e.mapping_id = d.mapping_id
                WHERE d.id = %s
                  AND (e.id = d.id OR e.kind = 'change_approved' AND CASE
                       WHEN d.kind = ANY(%s) THEN e.seq > d.seq AND NOT EXISTS (
                            SELECT FROM spar_event n
                             WHERE n.subject_id = d.subject_id
                               AND n.mapping_id = d.mapping_id
                               AND n.kind = ANY(%s)
                               AND n.seq > d.seq AND n.seq < e.seq)
                       ELSE e.seq = d.seq - 1 END)""",
            event.row_id,
            list(WAIT_BEGINS),
            list(WAIT_BEGINS),
        )
        return {
            doer for actor, behalf in rows for doer in get_doers(actor, behalf or "")
        }

    def _open_case(
        self,
        event: DisputedEvent,
        dispute: objection.Dispute,
        remedy: Remedy,
        before: tuple[str, bool],
    ) -> str:
        """Return the uuid of a new case; ``before`` are the guards to go back to."""
        uuid, call = new_uuid(), self.work.call
        disputed = dispute.disputed or dispute.past
        row: Row = (
            uuid,
            event.row_id,
            dispute.head.row_id,
            disputed.period.row_id,
            remedy.value,
            dispute.stop,
            "open",
            dispute.is_disowned,
            *before,
            call.channel,
            call.actor,
            call.on_behalf_of,
            dispute.ledger.now,
        )
        copy_rows(self.work.cr, "spar_objection", _OBJECTION, [row])
        return uuid

    def _update_frozen_case(
        self, event: DisputedEvent, dispute: objection.Dispute, remedy: Remedy
    ) -> None:
        """Record in a frozen case what was done now.

        The time of its opening, and the link by which it was opened, stay.
        """
        disputed = dispute.disputed or dispute.past
        self.work.cr.execute(
            """UPDATE spar_objection
                  SET remedy = %s, stop = %s, is_disowned = %s, period_id = %s
                WHERE id = %s""",
            (
                remedy.value,
                dispute.stop,
                dispute.is_disowned,
                disputed.period.row_id,
                event.case_id,
            ),
        )

    def _was_stopped(self, holding: Holding, event: DisputedEvent) -> bool:
        """Return whether something other than this event's case stops payments."""
        if event.case_id is None:
            return holding.subject.pay_stop
        stopped = bool(event.stop_before)
        return self._get_guards_after(holding, event.case_id, "", stopped)[1]

    def _get_guards_before(self, holding: Holding) -> tuple[str, bool]:
        """Return the lock and stop to go back to: those before the first open case."""
        rows = fetch(
            self.work.cr,
            """SELECT o.lock_before, o.stop_before
                 FROM spar_mapping m JOIN spar_objection o ON o.mapping_id = m.id
                WHERE m.subject_id = %s AND o.state = 'open'
                ORDER BY o.id LIMIT 1""",
            holding.subject.row_id,
        )
        if rows:
            return rows[0][0], rows[0][1]
        return holding.subject.change_lock, holding.subject.pay_stop

    # === THE DISPUTE === #

    def _build_dispute(
        self, ledger: Ledger, holding: Holding, event: DisputedEvent
    ) -> objection.Dispute:
        """Return the dispute about an event.

        Raises SealBroken: nothing is restored from a past that does not open.
        """
        head = _get_head(holding, event.head_id)
        subject = self.historian.get(holding.subject.row_id)
        stays = self.historian.fetch_stays(subject, event.head_id)
        past = [
            objection.PastAddress(
                self.historian.open(subject, stay.first),
                stay.first.since,
                stay.valid_to,
                _build_period(stay),
                stay.was_suspended,
            )
            for stay in reversed(stays)
            if stay.was_in_force or stay.uuid == event.address_uuid
        ]
        addresses = [one.address for one in past]
        identify(self.work.build_keys, addresses, self.work.older_below)
        return objection.Dispute(
            holding=holding,
            ledger=ledger,
            head=head,
            past=next(p for p in past if p.address.uuid == event.address_uuid),
            kind=self._get_lasting_kind(event),
            addresses=past,
            disowned=self._search_disowned(holding.subject.row_id),
            oldest=ledger.now - timedelta(days=self.days),
            actor_authority=objection.get_authority(event.authenticated_by),
            was_stopped=self._was_stopped(holding, event),
            is_known=event.case_id is not None,
        )

    def _get_lasting_kind(self, event: DisputedEvent) -> str:
        """Return what the event led to: a held change may have been applied since."""
        if event.kind != "held":
            return event.kind
        rows = fetch(
            self.work.cr,
            """SELECT kind FROM spar_event
                WHERE subject_id = %s AND mapping_id = %s AND id > %s
                  AND kind = ANY(%s)
                ORDER BY id LIMIT 1""",
            event.subject_id,
            event.head_id,
            event.row_id,
            list(_OUTCOMES),
        )
        return _OUTCOMES[rows[0][0]] if rows else "held"

    def _search_disowned(self, subject_id: int) -> set[str]:
        rows = fetch(
            self.work.cr,
            """SELECT p.address_uuid
                 FROM spar_mapping m
                 JOIN spar_objection o ON o.mapping_id = m.id
                 JOIN spar_mapping_period p ON p.id = o.period_id
                WHERE m.subject_id = %s AND o.is_disowned AND o.state != 'rejected'""",
            subject_id,
        )
        return {uuid for (uuid,) in rows}

    # === CLOSING A CASE === #

    def close(self, objection_id: int, is_upheld: bool) -> None:
        """End a case; lift the lock unless another case is open.

        Raises NoSuchObjection if it is not open, OwnDoing if the closer performed or
        approved the disputed act, OwnCase if the closer opened the case, and SealBroken
        for what does not open.
        """
        event = self._fetch_event("o.id = %s", objection_id)
        loaded = self.work.load().load_subject(event.subject_id)
        if loaded is None:
            raise SealBroken("no ID of the person opens")
        holding = _check_opens(loaded)
        check_person(self.work, event.subject_id)
        closing = self._build_closing(holding, event, objection_id, is_upheld)
        ledger = self.work.begin()
        objection.close(holding, ledger, closing)
        self.work.save(ledger)
        is_disowned = closing.is_disowned or (is_upheld and closing.disowns)
        self._save_closing(ledger, objection_id, is_upheld, is_disowned)

    def _build_closing(
        self, holding: Holding, event: DisputedEvent, objection_id: int, is_upheld: bool
    ) -> objection.Closing:
        """Return the subject of the decision.

        Raises NoSuchObjection, OwnDoing and OwnCase.
        """
        ((head_id, remedy, stop, disowned, lock, stopped, state, *period),) = fetch(
            self.work.cr, _CASE, objection_id
        )
        if state != "open":
            raise NoSuchObjection(objection_id)
        self._check_independent(event, objection_id)
        period_id, seq, address_uuid = period
        head = _get_head(holding, head_id)
        if is_upheld and event.kind in UNLOCKED and lock == ChangeLock.NONE:
            # It was not the owner who wanted it lifted.
            lock = OWNER_LOCK
        lock, stopped = self._get_guards_after(holding, objection_id, lock, stopped)
        return objection.Closing(
            is_upheld,
            Remedy(remedy),
            stop,
            self._get_lasting_kind(event),
            event.address_uuid,
            head,
            PeriodRow(seq, period_id, address_uuid=address_uuid),
            address_uuid,
            bool(disowned),
            self._open_replaced(holding, head, Remedy(remedy), address_uuid),
            lock,
            stopped,
        )

    def _open_replaced(
        self, holding: Holding, head: Head, remedy: Remedy, address_uuid: str
    ) -> StoredAddress | None:
        """Return the disputed address, if the restored one followed it and is there."""
        if remedy is not Remedy.RESTORED:
            return None
        subject = self.historian.get(holding.subject.row_id)
        stays = self.historian.fetch_stays(subject, head.row_id)
        *before, last = [stay for stay in stays if stay.was_in_force]
        if not before or last.uuid != head.address_uuid:
            return None
        if before[-1].uuid != address_uuid:
            return None
        address = self.historian.open(subject, before[-1].first)
        identify(self.work.build_keys, [address], self.work.older_below)
        return address

    def _get_guards_after(
        self, holding: Holding, objection_id: int, lock: str, stopped: bool
    ) -> tuple[str, bool]:
        """Return the subject's lock and stop after the case is closed.

        Another open case keeps the subject locked.
        """
        ((count, keeps_stop),) = fetch(
            self.work.cr,
            """SELECT count(*), bool_or(o.stop = 'all')
                 FROM spar_mapping m JOIN spar_objection o ON o.mapping_id = m.id
                WHERE m.subject_id = %s AND o.state = 'open' AND o.id != %s""",
            holding.subject.row_id,
            objection_id,
        )
        return objection.LOCK if count else lock, bool(stopped or keeps_stop)

    def _save_closing(
        self, ledger: Ledger, objection_id: int, is_upheld: bool, is_disowned: bool
    ) -> None:
        self.work.cr.execute(
            """UPDATE spar_objection
                  SET state = %s, is_disowned = %s, closed_by = %s, closed_at = %s,
                      close_reason = %s
                WHERE id = %s""",
            (
                "upheld" if is_upheld else "rejected",
                is_disowned,
                ledger.call.actor,
                ledger.now,
                ledger.call.reason,
                objection_id,
            ),
        )


def _check_opens(holding: Holding) -> Holding:
    """Return ``holding``; raises SealBroken if any part of it does not open."""
    if holding.is_broken:
        raise SealBroken("the ID or its address does not open")
    return holding


def _get_head(holding: Holding, head_id: int) -> Head:
    heads = holding.subject.heads.values()
    return next(head for head in heads if head.row_id == head_id)


def _build_period(stay: Stay) -> PeriodRow:
    return PeriodRow(
        stay.first.seq, stay.first.row_id, address_uuid=stay.first.address_uuid
    )
