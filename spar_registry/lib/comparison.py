"""What two registries answer for the same ID, compared."""

from __future__ import annotations

from typing import NamedTuple

from odoo.addons.spar_mapper_connector.lib.contract import Outcome

#: Answers that say for certain what is in force.
_CERTAIN = (Outcome.FOUND, Outcome.NOT_LINKED, Outcome.SUSPENDED)
_SAME = "same"
#: Findings that are neither the same nor a difference: somebody did not say.
UNKNOWN = (
    "no_answer_here",
    "no_answer_there",
    "refused_here",
    "refused_there",
    "stopped",
)


class ComparedAnswer(NamedTuple):
    """What a registry says of an ID; ``key`` is its address in a comparable form."""

    outcome: Outcome
    key: str = ""


def compare_answers(here: ComparedAnswer | None, there: ComparedAnswer | None) -> str:
    """Return what was found: ``same``, one of ``UNKNOWN``, or a difference.

    >>> found = ComparedAnswer(Outcome.FOUND, "1@A")
    >>> compare_answers(found, found)
    'same'
    >>> compare_answers(found, ComparedAnswer(Outcome.FOUND, "2@A"))
    'another'
    >>> nothing = ComparedAnswer(Outcome.NOT_LINKED)
    >>> compare_answers(nothing, found), compare_answers(found, nothing)
    ('only_there', 'only_here')
    >>> compare_answers(nothing, nothing)
    'same'

    An address that is not disclosed is not compared, but whether payments are stopped:

    >>> stopped = ComparedAnswer(Outcome.SUSPENDED)
    >>> compare_answers(stopped, found), compare_answers(found, stopped)
    ('stopped_here', 'stopped_there')
    >>> compare_answers(stopped, stopped), compare_answers(stopped, nothing)
    ('stopped', 'only_here')

    Without an answer nothing is the same:

    >>> compare_answers(None, None), compare_answers(nothing, None)
    ('no_answer_here', 'no_answer_there')
    >>> compare_answers(ComparedAnswer(Outcome.LOCKED), found)
    'refused_here'
    """
    if here is None or here.outcome not in _CERTAIN:
        return "no_answer_here" if here is None else "refused_here"
    if there is None or there.outcome not in _CERTAIN:
        return "no_answer_there" if there is None else "refused_there"
    return _compare_certain(here, there)


def _compare_certain(here: ComparedAnswer, there: ComparedAnswer) -> str:
    outcomes = (here.outcome, there.outcome)
    if Outcome.NOT_LINKED in outcomes:
        if here.outcome is there.outcome:
            return _SAME
        return "only_there" if here.outcome is Outcome.NOT_LINKED else "only_here"
    if Outcome.SUSPENDED in outcomes:
        if here.outcome is there.outcome:
            return "stopped"
        return "stopped_here" if here.outcome is Outcome.SUSPENDED else "stopped_there"
    return _SAME if here.key == there.key else "another"
