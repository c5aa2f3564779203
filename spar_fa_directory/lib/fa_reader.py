"""Reading addresses without knowing their strategy.

Strategies are given as ``KnownStrategy``: plain values of what a database stores. A
text may fit several; the first one whose provider is in the directory is used, else the
first (``account:0917@blue.wallet`` is a bank account by one template and a wallet of an
early OpenG2P by another: the directory decides which).
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from . import fa_gaps, fa_mask, fa_syntax
from .bank_registry import get_whole_bic
from .fa_accounts import NO_RULE, ProviderRule
from .fa_gaps import Gaps
from .fa_text import BLANKS, to_plain


class Address(NamedTuple):
    """A financial address as read; only ``text`` is set if no strategy fits it."""

    text: str
    strategy_number: int | None = None
    type_code: str | None = None
    type_id: int | None = None
    provider_id: int | None = None
    branch_id: int | None = None
    parts: dict[str, str] | None = None


@dataclass(frozen=True, slots=True)
class KnownStrategy:
    """A strategy, its type, and the keys that name provider and branch ("" for none).

    ``provider_by`` is "code" or "bic": what the value of ``provider_key`` is. ``gaps``
    are the signs of its template that may occur in texts as gaps, by key.
    """

    number: int
    type_id: int
    type_code: str
    syntax: fa_syntax.Strategy
    provider_key: str = ""
    provider_by: str = "code"
    branch_key: str = ""
    gaps: Gaps = field(default_factory=dict, hash=False)


class AddressPlace(NamedTuple):
    """Who holds the money, as stated in the address: by a folded code or BIC."""

    by: str
    provider: str
    branch: str


class AddressReading(NamedTuple):
    """One way to interpret a text."""

    known: KnownStrategy
    parts: dict[str, str]
    place: AddressPlace


class Holder(NamedTuple):
    """What the directory stores about a place; IDs are None for unknown ones.

    ``kind`` and ``country`` (ISO 3166 code) are the provider's, as are ``rule``, the
    format of its account numbers, and ``prefixes``, the phone numbers that it adds to
    its country's numbering plan. ``bank_codes`` identify it in the public registry of
    banks. ``branch_code`` may contain a code in the provider's form even if the
    directory has no such branch. ``has_open_branches`` states whether there is a branch
    that a new address can name. For a closed provider or branch, ``is_replaced`` states
    whether another one took over.
    """

    provider_id: int | None = None
    branch_id: int | None = None
    kind: str = ""
    country: str = ""
    provider_is_active: bool = False
    branch_is_active: bool = False
    provider_code: str = ""
    branch_code: str = ""
    has_branches: bool = True
    bic: str = ""
    bank_codes: tuple[str, ...] = ()
    rule: ProviderRule = NO_RULE
    prefixes: tuple[str, ...] = ()
    has_open_branches: bool = True
    provider_is_closed: bool = False
    branch_is_closed: bool = False
    provider_is_replaced: bool = False
    branch_is_replaced: bool = False


# The places that are in the directory.
Found = Mapping[AddressPlace, Holder]
NO_HOLDER = Holder()


@lru_cache(maxsize=4096)
def fold_code(code: str) -> str:
    """Return a code as it is compared: in capitals; "" for what cannot be a code.

    It is cached, because the addresses of a batch share their providers.

    >>> fold_code("demo-1"), fold_code(" ١ "), fold_code("straße")
    ('DEMO-1', '1', '')
    """
    if not code.isascii():
        code = to_plain(code)
    elif code.isalnum():  # as nearly all codes
        return code.upper()
    return code.strip(BLANKS).upper() if code.isascii() and "\0" not in code else ""


def fold_bic(bic: str) -> str:
    """Return a BIC as it is compared: in capitals, without gaps, with its branch.

    >>> fold_bic("deut de ff")
    'DEUTDEFFXXX'
    """
    return get_whole_bic(fold_code(bic))


def derive_key(part_key: str, name: str) -> str:
    """Return the key under which a template may also name a provider or branch.

    >>> derive_key("bank_code", "name"), derive_key("agent", "bic")
    ('bank_name', 'agent_bic')
    """
    return f"{part_key.removesuffix('_code')}_{name}"


def build_known_strategy(
    number: int,
    type_id: int,
    type_code: str,
    template: str,
    provider_key: str | None,
    branch_key: str | None,
    gaps: Gaps | None = None,
) -> KnownStrategy:
    """Return a stored strategy, given its type's keys for provider and branch.

    :param gaps: the signs that are not part of its type's texts, by key

    >>> template = "a:{number}@{bank_bic}"
    >>> known = build_known_strategy(9, 1, "bank", template, "bank_code", None)
    >>> known.provider_key, known.provider_by
    ('bank_bic', 'bic')
    """
    syntax = fa_syntax.compile_strategy(template)
    bic_key = derive_key(provider_key or "", "bic")
    by_bic = provider_key not in syntax.keys and bic_key in syntax.keys
    return KnownStrategy(
        number,
        type_id,
        type_code,
        syntax,
        _pick(syntax, bic_key if by_bic else provider_key),
        "bic" if by_bic else "code",
        _pick(syntax, branch_key),
        fa_gaps.find_gaps(syntax, gaps or {}),
    )


def _pick(syntax: fa_syntax.Strategy, key: str | None) -> str:
    return key if key in syntax.keys else ""


def group_by_scheme(
    strategies: Iterable[KnownStrategy],
) -> dict[str, tuple[KnownStrategy, ...]]:
    """Return the strategies of each scheme ("account:"), in the order given."""
    groups: dict[str, tuple[KnownStrategy, ...]] = {}
    for known in strategies:
        scheme = known.syntax.scheme
        groups[scheme] = groups.get(scheme, ()) + (known,)
    return groups


def read_text(
    by_scheme: Mapping[str, tuple[KnownStrategy, ...]], text: str
) -> list[AddressReading]:
    """Return every way to read ``text``, in the order of the strategies.

    If no strategy reads it as written, signs that are gaps in a part are ignored.

    >>> syntax = fa_syntax.compile_strategy("account:{number}@{bank}")
    >>> known = KnownStrategy(1, 7, "bank", syntax, provider_key="bank")
    >>> [reading.place.provider for reading in
    ...  read_text(group_by_scheme([known]), "account:1@demo")]
    ['DEMO']
    """
    folded = fa_syntax.fold(text)
    candidates = by_scheme.get(folded[: folded.find(":") + 1], ())
    readings = [
        AddressReading(known, parts, _get_place(known, parts))
        for known in candidates
        if (parts := fa_syntax.parse_folded(known.syntax, text, folded)) is not None
    ]
    return readings or _read_gaps(candidates, text, folded)


def _read_gaps(
    candidates: Iterable[KnownStrategy], text: str, folded: str
) -> list[AddressReading]:
    """Return every way to read a text that may also contain strategy signs as gaps."""
    return [
        AddressReading(known, parts, _get_place(known, parts))
        for known in candidates
        if known.gaps
        and (parts := fa_gaps.parse(known.syntax, text, folded, known.gaps)) is not None
    ]


def _get_place(known: KnownStrategy, parts: Mapping[str, str]) -> AddressPlace:
    fold = _FOLDS[known.provider_by]
    return AddressPlace(
        known.provider_by,
        fold(parts.get(known.provider_key, "")),
        fold_code(parts.get(known.branch_key, "")),
    )


_FOLDS: dict[str, Callable[[str], str]] = {"code": fold_code, "bic": fold_bic}


def choose_reading(
    readings: list[AddressReading], found: Found
) -> AddressReading | None:
    """Return the first reading with a known provider, else the first, else None."""
    if len(readings) > 1:
        for reading in readings:
            if reading.place in found:
                return reading
    return readings[0] if readings else None


def to_address(text: str, reading: AddressReading | None, found: Found) -> Address:
    """Return the address of a chosen reading."""
    if reading is None:
        return Address(text)
    holder, known = found.get(reading.place, NO_HOLDER), reading.known
    return Address(
        text,
        known.number,
        known.type_code,
        known.type_id,
        holder.provider_id,
        holder.branch_id,
        reading.parts,
    )


def mask_reading(text: str, reading: AddressReading | None, found: Found) -> str:
    """Return the masked form of a chosen reading, or of the whole text without one."""
    if reading is None:
        return fa_mask.mask(text)
    shown = _get_shown_keys(reading, found.get(reading.place, NO_HOLDER))
    return fa_mask.mask_address(reading.known.syntax, reading.parts, shown)


def get_hidden_values(
    text: str, reading: AddressReading | None, found: Found
) -> list[str]:
    """Return the values that the masked form of a chosen reading hides."""
    if reading is None:
        return [text]
    shown = _get_shown_keys(reading, found.get(reading.place, NO_HOLDER))
    return [value for key, value in reading.parts.items() if key not in shown]


def _get_shown_keys(reading: AddressReading, holder: Holder) -> Collection[str]:
    """Return the keys of provider and branch, where their values may be shown."""
    known, parts = reading.known, reading.parts
    return {
        key
        for key, found_id in (
            (known.provider_key, holder.provider_id),
            (known.branch_key, holder.branch_id),
        )
        if key and (found_id or fa_mask.looks_like_code(parts[key]))
    }
