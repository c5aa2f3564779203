"""PostgreSQL queries for the text that was typed to find a provider or a branch.

Each word is searched on several levels, the best first: exactly as typed, as the
beginning of a word, with one typing error, and similar. The words are folded by the
database (``data/directory_search.sql``), which folds the searched text in the same way.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

#: The limit beyond which further words of a query are ignored.
MAX_WORDS = 8
#: The maximum number of separately typed words that may be a single one.
_MAX_JOINED = 3
#: A run of adjacent words of at most this length (with its mark) is not searched as a
#: beginning.
_SHORT = 4


class SearchToken(NamedTuple):
    """A typed word: its forms, whether the directory has it, whether it means "and"."""

    words: list[str]
    is_known: bool = False
    is_and: bool = False

    @property
    def name(self) -> str:
        """Return its plain form if it has one, else as typed without signs.

        >>> SearchToken(["البنك", "بنك"]).name == "بنك"
        True
        >>> SearchToken(["tbn", "tb", "n"]).name
        'tbn'
        """
        return self.words[1] if len(self.words) == 2 else self.words[0]


@dataclass(frozen=True)
class SearchWord:
    """One word of a query: a ``tsquery`` for each level, the best level first.

    ``is_beginning`` states whether words that begin with it are also searched for.
    """

    levels: tuple[str, ...]
    is_beginning: bool = True

    @property
    def is_close(self) -> bool:
        """Return whether words that are only similar to it are also searched for."""
        return len(self.levels) > 2

    @property
    def any(self) -> str:
        """Return a ``tsquery`` that searches all levels together."""
        exact, beginning, *close = self.levels
        return " | ".join([beginning if self.is_beginning else exact, *close])


@dataclass(frozen=True)
class SearchAttempt:
    """What to search for, and how many matches make the next attempt unnecessary."""

    words: list[SearchWord]
    enough: int
    may_miss_one: bool = False

    @property
    def all(self) -> str:
        """Return a ``tsquery`` of all words together.

        >>> words = [build_word(["a"]), build_word(["b"])]
        >>> SearchAttempt(words, 1).all
        "('a':*) & ('b':*)"
        >>> SearchAttempt(words, 1, may_miss_one=True).all
        "(('b':*)) | (('a':*))"
        """
        words = [f"({word.any})" for word in self.words]
        if not self.may_miss_one:
            return " & ".join(words)
        others = (words[:place] + words[place + 1 :] for place in range(len(words)))
        return " | ".join(f"({' & '.join(each)})" for each in others)


def quote(word: str) -> str:
    """Return the word, quoted for a ``tsquery``.

    >>> quote("rock'n\\\\roll")
    "'rock''n\\\\\\\\roll'"
    """
    return "'{}'".format(word.replace("\\", "\\\\").replace("'", "''"))


def drop_and(tokens: Sequence[SearchToken]) -> list[SearchToken]:
    """Drop words for "and" between two other words: "P and T" is "P&T".

    >>> p, t = SearchToken(["p"]), SearchToken(["t"])
    >>> also = SearchToken(["and"], is_and=True)
    >>> drop_and([p, also, t]) == [p, t], drop_and([p, also]) == [p, also]
    (True, True)
    """
    last = len(tokens) - 1
    return [
        token
        for place, token in enumerate(tokens)
        if not (token.is_and and 0 < place < last)
    ]


class JoinedWords(NamedTuple):
    """Separately typed words, from ``start`` to before ``end``, written as one."""

    word: str
    start: int
    end: int


def join_neighbours(names: Sequence[str]) -> list[JoinedWords]:
    """Return two and three adjacent words, written as one.

    >>> [joined.word for joined in join_neighbours(["g", "t", "bank"])]
    ['gt', 'gtbank', 'tbank']
    """
    return [
        JoinedWords("".join(names[start:end]), start, end)
        for start in range(len(names))
        for end in range(start + 2, min(start + _MAX_JOINED, len(names)) + 1)
    ]


def build_word(
    token: Sequence[str],
    near: Collection[str] = (),
    far: Collection[str] = (),
    *,
    is_beginning: bool = True,
    joined: Collection[str] = (),
    half_joined: Collection[str] = (),
    run: str = "",
) -> SearchWord:
    """Return one word of a query.

    :param token: the word without signs; then, if it has signs, the pieces between them
    :param near: words of the directory that differ by one typing error
    :param far: words of the directory that look similar
    :param joined: the word and its neighbours, written as one
    :param half_joined: the same with the last word, which may be half typed
    :param run: the stored form of several adjacent words that the word may stand for

    >>> build_word(["bnk"], ["bank"]).levels
    ("'bnk'", "'bnk':*", "'bank'")
    >>> build_word(["bnk"], ["bank"], is_beginning=False).any
    "'bnk' | 'bank'"
    >>> build_word(["tbn", "tb", "n"]).levels[0]
    "'tbn' | ('tb' & 'n')"
    >>> build_word(["isbank"], run="~isbank").levels
    ("'isbank' | '~isbank'", "'isbank':* | '~isbank':*")
    >>> build_word(["gt"], half_joined=["gtban"], is_beginning=False).any
    "'gt' | 'gtban':*"
    """
    begins = ":*" if is_beginning and len(run) > _SHORT else ""
    whole = [_join(token, ""), *map(quote, joined)]
    begun = [_join(token, ":*"), *map(quote, joined)]
    halves = [quote(word) + ":*" for word in half_joined]
    if run:
        whole.append(quote(run))
        begun.append(quote(run) + begins)
    levels = [
        " | ".join(whole + halves),
        " | ".join(begun + halves),
    ]
    levels += [" | ".join(map(quote, words)) for words in (near, far) if words]
    return SearchWord(tuple(levels), is_beginning)


def _join(token: Sequence[str], suffix: str) -> str:
    whole, *parts = (quote(word) + suffix for word in token)
    return f"{whole} | ({' & '.join(parts)})" if parts else whole
