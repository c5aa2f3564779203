"""The keys by which people are found by a name, however it is written.

A key is what spellings of one word share: the consonants of its Latin transliteration.
Arabic writes few vowels, accents are often left out, and the same sound is written in
several ways, so that one person is *Mohammed*, *Muhamad* and محمد.
"""

import re
import unicodedata

from anyascii import anyascii

#: Letters that are written for one sound; the longer ones first.
_SOUNDS = (
    ("dj", "j"),
    ("ph", "f"),
    ("kh", "k"),
    ("gh", "g"),
    ("sh", "s"),
    ("ch", "x"),
    ("th", "t"),
    ("dh", "d"),
    ("bh", "b"),
    ("ck", "k"),
    ("q", "k"),
    ("c", "k"),
)
_ARTICLES = {"al", "el", "ul"}
#: The article of an Arabic word, which Latin script writes apart.
_ARABIC_ARTICLE = re.compile(r"\bال(?=\w{3})")
_WORD = re.compile(r"[a-z]+")
_DOUBLE = re.compile(r"(.)\1+")
_VOWELS = re.compile(r"[aeiouwy]")
#: What stands between letters of one word: apostrophes, and the sign of a glottal stop.
_WITHIN = re.compile(r"['`]")
#: What begins the key of a fact, so that no word of a name is taken for it.
YEAR, _PLACE = "y:", "p:"
#: The first year that may be one of birth; the last is that of the caller's day.
FIRST_YEAR = 1880


def get_name_keys(name: str) -> frozenset[str]:
    """Return the keys of the words of a name, in no order.

    >>> sorted(get_name_keys("José María"))
    ['js', 'mr']
    >>> get_name_keys("Muhammad") == get_name_keys("محمد") == get_name_keys("मोहम्मद")
    True
    >>> get_name_keys("Maria Jose") == get_name_keys("JOSÉ, María")
    True
    >>> get_name_keys("O'Brien") == get_name_keys("OBrien")
    True
    >>> get_name_keys("Abd al-Rahman") == get_name_keys("عبد الرحمن")
    True
    >>> sorted(get_name_keys(" 12 "))
    []
    """
    return frozenset(_get_key(word) for word in _split(name))


def get_fact_keys(year: int | None = None, place: str = "") -> frozenset[str]:
    """Return the keys of a year of birth and of a place.

    >>> sorted(get_fact_keys(1980, "São Paulo"))
    ['p:pl', 'p:s', 'y:1980']
    >>> get_fact_keys()
    frozenset()
    """
    keys = {f"{_PLACE}{_get_key(word)}" for word in _split(place)}
    return frozenset(keys | ({f"{YEAR}{year}"} if year else set()))


def _split(text: str) -> list[str]:
    """Return the words of a text in small Latin letters, without articles."""
    composed = unicodedata.normalize("NFKC", text)
    latin = anyascii(_ARABIC_ARTICLE.sub("", composed)).casefold()
    words = _WORD.findall(_WITHIN.sub("", latin))
    return [word for word in words if word not in _ARTICLES] or words


def _get_key(word: str) -> str:
    """Return what spellings of a word share; the word itself if that is nothing.

    >>> [_get_key(word) for word in ("khadija", "khdyjh", "fatima", "phatima", "ea")]
    ['kdj', 'kdj', 'ftm', 'ftm', 'ea']
    """
    key = word
    for letters, sound in _SOUNDS:
        key = key.replace(letters, sound)
    key = _VOWELS.sub("", _DOUBLE.sub(r"\1", key))
    if len(key) > 1:
        key = key.removesuffix("h")
    return key or word
