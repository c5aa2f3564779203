"""Building a financial address from its parts, and parsing it back.

A *strategy* is a template such as
``account:{account_number}@{branch_code}.{bank_code}``. ``build`` writes the parts into
it, ``parse`` extracts them. One sign of each delimiter is percent-escaped in every
value, so that no value can alter another part:

>>> wallet = compile_strategy("mobile:{phone_number}@{wallet_code}")
>>> text = build(wallet, {"phone_number": "0917@x", "wallet_code": "BLUE"})
>>> text
'mobile:0917%40x@BLUE'
>>> parse(wallet, text)
{'phone_number': '0917@x', 'wallet_code': 'BLUE'}

The text between the parts is compared case-insensitively (G2P Connect: "the
financial address is case insensitive"); the parts keep their case.
"""

import re
import string
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import repeat
from typing import cast

from .exceptions import InvalidStrategyTemplate, MissingPart

ESCAPE = "%"
# The sign of a delimiter to escape: the first of these that occurs in it once. ``.``
# comes late because names and e-mail addresses contain it.
_SIGNS = ":@/|;,=&#!?+*~$^<>()[]\"'`\\._-"
_PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9_]*)(\*?)\}")
_SCHEME = re.compile(r"[a-z][a-z0-9_+-]*:")
_FOLD = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


@dataclass(frozen=True, slots=True)
class Escaping:
    """Signs that no value may contain: how they are escaped and unescaped."""

    table: Mapping[int, str]
    originals: Mapping[str, str]
    pattern: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class Strategy:
    """A compiled template, made by ``compile_strategy`` for ``build`` and ``parse``.

    The text is ``prefix``, then each of ``keys`` followed by its delimiter, the last
    one by ``suffix``. The delimiters of ``head`` are searched from the left, those of
    ``tail`` from the right; what remains between them is the value of ``middle``.
    ``literals`` are the texts around the keys as the template has them, ``form`` is the
    whole with %s for each value; everything else is in lower case. ``signs`` are those
    of the delimiters: no value contains one, but a starred one may. ``pattern`` is that
    of a folded text; a strategy with a star has none.
    """

    template: str
    scheme: str
    keys: tuple[str, ...]
    literals: tuple[str, ...]
    prefix: str
    suffix: str
    head: tuple[str, ...]
    middle: str
    tail: tuple[str, ...]
    starred: bool
    signs: tuple[str, ...]
    form: str
    escaping: Escaping = field(compare=False)
    pattern: re.Pattern[str] | None = None


def compile_strategy(template: str) -> Strategy:
    """Return the strategy of a template.

    ``{key}`` stands for a part. One key may carry a star, ``{key*}``: its value may
    contain the delimiters around it, which are then searched from the right (OpenG2P's
    ``email:{email}.{type}`` is such a template).

    :raises InvalidStrategyTemplate: when what it writes could not be parsed back

    >>> compile_strategy("account:{account_number}@{bank_code}").keys
    ('account_number', 'bank_code')
    >>> compile_strategy("email:{email_address*}.{bank_code}").middle
    'email_address'
    """
    literals, keys, stars = _split_template(template)
    _check_template(literals, keys, stars)
    prefix, *inner, suffix = (literal.lower() for literal in literals)
    scheme = _SCHEME.match(template)
    middle = stars.index(True) if any(stars) else len(keys) - 1
    signs = {sign for text in (*inner, suffix) if (sign := _choose_sign(text))}
    starred = any(stars)
    return Strategy(
        template=template,
        scheme=scheme.group() if scheme else "",
        keys=tuple(keys),
        literals=tuple(literals),
        prefix=prefix,
        suffix=suffix,
        head=tuple(inner[:middle]),
        middle=keys[middle],
        tail=tuple(reversed(inner[middle:])),
        starred=starred,
        signs=tuple(sorted(signs)),
        form="%s".join(literal.replace("%", "%%") for literal in literals),
        escaping=_build_escaping({ESCAPE, *signs}),
        pattern=None if starred else _build_pattern(literals, signs),
    )


def _build_pattern(literals: list[str], signs: set[str]) -> re.Pattern[str]:
    """Return the pattern of a folded text whose values contain none of the signs.

    It fits in one way at most: each delimiter has a sign that stands nowhere else.
    """
    value = f"([^{re.escape(''.join(sorted(signs)))}]*)" if signs else "(.*)"
    pattern = value.join(re.escape(literal.lower()) for literal in literals)
    return re.compile(pattern, re.DOTALL)


def _build_escaping(signs: Iterable[str]) -> Escaping:
    codes = {sign: f"{ord(sign):02X}" for sign in sorted(signs)}
    return Escaping(
        table={ord(sign): ESCAPE + code for sign, code in codes.items()},
        originals={code: sign for sign, code in codes.items()},
        pattern=re.compile(f"{ESCAPE}({'|'.join(codes.values())})", re.IGNORECASE),
    )


def _split_template(template: str) -> tuple[list[str], list[str], list[bool]]:
    """Return the literals around the keys (one more than keys), the keys and stars."""
    pieces = _PLACEHOLDER.split(template)
    return pieces[0::3], pieces[1::3], [star == "*" for star in pieces[2::3]]


def _check_template(literals: list[str], keys: list[str], stars: list[bool]) -> None:
    around = "".join(literals)
    if not keys or "{" in around or "}" in around:
        raise InvalidStrategyTemplate(
            "placeholder",
            "Write each part as {key}: small letters, digits and _ in braces.",
        )
    if not around.isascii() or not around.isprintable():
        raise InvalidStrategyTemplate(
            "ascii", "Between the parts only plain (ASCII) signs can stand."
        )
    if not _SCHEME.match(literals[0]):
        raise InvalidStrategyTemplate(
            "scheme", "Begin with the kind of address and a colon, as in account:"
        )
    if len(set(keys)) < len(keys):
        raise InvalidStrategyTemplate("duplicate", "A part stands there twice.")
    if sum(stars) > 1:
        raise InvalidStrategyTemplate("stars", "Only one part can carry a star.")
    _check_delimiters(literals, keys)


def _check_delimiters(literals: list[str], keys: list[str]) -> None:
    for before, after, delimiter in zip(keys, keys[1:], literals[1:-1], strict=False):
        if not _choose_sign(delimiter):
            raise InvalidStrategyTemplate(
                "delimiter",
                "Between %(before)s and %(after)s a punctuation mark is needed that "
                "stands there once.",
                before=before,
                after=after,
            )


def _choose_sign(delimiter: str) -> str:
    """Return the sign of a delimiter to escape in values, "" if it has none.

    If a sign occurs exactly once in the delimiter and never in a value, the first (and
    the last) match of that delimiter is the true one: any other match would need the
    sign at another position of the delimiter, or in a value.
    """
    return next((sign for sign in _SIGNS if delimiter.count(sign) == 1), "")


def build(strategy: Strategy, parts: Mapping[str, str]) -> str:
    """Return the address as sent on the wire, leaving out parts not in the strategy.

    :raises MissingPart: naming the part

    >>> openg2p = compile_strategy("a:{x}.bank_name:{y}.fa_type:bank")
    >>> build(openg2p, {"x": "1.2", "y": "Bank Ltd."})
    'a:1.2.bank_name:Bank Ltd..fa_type:bank'
    """
    values = [parts.get(key) for key in strategy.keys]
    if None in values:
        missing = strategy.keys[values.index(None)]
        raise MissingPart("missing", "The part %(key)s is missing.", key=missing)
    known = cast("list[str]", values)
    if not "".join(known).isalnum():  # no sign of a delimiter is a letter or a digit
        known = list(map(_escape, repeat(strategy), strategy.keys, known))
    return strategy.form % tuple(known)


def _escape(strategy: Strategy, key: str, value: str) -> str:
    if strategy.starred and key == strategy.middle:
        return value.replace(ESCAPE, strategy.escaping.table[ord(ESCAPE)])
    return value.translate(strategy.escaping.table)


def parse(strategy: Strategy, text: str) -> dict[str, str] | None:
    """Return the parts of ``text``, in the strategy's order; None if it does not match.

    ``parse(s, build(s, parts)) == parts`` for all values. A text that others wrote
    without escaping is read if no value contains an escaped sign, and otherwise
    rejected:

    >>> account = compile_strategy("account:{number}@{bank}")
    >>> parse(account, "ACCOUNT:1 2@DEMO")
    {'number': '1 2', 'bank': 'DEMO'}
    >>> parse(account, "account:1@2@DEMO") is None
    True
    """
    return parse_folded(strategy, text, fold(text))


def parse_folded(strategy: Strategy, text: str, folded: str) -> dict[str, str] | None:
    """Parse a text that was folded beforehand: once for all strategies to try."""
    if not folded.endswith(strategy.suffix):  # rules out most strategies of a scheme
        return None
    values: Sequence[str] | None
    if strategy.pattern is None:
        values = _split_starred(strategy, text, folded)
    else:
        values = _split(strategy.pattern, text, folded)
    if values is None:
        return None
    return unescape(strategy, text, dict(zip(strategy.keys, values, strict=True)))


def unescape(strategy: Strategy, text: str, parts: dict[str, str]) -> dict[str, str]:
    """Return the parts of ``text`` as they were before it was built."""
    if ESCAPE not in text:
        return parts
    return {key: _unescape(strategy, value) for key, value in parts.items()}


def fold(text: str) -> str:
    """Return ``text`` in lower case, each character at its original position."""
    folded = text.lower()
    # A few letters grow when lowered, none shrinks: same length, same positions.
    return folded if len(folded) == len(text) else text.translate(_FOLD)


def _split(pattern: re.Pattern[str], text: str, folded: str) -> Sequence[str] | None:
    """Return the raw values in the text, None if it does not match."""
    match = pattern.fullmatch(folded)
    if match is None:
        return None
    if text == folded:
        return match.groups()
    return [text[start:end] for start, end in match.regs[1:]]


def _split_starred(strategy: Strategy, text: str, folded: str) -> list[str] | None:
    """Return the raw values in the text, None if it does not match.

    Only the starred value may contain signs of the delimiters.
    """
    start, end = len(strategy.prefix), len(text) - len(strategy.suffix)
    if (
        start > end
        or not folded.startswith(strategy.prefix)
        or not folded.endswith(strategy.suffix)
    ):
        return None
    values = []
    for delimiter in strategy.head:
        found = folded.find(delimiter, start, end)
        if found < 0:
            return None
        values.append(text[start:found])
        start = found + len(delimiter)
    place = len(values)
    for delimiter in strategy.tail:
        found = folded.rfind(delimiter, start, end)
        if found < 0:
            return None
        values.insert(place, text[found + len(delimiter) : end])
        end = found
    plain = "".join(values)
    values.insert(place, text[start:end])
    return None if any(sign in plain for sign in strategy.signs) else values


def _unescape(strategy: Strategy, value: str) -> str:
    escaping = strategy.escaping
    return escaping.pattern.sub(
        lambda found: escaping.originals[found.group(1).upper()], value
    )
