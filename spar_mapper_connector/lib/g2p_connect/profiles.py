"""How strict the syntax is, for whom.

A profile relaxes how a message is written, never who somebody is or what they may do.
Adding one is adding one ``register`` call; a participant names it by its code.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Profile:
    """Switches of syntax; the defaults are the specification's (g2p-connect.md 6.1)."""

    code: str
    label: str
    #: header.version, where it is given, has to be ours (A32)
    checks_version: bool = True
    #: total_count has to be the number of items (A31)
    counts_must_match: bool = True
    #: timestamps have to be RFC 3339 with a zone (A14)
    timestamps_need_zone: bool = True
    #: a reference_id stands once in a message (A7)
    references_are_unique: bool = True
    #: header.sender_id may not be empty; an empty one leaves identity to the token
    names_sender: bool = True
    #: additional_info is a list of name and value (A10)
    attributes_are_pairs: bool = True
    #: null, and empty for an ID or an address, count as absent (A35)
    nulls_are_absent: bool = False
    #: is_msg_encrypted says nothing where the message is readable (A40)
    ignores_encryption_flag: bool = False
    #: an address has to be one that the directory finds in order
    checks_addresses: bool = True
    #: the action of an answer is on-<operation>, else the operation (A1)
    answers_on_action: bool = True
    #: an answer without results has an empty message, else none (A36)
    always_sends_message: bool = False


_PROFILES: dict[str, Profile] = {}


def register(profile: Profile) -> Profile:
    """Make ``profile`` known under its code."""
    _PROFILES[profile.code] = profile
    return profile


def get_profile(code: str) -> Profile:
    """The profile with ``code``; KeyError when there is none.

    >>> get_profile("g2p-connect-1.0-strict").counts_must_match
    True
    """
    return _PROFILES[code]


def selection() -> list[tuple[str, str]]:
    """``(code, label)`` of every profile, in the order of registration."""
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
        attributes_are_pairs=False,
        nulls_are_absent=True,
        ignores_encryption_flag=True,
        checks_addresses=False,
        answers_on_action=False,
        always_sends_message=True,
    )
)
