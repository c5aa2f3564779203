"""The context in which each value of the store is sealed, and how it is packed.

The context (the associated data of AES-GCM) ties a ciphertext to its place: a value
that was swapped or moved does not open. Values are sealed in ``store/saving.py`` and
opened in ``store/opening.py``. Whether the row around a value is the present one is
verified by the MACs of head and subject (``chain.py``).
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import NamedTuple

from odoo.addons.spar_mapper_connector.exceptions import SealBroken
from odoo.addons.spar_mapper_connector.lib.contract import (
    NO_DETAILS,
    CallContext,
    Details,
)
from odoo.addons.spar_mapper_connector.lib.identifier import fold
from odoo.addons.spar_mapper_connector.lib.keyring import OpenKeyring, bind

from .details import pack_details
from .records import KEY_FORM, TEXT_FORM, ChangeRow, StoredAddress

#: How long a change waits for a second person before it expires.
APPROVAL_TIME = timedelta(days=30)


class ChangeTerms(NamedTuple):
    """The unalterable parts of a pending change, in the order of its table."""

    operation: str
    base_version: int
    needs_approval: bool
    effective_at: datetime | None
    expires_at: datetime | None
    proposer: str
    on_behalf_of: str
    channel: str
    authority: int


def build_terms(call: CallContext, now: datetime, row: ChangeRow) -> ChangeTerms:
    """Return the terms of a change that begins to wait."""
    return ChangeTerms(
        operation=row.operation,
        base_version=row.base_version,
        needs_approval=row.needs_approval,
        effective_at=row.effective_at,
        expires_at=now + APPROVAL_TIME if row.needs_approval else None,
        proposer=call.actor,
        on_behalf_of=call.on_behalf_of,
        channel=call.channel,
        authority=int(call.authority),
    )


ID, ADDRESS, CHANGE, CONTACT = "id", "fa", "change", "contact"

#: Neither an address nor an ID can contain these, so they mark what follows: details;
#: before them, the key of an address and the typed text; after an ID, the typed text.
_WITH_DETAILS, _WITH_KEY = "\x00", "\x02"
#: Before the key: the number of the address's form, unless it is the first one that has
#: a key.
_NUMBERED = "\x03"
_decode = json.JSONDecoder().raw_decode


def id_context(uuid: str, subject: str, active: bool, last_seq: int) -> bytes:
    """Return the context of a sealed ID: row, subject, state and last event."""
    # As bind() writes it, but without a loop: this runs for each item of a batch.
    number = str(last_seq)
    return (
        f"2:id{len(uuid)}:{uuid}{len(subject)}:{subject}"
        f"1:{1 if active else 0}{len(number)}:{number}"
    ).encode()


def address_context(uuid: str, subject: str, version: int) -> bytes:
    """Return the context of a sealed address: which one, whose, and its version."""
    number = str(version)
    return (
        f"2:fa{len(uuid)}:{uuid}{len(subject)}:{subject}{len(number)}:{number}"
    ).encode()


def change_context(uuid: str, subject: str, head: str, terms: ChangeTerms) -> bytes:
    """Return the context of the address in a pending change.

    It covers who proposed what, and how long it waits.
    """
    return bind(CHANGE, uuid, subject, head, *(str(term) for term in terms))


def contact_context(event_uuid: str) -> bytes:
    """Return the context of the contact who is notified of one event."""
    return bind(CONTACT, event_uuid)


def pack(fa: str, details: Details) -> str:
    """Return an address and its details as one text.

    >>> pack("account:1@b", NO_DETAILS)
    'account:1@b'
    """
    return join(fa, pack_details(details))


def join(fa: str, packed_details: str) -> str:
    """Return an address and already packed details as one text.

    >>> join("account:1@b", "")
    'account:1@b'
    """
    return f"{_WITH_DETAILS}{packed_details}\x00{fa}" if packed_details else fa


def unpack(text: str) -> tuple[str, Details]:
    """Return the address and details in ``text``, the inverse of :func:`pack`.

    >>> unpack(pack("account:1@b", Details(name="Ada", additional_info=({"a": 1},))))
    ('account:1@b', Details(name='Ada', phone_number='', additional_info=({'a': 1},)))
    """
    fa, details, _packed = split(text)
    return fa, details


def split(text: str) -> tuple[str, Details, str]:
    """Return address, details, and the details as they are packed in ``text``.

    >>> split(pack("account:1@b", Details(name="Ada")))[2]
    '["Ada","",[]]'
    """
    if not text.startswith(_WITH_DETAILS):
        return text, NO_DETAILS, ""
    (name, phone_number, additional_info), end = _decode(text, 1)
    details = Details(name, phone_number, tuple(additional_info))
    return text[end + 1 :], details, text[1:end]


def pack_address(address: StoredAddress) -> str:
    """Return an address, its key, its typed text and its details as one text."""
    text = join(address.fa, address.packed_details)
    if address.form == TEXT_FORM:
        return text
    form = "" if address.form == KEY_FORM else f"{address.form}{_NUMBERED}"
    return f"{_WITH_KEY}{form}{address.key}{_WITH_KEY}{address.typed}{_WITH_KEY}{text}"


def split_address(text: str) -> tuple[int, str, str, str]:
    """Return the form, the key, the typed text, and the rest: see :func:`split`.

    >>> split_address("account:1@B")
    (1, 'account:1@b', '', 'account:1@B')
    >>> split_address("\x02key\x02account:0-1@B\x02account:01@B")
    (2, 'key', 'account:0-1@B', 'account:01@B')
    >>> split_address("\x027\x03key\x02\x02account:01@B")
    (7, 'key', '', 'account:01@B')
    """
    if not text.startswith(_WITH_KEY):
        fa, _details, _packed = split(text)
        return TEXT_FORM, fold(fa), "", text
    _start, key, typed, rest = text.split(_WITH_KEY, 3)
    if _NUMBERED in key:
        number, _numbered, key = key.partition(_NUMBERED)
        return int(number), key, typed, rest
    return KEY_FORM, key, typed, rest


def pack_id(canonical: str, typed: str) -> str:
    """Return an ID and its previous stored text as one text.

    >>> pack_id("4711", ""), pack_id("4711", "47 11")
    ('4711', '4711\\x0247 11')
    """
    return f"{canonical}{_WITH_KEY}{typed}" if typed else canonical


def split_id(text: str) -> tuple[str, str]:
    """Return an ID and its previous stored text, the inverse of :func:`pack_id`.

    >>> split_id(pack_id("4711", "47 11")), split_id("4711")
    (('4711', '47 11'), ('4711', ''))
    """
    canonical, _mark, typed = text.partition(_WITH_KEY)
    return canonical, typed


def unseal_all(
    keyring: OpenKeyring,
    rows: list[tuple[int, bytes]],
    contexts: dict[int, tuple[str, bytes]],
) -> dict[int, str]:
    """Return the text of each row that opens in its context, by row id."""
    texts = {}
    for row_id, sealed in rows:
        try:
            purpose, context = contexts[row_id]
            texts[row_id] = keyring.unseal(purpose, bytes(sealed), context)
        except (SealBroken, KeyError):
            continue
    return texts
