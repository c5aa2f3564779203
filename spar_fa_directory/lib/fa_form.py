"""The one form of an address, however and by whomever it was written.

What an address is: its kind, its provider by the code that never changes, its branch
where the provider has branches, and its texts, each in the form that its check gives
it. Strategies, spellings, capital letters of codes, a BIC in place of a code are how it
is written only. `CanonicalAddress.key` is a text of what it is, for digests: two
addresses are the same when, and only when, their keys are.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from . import fa_syntax
from .fa_accounts import is_own_id
from .fa_examination import (
    PLACEHOLDER,
    UNREAD,
    KnownKind,
    Problem,
    is_nothing,
    read_parts,
)
from .fa_reader import Address, Holder, KnownStrategy, Reading
from .placeholders import is_placeholder

# No text that is stored can hold it, so the key of one that no strategy reads is none
# of an address that one reads.
_MARK = "\0"
_BETWEEN = re.compile("[:@]")


class CanonicalAddress(NamedTuple):
    """An address in its one form.

    `parts` are those of its kind, `known` is the strategy that read it; None, as the
    ids are, when none did. `problem` is why it cannot be used, as `examine` says it.
    `accounts` are the account numbers that a person's ID may not stand in for.
    """

    key: str
    problem: Problem | None = None
    known: KnownStrategy | None = None
    provider_id: int | None = None
    branch_id: int | None = None
    parts: dict[str, str] | None = None
    accounts: tuple[str, ...] = ()

    @property
    def is_nothing(self) -> bool:
        """Whether it is refused for everybody: null, {sub}, no number at all."""
        return is_nothing(self.problem)

    def to_address(self, text: str) -> Address:
        """What `text` says, in this form.

        >>> CanonicalAddress("free text").to_address("Free text").parts is None
        True
        """
        if not (known := self.known):
            return Address(text)
        return Address(
            text,
            known.number,
            known.type_code,
            known.type_id,
            self.provider_id,
            self.branch_id,
            self.parts,
        )


def write_as_read(canonical: CanonicalAddress) -> str | None:
    """Return the address in the strategy that has read it; None where no strategy has,
    or where it wants a part that only the directory knows, such as a BIC."""
    known, parts = canonical.known, canonical.parts
    if known is None or parts is None or not parts.keys() >= set(known.syntax.keys):
        return None
    return fa_syntax.build(known.syntax, parts)


def canonicalise(reading: Reading, holder: Holder, kind: KnownKind) -> CanonicalAddress:
    """The one form of an address that a strategy reads, and what is wrong with it.

    It has one though something is wrong with it: what does not pass its check stands
    in it as near to its form as can be told, a provider or branch that the directory
    does not know by the code that was written.

    >>> from . import fa_reader, fa_syntax
    >>> from .fa_examination import KnownPart
    >>> syntax = fa_syntax.compile_strategy("account:{number}@{bank}")
    >>> known = KnownStrategy(1, 7, "account", syntax, provider_key="bank")
    >>> number = KnownPart("number", "text", gaps_do_not_count=True)
    >>> kind = KnownKind("bank", (KnownPart("bank", "provider"), number), "account")
    >>> holder = Holder(4, None, "bank", "", True, provider_code="DEMO")
    >>> texts = "account:12-34@DEMO", "ACCOUNT:12 34@demo"
    >>> readings = (fa_reader.read_text({"account:": (known,)}, text) for text in texts)
    >>> one, other = (canonicalise(found[0], holder, kind) for found in readings)
    >>> one.key == other.key, one.parts == other.parts
    (True, True)
    >>> one.parts
    {'number': '1234', 'bank': 'DEMO'}
    """
    known = reading.known
    texts, problem = read_parts(reading, holder, kind)
    key = _build_key(_begin_key(kind.code, *_get_place(reading, holder)), texts)
    accounts: tuple[str, ...] = ()
    if not holder.rule.pattern:
        accounts = tuple([texts[part.key] for part in kind.parts if part.is_account])
    return CanonicalAddress(
        key,
        problem,
        known,
        holder.provider_id,
        holder.branch_id,
        _fill_place(texts, reading, holder, kind),
        accounts,
    )


def keep_text(text: str) -> CanonicalAddress:
    """The form of a text that no strategy reads: that text, as it was sent.

    A word for nothing between its colons and at signs makes it none.

    >>> keep_text("Account:AbC@Bank").key, keep_text("other:null@B").is_nothing
    ('account:AbC@bank', True)
    """
    pieces = list(filter(None, _BETWEEN.split(text))) or [""]
    problem = PLACEHOLDER if any(map(is_placeholder, pieces)) else UNREAD
    return CanonicalAddress(fold_text(text), problem)


def is_free_text(key: str) -> bool:
    """Whether a key is of an address that no strategy has read.

    >>> is_free_text(keep_text("free text").key)
    True
    """
    return not key.startswith(_MARK)


def fold_text(text: str) -> str:
    """A text with small letters before its first colon and behind its last @.

    What stands between may be a digest, whose capitals count.
    """
    left, at, provider = text.rpartition("@")
    if not at:
        left, provider = text, ""
    kind, colon, value = left.partition(":")
    if colon:
        kind = kind.casefold()
    return f"{kind}{colon}{value}{at}{provider.casefold()}"


def find_own_id(address: CanonicalAddress, ids: Iterable[str]) -> Problem | None:
    """The problem of an address whose account number is the person's own ID, or None.

    :param ids: of the person, as typed or as they travel

    >>> address = CanonicalAddress("", parts={"number": "20"}, accounts=("20",))
    >>> find_own_id(address, ["token:20@nationalId"])
    Problem(code='part', part='number', check='own_id')
    """
    for number in address.accounts:
        if is_own_id(number, ids):
            parts = address.parts or {}
            key = next(key for key, value in parts.items() if value == number)
            return Problem("part", key, "own_id")
    return None


# === THE KEY === #


def _get_place(reading: Reading, holder: Holder) -> tuple[str, str, str]:
    """The provider's code, or what was written for one, and the branch's."""
    known, place = reading.known, reading.place
    branch = holder.branch_code.upper() or place.branch
    # What cannot be a code is folded to nothing, and yet names one place and no other.
    branch = branch or reading.parts.get(known.branch_key, "").strip().lower()
    if holder.provider_id is None:
        written = reading.parts.get(known.provider_key, "").strip().lower()
        provider = place.provider or written
        return "", f"{place.by}:{provider}" * bool(provider), branch
    return holder.provider_code.upper(), "", branch if holder.has_branches else ""


@lru_cache(maxsize=4096)
def _begin_key(*names: str) -> str:
    return _MARK + "".join(map(_pack, names))


def _build_key(start: str, texts: dict[str, str]) -> str:
    if len(texts) == 1:  # as nearly all are
        ((key, value),) = texts.items()
        return f"{start}{len(key)}:{key}{len(value)}:{value}"
    return start + "".join(_pack(key) + _pack(texts[key]) for key in sorted(texts))


def _pack(text: str) -> str:
    """A text and its length before it: no text can pass for two."""
    return f"{len(text)}:{text}"


# === THE PARTS === #


def _fill_place(
    texts: dict[str, str], reading: Reading, holder: Holder, kind: KnownKind
) -> dict[str, str]:
    """The texts and the codes of provider and branch, for any strategy to write.

    A branch that was not named stays unnamed, but for a provider that has none.
    """
    if holder.provider_id is None:
        return reading.parts | texts
    branch = ""
    if holder.has_branches:
        branch = holder.branch_code or reading.parts.get(reading.known.branch_key, "")
    is_named = bool(branch) or not holder.has_branches
    filled = dict(texts)
    for part in kind.parts:
        if part.kind == "provider":
            filled[part.key] = holder.provider_code
        elif part.kind == "branch" and is_named:
            filled[part.key] = branch
    return filled
