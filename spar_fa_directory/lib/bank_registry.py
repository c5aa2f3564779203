"""The banks of a country, as listed in the registry of ``schwifty``."""

import re
import unicodedata
from typing import TYPE_CHECKING, NamedTuple

import schwifty
import schwifty.exceptions
from schwifty import registry

from .fa_text import remove_gaps

if TYPE_CHECKING:
    from schwifty.domain import Bank

_MIN_NAME_LENGTH = 2
_WRONGLY_READ = re.compile("[\x80-\x9f]")
#: The branch code in the BIC of a head office, which may be omitted.
HEAD_OFFICE = "X" * 3
_WITHOUT_BRANCH = 8  # characters of a BIC without a branch


class KnownBank(NamedTuple):
    """A bank of the registry; ``code`` consists of the country and the bank's own code.

    ``bic`` is "" if the registry has none, or none that is valid.
    """

    code: str
    name: str
    bic: str


class LeftOut(NamedTuple):
    """An entry that cannot be loaded: ``reason`` is "duplicate" or "nameless"."""

    name: str
    reason: str


def get_countries() -> list[str]:
    """Return the ISO 3166 codes of the countries whose banks are in the registry.

    >>> "FR" in get_countries()
    True
    """
    return sorted(registry.get_countries())


def get_banks(country: str) -> tuple[list[KnownBank], list[LeftOut]]:
    """Return the banks of a country, each code once, and the entries left out.

    National bank codes are short numbers that other countries use too, so a code begins
    with the country; an entry without one is identified by its BIC. If several entries
    share a code (the branches of one bank), the entry that the registry marks as
    primary is used for all of them.

    >>> banks, left_out = get_banks("EE")
    >>> banks[0]
    KnownBank(code='EE-00', name='AS TBB pank', bic='TABUEE22')
    """
    known: dict[str, KnownBank] = {}
    left_out = []
    entries = registry.get_banks_by_country(country)
    for entry in sorted(entries, key=lambda entry: not entry.primary):
        bank = _read_entry(country, entry)
        if len(bank.name) < _MIN_NAME_LENGTH or not bank.code:
            left_out.append(LeftOut(bank.name or bank.code, "nameless"))
        elif bank.code in known:
            left_out.append(LeftOut(bank.name, "duplicate"))
        else:
            known[bank.code] = bank
    return list(known.values()), left_out


def _read_entry(country: str, entry: "Bank") -> KnownBank:
    bic = _clean_bic(entry.bic or "")
    code = f"{country}-{entry.bank_code}" if entry.bank_code else bic
    name = unicodedata.normalize(
        "NFC", " ".join(_correct_name(entry.name or "").split())
    )
    return KnownBank(code.replace(" ", ""), name, bic)


def _correct_name(name: str) -> str:
    """Return a name with its letters repaired: the registry has some decoded wrongly.

    >>> _correct_name("\x8aKOFJA LOKA"), _correct_name("Crédit")
    ('ŠKOFJA LOKA', 'Crédit')
    """
    if not _WRONGLY_READ.search(name):
        return name
    return name.encode("latin-1", "replace").decode("cp1250", "replace")


def _clean_bic(bic: str) -> str:
    try:
        return str(schwifty.BIC(bic)) if bic else ""
    except schwifty.exceptions.SchwiftyException:
        return ""


def get_whole_bic(bic: str) -> str:
    """Return a BIC with its branch, which is the head office's if it names none.

    >>> get_whole_bic("tabu ee 22") == get_whole_bic("TABUEE22" + HEAD_OFFICE)
    True
    """
    bic = remove_gaps(bic)
    return bic + HEAD_OFFICE if len(bic) == _WITHOUT_BRANCH else bic
