"""Who takes part in one case: nobody takes part in it twice.

Whoever is known as a user is compared as that user. A witness, a guardian or a
collector is known only by what was typed: by a number where there is one, and by a
name, which two people may share and one may spell in two ways.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .witnesses import Witness, is_named, normalise_number

FILLER, WITNESS, COLLECTOR = "filler", "witness", "collector"


@dataclass(frozen=True)
class Party:
    """Somebody in a case: as what, and what is known of who it is."""

    part: str = ""
    reference: str = ""
    name: str = ""
    numbers: tuple[str, ...] = ()


def is_same(one: Party, other: Party) -> bool:
    """Return whether two parties are, or may be, the same person.

    >>> ada = Party(reference="user:7", name="Ada Lovelace", numbers=("0712 345678",))
    >>> is_same(ada, Party(name="LOVELACE ada")), is_same(ada, Party(name="Ada"))
    (True, False)
    >>> is_same(ada, Party(name="A. L.", numbers=("+254 712 345 678",)))
    True
    >>> is_same(ada, Party(reference="user:8", name="Ada Lovelace"))
    False
    """
    if one.reference and other.reference:
        return one.reference == other.reference
    known, given = _normalise(one), _normalise(other)
    if known & given:
        return True
    return bool(one.name and other.name) and is_named(one.name, other.name)


def find_part(person: Party, parties: Iterable[Party]) -> str:
    """Return as what a person takes part already, "" if they do not.

    >>> parties = [Party(FILLER, "user:7"), Party(WITNESS, name="Grace Hopper")]
    >>> find_part(Party(reference="user:7"), parties)
    'filler'
    >>> find_part(Party(reference="user:8", name="Grace Hopper"), parties)
    'witness'
    >>> find_part(Party(reference="user:9", name="Alan"), parties)
    ''
    """
    return next((each.part for each in parties if is_same(person, each)), "")


def build_witness_party(witness: Witness) -> Party:
    """Return a witness as a party."""
    return Party(WITNESS, name=witness.name, numbers=(witness.number,))


def _normalise(party: Party) -> set[str]:
    return set(filter(None, map(normalise_number, party.numbers)))
