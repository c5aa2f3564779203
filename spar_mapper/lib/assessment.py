"""Decide whether a change is applied now, later, after a second look, or never.

Rules are data: the first whose conditions all hold decides. Three laws take precedence:
a lower authority never overwrites a higher one's statement on its own, a provider never
moves a link away from another provider, and one caller alone never says where the money
of somebody without an ID card goes.

A suspension overwrites nothing, so neither law applies to it, and only rules that name
it do: a doubt takes effect at once. Staff are the exception, because what they learn
at the counter may be hearsay: see ``_assess_suspension``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from odoo.addons.spar_mapper_connector.lib.contract import Authority

from .provisional import WHY_PROVISIONAL


class Decision(str, Enum):
    """The possible fates of a proposed change."""

    APPLY = "apply"
    HOLD = "hold"
    APPROVE = "approve"
    REFUSE = "refuse"


class Proposal(NamedTuple):
    """A change as the rules see it, without the ID or the address.

    ``is_foreign`` states that the caller has providers of its own, and that the address
    in force is with none of them; ``is_locked`` that the owner has locked changes;
    ``is_provisional`` that the person has no ID card, but only a reference that the
    registry issued. ``review_reason`` is why the caller asks for a second person,
    whatever the rules say. ``other_channel`` is a channel whose rules count, too: that
    the change came by ``channel`` is only the caller's word.
    """

    operation: str
    channel: str
    authority: int
    current_authority: int | None = None
    purpose: str = ""
    is_foreign: bool = False
    has_evidence: bool = False
    review_reason: str = ""
    is_locked: bool = False
    is_provisional: bool = False
    other_channel: str = ""


@dataclass(frozen=True)
class Rule:
    """Conditions (None matches anything) and a decision."""

    decision: Decision
    operation: str | None = None
    channel: str | None = None
    below_authority: int | None = None
    hold_hours: int = 0
    why: str = ""
    needs_evidence: bool = False

    def applies_to(self, proposal: Proposal) -> bool:
        """Return whether every condition holds for ``proposal``."""
        return (
            self.operation in (None, proposal.operation)
            and self.channel in (None, proposal.channel)
            and (
                self.below_authority is None
                or proposal.authority < self.below_authority
            )
        )


@dataclass(frozen=True)
class Assessment:
    """The decision, how long to hold the change, and the rule's reason."""

    decision: Decision
    hold_hours: int = 0
    why: str = ""


#: A function that returns the assessment of a proposal.
Assess = Callable[[Proposal], Assessment]

#: The channel that can attach a document, and why a change without one is refused.
_STAFF, NO_EVIDENCE = "staff", "no_evidence"
#: The operation to which only rules that name it apply.
_SUSPEND = "suspend"
#: The operation to which no rule applies, and the authority of the owner.
_UNLOCK, _OWNER = "unlock", Authority.OWNER
#: Operations that an owner's lock does not concern.
_UNLOCKED = frozenset({_SUSPEND, "resume"})
#: The operations that say where money goes.
_MOVING = ("link", "update")

#: From the decision that lets most through to the one that lets nothing through.
_STRICT = (Decision.APPLY, Decision.HOLD, Decision.APPROVE, Decision.REFUSE)

AT_ONCE = Assessment(Decision.APPLY)
LOWER_AUTHORITY = Assessment(Decision.APPROVE, why="lower_authority")
OTHER_PROVIDER = Assessment(Decision.APPROVE, why="other_provider")
OWNER_LOCKED = Assessment(Decision.APPROVE, why="owner_locked")
PROVISIONAL = Assessment(Decision.APPROVE, why=WHY_PROVISIONAL)
NO_RULE = Assessment(Decision.APPROVE, why="no_rule")


def assess(rules: Iterable[Rule], proposal: Proposal) -> Assessment:
    """Return the assessment of ``proposal``.

    If no rule applies, a second person must review the change: the absence of rules is
    not permission.

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

    Staff must attach a document if the rule that applies requires one, even if someone
    else decides:

    >>> scanned = Rule(Decision.APPLY, needs_evidence=True)
    >>> staff = Proposal("update", "staff", Authority.STAFF)
    >>> assess([scanned], staff).why
    'no_evidence'
    >>> assess([scanned], staff._replace(has_evidence=True)).decision.value
    'apply'

    A caller may ask for a second person, but not for less than the rule:

    >>> asking = first._replace(review_reason="newer_than_paper")
    >>> assess([at_once], asking).why, assess([at_once], asking).decision.value
    ('newer_than_paper', 'approve')
    >>> assess([Rule(Decision.REFUSE)], asking).decision.value
    'refuse'

    Where the owner has locked changes, a second person decides about those of staff:

    >>> assess([at_once], staff._replace(is_locked=True)).why
    'owner_locked'

    Of somebody without an ID card a second person decides, unless a rule refuses:

    >>> provisional = staff._replace(is_provisional=True)
    >>> assess([at_once], provisional).why
    'provisional'
    >>> assess([Rule(Decision.REFUSE)], provisional).decision.value
    'refuse'
    """
    if proposal.other_channel:
        return _assess_both(rules, proposal)
    if proposal.operation == _SUSPEND:
        return _assess_suspension(rules, proposal)
    if proposal.operation == _UNLOCK:
        return _assess_unlocking(proposal)
    rule = find_rule(rules, proposal)
    if rule is not None and rule.needs_evidence and _lacks_evidence(proposal):
        return Assessment(Decision.REFUSE, why=NO_EVIDENCE)
    if _is_locked_out(proposal):
        return OWNER_LOCKED
    current = proposal.current_authority
    if current is not None and proposal.authority < current:
        return LOWER_AUTHORITY
    if proposal.is_foreign:
        return OTHER_PROVIDER
    is_refused = rule is not None and rule.decision is Decision.REFUSE
    if proposal.is_provisional and proposal.operation in _MOVING and not is_refused:
        return PROVISIONAL
    if rule is None:
        return NO_RULE
    if proposal.review_reason and rule.decision is not Decision.REFUSE:
        return Assessment(Decision.APPROVE, why=proposal.review_reason)
    return Assessment(rule.decision, rule.hold_hours, rule.why)


def _assess_both(rules: Iterable[Rule], proposal: Proposal) -> Assessment:
    """Return the stricter assessment, of the channel that is claimed and the other one.

    >>> both = Proposal("update", "agent", Authority.OWNER, other_channel="portal")
    >>> rules = [Rule(Decision.APPROVE, channel="portal"), Rule(Decision.APPLY)]
    >>> assess(rules, both).decision.value
    'approve'
    >>> assess(rules, both._replace(other_channel="")).decision.value
    'apply'
    """
    known, claimed = list(rules), proposal._replace(other_channel="")
    other = claimed._replace(channel=proposal.other_channel)
    return max(assess(known, claimed), assess(known, other), key=_get_strictness)


def _get_strictness(assessment: Assessment) -> tuple[int, int]:
    return _STRICT.index(assessment.decision), assessment.hold_hours


def find_rule(rules: Iterable[Rule], proposal: Proposal) -> Rule | None:
    """Return the first rule that applies to ``proposal``.

    A suspension is not delayed by a rule that does not name it.

    >>> hold = Rule(Decision.HOLD, hold_hours=48)
    >>> find_rule([hold], Proposal("resume", "rest", 20)) is hold
    True
    >>> find_rule([hold], Proposal("suspend", "rest", 20))
    """
    is_named_only = proposal.operation == _SUSPEND
    found = (rule for rule in rules if rule.operation or not is_named_only)
    return next((rule for rule in found if rule.applies_to(proposal)), None)


def _assess_suspension(rules: Iterable[Rule], proposal: Proposal) -> Assessment:
    """Return the assessment of a suspension.

    >>> _assess_suspension([Rule(Decision.APPLY)], Proposal("suspend", "rest", 20))
    Assessment(decision=<Decision.APPLY: 'apply'>, hold_hours=0, why='')

    Without a rule that names it, a suspension by staff needs a second person:

    >>> _assess_suspension([Rule(Decision.APPLY)], Proposal("suspend", "staff", 30)).why
    'no_rule'
    """
    rule = find_rule(rules, proposal)
    if rule is None:
        return NO_RULE if proposal.channel == _STAFF else AT_ONCE
    if rule.needs_evidence and _lacks_evidence(proposal):
        return Assessment(Decision.REFUSE, why=NO_EVIDENCE)
    return Assessment(rule.decision, rule.hold_hours, rule.why)


def _assess_unlocking(proposal: Proposal) -> Assessment:
    """Return the assessment of staff lifting an owner's lock: whatever the rules are.

    >>> lost_phone = Proposal("unlock", "staff", Authority.STAFF)
    >>> _assess_unlocking(lost_phone).why
    'no_evidence'
    >>> _assess_unlocking(lost_phone._replace(has_evidence=True)).why
    'owner_locked'
    """
    if _lacks_evidence(proposal):
        return Assessment(Decision.REFUSE, why=NO_EVIDENCE)
    return OWNER_LOCKED


def _is_locked_out(proposal: Proposal) -> bool:
    is_moving = proposal.operation not in _UNLOCKED
    return proposal.is_locked and is_moving and proposal.authority < _OWNER


def _lacks_evidence(proposal: Proposal) -> bool:
    return proposal.channel == _STAFF and not proposal.has_evidence


def assess_once(assess_one: Assess) -> Assess:
    """Return ``assess_one`` for one batch: each kind of proposal is assessed once."""
    assessments: dict[Proposal, Assessment] = {}

    def assess_new(proposal: Proposal) -> Assessment:
        assessment = assessments.get(proposal)
        if assessment is None:
            assessment = assessments[proposal] = assess_one(proposal)
        return assessment

    return assess_new
