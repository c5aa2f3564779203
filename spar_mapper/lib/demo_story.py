"""The demo's invented people and their addresses, the same in every demo."""

from __future__ import annotations

import random
from dataclasses import dataclass

_GIVEN = [
    "Abena",
    "Adil",
    "Amara",
    "Anwar",
    "Asha",
    "Bela",
    "Carmo",
    "Chidi",
    "Dalia",
    "Daniyar",
    "Delphine",
    "Emre",
    "Esi",
    "Farid",
    "Fenna",
    "Gita",
    "Hana",
    "Hiran",
    "Ilse",
    "Imani",
    "Ines",
    "Jamil",
    "Jorah",
    "Kavi",
    "Kofi",
    "Lani",
    "Leocadia",
    "Liko",
    "Malia",
    "Marisol",
    "Mehmet",
    "Mirela",
    "Nadim",
    "Nia",
    "Omari",
    "Orsola",
    "Paavo",
    "Priya",
    "Quill",
    "Rafiq",
    "Rosalba",
    "Samir",
    "Sefa",
    "Tadeo",
    "Tala",
    "Umeko",
    "Vesna",
    "Wanjiru",
    "Xiomara",
    "Yusra",
    "Zoran",
]
_FAMILY = [
    "Adomako",
    "Albescu",
    "Amarel",
    "Banerli",
    "Barzani",
    "Castelo",
    "Dravid",
    "Dunmore",
    "Ekwall",
    "Farouki",
    "Galanis",
    "Harrow",
    "Ibarreta",
    "Jalali",
    "Kessa",
    "Kipchumba",
    "Lindowa",
    "Marnier",
    "Mbeki-Oru",
    "Nakamba",
    "Okoroji",
    "Pellero",
    "Quispeta",
    "Radulan",
    "Saarela",
    "Tavori",
    "Uddinah",
    "Vellin",
    "Wasswali",
    "Yarrow",
    "Zamboni",
]
_BANKS = ("DEMO", "PSB", "VALLEY", "NFB", "FUT")
_WALLETS = ("TAVO", "LINDOW", "KESH")


@dataclass(frozen=True)
class DemoPerson:
    """A demo person: ``individual_id`` is what they know, ``fa`` their address."""

    name: str
    individual_id: str
    id_value: str
    fa: str
    new_fa: str
    phone_number: str


def build_people(count: int) -> list[DemoPerson]:
    """Return the first ``count`` people, each with an address and one to change to.

    >>> build_people(2)[0] == build_people(5)[0]
    True
    >>> len({person.id_value for person in build_people(500)})
    500
    """
    return [_build_person(number) for number in range(count)]


def _build_person(number: int) -> DemoPerson:
    chance = random.Random(number)
    individual_id = f"{2_000_000_000 + number * 7_919:010}"
    phone_number = f"+9995{chance.randrange(10**7):07}"
    return DemoPerson(
        name=f"{chance.choice(_GIVEN)} {chance.choice(_FAMILY)}",
        individual_id=individual_id,
        id_value=f"token:{individual_id}@nationalId",
        fa=_build_address(chance, phone_number),
        new_fa=_build_address(chance, phone_number),
        phone_number=phone_number if number % 3 else "",
    )


def _build_address(chance: random.Random, phone_number: str) -> str:
    """Return an address: three in four at a bank, the others in a mobile wallet."""
    if chance.random() < 0.75:
        account, branch = chance.randrange(10**12), chance.randint(1, 6)
        return f"account:{account:012}@BR{branch:02}.{chance.choice(_BANKS)}"
    return f"mobile:{phone_number}@{chance.choice(_WALLETS)}"
