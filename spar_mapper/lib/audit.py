"""Whether a mapping, its ID and its events are what the mapper left: the pure part.

Every finding names one row and one problem; a reader who knows no cryptography can act
on it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from odoo.addons.spar_mapper_connector.exceptions import SealBroken
from odoo.addons.spar_mapper_connector.lib.identifier import fold
from odoo.addons.spar_mapper_connector.lib.keyring import OpenKeyring

from . import seals
from .chain import commit_to, mac_event
from .records import EventRow, MappingRow

ID_DOES_NOT_OPEN = "the ID does not open: it was moved or altered"
ID_DIGEST = "the digest is not that of the ID: it would be found under another ID"
FA_DOES_NOT_OPEN = "the address does not open: it, its state or version was altered"
FA_DIGEST = "the digest is not that of the address"
NO_EVENTS = "there is no event for it"
LAST_EVENT = "its last event is missing, or is not the one it names"
NOT_AS_SAID = "it is not what its last event says: it or the history was altered"
EVENT_GAP = "an event before it is missing"
EVENT_ALTERED = "the event was altered"
EVENT_CHAIN = "the event does not follow the one before it"

Finding = tuple[str, int, str]


@dataclass(slots=True)
class Evidence:
    """What the tables say about one mapping; values as they stand there.

    ``subject_uuid`` is the subject of the mapping, ``identifier_subject`` that of its
    ID: the same one, unless somebody moved a row.
    """

    row_id: int
    row: MappingRow
    sealed: bytes
    digests: dict[str, bytes]
    identifier_id: int
    identifier_uuid: str
    identifier_sealed: bytes
    identifier_digests: dict[str, bytes]
    identifier_subject: str
    subject_uuid: str
    change_lock: str
    pay_stop: bool
    events: list[tuple[int, EventRow]] = field(default_factory=list)


def examine(keyring: OpenKeyring, evidence: Evidence) -> Iterator[Finding]:
    """Everything that is wrong with one mapping."""
    yield from _examine_events(keyring, evidence)
    context = seals.id_context(
        evidence.identifier_uuid,
        evidence.identifier_subject,
        evidence.change_lock,
        evidence.pay_stop,
    )
    try:
        canonical = keyring.unseal(seals.ID, evidence.identifier_sealed, context)
    except SealBroken:
        yield "spar_subject_id", evidence.identifier_id, ID_DOES_NOT_OPEN
        return
    if evidence.identifier_digests != keyring.digests(seals.ID, canonical):
        yield "spar_subject_id", evidence.identifier_id, ID_DIGEST
    yield from _examine_address(keyring, evidence, canonical)


def _examine_address(
    keyring: OpenKeyring, evidence: Evidence, canonical: str
) -> Iterator[Finding]:
    row = evidence.row
    try:
        fa, details = seals.unseal_address(
            keyring,
            evidence.sealed,
            row.uuid,
            evidence.subject_uuid,
            row.version,
            row.state,
            canonical,
        )
    except SealBroken:
        yield "spar_mapping", evidence.row_id, FA_DOES_NOT_OPEN
        return
    if evidence.digests != keyring.digests(seals.ADDRESS, fold(fa)):
        yield "spar_mapping", evidence.row_id, FA_DIGEST
    if evidence.events:
        opened = replace(row, fa=fa, details=details)
        said = evidence.events[-1][1].commitment_after
        if commit_to(keyring, canonical, opened) != said:
            yield "spar_mapping", evidence.row_id, NOT_AS_SAID


def _examine_events(keyring: OpenKeyring, evidence: Evidence) -> Iterator[Finding]:
    """The chain from the first event to the one that the mapping names."""
    if not evidence.events:
        yield "spar_mapping", evidence.row_id, NO_EVENTS
        return
    previous = b""
    for number, (event_id, event) in enumerate(evidence.events, start=1):
        if event.seq != number:
            yield "spar_event", event_id, EVENT_GAP
            return
        if event.previous_mac != previous:
            yield "spar_event", event_id, EVENT_CHAIN
        if event.mac != mac_event(keyring, event):
            yield "spar_event", event_id, EVENT_ALTERED
        previous = event.mac
    if (len(evidence.events), previous) != (
        evidence.row.last_seq,
        evidence.row.last_mac,
    ):
        yield "spar_mapping", evidence.row_id, LAST_EVENT
