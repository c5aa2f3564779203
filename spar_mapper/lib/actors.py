"""Who did something, as the history refers to them: who acted, where, and beside whom.

A portal in another database names its own staff. Its numbers identify nobody here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

PARTICIPANT, PERSON = "participant:", "person:"
#: A reference to somebody, which stands in the place of a reason.
_REFERENCE = re.compile(r"(?:user|participant|person):\S+")
#: A user of this database.
_USER = re.compile(r"user:([0-9]+)", re.ASCII)
#: A member of staff of a portal elsewhere, by a number or a random reference.
_OFFICER = re.compile(r"(?:.*/)?user:([0-9a-f-]+)(?:/.*)?", re.ASCII)
#: What a participant can act for instead of a person.
_PROGRAMS = ("notice", "registry")
#: As many characters as can be read aloud.
_SHORT = 8


@dataclass(frozen=True)
class Actors:
    """Who acted.

    ``other`` is for whom, by a reference that has a name here; ``officer`` is who of
    the actor's staff acted, by the actor's own word; ``portal`` is where the actor, who
    is a person, was; ``has_person`` is whether the person was present.
    """

    actor: str
    other: str = ""
    officer: str = ""
    portal: str = ""
    has_person: bool = False


def read_actors(actor: str, on_behalf_of: str, reason: str) -> Actors:
    """Return who acted.

    >>> read_actors("user:7", "person:0a", "").has_person
    True
    >>> read_actors("registry", "user:7", "").other
    'user:7'
    >>> portal = "participant:portal.example"
    >>> read_actors(portal, "person:0a", "user:7")
    Actors(actor='participant:portal.example', other='', officer='7', portal='', \
has_person=True)
    >>> read_actors(portal, "registry/user:7", "").officer
    '7'
    >>> read_actors(portal, "system", "").officer
    ''
    >>> read_actors("person:0a", "", portal).portal
    'participant:portal.example'
    """
    last = on_behalf_of.rpartition("/")[2]
    has_person = last.startswith(PERSON)
    if actor.startswith(PARTICIPANT):
        other = last if last in _PROGRAMS else ""
        officer = _read_officer(on_behalf_of) or _read_officer(reason)
        return Actors(actor, "" if officer else other, officer, "", has_person)
    portal = actor.startswith(PERSON) and reason.startswith(PARTICIPANT)
    other = "" if has_person else on_behalf_of
    return Actors(actor, other, "", reason if portal else "", has_person)


def get_doers(actor: str, on_behalf_of: str) -> frozenset[str]:
    """Return the references of those who did something, each as a whole.

    Whoever a participant acts for is known to that participant: its *user:7* is nobody
    here, and so not the user 7 of this database.

    >>> sorted(get_doers("registry", "user:7"))
    ['registry', 'user:7']
    >>> sorted(get_doers("participant:portal.example", "user:7"))
    ['participant:portal.example', 'participant:portal.example/user:7']
    >>> get_doers("user:7", "")
    frozenset({'user:7'})
    """
    if on_behalf_of and actor.startswith(PARTICIPANT):
        on_behalf_of = f"{actor}/{on_behalf_of}"
    return frozenset(filter(None, (actor, on_behalf_of)))


def list_user_ids(doers: Iterable[str]) -> list[int]:
    """Return the numbers of the users of this database among those who did something.

    >>> list_user_ids({"user:7", "participant:portal.example/user:8", "person:0a"})
    [7]
    """
    found = (_USER.fullmatch(doer) for doer in doers)
    return sorted(int(each.group(1)) for each in found if each)


def _read_officer(reference: str) -> str:
    """Return the number of a member of staff, shortened if it is a random one.

    >>> _read_officer("user:7/person:0a"), _read_officer("Asked user:7")
    ('7', '')
    >>> _read_officer("user:0123456789abcdef0123456789abcdef")
    '01234567'
    """
    found = _OFFICER.fullmatch(reference)
    return found.group(1)[:_SHORT].upper() if found else ""


def get_reason(reason: str) -> str:
    """Return a reason in words; "" for a reference, which the names already say.

    >>> get_reason("user:7"), get_reason("Seen by user:7")
    ('', 'Seen by user:7')
    """
    return "" if _REFERENCE.fullmatch(reason) else reason


def shorten(reference: str) -> str:
    """Return an unknown reference, no longer than can be read aloud.

    >>> shorten("payer.example"), shorten("0123456789abcdef0123456789abcdef")
    ('payer.example', '01234567')
    """
    is_random = bool(re.fullmatch("[0-9a-f-]{32,64}", reference))
    return reference[:_SHORT].upper() if is_random else reference
