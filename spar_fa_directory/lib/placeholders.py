"""Placeholders: texts that stand for a missing value.

What a program writes when it has no value (``null``, ``NaN``, ``#N/A``), a template
whose variable was never filled in (``{sub}``), a number that a spreadsheet made of
digits.
"""

import re
import unicodedata
from urllib.parse import unquote

# Words that stand for "nothing", as returned by ``_fold``.
_WORDS = frozenset(
    (
        "blank",
        "empty",
        "false",
        "inf",
        "infinity",
        "missing",
        "n/a",
        "n\\a",
        "na",
        "nan",
        "nat",
        "nil",
        "none",
        "null",
        "tba",
        "tbd",
        "undef",
        "undefined",
        "unknown",
        "\\n",
    )
)
_PHRASES = frozenset(
    (
        "n / a",
        "n a",
        "no data",
        "no value",
        "not applicable",
        "not available",
        "not set",
    )
)
# Of the words above, the spellings that programs write: a person, a bank or a town can
# be called Nan, NAN, Null or NONE.
_PROGRAM_WORDS = frozenset(
    (
        "#NA",
        "(none)",
        "(null)",
        "-NaN",
        "-nan",
        "<NA>",
        "<nil>",
        "<null>",
        "N.A.",
        "N/A",
        "NA",
        "NULL",
        "NaN",
        "NaT",
        "None",
        "\\N",
        "[null]",
        "n.a.",
        "n/a",
        "nan",
        "nil",
        "none",
        "null",
        "undefined",
    )
)
# Anywhere in a text: {sub}, {{ x }}, ${x}, <id>, <%= x %>, %(x)s, [object Object].
_VARIABLE = re.compile(
    r"\{[^{}]*\}|\$\{|\{\{|\{%|<[%?$]?[=-]?[\w .:/-]*[%?]?>|%\(\w+\)[a-z]"
    r"|\[object \w+\]",
    re.IGNORECASE,
)
# Alone: %s, %1$s, $sub, :id, %sub%, [id], __ID__.
_LONE_VARIABLE = re.compile(
    r"%(?:\d+\$)?-?\d*[sdifux@]|\$[a-z_]\w*|:[a-z_]\w*|%\w+%|\[[^\[\]]*\]|__\w+__",
    re.IGNORECASE,
)
# #N/A, #VALUE!, #DIV/0!, #¡VALOR!, #NAME?, #NV, Err:502, ####; C's -1.#IND.
_ERROR = re.compile(
    r"#[¡¿]?[^\W_][\w/ ]*[!?]|#n/?[a-z]|#GETTING_DATA|err:\d{3}|#+|-?1[.,]#\w+",
    re.IGNORECASE,
)
_POWER = re.compile(
    r"[+-]?(?:[0-9](?:[0-9]*[.,][0-9]+)?E[+-]?[0-9]{1,3}|[0-9]+E\+[0-9]{1,3})",
    re.IGNORECASE,
)
_FRACTION = re.compile(
    r"[+-]?(?:[0-9]+(?:\.0+|,0{1,2}|,0{4,})"
    r"|[0-9]{1,3}(?:([.,'])[0-9]{3})(?:\1[0-9]{3})*(?!\1)[.,]0+)"
)
# Signs of other scripts that look like the Latin letters and signs above.
_LOOKALIKES = str.maketrans(
    "АВЕКМНОРСТУХаеорсухіІΑΒΕΗΙΚΜΝΟΡΤΥΧοα٫٬−–—∕⁄",
    "ABEKMHOPCTYXaeopcyxiIABEHIKMNOPTYXoa.,---//",
)
# Texts with a digit and of these signs, as nearly all numbers and tokens: of
# placeholders, only a power and a variable with one (__1E5__) look so. All letters
# that IGNORECASE adds to A-Z are written out: that takes half of the time.
_LETTERS = "A-Za-z\u0130\u0131\u017f\u212a"
_PLAIN = re.compile(f"[{_LETTERS} @+/_-]*[0-9][0-9{_LETTERS} @+/_-]*")
_LONE_POWER = re.compile(r"__\w*[0-9]E\w*__", re.IGNORECASE)
_SIGN_OF_POWER = re.compile(r"[0-9] ?E", re.IGNORECASE)
_QUOTES = "\"'`´‘’“”«»"
_BRACKETS = "()[]<>"


def is_placeholder(text: str) -> bool:
    """Return whether ``text`` is a placeholder for an ID, a code or an address part.

    >>> [is_placeholder(t) for t in ("", " {sub} ", "undefined", "１.２３Ｅ＋１１")]
    [True, True, True, True]
    >>> [is_placeholder(t) for t in ("2007760620", "1E2A", "12.345.678-5", "nanette")]
    [False, False, False, False]
    """
    if _PLAIN.fullmatch(text):  # the common case, decided quickly
        power = _POWER.fullmatch(text.replace(" ", "")) or _LONE_POWER.fullmatch(text)
        return bool(power and _SIGN_OF_POWER.search(text))
    plain = _fold(text)
    return (
        _is_not_text(plain)
        or is_altered_number(plain)
        or _is_word_for_nothing(plain.strip(_QUOTES + " ").lower())
    )


def is_name_placeholder(text: str) -> bool:
    """Return whether ``text`` is a placeholder for a name.

    Narrower than ``is_placeholder``: a word counts only in the spelling of programs,
    because there are people, banks and towns called Nan, NAN, Null or NONE.

    >>> [is_name_placeholder(text) for text in ("NaN", "NULL", "-", "#REF!", "{name}")]
    [True, True, True, True, True]
    >>> [is_name_placeholder(text) for text in ("Nan", "NAN", "Null", "Unknown Road")]
    [False, False, False, False]
    """
    plain = _fold(text)
    bare = plain.strip(_QUOTES + " ")
    return _is_not_text(plain) or is_altered_number(plain) or bare in _PROGRAM_WORDS


def is_altered_number(text: str) -> bool:
    """Return whether ``text`` is digits that a program has converted to a number.

    Such a number is written as a power or a fraction.

    >>> [is_altered_number(t) for t in ("1.23E+11", "2007760620.0", "2,007,760.00")]
    [True, True, True]
    >>> [is_altered_number(t) for t in ("2007760620", "123.456.789.00", "5E123456")]
    [False, False, False]
    """
    plain = "".join(_fold(text).split())
    # A plus sign sent through a web form arrives as a blank.
    return bool(_POWER.fullmatch(plain) or _FRACTION.fullmatch(plain))


def _is_not_text(plain: str) -> bool:
    """Return whether it has no letters or digits, a variable or an error value."""
    return (
        not any(sign.isalnum() for sign in plain)
        or bool(_VARIABLE.search(plain) or _VARIABLE.search(unquote(plain)))
        or bool(_LONE_VARIABLE.fullmatch(plain) or _ERROR.fullmatch(plain))
    )


def _is_word_for_nothing(plain: str) -> bool:
    """Return whether every word of it stands for "nothing"."""
    bare = plain.strip(_BRACKETS + "+-.,;:!?* ") or plain
    spaced = " ".join(re.sub(r"[\s._-]+", " ", bare).split())
    return spaced in _PHRASES or all(word in _WORDS for word in spaced.split())


def _fold(text: str) -> str:
    """Return ``text`` in plain signs, without invisible ones.

    >>> _fold("\\u200b ＮＵＬＬ\\u00a0"), _fold("٢٠٠٧٫٠")
    ('NULL', '2007.0')
    """
    if text.isascii() and text.isprintable():
        return " ".join(text.split())
    plain = unicodedata.normalize("NFKC", text).translate(_LOOKALIKES)
    return " ".join("".join(map(_fold_sign, plain)).split())


def _fold_sign(sign: str) -> str:
    category = unicodedata.category(sign)
    if category == "Nd":
        return str(unicodedata.decimal(sign))
    if sign.isspace():
        return " "
    return "" if category in ("Cc", "Cf") or "\ufe00" <= sign <= "\ufe0f" else sign
