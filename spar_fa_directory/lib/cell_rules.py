"""What a cell may not contain, whether it is from a file, a form or Odoo's importer.

A spreadsheet silently converts codes and names into other things: a number without its
leading zeros, a date, a power, an error. The original value cannot be recovered, so the
cell is rejected with the reason.
"""

import re
import unicodedata
from functools import lru_cache

from babel import Locale

from .placeholders import is_altered_number, is_name_placeholder, is_placeholder

MAX_CHARACTERS = 250
#: The word that empties a field, because an empty cell leaves it unchanged.
EMPTIED = "(none)"
_JOINERS = "\u200c\u200d"
_UNDECODED = re.compile("[\udc80-\udcff\ufffd]")
_CONTROL = re.compile("[\0-\x1f\x7f-\x9f]")
# ="00123": how programs keep a spreadsheet from converting a text to a number.
_WRAPPED = re.compile(r'=\s*"((?:[^"]|"")*)"')
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_THOUSANDS = re.compile(r"[0-9]{1,3}(?:[,'’][0-9]{2,3})*[,'’][0-9]{3}(?:\.[0-9]+)?")
_YEAR = r"(?:1[89]|20|21)[0-9]{2}"
_DATE = re.compile(
    rf"{_YEAR}([-/.])[0-9]{{1,2}}\1[0-9]{{1,2}}|[0-9]{{1,2}}([-/.])[0-9]{{1,2}}\2{_YEAR}"
    r"|(?:0?[1-9]|[12][0-9]|3[01])/(?:0?[1-9]|[12][0-9]|3[01])/[0-9]{2}"
)
_HOUR = re.compile(
    r"[T ]+[0-9]{1,2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?( ?[AP]M|Z)?$", re.I
)
_DAY_MONTH = re.compile(
    r"[0-9]{1,2}\.?[- /]([^\W\d_]+)\.?(?:[- /](?:[0-9]{2}|[0-9]{4}))?"
)
_MONTH_YEAR = re.compile(r"([^\W\d_]+)\.?[- /]([0-9]{2}|[0-9]{4})")
# A fast path: names that cannot match any of the patterns above.
_CLEAR_NAME = re.compile(r"[^\W\d_]{3}[^\W\d_]*[ ,.&()'-][\w ,.&()'/-]{7,}")
_LANGUAGES = (
    "en",
    "fr",
    "es",
    "pt",
    "de",
    "it",
    "nl",
    "id",
    "ms",
    "sw",
    "tr",
    "ru",
    "ar",
)


def clean_text(text: str) -> str:
    """Return a text without invisible characters and without spreadsheet quoting.

    Format characters are removed, except the joiners that some scripts need. So are the
    apostrophe that a spreadsheet puts before a text, and the formula around one.

    >>> clean_text("  Main\\u200f  \\n Street "), clean_text('="00123"')
    ('Main Street', '00123')
    >>> clean_text("'0044"), clean_text("'s-Gravenhage"), clean_text("'=1+1")
    ('0044', "'s-Gravenhage", '=1+1')
    """
    if not (text.isascii() and text.isprintable()):
        text = unicodedata.normalize("NFC", text)
        text = "".join(
            sign
            for sign in text
            if unicodedata.category(sign) != "Cf" or sign in _JOINERS
        )
    text = " ".join(text.split())
    if text.startswith(("'", "=")):
        text = _unwrap(text)
    return text


def clean_code(text: str) -> str:
    """Return a code as it is stored, without a leading apostrophe.

    >>> clean_code("'A44"), clean_code("\\u200dBR01"), clean_code('="0044"')
    ('A44', 'BR01', '0044')
    """
    text = clean_text(text.translate(dict.fromkeys(map(ord, _JOINERS))))
    return text[1:].strip() if text.startswith("'") else text


def _unwrap(text: str) -> str:
    if text[:1] == "'" and (text[1:].startswith(_FORMULA) or text[1:2].isdigit()):
        text = text[1:]
    if wrapped := _WRAPPED.fullmatch(text):
        return wrapped[1].replace('""', '"').strip()
    return text


def find_text_problem(text: str) -> str:
    """Return the problem of any text, as a code; "" if there is none.

    >>> find_text_problem("Orl\\udce9ans"), find_text_problem("x" * 251)
    ('encoding', 'too_long')
    """
    if _UNDECODED.search(text):
        return "encoding"
    if len(text) > MAX_CHARACTERS:
        return "too_long"
    return "control" if _CONTROL.search(text) else ""


def find_name_problem(text: str) -> str:
    """Return the problem of a name, as a code; "" if there is none.

    >>> [find_name_problem(t) for t in ("1001.0", "02-Mar", "1,003", "NULL", "=A1+B1")]
    ['fraction', 'date', 'thousands', 'placeholder', 'formula']
    >>> [find_name_problem(t) for t in ("Nan", "6 October", "7", "Market Square")]
    ['', '', '', '']
    """
    if problem := find_text_problem(text):
        return problem
    if _CLEAR_NAME.fullmatch(text):
        return ""
    if _is_date(text, is_name=True):
        return "date"
    return _find_number_problem(text) or (
        "placeholder" if is_name_placeholder(text) else ""
    )


def find_code_problem(text: str) -> str:
    """Return the problem of a code, as a code; "" if there is none.

    >>> [find_code_problem(t) for t in ("A 1", "1.23E+15", "2-mars-24", "#N/A", "café")]
    ['space', 'number', 'date', 'placeholder', 'signs']
    >>> [find_code_problem(t) for t in ("BR01", "00123", "30-12-45", "MAR-02", "tb.n")]
    ['', '', '', '', '']
    """
    if problem := find_text_problem(text):
        return problem
    if text.isascii() and text.isdigit():
        return ""
    if _is_date(text, is_name=False):
        return "date"
    if problem := _find_number_problem(text):
        return problem
    if is_placeholder(text):
        return "placeholder"
    if " " in text:
        return "space"
    return "" if text.isascii() and text.isprintable() else "signs"


def _find_number_problem(text: str) -> str:
    """Return how a spreadsheet has made a number or formula of the text, as a code."""
    if text.startswith("="):
        return "formula"
    if not any(map(str.isdigit, text)):
        return ""
    if is_altered_number(text):
        return "number" if "E" in text.upper() else "fraction"
    return "thousands" if _THOUSANDS.fullmatch(text) else ""


def _is_date(text: str, *, is_name: bool) -> bool:
    """Return whether the text is a date as a spreadsheet or a program writes it.

    A place can be called *6 October*, so only a date with dashes counts in a name; a
    code can be MAR-02, which a spreadsheet would write as Mar-02.
    """
    if not any(map(str.isdigit, text)):
        return False
    day = _HOUR.sub("", text)
    if _DATE.fullmatch(day):
        return True
    if is_name and " " in day:
        return False
    if match := _DAY_MONTH.fullmatch(day):
        return _is_month(match[1])
    match = _MONTH_YEAR.fullmatch(day)
    return bool(match and not match[1].isupper() and _is_month(match[1]))


def _is_month(word: str) -> bool:
    return word.lower().rstrip(".") in _get_months()


@lru_cache(maxsize=1)
def _get_months() -> frozenset[str]:
    """Return the months' names, short and long, in common spreadsheet languages."""
    return frozenset(
        name.lower().rstrip(".")
        for language in _LANGUAGES
        for context in ("format", "stand-alone")
        for width in ("abbreviated", "wide")
        for name in Locale(language).months[context][width].values()
    ) | {"sept", "mrz"}
