"""Whether a proposed change is applied now, later, after a second look, or not at all.

Rules are data: the first whose conditions all hold decides. Two laws stand before them:
a lower authority never overwrites a higher one's word on its own, and a provider never
moves a link away from another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum


class Decision(str, Enum):
    """What becomes of a proposed change."""

    APPLY = "apply"
    HOLD = "hold"
    APPROVE = "approve"
    REFUSE = "refuse"


@dataclass(frozen=True)
class Proposal:
    """A change as the rules see it: never the ID or the address.

    ``is_foreign`` tells that the address in force is with a provider that is none of
    the caller's, where the caller has providers of its own.
    """

    operation: str
    channel: str
    authority: int
    current_authority: int | None = None
    purpose: str = ""
    is_foreign: bool = False


@dataclass(frozen=True)
class Rule:
    """Conditions (None: any) and a decision."""

    decision: Decision
    operation: str | None = None
    channel: str | None = None
    below_authority: int | None = None
    hold_hours: int = 0
    why: str = ""

    def applies_to(self, proposal: Proposal) -> bool:
        """Whether every condition holds for ``proposal``."""
        return (
            self.operation in (None, proposal.operation)
            and self.channel in (None, proposal.channel)
            and (
                self.below_authority is None
                or proposal.authority < self.below_authority
            )
        )


@dataclass(frozen=True)
class Verdict:
    """The decision, how long to hold, and the rule's own words for why."""

    decision: Decision
    hold_hours: int = 0
    why: str = ""


#: What gives the verdict on a proposal.
Assess = Callable[[Proposal], Verdict]

LOWER_AUTHORITY = Verdict(Decision.APPROVE, why="lower_authority")
OTHER_PROVIDER = Verdict(Decision.APPROVE, why="other_provider")
NO_RULE = Verdict(Decision.APPROVE, why="no_rule")


def assess(rules: Iterable[Rule], proposal: Proposal) -> Verdict:
    """The verdict on ``proposal``.

    Where no rule applies a second person must look: a registry without rules is not a
    registry without care.

    >>> from odoo.addons.spar_mapper_connector.lib.contract import Authority
    >>> at_once = Rule(Decision.APPLY)
    >>> first = Proposal("update", "rest", Authority.PROGRAMME)
    >>> assess([at_once], first).decision.value
    'apply'
    >>> lower = Proposal("update", "rest", Authority.PROGRAMME, Authority.OWNER)
    >>> assess([at_once], lower).why
    'lower_authority'
    >>> other = Proposal("update", "rest", Authority.INSTITUTION, is_foreign=True)
    >>> assess([at_once], other).why
    'other_provider'
    """
    current = proposal.current_authority
    if current is not None and proposal.authority < current:
        return LOWER_AUTHORITY
    if proposal.is_foreign:
        return OTHER_PROVIDER
    for rule in rules:
        if rule.applies_to(proposal):
            return Verdict(rule.decision, rule.hold_hours, rule.why)
    return NO_RULE


def assess_once(assess_one: Assess) -> Assess:
    """Return ``assess_one`` for one batch: each kind of proposal is looked at once."""
    verdicts: dict[Proposal, Verdict] = {}

    def assess_new(proposal: Proposal) -> Verdict:
        verdict = verdicts.get(proposal)
        if verdict is None:
            verdict = verdicts[proposal] = assess_one(proposal)
        return verdict

    return assess_new
