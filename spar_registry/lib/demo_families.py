"""The families of the demo, the same in every demo."""

from __future__ import annotations

from dataclasses import dataclass

#: Six families: their name, and the given names of head, partner and children.
_FAMILIES = (
    ("Adomako", ("Abena", "Kofi", "Esi")),
    ("Jalali", ("Farid", "Hana", "Samir", "Yusra")),
    ("Lindowa", ("Leocadia", "Tadeo")),
    ("Okoroji", ("Chidi", "Imani", "Amara")),
    ("Quispeta", ("Marisol", "Ines", "Liko")),
    ("Uddinah", ("Rafiq", "Asha", "Nadim")),
)
_FIRST_NUMBER, _STEP = 5_100_000_123, 6_571


@dataclass(frozen=True)
class DemoMember:
    """Somebody of a family; the first is its head."""

    name: str
    number: str
    fa: str
    phone: str


@dataclass(frozen=True)
class DemoFamily:
    """A family that is a household of a programme."""

    name: str
    members: tuple[DemoMember, ...]


def build_families() -> list[DemoFamily]:
    """Return the families; nobody else in the demo has their IDs or accounts.

    >>> families = build_families()
    >>> families[0].name, families[0].members[0].name
    ('Adomako household', 'Abena Adomako')
    >>> numbers = [one.number for each in families for one in each.members]
    >>> len(set(numbers)) == len(numbers), {len(number) for number in numbers}
    (True, {10})
    """
    families, place = [], 0
    for family, given in _FAMILIES:
        members = []
        for name in given:
            members.append(_build_member(f"{name} {family}", place))
            place += 1
        families.append(DemoFamily(f"{family} household", tuple(members)))
    return families


def _build_member(name: str, place: int) -> DemoMember:
    """Return a member: two in three are paid at a bank, the others by a wallet."""
    number = str(_FIRST_NUMBER + place * _STEP)
    phone = f"+99957{place * 7_411 % 10**6:06}"
    account = f"{410_000_000_000 + place * 90_017}"
    fa = f"account:{account}@BR0{place % 6 + 1}.DEMO"
    if place % 3 == 2:
        fa = f"mobile:{phone}@TAVO"
    return DemoMember(name, number, fa, phone)
