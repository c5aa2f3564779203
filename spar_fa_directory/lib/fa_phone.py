"""The canonical form of a phone number: E.164, if the numbering plan is known."""

import re

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberType

from .exceptions import InvalidParameter, InvalidPart
from .fa_text import BLANKS, DASHES

MOBILE = "mobile"
_MOBILE_TYPES = {PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE}
_WRITTEN = re.compile(r"\(?\+?[ (]*[0-9][0-9 ()./-]*")
#: What may separate the digits of a number.
GAPS = "-./()"
_PREFIX = re.compile(r"\+?[0-9]{1,15}")
_SIGNS = str.maketrans(
    dict.fromkeys(BLANKS, " ") | dict.fromkeys(DASHES, "-") | {"\uff0b": "+"}
)
_MIN_LOCAL_LENGTH, _LONGEST_LOCAL = 6, 15


def check_parameter(parameter: str) -> None:
    """Check the parameter of the check: empty for any number, or ``mobile``.

    :raises InvalidParameter: for anything else
    """
    if parameter not in ("", MOBILE):
        raise InvalidParameter(
            "phone_parameter", "Enter mobile, or leave the parameter empty."
        )


def read_prefixes(text: str) -> tuple[str, ...]:
    """Return the prefixes in a list such as "0917, +63 999".

    :raises InvalidParameter: when one of them cannot be the beginning of a number

    >>> read_prefixes("0917, +63 999")
    ('0917', '+63999')
    """
    pieces = re.split(r"[,;\n]", text)
    prefixes = tuple(p for piece in pieces if (p := "".join(piece.split())))
    if not all(map(_PREFIX.fullmatch, prefixes)):
        raise InvalidParameter(
            "prefixes", "Enter prefixes of numbers, separated by commas."
        )
    return prefixes


def to_e164(
    text: str, country: str, parameter: str = "", prefixes: tuple[str, ...] = ()
) -> str:
    """Return the number that ``text`` is, by the numbering plan of ``country``.

    If the country is unknown or has no numbering plan, a local number keeps its digits:
    nothing is guessed.

    :param parameter: ``mobile`` for mobile numbers only
    :param prefixes: beginnings that count as mobile, whatever the plan says
    :raises InvalidPart: with the reason

    >>> [to_e164(text, "PH") for text in ("0917 123-4567", "63 917 123 4567")]
    ['+639171234567', '+639171234567']
    >>> to_e164("0917 123-4567", "XT")
    '09171234567'
    """
    written = text.translate(_SIGNS).strip()
    if not _WRITTEN.fullmatch(written):
        raise InvalidPart("phone_signs", "Write the number alone, in digits.")
    digits = re.sub("[^0-9]", "", written)
    region = country if country in phonenumbers.SUPPORTED_REGIONS else None
    is_whole = "+" in written
    if not region and not is_whole:
        return _keep_local(digits)
    number = _parse("+" * is_whole + digits, region)
    if number is None:
        return "+" + _keep_local(digits)
    if not _has_prefix(number, region, prefixes):
        _check_number(number, region, parameter)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _keep_local(digits: str) -> str:
    if not _MIN_LOCAL_LENGTH <= len(digits) <= _LONGEST_LOCAL:
        raise _build_refusal()
    return digits


def _parse(number: str, region: str | None) -> PhoneNumber | None:
    """Return the number; None if it is of a country without a known numbering plan."""
    try:
        return phonenumbers.parse(number, region)
    except NumberParseException as error:
        is_unknown = error.error_type == NumberParseException.INVALID_COUNTRY_CODE
        if is_unknown and not region:
            return None
        raise _build_refusal() from error


def _check_number(number: PhoneNumber, region: str | None, parameter: str) -> None:
    if not phonenumbers.is_valid_number(number):
        raise _build_refusal()
    if region and not phonenumbers.is_valid_number_for_region(number, region):
        raise InvalidPart(
            "phone_country",
            "This phone number belongs to another country than the provider.",
        )
    if parameter and phonenumbers.number_type(number) not in _MOBILE_TYPES:
        raise InvalidPart("phone_mobile", "This is not a mobile number.")


def _has_prefix(
    number: PhoneNumber, region: str | None, prefixes: tuple[str, ...]
) -> bool:
    """Return whether it is a number of ``region`` that has one of ``prefixes``."""
    if not prefixes or not region:
        return False
    code = str(number.country_code)
    if number.country_code != phonenumbers.country_code_for_region(region):
        return False
    trunk = phonenumbers.ndd_prefix_for_region(region, True) or ""
    national = phonenumbers.national_significant_number(number)
    beginnings = tuple(
        prefix.removeprefix("+" + code)
        if prefix.startswith("+")
        else prefix.removeprefix(trunk)
        for prefix in prefixes
    )
    return national.startswith(beginnings) and phonenumbers.is_possible_number_for_type(
        number, PhoneNumberType.MOBILE
    )


def _build_refusal() -> InvalidPart:
    return InvalidPart("phone", "This is not a valid phone number.")
