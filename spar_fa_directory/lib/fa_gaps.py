"""Reading texts whose gaps are also signs of the strategy.

In ``account:{account_number}@{branch_code}.{bank_code}`` a dot separates branch and
bank; ``account:1234.5678@BR01.DEMO`` has another dot, which is not part of the number.
Such a text is read if there is exactly one way to parse it.
"""

from collections.abc import Iterator, Mapping

from . import fa_syntax
from .fa_syntax import Strategy

#: A text with more gaps, or more ways to parse it, is not read; this bounds the work.
_MAX_GAPS, _MAX_SPLITS = 48, 64

#: The key of a part -> the signs that are not part of its values.
Gaps = Mapping[str, str]


def find_gaps(strategy: Strategy, gaps: Gaps) -> dict[str, str]:
    """Return those of ``gaps`` that are also signs of the strategy; usually none.

    >>> syntax = fa_syntax.compile_strategy("account:{number}@{branch}.{bank}")
    >>> find_gaps(syntax, {"number": "./-"})
    {'number': '.'}
    """
    own = {
        key: "".join(sign for sign in strategy.signs if sign in gaps[key])
        for key in strategy.keys
        if key in gaps
    }
    return {key: signs for key, signs in own.items() if signs}


def parse(
    strategy: Strategy, text: str, folded: str, gaps: Gaps
) -> dict[str, str] | None:
    """Return the parts of ``text``, some of which may contain strategy signs as gaps.

    Return None if there is no way to parse it, or several that differ.

    >>> syntax = fa_syntax.compile_strategy("account:{number}@{branch}.{bank}")
    >>> text = "account:12.34@BR01.DEMO"
    >>> parse(syntax, text, text.lower(), {"number": "."})
    {'number': '12.34', 'branch': 'BR01', 'bank': 'DEMO'}
    >>> parse(syntax, text, text.lower(), {"branch": "."}) is None
    True
    >>> syntax = fa_syntax.compile_strategy("a:{x}.{y}")
    >>> parse(syntax, "a:1.2.3", "a:1.2.3", {"x": ".", "y": "."}) is None
    True
    """
    start, end = len(strategy.prefix), len(text) - len(strategy.suffix)
    if (
        start > end
        or not folded.startswith(strategy.prefix)
        or not folded.endswith(strategy.suffix)
        or sum(text.count(sign) for sign in set("".join(gaps.values()))) > _MAX_GAPS
    ):
        return None
    found: dict[str, str] | None = None
    splits = _split(strategy, text[start:end], folded[start:end], 0, gaps)
    for count, values in enumerate(splits):
        parts = dict(zip(strategy.keys, values, strict=True))
        if found is None:
            found = parts
        if count > _MAX_SPLITS or _strip(parts, gaps) != _strip(found, gaps):
            return None
    return fa_syntax.unescape(strategy, text, found) if found else None


def _split(
    strategy: Strategy, text: str, folded: str, place: int, gaps: Gaps
) -> Iterator[tuple[str, ...]]:
    """Yield every way to split a text, from the key at ``place`` on."""
    key = strategy.keys[place]
    foreign = _list_foreign(strategy, key, gaps)
    if place == len(strategy.keys) - 1:
        if not any(sign in text for sign in foreign):
            yield (text,)
        return
    delimiter = strategy.literals[place + 1].lower()
    found = folded.find(delimiter)
    while found >= 0 and not any(sign in text[:found] for sign in foreign):
        behind = found + len(delimiter)
        for rest in _split(strategy, text[behind:], folded[behind:], place + 1, gaps):
            yield (text[:found], *rest)
        found = folded.find(delimiter, found + 1)


def _list_foreign(strategy: Strategy, key: str, gaps: Gaps) -> list[str]:
    """Return the signs that cannot occur in the value of a key."""
    if strategy.starred and key == strategy.middle:
        return []
    return [sign for sign in strategy.signs if sign not in gaps.get(key, "")]


def _strip(parts: Mapping[str, str], gaps: Gaps) -> dict[str, str]:
    return {
        key: value.translate(dict.fromkeys(map(ord, gaps.get(key, ""))))
        for key, value in parts.items()
    }
