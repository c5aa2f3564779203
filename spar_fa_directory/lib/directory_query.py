"""What was typed to find a provider or a branch, as queries of PostgreSQL.

Each word is looked for on several levels, the best first: written just so, as the
beginning of a word, with one slip of the finger, nearly. The words come folded from
the database (`data/directory_search.sql`), which folds what it is searched in alike.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

#: A longer query says nothing more.
MOST_WORDS = 8
#: So many words that were typed apart may be one.
_MOST_JOINED = 3
#: Nothing is looked for that only begins with so few letters that stand together.
_SHORT = 4


class Token(NamedTuple):
    """One word that was typed: its forms, whether the directory has it, says "and"."""

    words: list[str]
    is_known: bool = False
    is_and: bool = False

    @property
    def name(self) -> str:
        """Its plain form where it has one, else as typed without signs.

        >>> Token(["البنك", "بنك"]).name == "بنك", Token(["tbn", "tb", "n"]).name
        (True, 'tbn')
        """
        return self.words[1] if len(self.words) == 2 else self.words[0]


@dataclass(frozen=True)
class Word:
    """One word of a query: a `tsquery` for each level, the best level first.

    Whether words that it is the beginning of are looked for, too, `is_beginning` says.
    """

    levels: tuple[str, ...]
    is_beginning: bool = True

    @property
    def is_close(self) -> bool:
        """Whether words are looked for, too, that are only close to it."""
        return len(self.levels) > 2

    @property
    def any(self) -> str:
        """A `tsquery` to look for all levels together."""
        exact, beginning, *close = self.levels
        return " | ".join([beginning if self.is_beginning else exact, *close])


@dataclass(frozen=True)
class Attempt:
    """What to look for, and how many found ones are enough not to try the next."""

    words: list[Word]
    enough: int
    may_lack_one: bool = False

    @property
    def all(self) -> str:
        """A `tsquery` of all words together.

        >>> Attempt([build_word(["a"]), build_word(["b"])], 1).all
        "('a':*) & ('b':*)"
        >>> Attempt([build_word(["a"]), build_word(["b"])], 1, may_lack_one=True).all
        "(('b':*)) | (('a':*))"
        """
        words = [f"({word.any})" for word in self.words]
        if not self.may_lack_one:
            return " & ".join(words)
        others = (words[:place] + words[place + 1 :] for place in range(len(words)))
        return " | ".join(f"({' & '.join(each)})" for each in others)


def quote(word: str) -> str:
    """The word as a `tsquery` names it.

    >>> quote("rock'n\\\\roll")
    "'rock''n\\\\\\\\roll'"
    """
    return "'{}'".format(word.replace("\\", "\\\\").replace("'", "''"))


def drop_and(tokens: Sequence[Token]) -> list[Token]:
    """Leave out what says "and" between two other words: "P and T" is "P&T".

    >>> p, t, also = Token(["p"]), Token(["t"]), Token(["and"], is_and=True)
    >>> drop_and([p, also, t]) == [p, t], drop_and([p, also]) == [p, also]
    (True, True)
    """
    last = len(tokens) - 1
    return [
        token
        for place, token in enumerate(tokens)
        if not (token.is_and and 0 < place < last)
    ]


class Joined(NamedTuple):
    """Words that were typed apart, from `start` to before `end`, written as one."""

    word: str
    start: int
    end: int


def join_neighbours(names: Sequence[str]) -> list[Joined]:
    """Two and three words that stand side by side, written as one.

    >>> [joined.word for joined in join_neighbours(["g", "t", "bank"])]
    ['gt', 'gtbank', 'tbank']
    """
    return [
        Joined("".join(names[start:end]), start, end)
        for start in range(len(names))
        for end in range(start + 2, min(start + _MOST_JOINED, len(names)) + 1)
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
) -> Word:
    """One word of a query.

    :param token: the word without signs; then, where it has signs, what they part
    :param near: known words that are one slip away
    :param far: known words that look alike
    :param joined: what it is with its neighbours, written as one
    :param half_joined: the same with the last word, which may be half typed
    :param run: the word as several that stand together are kept

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
    return Word(tuple(levels), is_beginning)


def _join(token: Sequence[str], suffix: str) -> str:
    whole, *parts = (quote(word) + suffix for word in token)
    return f"{whole} | ({' & '.join(parts)})" if parts else whole
