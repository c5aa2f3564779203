"""The questions on the way to a financial address, one per page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

KIND = "kind"
PROVIDER = "provider"
BRANCH = "branch"
DETAILS = "details"
REVIEW = "review"


@dataclass(slots=True)
class Answers:
    """The answers given so far; ``parts`` are the texts, by key."""

    type_id: int | None = None
    provider_id: int | None = None
    branch_id: int | None = None
    parts: dict[str, str] = field(default_factory=dict)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Answers:
        return cls(**document)

    def to_json(self) -> dict[str, object]:
        return {
            "type_id": self.type_id,
            "provider_id": self.provider_id,
            "branch_id": self.branch_id,
            "parts": self.parts,
        }

    def set_type(self, type_id: int) -> None:
        """Set the kind; a different one voids all later answers.

        The questions depend on the kind.
        """
        if type_id != self.type_id:
            self.type_id, self.provider_id = type_id, None
            self.branch_id, self.parts = None, {}

    def set_provider(self, provider_id: int) -> None:
        """Set the provider; a different one voids the branch and the number."""
        if provider_id != self.provider_id:
            self.provider_id, self.branch_id, self.parts = provider_id, None, {}


def get_steps(kinds: Iterable[str]) -> list[str]:
    """Return the questions for a kind of address, given the kinds of its parts.

    >>> get_steps(["provider", "branch", "text"])
    ['kind', 'provider', 'branch', 'details', 'review']
    >>> get_steps(["text"])
    ['kind', 'details', 'review']
    """
    questions = {"provider": PROVIDER, "branch": BRANCH, "text": DETAILS}
    wanted = {questions[kind] for kind in kinds}
    return [KIND, *(s for s in (PROVIDER, BRANCH, DETAILS) if s in wanted), REVIEW]


def get_open_step(steps: list[str], answers: Answers) -> str:
    """Return the first question without an answer, or the last question.

    >>> get_open_step(get_steps(["provider", "text"]), Answers(type_id=1))
    'provider'
    >>> get_open_step([KIND], Answers(type_id=1))  # a kind that is offered no more
    'kind'
    """
    answered = {
        KIND: answers.type_id,
        PROVIDER: answers.provider_id,
        BRANCH: answers.branch_id,
        DETAILS: answers.parts,
    }
    return next((step for step in steps if not answered.get(step, True)), steps[-1])


def may_ask(steps: list[str], answers: Answers, step: str) -> bool:
    """Return whether ``step`` can be asked now: all before it are answered.

    >>> may_ask(get_steps(["provider", "text"]), Answers(type_id=1), "details")
    False
    """
    if step not in steps:
        return False
    return steps.index(step) <= steps.index(get_open_step(steps, answers))


def comes_before(steps: list[str], first: str, step: str) -> bool:
    """Return whether ``first`` is asked before ``step``, which may not be asked.

    >>> comes_before([KIND, DETAILS, REVIEW], "kind", "review")
    True
    >>> comes_before([KIND], "kind", "review"), comes_before([KIND], "kind", "kind")
    (True, False)
    """
    return step not in steps or steps.index(first) < steps.index(step)


def get_previous_step(steps: list[str], step: str) -> str:
    """Return the question before ``step``; empty before the first.

    >>> get_previous_step(["kind", "details", "review"], "details")
    'kind'
    """
    place = steps.index(step) if step in steps else 0
    return steps[place - 1] if place else ""
