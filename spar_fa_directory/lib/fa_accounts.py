"""What is not an account number (cards, IDs, words), and a provider's own rules."""

import re
from collections.abc import Iterable
from typing import NamedTuple, Protocol

import stdnum.luhn

from . import fa_iban
from .exceptions import InvalidPart
from .fa_checks import matches, run_check
from .fa_text import remove_gaps, to_plain

# The prefixes of payment card numbers, and how many digits follow.
_CARD = re.compile(
    r"4(?:[0-9]{12}|[0-9]{15}|[0-9]{18})"  # Visa
    r"|5[1-5][0-9]{14}"  # Mastercard
    r"|(?:222[1-9]|22[3-9][0-9]|2[3-6][0-9]{2}|27[01][0-9]|2720)[0-9]{12}"
    r"|220[0-4][0-9]{12,15}"  # Mir
    r"|3[47][0-9]{13}"  # American Express
    r"|3(?:0[0-59]|[689][0-9])[0-9]{11,16}"  # Diners Club
    r"|35(?:2[89]|[3-8][0-9])[0-9]{12,15}"  # JCB
    r"|9792[0-9]{12}"  # Troy
    # Discover, Elo, Maestro, RuPay, UnionPay, Verve
    r"|(?:50|5[6-9]|6[0-9]|8[12])[0-9]{14,17}"
)
_MASKED = re.compile(r"X{4}")


class ProviderRule(NamedTuple):
    """The format of a provider's account numbers; empty where it states no rule."""

    pattern: str = ""
    shortest: int = 0
    longest: int = 0
    check_code: str = ""
    check_parameter: str = ""


class BankNames(Protocol):
    """What distinguishes a provider from others inside IBANs; a ``Holder`` has it."""

    @property
    def country(self) -> str:
        """Return the ISO 3166 code of its country, "" if it is unknown."""

    @property
    def bic(self) -> str:
        """Return its BIC, "" if it is unknown."""

    @property
    def bank_codes(self) -> tuple[str, ...]:
        """Return its codes in the registry of banks."""


class Bank(NamedTuple):
    """The same alone, without a provider of the directory."""

    country: str = ""
    bic: str = ""
    bank_codes: tuple[str, ...] = ()


NO_RULE = ProviderRule()


def check_account(number: str, rule: ProviderRule, bank: BankNames) -> None:
    """Check that an account number, in its canonical form, can belong to a provider.

    A number that is rejected elsewhere is accepted if the provider's own pattern allows
    it.

    :raises InvalidPart: with the reason

    >>> check_account("12345678", NO_RULE, Bank())
    >>> check_account("4111111111111111", ProviderRule("[0-9]{16}"), Bank())
    >>> check_account("4111111111111111", NO_RULE, Bank())
    ... # doctest: +IGNORE_EXCEPTION_DETAIL
    Traceback (most recent call last):
    InvalidPart: This is the number of a payment card.
    """
    if rule is not NO_RULE:
        _check_rule(number, rule, bank.country)
    if iban := fa_iban.find_iban(number):
        fa_iban.check_bank(iban, bank.country, bank.bic, bank.bank_codes)
    elif not rule.pattern:
        _check_foreign(number)


def _check_rule(number: str, rule: ProviderRule, country: str) -> None:
    if rule.pattern and not matches(rule.pattern, number):
        raise InvalidPart(
            "account_pattern", "Account numbers of this provider look different."
        )
    if len(number) < rule.shortest or 0 < rule.longest < len(number):
        raise InvalidPart(
            "account_length",
            "Account numbers of this provider are longer or shorter than this.",
        )
    if rule.check_code:
        run_check(rule.check_code, number, rule.check_parameter, country)


def _check_foreign(number: str) -> None:
    """Raise if the number is something that people enter for an account number."""
    if is_card(number):
        raise InvalidPart("card", "This is the number of a payment card.")
    is_one_sign = number.count(number[0]) == len(number)
    if is_one_sign or not number.isdigit() and _is_word(number):
        raise InvalidPart("no_account", "This is not an account number.")


def _is_word(text: str) -> bool:
    return not any(map(str.isdigit, text)) or bool(_MASKED.search(text))


def is_card(number: str) -> bool:
    """Return whether digits are the number of a payment card.

    >>> is_card("4111111111111111"), is_card("4111111111111112")
    (True, False)
    """
    return (
        12 < len(number) < 20
        and bool(_CARD.fullmatch(number))
        and stdnum.luhn.is_valid(number)
    )


def is_own_id(number: str, ids: Iterable[str]) -> bool:
    """Return whether an account number is one of a person's IDs, typed or on the wire.

    >>> is_own_id("2007816053", ["token:2007 816 053@nationalId"])
    True
    """
    for text in ids:  # a loop, as it runs for each item of a batch
        if _is_number_of(text, number):
            return True
    return False


def _is_number_of(text: str, number: str) -> bool:
    plain = to_plain(text)
    whole = remove_gaps(plain)
    # The value is a part of the text: most numbers are settled by this alone.
    if number not in whole:
        return False
    before, at, _after = plain.rpartition("@")
    value = (before if at else plain).rpartition(":")[2]
    return number in (whole, remove_gaps(value))
