"""Decide whether a change is applied now, later, after a second look, or never.

``assess`` asks the steps of ``_STEPS``, in that order, until one of them answers. The
rules of the database are data: the first whose conditions all hold is given to each
step. A suspension overwrites nothing, and a doubt takes effect at once, so it has
steps of its own; so does staff's lifting of an owner's lock.
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


class Proposer(NamedTuple):
    """Who asks for a change, as the rules see it.

    ``review_reason`` is why the caller asks for a second person, whatever the rules
    say. ``other_channel`` is a channel whose rules count, too: that the change came by
    ``channel`` is only the caller's word.
    """

    channel: str
    authority: int
    has_evidence: bool = False
    review_reason: str = ""
    other_channel: str = ""


class Situation(NamedTuple):
    """The person and the address in force that a change concerns, as the rules see it.

    ``authority`` is that of the address in force, None without one; ``is_foreign``
    states that the caller has providers of its own, and that the address is with none
    of them; ``is_locked`` that the owner has locked changes; ``is_provisional`` that
    the person has no ID card, but only a reference that the registry issued.
    ``stop_authority`` is the authority that lets suspended payments go on, None if they
    are not suspended; ``is_stopped_by_two`` states that it took two people to suspend
    them.
    """

    authority: int | None = None
    is_foreign: bool = False
    is_locked: bool = False
    is_provisional: bool = False
    stop_authority: int | None = None
    is_stopped_by_two: bool = False


class Proposal(NamedTuple):
    """A change as the rules see it, without the ID or the address."""

    operation: str
    proposer: Proposer
    situation: Situation = Situation()


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
        proposer = proposal.proposer
        return (
            self.operation in (None, proposal.operation)
            and self.channel in (None, proposer.channel)
            and (
                self.below_authority is None
                or proposer.authority < self.below_authority
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
#: A function that returns the assessment of a proposal, or None to ask the next step;
#: the rule is the first that applies.
Step = Callable[[Proposal, Rule | None], Assessment | None]

#: The channel that can attach a document, and why a change without one is refused.
_STAFF, NO_EVIDENCE = "staff", "no_evidence"
#: The operation to which only rules that name it apply, and the one without rules.
_SUSPEND, _UNLOCK = "suspend", "unlock"
#: Operations that an owner's lock does not concern.
_UNLOCKED = frozenset({_SUSPEND, "resume"})
#: The operations that say where money goes.
_MOVING = ("link", "update")
#: The operations after which payments are no longer suspended, or need not be: whoever
#: removes an address can link it again.
_RELEASING = frozenset({"resume", "unlink", "link"})

#: From the decision that lets most through to the one that lets nothing through.
_STRICT = (Decision.APPLY, Decision.HOLD, Decision.APPROVE, Decision.REFUSE)

AT_ONCE = Assessment(Decision.APPLY)
WITHOUT_EVIDENCE = Assessment(Decision.REFUSE, why=NO_EVIDENCE)
LOWER_AUTHORITY = Assessment(Decision.APPROVE, why="lower_authority")
OTHER_PROVIDER = Assessment(Decision.APPROVE, why="other_provider")
OWNER_LOCKED = Assessment(Decision.APPROVE, why="owner_locked")
STOPPED_BY_HIGHER = Assessment(Decision.APPROVE, why="stopped_by_higher")
STOPPED_BY_TWO = Assessment(Decision.APPROVE, why="stopped_by_two")
PROVISIONAL = Assessment(Decision.APPROVE, why=WHY_PROVISIONAL)
NO_RULE = Assessment(Decision.APPROVE, why="no_rule")


def assess(rules: Iterable[Rule], proposal: Proposal) -> Assessment:
    """Return the assessment of ``proposal`` by the first step that has one.

    >>> at_once = Rule(Decision.APPLY)
    >>> first = Proposal("update", Proposer("rest", Authority.PROGRAMME))
    >>> assess([at_once], first).decision.value
    'apply'
    >>> assess([], first).why
    'no_rule'

    A refusal by a rule precedes a review that the caller or the person's lack of an ID
    card asks for, and follows the reviews that protect the address in force:

    >>> situation = Situation(is_provisional=True)
    >>> assess([Rule(Decision.REFUSE)], first._replace(situation=situation)).decision
    <Decision.REFUSE: 'refuse'>
    >>> higher = situation._replace(authority=Authority.OWNER)
    >>> assess([Rule(Decision.REFUSE)], first._replace(situation=higher)).why
    'lower_authority'
    """
    if proposal.proposer.other_channel:
        return _assess_both(rules, proposal)
    rule = find_rule(rules, proposal)
    steps = _OWN_STEPS.get(proposal.operation, _STEPS)
    return next(filter(None, (step(proposal, rule) for step in steps)))


def _assess_both(rules: Iterable[Rule], proposal: Proposal) -> Assessment:
    """Return the stricter assessment, of the channel that is claimed and the other one.

    >>> proposer = Proposer("agent", Authority.OWNER, other_channel="portal")
    >>> rules = [Rule(Decision.APPROVE, channel="portal"), Rule(Decision.APPLY)]
    >>> assess(rules, Proposal("update", proposer)).decision.value
    'approve'
    >>> claimed = proposer._replace(other_channel="")
    >>> assess(rules, Proposal("update", claimed)).decision.value
    'apply'
    """
    known, claimed = list(rules), proposal.proposer._replace(other_channel="")
    other = claimed._replace(channel=proposal.proposer.other_channel)
    both = (
        assess(known, proposal._replace(proposer=each)) for each in (claimed, other)
    )
    return max(both, key=_get_strictness)


def _get_strictness(assessment: Assessment) -> tuple[int, int]:
    return _STRICT.index(assessment.decision), assessment.hold_hours


def find_rule(rules: Iterable[Rule], proposal: Proposal) -> Rule | None:
    """Return the first rule that applies to ``proposal``.

    A suspension is not delayed by a rule that does not name it.

    >>> hold = Rule(Decision.HOLD, hold_hours=48)
    >>> resuming = Proposal("resume", Proposer("rest", 20))
    >>> find_rule([hold], resuming) is hold
    True
    >>> find_rule([hold], resuming._replace(operation="suspend"))
    """
    is_named_only = proposal.operation == _SUSPEND
    found = (rule for rule in rules if rule.operation or not is_named_only)
    return next((rule for rule in found if rule.applies_to(proposal)), None)


# === THE STEPS === #


def _refuse_without_evidence(
    proposal: Proposal, rule: Rule | None
) -> Assessment | None:
    """Refuse staff whose document is missing, where the rule demands one.

    >>> scanned = Rule(Decision.APPLY, needs_evidence=True)
    >>> staff = Proposer("staff", Authority.STAFF)
    >>> _refuse_without_evidence(Proposal("update", staff), scanned).why
    'no_evidence'
    >>> seen = Proposal("update", staff._replace(has_evidence=True))
    >>> _refuse_without_evidence(seen, scanned)
    """
    demands = rule is not None and rule.needs_evidence
    return WITHOUT_EVIDENCE if demands and _lacks_evidence(proposal) else None


def _keep_the_lock(proposal: Proposal, _rule: Rule | None) -> Assessment | None:
    """Ask a second person about others' changes of what the owner has locked.

    >>> locked = Proposal("update", Proposer("staff", 30), Situation(is_locked=True))
    >>> _keep_the_lock(locked, None).why
    'owner_locked'
    >>> _keep_the_lock(locked._replace(operation="suspend"), None)
    >>> owner = Proposer("portal", Authority.OWNER)
    >>> _keep_the_lock(locked._replace(proposer=owner), None)
    """
    is_kept = proposal.situation.is_locked and proposal.operation not in _UNLOCKED
    is_other = proposal.proposer.authority < Authority.OWNER
    return OWNER_LOCKED if is_kept and is_other else None


def _keep_what_is_higher(proposal: Proposal, _rule: Rule | None) -> Assessment | None:
    """Ask a second person before a lower authority overwrites a higher one's statement.

    >>> by_programme = Proposer("rest", Authority.PROGRAMME)
    >>> lower = Proposal("update", by_programme, Situation(Authority.OWNER))
    >>> _keep_what_is_higher(lower, None).why
    'lower_authority'
    >>> _keep_what_is_higher(lower._replace(situation=Situation()), None)
    """
    current = proposal.situation.authority
    is_lower = current is not None and proposal.proposer.authority < current
    return LOWER_AUTHORITY if is_lower else None


def _keep_the_stop(proposal: Proposal, _rule: Rule | None) -> Assessment | None:
    """Ask a second person before less than what stopped payments lets them go on.

    Whatever the authority of the address: who stopped payments counts. While they are
    suspended, a lower authority does not replace the address either.

    >>> by_programme = Proposer("registry", Authority.PROGRAMME)
    >>> stopped = Situation(Authority.PROGRAMME, stop_authority=Authority.STAFF)
    >>> resuming = Proposal("resume", by_programme, stopped)
    >>> _keep_the_stop(resuming, None).why
    'stopped_by_higher'
    >>> _keep_the_stop(resuming._replace(operation="update"), None).why
    'stopped_by_higher'

    What two people stopped takes two people, whoever they are:

    >>> owner = Proposer("portal", Authority.OWNER)
    >>> by_two = stopped._replace(is_stopped_by_two=True)
    >>> _keep_the_stop(Proposal("resume", owner, by_two), None).why
    'stopped_by_two'
    >>> _keep_the_stop(Proposal("update", owner, by_two), None)
    >>> _keep_the_stop(Proposal("resume", owner, stopped), None)
    """
    needed = proposal.situation.stop_authority
    if needed is not None and proposal.proposer.authority < needed:
        return STOPPED_BY_HIGHER
    is_releasing = proposal.operation in _RELEASING
    takes_two = is_releasing and proposal.situation.is_stopped_by_two
    return STOPPED_BY_TWO if takes_two else None


def _keep_with_provider(proposal: Proposal, _rule: Rule | None) -> Assessment | None:
    """Ask a second person before a provider moves a link away from another one."""
    return OTHER_PROVIDER if proposal.situation.is_foreign else None


def _refuse_by_rule(proposal: Proposal, rule: Rule | None) -> Assessment | None:
    """Refuse what the rule refuses, so that no later step lets a person decide."""
    is_refused = rule is not None and rule.decision is Decision.REFUSE
    return _follow_rule(proposal, rule) if is_refused else None


def _review_provisional(proposal: Proposal, _rule: Rule | None) -> Assessment | None:
    """Ask a second person where the money of somebody without an ID card goes.

    >>> situation = Situation(is_provisional=True)
    >>> provisional = Proposal("link", Proposer("staff", 30), situation)
    >>> _review_provisional(provisional, None).why
    'provisional'
    >>> _review_provisional(provisional._replace(operation="unlink"), None)
    """
    is_moving = proposal.operation in _MOVING
    return PROVISIONAL if is_moving and proposal.situation.is_provisional else None


def _review_without_rule(_proposal: Proposal, rule: Rule | None) -> Assessment | None:
    """Ask a second person if no rule applies: its absence is not permission."""
    return NO_RULE if rule is None else None


def _review_as_asked(proposal: Proposal, _rule: Rule | None) -> Assessment | None:
    """Ask a second person if the caller wishes it.

    >>> asking = Proposer("rest", Authority.PROGRAMME, review_reason="newer_than_paper")
    >>> _review_as_asked(Proposal("update", asking), Rule(Decision.APPLY)).why
    'newer_than_paper'
    """
    reason = proposal.proposer.review_reason
    return Assessment(Decision.APPROVE, why=reason) if reason else None


def _follow_rule(_proposal: Proposal, rule: Rule | None) -> Assessment | None:
    """Do as the rule says, if there is one."""
    if rule is None:
        return None
    return Assessment(rule.decision, rule.hold_hours, rule.why)


def _suspend(proposal: Proposal, _rule: Rule | None) -> Assessment:
    """Suspend at once, unless staff ask: what they learn at the counter may be hearsay.

    >>> _suspend(Proposal("suspend", Proposer("rest", 20)), None).decision.value
    'apply'
    >>> _suspend(Proposal("suspend", Proposer("staff", 30)), None).why
    'no_rule'
    """
    return NO_RULE if proposal.proposer.channel == _STAFF else AT_ONCE


def _unlock(proposal: Proposal, _rule: Rule | None) -> Assessment:
    """Ask a second person before staff lift an owner's lock, with a document only.

    >>> lost_phone = Proposer("staff", Authority.STAFF)
    >>> _unlock(Proposal("unlock", lost_phone), None).why
    'no_evidence'
    >>> _unlock(Proposal("unlock", lost_phone._replace(has_evidence=True)), None).why
    'owner_locked'
    """
    return WITHOUT_EVIDENCE if _lacks_evidence(proposal) else OWNER_LOCKED


def _lacks_evidence(proposal: Proposal) -> bool:
    return proposal.proposer.channel == _STAFF and not proposal.proposer.has_evidence


#: Who decides about a change, in this order.
_STEPS: tuple[Step, ...] = (
    _refuse_without_evidence,
    _keep_the_lock,
    _keep_what_is_higher,
    _keep_the_stop,
    _keep_with_provider,
    _refuse_by_rule,
    _review_provisional,
    _review_without_rule,
    _review_as_asked,
    _follow_rule,
)
#: The steps of operations that have their own.
_OWN_STEPS: dict[str, tuple[Step, ...]] = {
    _SUSPEND: (_refuse_without_evidence, _follow_rule, _suspend),
    _UNLOCK: (_unlock,),
}


# === ASKING ONCE === #


def assess_once(assess_one: Assess) -> Assess:
    """Return ``assess_one`` for one batch: each kind of proposal is assessed once."""
    assessments: dict[Proposal, Assessment] = {}

    def assess_new(proposal: Proposal) -> Assessment:
        assessment = assessments.get(proposal)
        if assessment is None:
            assessment = assessments[proposal] = assess_one(proposal)
        return assessment

    return assess_new
