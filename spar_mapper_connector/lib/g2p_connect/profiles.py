"""How strict the syntax is, and for which participants.

A profile relaxes how a message is written, never the sender's identity or rights. To
add one, call ``register``; a participant names it by its code.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

#: Placeholders for a sender that was not filled in.
UNNAMED_SENDERS = ("", "string")


@dataclass(frozen=True)
class Profile:
    """Switches of syntax; the defaults are the specification's (g2p-connect.md 6.1)."""

    code: str
    label: str
    #: header.version, if present, must be ours (A32)
    checks_version: bool = True
    #: total_count must be the number of items (A31)
    counts_must_match: bool = True
    #: timestamps must be RFC 3339 with a zone (A14)
    timestamps_need_zone: bool = True
    #: a reference_id is unique within a message (A7)
    references_are_unique: bool = True
    #: header.sender_id must name the sender; else it may be empty or the placeholder of
    #: API descriptions (``UNNAMED_SENDERS``), and identity rests on the credentials
    names_sender: bool = True
    #: receiver_id and sender_uri, if present, must be the agreed ones
    checks_parties: bool = True
    #: additional_info is a list of name and value (A10)
    attributes_are_pairs: bool = True
    #: null, and empty for an ID or an address, count as absent (A35)
    nulls_are_absent: bool = False
    #: is_msg_encrypted is ignored if the message is readable (A40)
    ignores_encryption_flag: bool = False
    #: an address must be one that the directory finds valid
    checks_addresses: bool = True
    #: the action of an answer is on-<operation>, else the operation (A1)
    answers_on_action: bool = True
    #: an answer without results has an empty message, else none (A36)
    always_sends_message: bool = False
    #: a message_id identifies one message for ever (A34); else each is processed anew
    message_ids_are_unique: bool = True
    #: maximum age of message_ts, and maximum lead, in seconds; 0 is any
    max_age_seconds: int = 300
    max_ahead_seconds: int = 60
    #: a message must have at least one item
    needs_items: bool = True
    #: a callback has arrived if it was acknowledged, else by the HTTP status alone
    callback_needs_ack: bool = True
    #: which table of ``codes`` gives the answers to items
    answers: str = "g2p-connect"
    #: the header rejects a message whose every item is rejected (A29), and counts final
    #: items as completed (A30); else it is always a success, and counts successes
    header_tells_failures: bool = True
    #: messages may come in the envelope of OpenG2P 2.x (``openg2p_2``)
    speaks_openg2p_2: bool = False
    #: a resolve considers both ID and address where both are given, and checks its
    #: scope; else an address beside an ID is ignored, and any other scope is yes_no
    resolve_is_strict: bool = True
    #: the code of a body that cannot be read
    malformed_code: str = "err.request.bad"


_PROFILES: dict[str, Profile] = {}


def register(profile: Profile) -> Profile:
    """Register ``profile`` under its code."""
    _PROFILES[profile.code] = profile
    return profile


def get_profile(code: str) -> Profile:
    """Return the profile with ``code``; raises KeyError when there is none.

    >>> get_profile("g2p-connect-1.0-strict").counts_must_match
    True
    """
    return _PROFILES[code]


def selection() -> list[tuple[str, str]]:
    """Return ``(code, label)`` of every profile, in the order of registration."""
    return [(profile.code, profile.label) for profile in _PROFILES.values()]


STRICT = register(Profile("g2p-connect-1.0-strict", "G2P Connect 1.0, strict"))

OPENG2P_1 = register(
    Profile(
        "openg2p-1.x",
        "OpenG2P 1.x",
        checks_version=False,
        counts_must_match=False,
        timestamps_need_zone=False,
        references_are_unique=False,
        names_sender=False,
        checks_parties=False,
        attributes_are_pairs=False,
        nulls_are_absent=True,
        ignores_encryption_flag=True,
        checks_addresses=False,
        answers_on_action=False,
        always_sends_message=True,
        message_ids_are_unique=False,
        max_age_seconds=0,
        max_ahead_seconds=0,
        needs_items=False,
        callback_needs_ack=False,
        answers="openg2p-1.x",
        header_tells_failures=False,
        resolve_is_strict=False,
        malformed_code="G2P-REQ-102",
    )
)

#: The envelope of 2.x differs (``openg2p_2``); within it the rules of 1.x apply.
OPENG2P_2 = register(
    replace(
        OPENG2P_1,
        code="openg2p-2.x",
        label="OpenG2P 2.x",
        speaks_openg2p_2=True,
        malformed_code="rjct.request.validation",
    )
)
