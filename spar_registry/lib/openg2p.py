"""Reading what an OpenG2P SPAR exports: its strategies and its directory.

Version 1 keeps its directory in levels and their values, version 2 in banks, branches
and wallet providers. Nothing here knows a database: the tables are lists of rows, each
a dictionary of texts by the name of the column.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass

TableRows = list[dict[str, str]]

#: The codes of kinds of address, and of the providers that hold them.
BANK, MOBILE, EMAIL = "bank_account", "mobile_wallet", "email_wallet"
PROVIDER_KINDS = {BANK: "bank", MOBILE: "wallet", EMAIL: "email_wallet"}
_KEYS = {
    BANK: {
        "account_number": "account_number",
        "account_no": "account_number",
        "branch_code": "branch_code",
        "branch": "branch_code",
        "branch_name": "branch_name",
        "bank_code": "bank_code",
        "bank": "bank_code",
        "bank_name": "bank_name",
    },
    MOBILE: {
        "mobile_number": "phone_number",
        "phone_number": "phone_number",
        "phone": "phone_number",
        "wallet_provider_code": "wallet_code",
        "wallet": "wallet_code",
        "wallet_provider_name": "wallet_name",
    },
    EMAIL: {
        "email_address": "email_address",
        "email": "email_address",
        "wallet_provider_code": "wallet_code",
        "wallet": "wallet_code",
        "wallet_provider_name": "wallet_name",
    },
}
#: The parts that tell a kind; the first of these that a strategy has decides.
_NUMBERS = {
    "account_number": BANK,
    "account_no": BANK,
    "mobile_number": MOBILE,
    "phone_number": MOBILE,
    "phone": MOBILE,
    "email_address": EMAIL,
    "email": EMAIL,
}
#: What OpenG2P writes for the kind itself; upper and lower case are equivalent.
_KIND_WORDS: dict[str, dict[str, tuple[str, ...]]] = {
    "fa_type": {
        BANK: ("bank", "BANK_ACCOUNT"),
        MOBILE: ("mobile_wallet_provider", "MOBILE_WALLET"),
        EMAIL: ("email_wallet_provider", "EMAIL_WALLET"),
    },
    "type": {BANK: ("bank_acc",), MOBILE: ("wallet",)},
}
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_GROUP = re.compile(r"\(\?P<(\w+)>(?:[^()\\]|\\.)*\)")
_ESCAPED = re.compile(r"\\([^\w\s])")
_META = re.compile(r"[\\()\[\]*+?|^$]")


class UnreadableStrategy(ValueError):
    """A strategy cannot be kept; ``code`` says why, ``part`` names a part.

    The codes: ``pattern`` (neither its template nor its pattern can be read), ``kind``
    (it contains no account, telephone number or e-mail address), ``part`` (it contains
    a part that no kind of address has).
    """

    def __init__(self, code: str, part: str = ""):
        super().__init__(code)
        self.code, self.part = code, part


@dataclass(frozen=True)
class TheirStrategy:
    """A strategy of theirs, and the templates by which it is kept."""

    number: int
    description: str
    kind: str
    templates: tuple[str, ...]

    @property
    def name(self) -> str:
        """Return the name under which it is kept."""
        return self.description or str(self.number)


@dataclass(frozen=True)
class TheirProvider:
    """A bank or wallet of theirs; ``kind`` is the kind of provider."""

    code: str
    name: str
    kind: str


@dataclass(frozen=True)
class TheirBranch:
    """A branch of theirs; ``provider_code`` is "" if its bank does not exist."""

    code: str
    name: str
    provider_code: str


def read_table(data: bytes) -> TableRows:
    r"""Return the rows of an exported table; raises ValueError if it is none.

    >>> read_table(b"\xef\xbb\xbfid,bank_name\n1,East\n")
    [{'id': '1', 'bank_name': 'East'}]
    """
    reader = csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""))
    if "id" not in (reader.fieldnames or ()):
        raise ValueError("the header has no column id")
    return [
        {name: (text or "").strip() for name, text in row.items() if name}
        for row in reader
    ]


# === STRATEGIES === #


def read_strategy(row: dict[str, str]) -> TheirStrategy | None:
    """Return a strategy for addresses, None for one of IDs.

    Raises UnreadableStrategy.

    >>> construct = "mobile_number:{mobile_number}.code:{wallet_provider_code}"
    >>> read_strategy(
    ...     {"id": "4", "strategy_type": "FA", "construct_strategy": construct}
    ... ).templates
    ('mobile_number:{phone_number}.code:{wallet_code}',)
    """
    if row.get("strategy_type", "").rpartition(".")[2].upper() == "ID":
        return None
    kind, templates = translate(
        row.get("construct_strategy", ""), row.get("deconstruct_strategy", "")
    )
    description = row.get("description", "")
    return TheirStrategy(int(row["id"]), description, kind, templates)


def translate(construct: str, deconstruct: str) -> tuple[str, tuple[str, ...]]:
    """Return the kind of address and the templates that a strategy stands for.

    A strategy whose template cannot be used is read from its pattern. One that leaves
    the word for the kind open becomes several templates.

    >>> translate("account:{account_no}@{branch}.{bank}.{type}", "")
    ('bank_account', ('account:{account_number}@{branch_code}.{bank_code}.bank_acc',))
    >>> translate("", r"^email:(?P<email>.*)\\.code:(?P<wallet>.*)$")
    ('email_wallet', ('email:{email_address}.code:{wallet_code}',))
    >>> translate("iban:{iban}", "")
    Traceback (most recent call last):
    ...
    odoo.addons.spar_registry.lib.openg2p.UnreadableStrategy: kind
    """
    template = construct if _PLACEHOLDER.search(construct) else ""
    template = template or _read_pattern(deconstruct)
    names = _PLACEHOLDER.findall(template)
    numbers = [name for name in _NUMBERS if name in names]
    if not numbers:
        raise UnreadableStrategy("kind")
    kind = _NUMBERS[numbers[0]]
    templates = [template]
    for name in dict.fromkeys(names):
        values = _get_values(kind, name)
        templates = [
            text.replace(f"{{{name}}}", value) for text in templates for value in values
        ]
    return kind, tuple(templates)


def _get_values(kind: str, name: str) -> tuple[str, ...]:
    """Return what stands for a placeholder: a part, a word for the kind, or nothing."""
    if name in _KEYS[kind]:
        return (f"{{{_KEYS[kind][name]}}}",)
    if words := _KIND_WORDS.get(name, {}).get(kind):
        return words
    if name in _NUMBERS:  # of another kind: empty in an address of this one
        return ("",)
    raise UnreadableStrategy("part", name)


def _read_pattern(pattern: str) -> str:
    """Return the template of a regular expression that consists of named groups."""
    literals = _GROUP.sub("", pattern.removeprefix("^").removesuffix("$"))
    if not _GROUP.search(pattern) or _META.search(_ESCAPED.sub("", literals)):
        raise UnreadableStrategy("pattern")
    plain = _GROUP.sub(r"{\1}", pattern.removeprefix("^").removesuffix("$"))
    return _ESCAPED.sub(r"\1", plain)


# === DIRECTORY === #

_LEVELS = {
    "bank": "bank",
    "mobile_wallet_provider": "wallet",
    "email_wallet_provider": "email_wallet",
}


def read_levels(
    levels: TableRows, values: TableRows
) -> tuple[list[TheirProvider], list[TheirBranch]]:
    """Return the providers and branches of version 1.

    >>> levels = [
    ...     {"id": "1", "level_type": "bank"},
    ...     {"id": "2", "level_type": "branch"},
    ... ]
    >>> values = [
    ...     {"id": "10", "name": "East", "code": "E", "parent": "0", "level_id": "1"},
    ...     {"id": "11", "name": "Main", "code": "E1", "parent": "10", "level_id": "2"},
    ... ]
    >>> read_levels(levels, values)[1]
    [TheirBranch(code='E1', name='Main', provider_code='E')]
    """
    types = {row["id"]: row.get("level_type", "").lower() for row in levels}
    by_id = {row["id"]: row for row in values}

    def find_type(row: dict[str, str]) -> str:
        return types.get(row.get("level_id", ""), "")

    providers = [
        TheirProvider(row.get("code", ""), row.get("name", ""), _LEVELS[find_type(row)])
        for row in values
        if find_type(row) in _LEVELS
    ]
    branches = [
        TheirBranch(
            row.get("code", ""),
            row.get("name", ""),
            by_id.get(row.get("parent", ""), {}).get("code", ""),
        )
        for row in values
        if find_type(row) == "branch"
    ]
    return providers, branches


def read_banks(
    banks: TableRows, branches: TableRows, wallets: TableRows
) -> tuple[list[TheirProvider], list[TheirBranch]]:
    """Return the providers and branches of version 2.

    >>> read_banks([], [], [{"sp_code": "P", "sp_name": "Pay", "wallet_type": "EMAIL"}])
    ([TheirProvider(code='P', name='Pay', kind='email_wallet')], [])
    """
    codes = {row["id"]: row.get("bank_code", "") for row in banks}
    providers = [
        TheirProvider(row.get("bank_code", ""), row.get("bank_name", ""), "bank")
        for row in banks
    ]
    providers += [
        TheirProvider(
            row.get("sp_code", ""),
            row.get("sp_name", ""),
            "email_wallet"
            if "MAIL" in row.get("wallet_type", "").upper()
            else "wallet",
        )
        for row in wallets
    ]
    found = [
        TheirBranch(
            row.get("branch_code", ""),
            row.get("branch_name", ""),
            codes.get(row.get("bank_id", ""), ""),
        )
        for row in branches
    ]
    return providers, found


def write_providers(providers: Iterable[TheirProvider]) -> str:
    """Return providers as a file that the directory loads."""
    rows = [("code", "name", "kind")]
    return _write(rows + [(one.code, one.name, one.kind) for one in providers])


def write_branches(branches: Iterable[TheirBranch]) -> str:
    """Return branches as a file that the directory loads."""
    rows = [("provider code", "code", "name")]
    return _write(rows + [(one.provider_code, one.code, one.name) for one in branches])


def _write(rows: list[tuple[str, str, str]]) -> str:
    output = io.StringIO()
    csv.writer(output).writerows(rows)
    return output.getvalue()
