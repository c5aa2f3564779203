"""What was typed to find a provider or a branch, as queries of PostgreSQL.

Each word is looked for on several levels, the best first: written just so, as the
beginning of a word, with one slip of the finger, nearly. The words come folded from
the database (`data/directory_search.sql`), which folds what it is searched in alike.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

#: A longer query says nothing more.
MOST_WORDS = 8


@dataclass(frozen=True)
class Word:
    """One word of a query: a `tsquery` for each level, the best level first.

    Whether words that it is the beginning of are looked for, too, `is_beginning` says.
    """

    levels: tuple[str, ...]
    is_beginning: bool = True

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


def build_word(
    token: Sequence[str],
    near: Collection[str] = (),
    far: Collection[str] = (),
    *,
    is_beginning: bool = True,
) -> Word:
    """One word of a query.

    :param token: the word without signs; then, where it has signs, what they part
    :param near: known words that are one slip away
    :param far: known words that look alike

    >>> build_word(["bnk"], ["bank"]).levels
    ("'bnk'", "'bnk':*", "'bank'")
    >>> build_word(["bnk"], ["bank"], is_beginning=False).any
    "'bnk' | 'bank'"
    >>> build_word(["tbn", "tb", "n"]).levels[0]
    "'tbn' | ('tb' & 'n')"
    """
    levels = [_join(token, ""), _join(token, ":*")]
    levels += [" | ".join(map(quote, words)) for words in (near, far) if words]
    return Word(tuple(levels), is_beginning)


def _join(token: Sequence[str], suffix: str) -> str:
    whole, *parts = (quote(word) + suffix for word in token)
    return f"{whole} | ({' & '.join(parts)})" if parts else whole
