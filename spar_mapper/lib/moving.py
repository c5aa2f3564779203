"""The result of a move for an address: its number by a rule, its new place.

When a bank closes, everyone with an address there gets one at its successor. An address
that must not be touched, or whose number the rule does not cover, stays and is listed
with the obstacle that explains why.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple

from odoo.addons.spar_fa_directory.lib.fa_examination import KnownKind, Problem
from odoo.addons.spar_fa_directory.lib.fa_form import CanonicalAddress
from odoo.addons.spar_fa_directory.lib.fa_reader import Address

from .ledger import Ledger
from .records import Head, Holding, StoredAddress, new_uuid

# === ADDRESSES THAT STAY === #

BROKEN = Problem("broken")
DISPUTED = Problem("disputed")
LOCKED = Problem("locked")
WAITING = Problem("waiting")
FALLBACK = Problem("fallback")
#: The rule does not cover the number.
NO_NUMBER = Problem("no_number")
OTHER_PREFIX = Problem("other_prefix")
UNLISTED = Problem("unlisted")
#: The successor cannot have the address.
UNWRITTEN = Problem("unwritten")
ELSEWHERE = Problem("elsewhere")
TAKEN = Problem("taken")

#: Why an address stays whatever the plan is: these say nothing about its number.
REGARDLESS_OF_PLAN = frozenset({BROKEN, DISPUTED, LOCKED, WAITING, FALLBACK})

_MOVED_KINDS = {"active": "moved", "suspended": "moved_suspended"}


def find_obstacle(holding: Holding | None) -> Problem | None:
    """Return why nothing of a person may be moved, or None."""
    if holding is None or holding.is_broken:
        return BROKEN
    if holding.subject.change_lock == "objection":
        return DISPUTED
    if holding.subject.change_lock != "none":
        return LOCKED
    return None


def find_place_obstacle(holding: Holding, head: Head | None) -> Problem | None:
    """Return why the address of one place may not be moved, or None.

    :param head: None for a place that no change can reach
    """
    if head is None:
        return FALLBACK
    if head.state == "proposed" or head.purpose in holding.subject.changes:
        return WAITING
    return None


# === THE NUMBER === #


@dataclass(frozen=True)
class NumberRule:
    """How a number at the successor is derived from the previous one.

    ``kind`` is "same", "add" (put ``prefix`` before the number), "replace" (put
    ``prefix`` in place of ``replaced``, with which the number begins) or "list" (a list
    of old and new numbers).
    """

    kind: str = "same"
    prefix: str = ""
    replaced: str = ""


#: A function that returns the new number, or why there is none. The mapping is the part
#: of the list that is needed.
Renumber = Callable[[NumberRule, str, Mapping[str, str]], str | Problem]
_RULES: dict[str, Renumber] = {}


def number_rule(kind: str) -> Callable[[Renumber], Renumber]:
    """Register the decorated function as the implementation of the rule ``kind``."""

    def register(function: Renumber) -> Renumber:
        _RULES[kind] = function
        return function

    return register


def renumber(rule: NumberRule, number: str, listed: Mapping[str, str]) -> str | Problem:
    """Return the number that replaces ``number``, or why there is none.

    >>> renumber(NumberRule("add", "99"), "123", {})
    '99123'
    >>> renumber(NumberRule("replace", "44", "12"), "123", {})
    '443'
    >>> renumber(NumberRule("replace", "44", "7"), "123", {}).code
    'other_prefix'
    >>> renumber(NumberRule("list"), "123", {"123": "7"})
    '7'
    """
    return _RULES[rule.kind](rule, number, listed)


@number_rule("same")
def _keep(_rule: NumberRule, number: str, _listed: Mapping[str, str]) -> str:
    return number


@number_rule("add")
def _add(rule: NumberRule, number: str, _listed: Mapping[str, str]) -> str:
    return rule.prefix + number


@number_rule("replace")
def _replace(
    rule: NumberRule, number: str, _listed: Mapping[str, str]
) -> str | Problem:
    if not number.startswith(rule.replaced):
        return OTHER_PREFIX
    return rule.prefix + number.removeprefix(rule.replaced)


@number_rule("list")
def _look_up(
    _rule: NumberRule, number: str, listed: Mapping[str, str]
) -> str | Problem:
    return listed.get(number, UNLISTED)


def get_number_key(kind: KnownKind) -> str:
    """Return the key of the part that is the number; "" for a kind without one."""
    texts = [part for part in kind.parts if part.kind == "text"]
    accounts = [part for part in texts if part.is_account]
    return next((part.key for part in accounts or texts), "")


# === THE PLACE === #


class TargetBranch(NamedTuple):
    """A branch of the successor; ``row_id`` is None if no branch has that code."""

    row_id: int | None = None
    code: str = ""


@dataclass(frozen=True)
class MovePlan:
    """The origin, the destination and the rule of a move.

    ``branch_id`` is the closed branch, or None if the whole provider has closed.
    ``branch`` is the successor's branch for everyone; without one, each address goes to
    the branch that ``branches`` names for its own, else to the one with the same code.
    """

    provider_id: int
    branch_id: int | None
    successor_id: int
    successor_code: str
    rule: NumberRule
    branch: TargetBranch = TargetBranch()
    branches: Mapping[int, TargetBranch] = field(default_factory=dict)

    def is_from(self, address: StoredAddress) -> bool:
        """Return whether ``address`` is one of those to be moved."""
        if self.branch_id is not None:
            return address.branch_id == self.branch_id
        return address.provider_id == self.provider_id

    def get_branch(self, branch_id: int | None) -> TargetBranch:
        """Return the destination of ``branch_id``; an empty one means the same code."""
        if self.branch.row_id is not None:
            return self.branch
        return self.branches.get(branch_id or 0, TargetBranch())


def build_moved(
    plan: MovePlan,
    kind: KnownKind,
    canonical: CanonicalAddress,
    listed: Mapping[str, str],
) -> Address | Problem:
    """Return the address at the successor, not written yet, or why there is none."""
    known, parts = canonical.known, canonical.parts
    number_key = get_number_key(kind)
    if known is None or parts is None or not number_key:
        return NO_NUMBER
    number = renumber(plan.rule, parts[number_key], listed)
    if isinstance(number, Problem):
        return number
    branch = plan.get_branch(canonical.branch_id)
    moved = parts | {number_key: number}
    for part in kind.parts:
        if part.kind == "provider":
            moved[part.key] = plan.successor_code
        elif part.kind == "branch" and branch.row_id is not None:
            moved[part.key] = branch.code
    return Address(
        "",
        known.number,
        known.type_code,
        known.type_id,
        plan.successor_id,
        branch.row_id,
        moved,
    )


def replace_address(
    old: StoredAddress, address: Address, key: str, now: datetime, form: int
) -> StoredAddress:
    """Return the address that replaces ``old``, with the authority of ``old``."""
    return replace(
        old,
        uuid=new_uuid(),
        version=0,
        fa=address.text,
        valid_from=now,
        strategy_number=address.strategy_number,
        fa_type_id=address.type_id,
        provider_id=address.provider_id,
        branch_id=address.branch_id,
        key=key,
        typed="",
        form=form,
        sealed=b"",
        identity="",
    )


def move(
    ledger: Ledger, holding: Holding, head: Head, address: Address, key: str
) -> None:
    """Put the address at the successor into its place; a suspension persists."""
    old = head.current
    new = replace_address(old, address, key, ledger.now, ledger.address_form)
    contact = old.details.phone_number
    ledger.begin(holding, head.purpose, new, _MOVED_KINDS[head.state], contact)
