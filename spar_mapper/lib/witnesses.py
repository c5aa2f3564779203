"""Witnesses as officers name them, and how two of them are compared."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from .spellings import squeeze

#: What a witness confirmed: who somebody is, or that a text was read to them.
VOUCHED, HEARD = "vouched", "heard"
#: The last digits of a phone number: those before them depend on where one calls from.
_PHONE_DIGITS = 9
#: The number of stars of a masked word: it does not depend on the word's length.
_STARS = "•••"


@dataclass(frozen=True)
class Witness:
    """A name, how the person can be found, and a number of theirs if one is known."""

    name: str
    contact: str
    number: str = ""


def normalise_number(text: str) -> str:
    """Return the one form of a witness's ID or phone number.

    A number of a phone is the same with and without the code of its country.

    >>> normalise_number("+254 712-345 678"), normalise_number("0712 345678")
    ('712345678', '712345678')
    >>> normalise_number("ab 12/34"), normalise_number(" ")
    ('AB1234', '')
    """
    plain = squeeze(text).upper().strip("+")
    plain = "".join(sign for sign in plain if sign.isalnum())
    is_long = plain.isdecimal() and len(plain) >= _PHONE_DIGITS
    return plain[-_PHONE_DIGITS:] if is_long else plain


def normalise_name(text: str) -> str:
    """Return a name without case and order of words, to compare two witnesses.

    >>> normalise_name("Ada  LOVELACE") == normalise_name("lovelace ada")
    True
    """
    return " ".join(sorted(text.casefold().split()))


def is_named(name: str, other: str) -> bool:
    """Return whether two names are one, so that both may be the same person.

    >>> is_named("Ada Lovelace", "LOVELACE  ada"), is_named("Ada", "Ada Lovelace")
    (True, False)
    """
    return normalise_name(name) == normalise_name(other)


def mask_name(name: str) -> str:
    """Return the first letter of each word of a name.

    >>> mask_name("Ada Lovelace"), mask_name("")
    ('A••• L•••', '')
    """
    return " ".join(f"{word[0]}{_STARS}" for word in name.split())


def find_repeated(witnesses: Iterable[Witness]) -> bool:
    """Return whether two of these are one person, by name or by number.

    >>> find_repeated([Witness("Ada L", "a"), Witness("L Ada", "b")])
    True
    >>> find_repeated([Witness("Ada", "a", "0712345678"), Witness("Bob", "b", "7")])
    False
    """
    names, numbers = set(), set()
    for witness in witnesses:
        name, number = normalise_name(witness.name), normalise_number(witness.number)
        if name in names or number in numbers:
            return True
        names.add(name)
        if number:
            numbers.add(number)
    return False


def pack_witness(witness: Witness) -> str:
    """Return a witness as the text that is sealed."""
    return json.dumps(asdict(witness))


def unpack_witness(text: str) -> Witness:
    """Return the witness in a text that was sealed.

    >>> unpack_witness(pack_witness(Witness("Ada", "near the well", "7"))).contact
    'near the well'
    """
    return Witness(**json.loads(text))
