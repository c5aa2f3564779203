"""The registry of checks for the parts of a financial address.

A check is a function ``(value, parameter, country) -> str`` that returns the canonical
form of the value, which is stored and compared, or raises ``InvalidPart``; ``country``
is an ISO 3166 code or "". The canonical form passes the check again, unchanged. Another
addon adds a check with the decorator:

>>> @check("even", "Even number")
... def check_even(value, parameter, country):
...     if int(value) % 2:
...         raise InvalidPart("even", "The number is odd.")
...     return str(int(value))
>>> run_check("even", "١٢")
'12'
>>> del CHECKS["even"]

Patterns that people write run on a linear-time engine (RE2), so none can run forever.
"""

import importlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from types import ModuleType

import idna
import re2
import schwifty
import schwifty.exceptions
import stdnum.exceptions
import stdnum.luhn

from . import fa_iban, fa_phone
from .bank_registry import get_whole_bic
from .exceptions import InvalidParameter, InvalidPart
from .fa_text import ASCII_GAPS, remove_gaps, to_plain
from .placeholders import is_placeholder

CheckFunction = Callable[..., str]
ParameterFunction = Callable[[str], object]
ListGaps = Callable[[str], str]

_LABEL = r"[\pL\pN](?:[\pL\pM\pN-]*[\pL\pM\pN])?"
_EMAIL = rf"[^\s@<>()\[\],;:\\\"]{{1,64}}@(?:{_LABEL}\.)+{_LABEL}"
_MAX_EMAIL_LENGTH = 254
_STDNUM = re.compile(r"[a-z_][a-z0-9_]*(?:\.[a-z_][a-z0-9_]*)?")
_MAX_PATTERN_MEMORY = 8 << 20
#: Patterns of one class, such as [0-9A-Z]{4,34}: Python's engine never goes back in
#: them, and is called in a quarter of the time.
_ONE_CLASS = re.compile(
    r"\[(?:[0-9A-Za-z]-[0-9A-Za-z]|[0-9A-Za-z])+\](?:\{[0-9]+(?:,[0-9]*)?\}|[+*])?"
)


@dataclass(frozen=True)
class ValueCheck:
    """A check: its code, its English name, and the function that checks its parameter.

    ``takes_gaps``: the form of its values keeps the gaps that people leave in them,
    unless a part states that gaps do not count. ``takes_prefixes``: its function has a
    fourth argument, the number prefixes that a provider adds. ``names_bank``: its
    values identify the bank that they belong to. ``list_gaps``: given the parameter, it
    returns the signs between groups that are not part of the form of its values.
    """

    code: str
    label: str
    function: CheckFunction
    check_parameter: ParameterFunction | None
    takes_gaps: bool = False
    takes_prefixes: bool = False
    names_bank: bool = False
    list_gaps: ListGaps | None = None


CHECKS: dict[str, ValueCheck] = {}


def check(
    code: str,
    label: str,
    check_parameter: ParameterFunction | None = None,
    **traits: bool | ListGaps,
) -> Callable[[CheckFunction], CheckFunction]:
    """Register the decorated function as the check ``code``.

    ``check_parameter`` (for checks that take one) raises ``InvalidParameter``;
    ``traits`` are those of ``ValueCheck``.
    """

    def register(function: CheckFunction) -> CheckFunction:
        CHECKS[code] = ValueCheck(
            code,
            label,
            function,
            check_parameter,
            **traits,  # type: ignore[arg-type]
        )
        return function

    return register


def run_check(
    code: str,
    value: str,
    parameter: str = "",
    country: str = "",
    prefixes: tuple[str, ...] = (),
) -> str:
    """Run one check; return the canonical form of the value.

    :raises InvalidPart: with a code and a text that never contains the value

    >>> run_check("luhn", "7992 7398 713")
    '79927398713'
    >>> run_check("regex", "12a", "[0-9]+")  # doctest: +IGNORE_EXCEPTION_DETAIL
    Traceback (most recent call last):
    InvalidPart: This does not have the expected format.
    """
    known = CHECKS[code]
    if known.takes_prefixes:
        return known.function(to_plain(value), parameter, country, prefixes)
    return known.function(to_plain(value), parameter, country)


def check_text(
    value: str,
    code: str = "",
    parameter: str = "",
    country: str = "",
    prefixes: tuple[str, ...] = (),
    gaps_do_not_count: bool = False,
) -> str:
    """Check that the text of a part is present, and run its check if it has one.

    :param code: of the check, "" for none
    :return: the canonical form of the text
    :raises InvalidPart: like ``run_check``

    >>> check_text(" ab-12 ", gaps_do_not_count=True)
    'AB12'
    >>> check_text(" ", "", "", "")  # doctest: +IGNORE_EXCEPTION_DETAIL
    Traceback (most recent call last):
    InvalidPart: This field is required.
    """
    # Plain digits, as in nearly all account numbers, are already normalised.
    if not (value.isascii() and value.isdigit()):
        value = to_form(value, code, gaps_do_not_count)
    return run_check(code, value, parameter, country, prefixes) if code else value


def to_form(value: str, code: str, gaps_do_not_count: bool) -> str:
    """Return the normalised text of a part, before its check determines the form.

    :raises InvalidPart: when there is no text, or it is a placeholder
    """
    if not (plain := to_plain(value)):
        raise InvalidPart("empty", "This field is required.")
    if is_placeholder(plain):
        raise InvalidPart("placeholder", "This is only a placeholder for a value.")
    if not gaps_do_not_count or code and not CHECKS[code].takes_gaps:
        return plain
    if not (bare := remove_gaps(plain)):
        raise InvalidPart("empty", "This field is required.")
    return bare


def list_gaps(code: str, parameter: str, gaps_do_not_count: bool) -> str:
    """Return the signs that people put between groups of a text, not part of it.

    >>> list_gaps("", "", True), list_gaps("", "", False), list_gaps("iban", "", False)
    ('-./', '', '-./')
    """
    if not code or CHECKS[code].takes_gaps:
        return ASCII_GAPS if gaps_do_not_count else ""
    listed = CHECKS[code].list_gaps
    return listed(parameter) if listed else ""


def run_parameter_check(code: str, parameter: str) -> None:
    """Check that the check can work with its parameter.

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
        raise InvalidParameter("pattern_missing", "Enter the pattern to check with.")
    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MAX_PATTERN_MEMORY
    try:
        return re2.compile(pattern, options)
    except (re2.error, UnicodeError) as error:
        raise InvalidParameter(
            "pattern", "The pattern cannot be used: %(reason)s", reason=str(error)
        ) from error


@lru_cache(maxsize=256)
def _compile_quick(pattern: str) -> Callable[[str], object]:
    """Return the fastest function that returns whether a whole text matches.

    RE2's fastest structure also reports no match if it runs out of memory.
    """
    _compile_pattern(pattern)
    if _ONE_CLASS.fullmatch(pattern):
        return re.compile(pattern).fullmatch
    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MAX_PATTERN_MEMORY
    quick = re2.Set.FullMatchSet(options)
    quick.Add(pattern)
    quick.Compile()
    match: Callable[[str], object] = quick.Match
    return match


def matches(pattern: str, value: str) -> bool:
    """Return whether the whole of ``value`` matches the pattern."""
    try:
        if _compile_quick(pattern)(value):
            return True
        return bool(_compile_pattern(pattern).fullmatch(value))
    except (UnicodeError, re2.error):
        return False  # half a character (lone surrogate)


@lru_cache(maxsize=64)
def _load_stdnum(name: str) -> ModuleType:
    """Return the python-stdnum module of that name, such as ``do.cedula``."""
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


@check("regex", "Pattern", check_parameter=_compile_pattern, takes_gaps=True)
def _check_regex(value: str, parameter: str, country: str) -> str:
    if not matches(parameter, value):
        raise InvalidPart("regex", "This does not have the expected format.")
    return value


def _list_all(parameter: str) -> str:
    return ASCII_GAPS


def _list_compact(parameter: str) -> str:
    """Return the signs that python-stdnum removes from its numbers."""
    try:
        compact = getattr(_load_stdnum(parameter), "compact", remove_gaps)
        plain = compact("123456")
        return "".join(s for s in ASCII_GAPS if compact(f"12{s}34{s}56") == plain)
    except (InvalidParameter, stdnum.exceptions.ValidationError, ValueError):
        return ""


@check("iban", "IBAN", names_bank=True, list_gaps=_list_all)
def _check_iban(value: str, parameter: str, country: str) -> str:
    return str(fa_iban.read_iban(value))


@check(
    "bban", "Account number of an IBAN country", names_bank=True, list_gaps=_list_all
)
def _check_bban(value: str, parameter: str, country: str) -> str:
    return fa_iban.read_national(value, country)


@check("bic", "BIC", list_gaps=_list_all)
def _check_bic(value: str, parameter: str, country: str) -> str:
    """Return the BIC with its branch, which is the head office's if it names none."""
    try:
        return get_whole_bic(str(schwifty.BIC(remove_gaps(value))))
    except (schwifty.exceptions.SchwiftyException, UnicodeError) as error:
        raise InvalidPart("bic", "This is not a valid BIC.") from error


@check("luhn", "Luhn check digit", list_gaps=_list_all)
def _check_luhn(value: str, parameter: str, country: str) -> str:
    digits = remove_gaps(value)
    if not (digits.isascii() and digits.isdigit() and stdnum.luhn.is_valid(digits)):
        raise InvalidPart("luhn", "The number is mistyped: its check digit is wrong.")
    return digits


@check(
    "phone",
    "Phone number",
    check_parameter=fa_phone.check_parameter,
    takes_prefixes=True,
    list_gaps=lambda parameter: fa_phone.GAPS,
)
def _check_phone(
    value: str, parameter: str, country: str, prefixes: tuple[str, ...]
) -> str:
    return fa_phone.to_e164(value, country, parameter, prefixes)


@check("email", "E-mail address")
def _check_email(value: str, parameter: str, country: str) -> str:
    """Return the address in lower case, its host as used on the network."""
    folded = value.casefold()
    if len(value) > _MAX_EMAIL_LENGTH or not matches(_EMAIL, folded):
        raise InvalidPart("email", "This is not a valid e-mail address.")
    local, _at, host = folded.rpartition("@")
    if host.isascii():
        return folded
    try:
        return f"{local}@{idna.encode(host, uts46=True).decode()}"
    except idna.IDNAError as error:
        raise InvalidPart("email", "This is not a valid e-mail address.") from error


@check(
    "stdnum",
    "Number format of python-stdnum",
    check_parameter=_load_stdnum,
    list_gaps=_list_compact,
)
def _check_stdnum(value: str, parameter: str, country: str) -> str:
    """Return python-stdnum's form of the value, or the value without gaps."""
    module = _load_stdnum(parameter)
    compact = getattr(module, "compact", remove_gaps)
    try:
        number = compact(value)
        module.validate(number)
    except (stdnum.exceptions.ValidationError, ValueError) as error:
        raise InvalidPart("stdnum", "This is not a valid number.") from error
    return number
