"""Guessing the encoding of a file from its bytes.

A guess comes with its evidence: if two encodings read the same bytes as different
words, a person is asked, and sees what each of them makes of the file.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO, NamedTuple

import chardet

#: The encodings that are offered, the most common first.
ENCODINGS = {
    "utf-8": "UTF-8",
    "utf-16-le": "UTF-16 (little-endian)",
    "utf-16-be": "UTF-16 (big-endian)",
    "cp1252": "Western European (Windows-1252)",
    "mac-roman": "Western European (Mac Roman)",
    "cp850": "Western European (DOS 850)",
    "cp437": "Western European (DOS 437)",
    "iso8859-15": "Western European (ISO 8859-15)",
    "cp1250": "Central European (Windows-1250)",
    "iso8859-2": "Central European (ISO 8859-2)",
    "cp852": "Central European (DOS 852)",
    "mac-latin2": "Central European (Mac)",
    "cp1257": "Baltic (Windows-1257)",
    "cp1251": "Cyrillic (Windows-1251)",
    "koi8-u": "Cyrillic (KOI8-U)",
    "cp866": "Cyrillic (DOS 866)",
    "iso8859-5": "Cyrillic (ISO 8859-5)",
    "mac-cyrillic": "Cyrillic (Mac)",
    "cp1256": "Arabic (Windows-1256)",
    "iso8859-6": "Arabic (ISO 8859-6)",
    "cp720": "Arabic (DOS 720)",
    "mac-arabic": "Arabic (Mac)",
    "cp1253": "Greek (Windows-1253)",
    "iso8859-7": "Greek (ISO 8859-7)",
    "cp1254": "Turkish (Windows-1254)",
    "iso8859-9": "Turkish (ISO 8859-9)",
    "cp857": "Turkish (DOS 857)",
    "mac-turkish": "Turkish (Mac)",
    "cp1255": "Hebrew (Windows-1255)",
    "iso8859-8": "Hebrew (ISO 8859-8)",
    "cp1258": "Vietnamese (Windows-1258)",
    "cp874": "Thai (Windows-874)",
    "gb18030": "Simplified Chinese (GB 18030)",
    "big5hkscs": "Traditional Chinese (Big5)",
    "cp932": "Japanese (Shift JIS)",
    "cp949": "Korean (Windows-949)",
}
_MARKS = {
    b"\xef\xbb\xbf": "utf-8",
    b"\xff\xfe": "utf-16-le",
    b"\xfe\xff": "utf-16-be",
}
# The encodings that programs still write: a guess among these that has no rival needs
# no confirmation.
_USUAL = ("cp1250", "cp1251", "cp1252", "cp1253", "cp1254", "cp1255", "cp1256")
_UNDECODED = re.compile("[\udc80-\udcff\ufffd]")
_WORD = re.compile(r'[^\s,;|"]*[^\x00-\x7f][^\s,;|"]*')
_NEVER_ALONE = "ñûîôúùüìíêëïßýÿãõâäçËÑÛÎÔÚÙÜÌÍÊËÏÝŸÃÕÂÄÇ"
_RUN = re.compile(r"[^\W\d_]+")
# The letters of languages beyond plain ones: a text whose letters are all in one of
# these alphabets is more likely than one that mixes them.
_ALPHABETS = tuple(
    map(
        set,
        (
            "àâæçéèêëîïôœùûüÿ",
            "áéíñóúü",
            "áâãàçéêíóôõúü",
            "äöüßé",
            "àèéìíîòóùú",
            "åäöæøéü",
            "áðéíóúýþæö",
            "àçéèíïóòúü",
            "ąćęłńóśźż",
            "áäčďéěíľňóôřšťúůýž",
            "áéíóöőúüű",
            "ăâîşţșț",
            "čćđšž",
            "âçğıiîöşüû\u0307",
            "ąčęėįšųūž",
            "āčēģīķļņšūž",
            "äõöüšž",
        ),
    )
)
_MAX_BYTES = 1 << 16  # of the lines that are examined
_MAX_WORDS = 500
_BLOCK = 1 << 20
_READINGS = 8
_SURE, _RIVAL = 0.9, 0.9
_MIN_CONFIDENCE = 0.1  # chardet's confidence in a few words is no more than noise


class EncodingReading(NamedTuple):
    """What an encoding makes of a file: its words with special letters.

    ``rate`` is the proportion of them that look like words, from 0 to 1; it is halved
    if no language has all its letters.
    """

    encoding: str
    rate: float
    text: str


@dataclass(frozen=True)
class EncodingGuess:
    """An encoding, whether it is certain, and how others read the same bytes."""

    encoding: str
    sure: bool = True
    readings: tuple[EncodingReading, ...] = ()


def guess_encoding(sample: bytes) -> str:
    """Return the encoding of a file that begins with ``sample``.

    It is UTF-8 if enough of the non-ASCII bytes are valid UTF-8, so that a single
    spoilt row does not change the letters of all others.

    >>> guess_encoding("Łódź".encode()), guess_encoding("Łódź".encode("utf-16"))
    ('utf-8', 'utf-16-le')
    >>> guess_encoding("name,Société Générale d'Orléans".encode("cp1252"))
    'cp1252'
    """
    return guess_bytes(sample).encoding


def guess_stream(stream: BinaryIO) -> EncodingGuess:
    """Guess the encoding of a whole file, from its lines with special letters.

    >>> import io
    >>> late = b"plain,1\\n" * 200_000 + "Orléans,2".encode("cp1252")
    >>> guess_stream(io.BytesIO(late)).encoding
    'cp1252'
    """
    stream.seek(0)
    head = stream.read(_BLOCK)
    if _find_utf_16(head):
        return guess_bytes(head)
    stream.seek(0)
    return guess_bytes(b"".join(_take_special(stream)) or head[:1])


def _take_special(stream: BinaryIO) -> Iterator[bytes]:
    """Yield the lines with non-ASCII bytes, until there are enough."""
    taken = 0
    while taken < _MAX_BYTES and (block := stream.read(_BLOCK)):
        block += stream.readline(_BLOCK)
        if block.isascii():
            continue
        for line in block.splitlines(keepends=True):
            if not line.isascii() and taken < _MAX_BYTES:
                taken += len(line)
                yield line


def guess_bytes(sample: bytes) -> EncodingGuess:
    """Guess the encoding of bytes.

    >>> guess_bytes(b"plain").sure
    True
    >>> guess = guess_bytes("name,Société Générale,Orléans".encode("mac-roman"))
    >>> guess.encoding, guess.sure, guess.readings[0].text
    ('mac-roman', False, 'Société, Générale, Orléans')
    """
    for mark, encoding in _MARKS.items():
        if sample.startswith(mark):
            return EncodingGuess(encoding)
    if encoding := _find_utf_16(sample):
        return EncodingGuess(encoding)
    text = sample.decode(errors="surrogateescape")
    spoilt = len(_UNDECODED.findall(text))
    # Undecodable bytes are non-ASCII signs themselves, hence the factor of two.
    if sum(not sign.isascii() for sign in text) >= 2 * spoilt:
        return EncodingGuess("utf-8")
    return _guess_code_page(sample)


def _find_utf_16(sample: bytes) -> str:
    """Return the UTF-16 variant of a text without a mark, from its zeros; else "".

    >>> _find_utf_16("name,code".encode("utf-16-be")), _find_utf_16(b"name")
    ('utf-16-be', '')
    """
    for mark in ("utf-16-le", "utf-16-be"):
        if sample.startswith("\ufeff".encode(mark)):
            return mark
    half = min(len(sample), 4000) // 2
    even, odd = sample[: 2 * half : 2].count(0), sample[1 : 2 * half : 2].count(0)
    if half < 2 or max(even, odd) < 0.4 * half or min(even, odd) > 0.1 * half:
        return ""
    return "utf-16-le" if odd > even else "utf-16-be"


def _guess_code_page(sample: bytes) -> EncodingGuess:
    readings = _read_all(sample[:_MAX_BYTES])
    detected = _detect(sample[:_MAX_BYTES])
    # The sort is stable: otherwise equal readings stay in the order of ENCODINGS.
    readings.sort(key=lambda r: (-round(r.rate, 1), -detected.get(r.text, 0)))
    best, *others = readings
    rivals = [each for each in others if each.rate >= _RIVAL * best.rate]
    agreed = all(detected.get(r.text, 0) < detected.get(best.text, 0) for r in rivals)
    sure = best.encoding in _USUAL and best.rate >= _SURE and agreed
    return EncodingGuess(best.encoding, sure, (best, *others)[:_READINGS])


def _read_all(sample: bytes) -> list[EncodingReading]:
    """Return what each encoding makes of the bytes, identical texts only once."""
    readings: dict[str, EncodingReading] = {}
    for encoding in ENCODINGS:
        if not encoding.startswith("utf"):
            text = _join_words(sample, encoding)
            readings.setdefault(text, EncodingReading(encoding, _rate(text), text))
    return list(readings.values())


def _join_words(sample: bytes, encoding: str) -> str:
    text = sample.decode(encoding, "replace")
    words = (match[0] for match in _WORD.finditer(text))
    return ", ".join(islice(dict.fromkeys(words), _MAX_WORDS))


def _detect(sample: bytes) -> dict[str, float]:
    """Return chardet's confidence in the texts, by the letters that a language uses."""
    thought: dict[str, float] = {}
    for guess in chardet.detect_all(sample, ignore_threshold=True):
        try:
            text = _join_words(sample, guess["encoding"] or "utf-8")
        except LookupError:
            continue
        thought[text] = max(thought.get(text, 0), guess["confidence"])
    return {text: sure for text, sure in thought.items() if sure >= _MIN_CONFIDENCE}


def _rate(text: str) -> float:
    words = text.split(", ") if text else []
    rate = sum(map(_is_word, words)) / len(words) if words else 0
    return rate if _is_explained(text) else rate / 2


def _is_explained(text: str) -> bool:
    """Return whether one language has all its letters; only checks Latin letters."""
    letters = {sign for sign in text.lower() if sign.isalpha() and not sign.isascii()}
    latin = {sign for sign in letters if _get_script(sign) == "LATIN"}
    return not latin or any(latin <= alphabet for alphabet in _ALPHABETS)


def _is_word(word: str) -> bool:
    """Return whether ``word`` looks like one: one script, capitals only where possible.

    >>> [_is_word(word) for word in ("Orléans", "OrlŽans", "Orl╬ans", "Orlйans")]
    [True, False, False, False]
    """
    marks = {_get_script(s) for s in word if unicodedata.category(s)[0] == "M"}
    if marks - {"COMBINING"} - set(map(_get_script, re.sub(r"\W", "", word))):
        return False
    return not any(map(_is_strange, word)) and all(
        map(_is_run, _RUN.findall(re.sub(r"[ªº]+$", "", word)))
    )


def _is_strange(sign: str) -> bool:
    category = unicodedata.category(sign)
    if sign.isascii() or category[0] in "LM" or category in ("Nd", "Cf"):
        return sign in "ªºƒ"
    return sign not in "’‘“”«»–—·…№،؛؟"


def _get_script(sign: str) -> str:
    return unicodedata.name(sign, "?").split()[0]


def _is_run(letters: str) -> bool:
    if len(letters) == 1 and letters in _NEVER_ALONE:
        return False
    scripts = set(map(_get_script, letters)) - {"FULLWIDTH", "MODIFIER"}
    return (scripts <= {"CJK", "HIRAGANA", "KATAKANA"} or len(scripts) == 1) and (
        letters[1:] == letters[1:].lower() or letters == letters.upper()
    )
