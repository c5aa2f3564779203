"""IBANs: which bank one belongs to, and what numbers look like inside a country's."""

import re
from functools import lru_cache
from typing import TYPE_CHECKING

import schwifty
from schwifty import registry
from schwifty.exceptions import SchwiftyException

from .exceptions import InvalidPart
from .fa_text import remove_gaps

if TYPE_CHECKING:
    from schwifty.domain import IBANSpec

# The length of the BIC's prefix that identifies the bank and its country.
_INSTITUTION = 6
_PIECE = re.compile(r"(\d+)!?([nace])")
_CLASSES = {"n": "[0-9]", "a": "[A-Z]", "c": "[0-9A-Z]", "e": " "}
# Territories whose banks use the IBANs of another country.
_ISSUERS = {
    place: issuer
    for issuer, places in {
        "FI": "AX",
        "FR": "BL GF GP MF MQ NC PF PM RE TF WF YT",
        "GB": "GG IM JE",
        "NO": "SJ",
    }.items()
    for place in places.split()
}


def read_iban(text: str) -> schwifty.IBAN:
    """Return the IBAN that a text represents, however it is grouped.

    :raises InvalidPart: when it is not an IBAN

    >>> str(read_iban("de89 3704-0044.0532 0130 00"))
    'DE89370400440532013000'
    """
    try:
        return schwifty.IBAN(remove_gaps(text))
    except (SchwiftyException, UnicodeError) as error:
        raise InvalidPart("iban", "This is not a valid IBAN.") from error


def find_iban(number: str) -> schwifty.IBAN | None:
    """Return the IBAN that an account number without gaps is; None for other numbers.

    :raises InvalidPart: when it looks like an IBAN, but its check digits are wrong

    >>> find_iban("12345678") is find_iban("GB12345678") is None
    True
    """
    if not (number[:2].isalpha() and number[2:4].isdigit()):
        return None
    spec = _get_spec(number[:2])
    if spec is None or len(number) != spec.iban_length:
        return None
    return read_iban(number) if spec.regex.fullmatch(number[4:]) else None


@lru_cache(maxsize=512)
def _get_spec(country: str) -> "IBANSpec | None":
    try:
        return registry.get_iban_spec(country)
    except SchwiftyException:
        return None


def check_bank(
    iban: schwifty.IBAN, country: str, bic: str, bank_codes: tuple[str, ...]
) -> None:
    """Check that an IBAN belongs to a bank.

    If the registry does not list both, only their countries must match.

    :param country: of the bank, "" if it is unknown
    :param bic: of the bank
    :param bank_codes: of the bank in the registry, such as "FR-30004"
    :raises InvalidPart: when it belongs to another bank or country

    >>> check_bank(read_iban("DE89370400440532013000"), "DE", "COBADEFFXXX", ())
    """
    issuer = _ISSUERS.get(country, country)
    codes, institutions = _get_names(iban)
    own_codes = {c for c in bank_codes if c.startswith(f"{iban.country_code}-")}
    own_institutions = {bic[:_INSTITUTION].upper()} if bic else set()
    if codes & own_codes or institutions & own_institutions:
        return
    if issuer and iban.country_code != issuer:
        raise InvalidPart("iban_country", "This IBAN belongs to another country.")
    if codes and own_codes or institutions and own_institutions:
        raise InvalidPart("iban_bank", "This IBAN belongs to another bank.")


def _get_names(iban: schwifty.IBAN) -> tuple[set[str], set[str]]:
    """Return the registry's names for the bank of an IBAN: its codes, and its BICs'."""
    if not (bank := iban.bank):
        return set(), set()
    entries = registry.get_banks_by_code(iban.country_code, bank.bank_code)
    institutions = {entry.bic[:_INSTITUTION] for entry in entries if entry.bic}
    return {f"{iban.country_code}-{bank.bank_code}"}, institutions


def read_national(text: str, country: str) -> str:
    """Return a number as the banks of an IBAN country write it.

    It is an IBAN, the part of one after its check digits (which completes it to one),
    or the account's own number inside it.

    :raises InvalidPart: for any other text

    >>> read_national("370400440532013000", "DE"), read_national("0532013000", "DE")
    ('DE89370400440532013000', '0532013000')
    """
    number, issuer = remove_gaps(text), _ISSUERS.get(country, country)
    spec = _get_spec(issuer)
    if spec is None:
        return str(read_iban(number))
    if number.startswith(issuer) and (iban := find_iban(number)):
        return str(iban)
    if len(number) == spec.bban_length and spec.regex.fullmatch(number):
        return str(schwifty.IBAN.from_bban(issuer, number))
    if not _compile_account(issuer).fullmatch(number):
        raise InvalidPart("bban", "Account numbers of this country look different.")
    return number


@lru_cache(maxsize=256)
def _compile_account(country: str) -> re.Pattern[str]:
    """Return the pattern of the account's own number inside a country's IBANs."""
    spec = registry.get_iban_spec(country)
    signs = [
        _CLASSES[kind]
        for count, kind in _PIECE.findall(spec.bban_spec)
        for _ in range(int(count))
    ]
    places = next(r for part, r in spec.positions.items() if part == "account_code")
    return re.compile("".join(signs[places.start : places.end]) or "(?!)")
