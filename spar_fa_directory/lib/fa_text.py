"""Which texts count as equal, regardless of the kind of part.

Digits of any script are plain digits, and surrounding blanks are ignored. If gaps do
not count, the signs that people put between groups are also ignored, and lower case
equals upper case.
"""

import sys
import unicodedata

#: The gaps that also occur in templates, unlike blanks.
ASCII_GAPS = "-./"
_OTHER_GAPS = "\t./\u2044\u2212\u2215\uff0e\uff0f"


def _find_signs(*categories: str) -> str:
    signs = map(chr, range(sys.maxunicode >> 4))
    return "".join(s for s in signs if unicodedata.category(s) in categories)


BLANKS = _find_signs("Zs") + "\t"
DASHES = _find_signs("Pd") + "\u2212"
_GAPS = BLANKS + DASHES + _OTHER_GAPS
_NO_GAPS = str.maketrans("", "", _GAPS)
_ASCII_GAPS = "".join(filter(str.isascii, _GAPS)).encode()


def to_plain(text: str) -> str:
    """Return ``text`` with plain digits and composed letters, without blanks around it.

    >>> to_plain(" \u0662\u0660 \uff11\u0967a ")
    '20 11a'
    """
    if not text.isascii():
        text = unicodedata.normalize("NFC", "".join(map(_to_plain_digit, text)))
    return text.strip(BLANKS)


def _to_plain_digit(sign: str) -> str:
    return str(unicodedata.decimal(sign)) if sign.isdecimal() else sign


def remove_gaps(text: str) -> str:
    """Return ``text`` in capitals, without blanks, dashes, dots and slashes.

    >>> remove_gaps("de89 3704-0044/05.32\u201301")
    'DE8937040044053201'
    """
    if text.isascii():  # as nearly all texts: bytes take a fraction of the time
        return text.encode().translate(None, _ASCII_GAPS).decode().upper()
    return text.translate(_NO_GAPS).upper()
