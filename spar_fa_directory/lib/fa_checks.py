"""The registry of checks that a part of an address can be given.

A check is a function `(value, parameter, country) -> None` that raises `InvalidPart`;
`country` is an ISO 3166 code or "". Another addon adds one with the decorator:

>>> @check("even", "Even number")
... def check_even(value, parameter, country):
...     if int(value) % 2:
...         raise InvalidPart("even", "The number is odd.")
>>> run_check("even", "12")
>>> del CHECKS["even"]

Patterns that people write run on a linear engine (RE2): none can run for ever.
"""

import importlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from types import ModuleType

import phonenumbers
import re2
import schwifty
import schwifty.exceptions
import stdnum.exceptions
import stdnum.luhn

from .exceptions import InvalidParameter, InvalidPart

CheckFunction = Callable[[str, str, str], None]
ParameterFunction = Callable[[str], object]

_LABEL = r"[\pL\pN](?:[\pL\pM\pN-]*[\pL\pM\pN])?"
_EMAIL = rf"[^\s@<>()\[\],;:\\\"]{{1,64}}@(?:{_LABEL}\.)+{_LABEL}"
_LOCAL_PHONE = r"\+?[0-9](?:[ ().-]{0,2}[0-9]){5,14}"
_STDNUM = re.compile(r"[a-z_][a-z0-9_]*(?:\.[a-z_][a-z0-9_]*)?")
_MOST_PATTERN_MEMORY = 8 << 20


@dataclass(frozen=True)
class Check:
    """A check: its code, its name in English, and what examines its parameter."""

    code: str
    label: str
    function: CheckFunction
    check_parameter: ParameterFunction | None


CHECKS: dict[str, Check] = {}


def check(
    code: str, label: str, check_parameter: ParameterFunction | None = None
) -> Callable[[CheckFunction], CheckFunction]:
    """Register the decorated function as the check `code`.

    `check_parameter` (for checks that take one) raises `InvalidParameter`.
    """

    def register(function: CheckFunction) -> CheckFunction:
        CHECKS[code] = Check(code, label, function, check_parameter)
        return function

    return register


def run_check(code: str, value: str, parameter: str = "", country: str = "") -> None:
    """Run one check.

    :raises InvalidPart: with a code and a text that never holds the value

    >>> run_check("luhn", "79927398713")
    >>> run_check("regex", "12a", "[0-9]+")  # doctest: +IGNORE_EXCEPTION_DETAIL
    Traceback (most recent call last):
    InvalidPart: This is not written as it should be.
    """
    CHECKS[code].function(value, parameter, country)


def check_text(value: str, code: str, parameter: str, country: str) -> None:
    """See that the text of a part is there, and passes its check where it has one.

    :param code: of the check, "" for none
    :raises InvalidPart: as `run_check`

    >>> check_text(" ", "", "", "")  # doctest: +IGNORE_EXCEPTION_DETAIL
    Traceback (most recent call last):
    InvalidPart: This is needed.
    """
    if not value.strip():
        raise InvalidPart("empty", "This is needed.")
    if code:
        run_check(code, value, parameter, country)


def run_parameter_check(code: str, parameter: str) -> None:
    """See that the check can work with its parameter.

    :raises InvalidParameter: with a code and a text
    """
    if code not in CHECKS:
        raise InvalidParameter("unknown", "There is no such check.")
    examine = CHECKS[code].check_parameter
    if examine:
        examine(parameter)
    elif parameter:
        raise InvalidParameter("needless", "This check takes no parameter.")


@lru_cache(maxsize=256)
def _compile_pattern(pattern: str) -> "re2._Regexp":
    if not pattern:
        raise InvalidParameter("pattern_missing", "Write the pattern to check with.")
    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MOST_PATTERN_MEMORY
    try:
        return re2.compile(pattern, options)
    except (re2.error, UnicodeError) as error:
        raise InvalidParameter(
            "pattern", "The pattern cannot be used: %(reason)s", reason=str(error)
        ) from error


def _matches(pattern: str, value: str) -> bool:
    try:
        return bool(_compile_pattern(pattern).fullmatch(value))
    except UnicodeError:
        return False  # half a character (lone surrogate)


@lru_cache(maxsize=64)
def _load_stdnum(name: str) -> ModuleType:
    """The python-stdnum module of that name, as `do.cedula`."""
    try:
        if not _STDNUM.fullmatch(name):
            raise ImportError(name)
        module = importlib.import_module(f"stdnum.{name}")
    except ImportError as error:
        raise InvalidParameter(
            "stdnum_unknown", "python-stdnum has no such number format."
        ) from error
    if not callable(getattr(module, "validate", None)):
        raise InvalidParameter(
            "stdnum_unknown", "python-stdnum has no such number format."
        )
    return module


@check("regex", "Pattern", check_parameter=_compile_pattern)
def _check_regex(value: str, parameter: str, country: str) -> None:
    if not _matches(parameter, value):
        raise InvalidPart("regex", "This is not written as it should be.")


@check("iban", "IBAN")
def _check_iban(value: str, parameter: str, country: str) -> None:
    try:
        schwifty.IBAN(value)
    except (schwifty.exceptions.SchwiftyException, UnicodeError) as error:
        raise InvalidPart("iban", "This is not a valid IBAN.") from error


@check("bic", "BIC")
def _check_bic(value: str, parameter: str, country: str) -> None:
    try:
        schwifty.BIC(value)
    except (schwifty.exceptions.SchwiftyException, UnicodeError) as error:
        raise InvalidPart("bic", "This is not a valid BIC.") from error


@check("luhn", "Luhn check digit")
def _check_luhn(value: str, parameter: str, country: str) -> None:
    digits = value.replace(" ", "")
    if not (digits.isascii() and digits.isdigit() and stdnum.luhn.is_valid(digits)):
        raise InvalidPart("luhn", "The number is mistyped: its check digit is wrong.")


@check("phone", "Phone number")
def _check_phone(value: str, parameter: str, country: str) -> None:
    """By the numbering plan of `country`, or of the number's own country code.

    Without a known country and without "+" only its form is seen.
    """
    region = country if country in phonenumbers.SUPPORTED_REGIONS else None
    try:
        if not region and not value.lstrip().startswith("+"):
            valid = _matches(_LOCAL_PHONE, value.strip())
        else:
            number = phonenumbers.parse(value, region)
            valid = phonenumbers.is_valid_number(number)
    except phonenumbers.NumberParseException:
        valid = False
    if not valid:
        raise InvalidPart("phone", "This is not a valid phone number.")


@check("email", "E-mail address")
def _check_email(value: str, parameter: str, country: str) -> None:
    if len(value) > 254 or not _matches(_EMAIL, value):
        raise InvalidPart("email", "This is not a valid e-mail address.")


@check("stdnum", "Number format of python-stdnum", check_parameter=_load_stdnum)
def _check_stdnum(value: str, parameter: str, country: str) -> None:
    try:
        _load_stdnum(parameter).validate(value)
    except (stdnum.exceptions.ValidationError, ValueError) as error:
        raise InvalidPart("stdnum", "This is not a valid number.") from error
