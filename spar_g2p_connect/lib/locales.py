"""The installed language that a message's locale stands for."""

from __future__ import annotations

from collections.abc import Iterable

#: ISO 639-3 -> ISO 639-1 where a language has both; others are compared unchanged.
_SHORT = {
    "ara": "ar",
    "ben": "bn",
    "deu": "de",
    "eng": "en",
    "fra": "fr",
    "hin": "hi",
    "ind": "id",
    "por": "pt",
    "spa": "es",
    "swa": "sw",
    "tgl": "tl",
    "urd": "ur",
}


def choose_language(locale: str, installed: list[str]) -> str:
    """Return the code of the installed language for ``locale``.

    "" means English, or that none is installed.

    >>> choose_language("fra", ["en_US", "fr_FR"]), choose_language("es", ["es_MX"])
    ('fr_FR', 'es_MX')
    >>> choose_language("eng", ["en_US"]), choose_language("xyz", ["en_US"])
    ('', '')
    """
    short = _SHORT.get(locale, locale)
    if short == "en":
        return ""
    return next((code for code in installed if code.split("_")[0] == short), "")


def choose_accepted(accepted: Iterable[str], installed: list[str]) -> str:
    """Return the installed language that an ``Accept-Language`` header prefers.

    :param accepted: the languages in the header, best first
    :return: "" for English or none

    >>> choose_accepted(["xx", "fr-CA", "es"], ["en_US", "fr_FR", "es_ES"])
    'fr_FR'
    >>> choose_accepted(["en-GB", "fr"], ["en_US", "fr_FR"]), choose_accepted(["*"], [])
    ('', '')
    """
    for tag in accepted:
        language = tag.replace("_", "-").split("-")[0].lower()
        if language == "en":
            return ""
        if found := choose_language(language, installed):
            return found
    return ""
