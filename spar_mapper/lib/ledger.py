"""The work of one batch on the store, collected in memory and written at once.

The ledger is the only place where a head changes its state: every change comes with an
event and a period, and every event follows the table of transitions.
"""

from __future__ import annotations

from datetime import datetime

from odoo.addons.spar_mapper_connector.lib.contract import CallContext
from odoo.addons.spar_mapper_connector.lib.keyring import OpenKeyring

from .chain import (
    bind_moment,
    commit_to,
    commit_to_change,
    describe,
    describe_id,
    mac_event,
    mark_id,
)
from .offices import commit_to_office
from .records import (
    IN_FORCE,
    KEY_FORM,
    ChangeRow,
    EventRow,
    Head,
    Holding,
    PeriodRow,
    ProofRow,
    StoredAddress,
    StoredId,
    Subject,
    new_uuid,
)
from .seals import build_terms, pack
from .transitions import (
    ADDRESS_REWRITTEN,
    CHANGE_ENDS,
    ID_ADDED,
    ID_GIVEN,
    ID_OFF,
    ID_REWRITTEN,
    ID_TAKEN,
    MERGED,
    MERGED_WITH,
    OFFICE_CHANGED,
    PROOFS_ERASED,
    WAIT_BEGINS,
    WAIT_ENDS,
    ForbiddenTransition,
    next_state,
)

#: Events to which an owner's proof may belong: those with which a change or an
#: objection begins.
PROVED_EVENTS = frozenset(
    {
        "linked",
        "proposed",
        "updated",
        "updated_suspended",
        "unlinked",
        "held",
        "objected",
        "objection_confirmed",
        "changes_unlocked",
    }
)
_ABOUT_CHANGES = frozenset((*WAIT_BEGINS, *WAIT_ENDS, "change_approved"))


class Ledger:
    """The results of a batch: heads, periods, events, subjects, pending changes.

    An event gets its MAC here when it is recorded, because the next event's MAC covers
    it.

    :param address_form: the number of the form in which addresses are written
    :param proof: the owner's proof of the one change of the batch
    """

    def __init__(
        self,
        call: CallContext,
        keyring: OpenKeyring,
        now: datetime,
        address_form: int = KEY_FORM,
        proof: ProofRow | None = None,
    ):
        self.call = call
        self.keyring = keyring
        self.now = now
        self.address_form = address_form
        self.proof = proof
        #: The event that the proof belongs to, once it is recorded.
        self.proved: EventRow | None = None
        self.subjects: dict[str, Subject] = {}
        self.heads: dict[str, tuple[Subject, Head]] = {}
        self.periods: list[tuple[Subject, Head, PeriodRow]] = []
        self.events: list[EventRow] = []
        self.ids: dict[int, tuple[Subject, StoredId]] = {}
        self.changes: dict[str, tuple[Subject, ChangeRow]] = {}
        #: Changes that are being applied, by the place's uuid.
        self.applied: dict[str, ChangeRow] = {}

    # === PLACES === #

    def get_place(self, holding: Holding, purpose: str) -> Head:
        """Return the head of the place for ``purpose``; create one if there is none."""
        heads = holding.subject.heads
        if purpose not in heads:
            heads[purpose] = Head(new_uuid(), purpose, is_new=True)
        return heads[purpose]

    def begin(
        self,
        holding: Holding,
        purpose: str,
        address: StoredAddress,
        kind: str,
        contact: str = "",
    ) -> Head:
        """Put ``address`` into the place for ``purpose``; return its head.

        :param kind: sets the state, and states whether the address counts: one that is
            only proposed has the version of the place
        :param contact: whom to notify; by default the previously known contact
        """
        subject, head = holding.subject, self.get_place(holding, purpose)
        before = self._commit(subject, head) if head.state != "new" else b""
        head.state = next_state(kind, head.state)
        if head.state != "proposed":
            head.version += 1
        address.version = head.version
        head.address, head.address_uuid = address, address.uuid
        self._begin_period(subject, head, kind, before, contact)
        return head

    def end(self, holding: Holding, head: Head, kind: str) -> None:
        """End the address of ``head``; the place remains and keeps its version."""
        contact = head.current.details.phone_number
        before = self._commit(holding.subject, head)
        was_proposed = head.state == "proposed"
        head.state = next_state(kind, head.state)
        head.version += not was_proposed
        head.address = None
        self._begin_period(holding.subject, head, kind, before, contact)

    def move(self, holding: Holding, head: Head, kind: str) -> None:
        """Bring ``head`` into the state after ``kind``; its address stays."""
        before = self._commit(holding.subject, head)
        head.state = next_state(kind, head.state)
        head.version += 1
        contact = head.current.details.phone_number
        self._begin_period(holding.subject, head, kind, before, contact)

    def rewrite(self, holding: Holding, head: Head, address: StoredAddress) -> None:
        """Write the address of ``head`` in another form.

        It is still the same address, of the same version, and no change that waits for
        it becomes stale.
        """
        before = self._commit(holding.subject, head)
        next_state(ADDRESS_REWRITTEN, head.state)
        head.address = address
        since = head.state_since
        self._begin_period(holding.subject, head, ADDRESS_REWRITTEN, before, "", since)

    def note(
        self,
        holding: Holding,
        head: Head,
        kind: str,
        reason: str | None = None,
        period: PeriodRow | None = None,
    ) -> EventRow:
        """Record an event that leaves ``head`` unchanged; return it.

        :param period: the period of the head that it concerns, instead of the present
            one
        """
        next_state(kind, head.state)
        commitment = self._commit(holding.subject, head)
        contact = head.address.details.phone_number if head.address else ""
        period = period or head.period
        return self._record(
            holding.subject, head, kind, commitment, commitment, contact, period, reason
        )

    def _commit(self, subject: Subject, head: Head) -> bytes:
        """Return the commitment to ``head`` as it stands."""
        if not head.description:
            head.description = describe(subject.uuid, head)
        return commit_to(self.keyring, head.description)

    def _begin_period(
        self,
        subject: Subject,
        head: Head,
        kind: str,
        before: bytes,
        contact: str,
        since: datetime | None = None,
    ) -> None:
        """Begin the next period of a head that has just entered its new state.

        :param since: when the state began, if the state did not change
        """
        head.state_since, head.description = since or self.now, ""
        head.last_seq = subject.last_seq + 1
        period = PeriodRow(
            head.last_seq,
            None,
            head.state,
            head.version,
            head.address_uuid,
            head.address,
            head.state_since,
        )
        head.period = period
        self.heads[head.uuid] = (subject, head)
        self.periods.append((subject, head, period))
        after = self._commit(subject, head)
        self._record(subject, head, kind, before, after, contact, period)

    def _record(
        self,
        subject: Subject,
        head: Head | None,
        kind: str,
        before: bytes,
        after: bytes,
        contact: str,
        period: PeriodRow | None,
        reason: str | None = None,
    ) -> EventRow:
        call = self.call
        event = EventRow(
            new_uuid(),
            subject.uuid,
            subject.last_seq + 1,
            kind,
            call.actor,
            call.on_behalf_of,
            call.channel,
            call.authenticated_by,
            call.message_reference,
            call.reason if reason is None else reason,
            self.now,
            before,
            after,
            subject.last_mac,
            head.uuid if head else "",
            period.address_uuid if period else "",
            commitment_change=(
                self._commit_change(subject, head) if kind in _ABOUT_CHANGES else None
            ),
            contact=contact,
            subject=subject,
            head=head,
            period=period,
        )
        if self.proof is not None and self.proved is None and kind in PROVED_EVENTS:
            event.commitment_proof, self.proved = self.proof.commitment, event
        event.mac = mac_event(self.keyring, event)
        subject.last_seq, subject.last_mac = event.seq, event.mac
        self.subjects[subject.uuid] = subject
        self.events.append(event)
        return event

    # === SUBJECTS === #

    def register(self, subject: Subject) -> None:
        """Add a new subject: it is written whatever the result of the batch."""
        self.subjects[subject.uuid] = subject

    def guard(self, holding: Holding, change_lock: str, pay_stop: bool) -> None:
        """Set who may change the subject's addresses, and whether it is paid at all.

        This accompanies an event that was recorded just before. Raises
        ForbiddenTransition if there is none.
        """
        subject = holding.subject
        if subject.uuid not in self.subjects:
            raise ForbiddenTransition("a lock without an event")
        subject.change_lock, subject.pay_stop = change_lock, pay_stop

    # === IDS === #

    def rewrite_id(
        self,
        subject: Subject,
        stored: StoredId,
        canonical: str,
        type_id: int,
        form: int,
    ) -> None:
        """Rewrite an ID in another form; its previous stored text is kept beside it."""
        before = self._commit_id(subject, stored)
        stored.typed = stored.typed or stored.canonical
        stored.canonical, stored.type_id, stored.form = canonical, type_id, form
        self._record_id_change(subject, stored, ID_REWRITTEN, before)

    def switch_off_id(self, subject: Subject, stored: StoredId) -> None:
        """Deactivate an ID, so that it can no longer be found."""
        before = self._commit_id(subject, stored)
        stored.active = False
        self._record_id_change(subject, stored, ID_OFF, before)

    def hand_over_id(self, giver: Subject, taker: Subject, stored: StoredId) -> None:
        """Give an ID of one subject to another: an event in both chains."""
        before = self._commit_id(giver, stored)
        giver.marks.pop(mark_id(stored.row_id))
        self._record(giver, None, ID_GIVEN, before, b"", "", None)
        self._record_id_change(taker, stored, ID_TAKEN, b"")

    def add_id(self, subject: Subject, stored: StoredId) -> None:
        """Record that a subject has one more ID, whose row was just inserted."""
        self._record_id_change(subject, stored, ID_ADDED, b"")

    def note_joining(self, subject: Subject, kind: str, uuid: str) -> None:
        """Record that an ID waits to be added, or is not added after all."""
        commitment = commit_to(self.keyring, f"joining {subject.uuid} {uuid}")
        self._record(subject, None, kind, b"", commitment, "", None)

    def merge(self, subject: Subject, into: Subject) -> None:
        """Record that ``subject`` proved to be ``into``: an event in both chains."""
        subject.merged_into = into.row_id
        commitment = commit_to(self.keyring, f"{subject.uuid}.{into.uuid}")
        self._record(subject, None, MERGED, b"", commitment, "", None)
        self._record(into, None, MERGED_WITH, b"", commitment, "", None)

    def change_office(self, subject: Subject, office: str) -> None:
        """Record that a subject belongs to an office from now on; empty means none."""
        commitment = commit_to_office(self.keyring, subject.uuid, office)
        self._record(subject, None, OFFICE_CHANGED, b"", commitment, "", None)

    def erase_proofs(self, subject: Subject) -> None:
        """Record that the proofs of the subject's events are destroyed."""
        self._record(subject, None, PROOFS_ERASED, b"", b"", "", None)

    def note_complaint(self, subject: Subject, kind: str) -> None:
        """Record what became of a complaint of the subject."""
        self._record(subject, None, kind, b"", b"", "", None)

    def note_representative(
        self, subject: Subject, kind: str, commitment: bytes
    ) -> None:
        """Record who may act for the subject from now on, or does not any more."""
        contact = _find_contact(subject)
        self._record(subject, None, kind, b"", commitment, contact, None)

    def _commit_id(self, subject: Subject, stored: StoredId) -> bytes:
        return commit_to(self.keyring, describe_id(subject.uuid, stored))

    def _record_id_change(
        self, subject: Subject, stored: StoredId, kind: str, before: bytes
    ) -> None:
        stored.last_seq = subject.last_seq + 1
        subject.marks[mark_id(stored.row_id)] = stored.last_seq
        after = self._commit_id(subject, stored)
        self._record(subject, None, kind, before, after, "", None)
        self.ids[stored.row_id] = (subject, stored)

    # === PENDING CHANGES === #

    def wait(self, holding: Holding, change: ChangeRow) -> None:
        """Keep ``change`` until it is decided or due; record its event next."""
        call, text = self.call, pack(change.fa, change.details)
        change.commitment = commit_to_change(
            self.keyring,
            change.uuid,
            text,
            build_terms(call, self.now, change),
            bind_moment(change.asserted_at),
            call.authenticated_by,
            call.message_reference,
            call.reason,
            change.why,
        )
        holding.subject.changes[change.head.purpose] = change
        self.changes[change.uuid] = (holding.subject, change)

    def end_change(self, holding: Holding, change: ChangeRow, state: str) -> None:
        """End a pending change: applied, cancelled, refused, stale or expired."""
        if change.state != "waiting" or state not in CHANGE_ENDS:
            raise ForbiddenTransition(f"{change.state} to {state}")
        change.state = state
        holding.subject.changes.pop(change.head.purpose, None)
        self.changes[change.uuid] = (holding.subject, change)
        if state == "applied":
            self.applied[change.head.uuid] = change

    def _commit_change(self, subject: Subject, head: Head | None) -> bytes | None:
        """Return the commitment to the change that an event makes pending or ends."""
        if head is None:
            return None
        change = self.applied.get(head.uuid) or subject.changes.get(head.purpose)
        return change.commitment or None if change else None


def _find_contact(subject: Subject) -> str:
    """Return the contact of the first address in force that has one, or ""."""
    heads = [head for head in subject.heads.values() if head.state in IN_FORCE]
    addresses = [h.address for h in sorted(heads, key=lambda h: h.purpose) if h.address]
    contacts = (address.details.phone_number for address in addresses)
    return next(filter(None, contacts), "")
