"""The questions on the way to a financial address, one a page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

KIND, PROVIDER, BRANCH, DETAILS, REVIEW = "kind provider branch details review".split()


@dataclass(slots=True)
class Answers:
    """What was answered until now; ``parts`` are the texts, by key."""

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
        """Another kind asks other questions: what was answered to them is void."""
        if type_id != self.type_id:
            self.type_id, self.provider_id = type_id, None
            self.branch_id, self.parts = None, {}

    def set_provider(self, provider_id: int) -> None:
        """Another provider has other branches, and another number for this person."""
        if provider_id != self.provider_id:
            self.provider_id, self.branch_id, self.parts = provider_id, None, {}


def get_steps(kinds: Iterable[str]) -> list[str]:
    """The questions that a kind of address asks, given the kinds of its parts.

    >>> get_steps(["provider", "branch", "text"])
    ['kind', 'provider', 'branch', 'details', 'review']
    >>> get_steps(["text"])
    ['kind', 'details', 'review']
    """
    asked = {"provider": PROVIDER, "branch": BRANCH, "text": DETAILS}
    wanted = {asked[kind] for kind in kinds}
    return [KIND, *(s for s in (PROVIDER, BRANCH, DETAILS) if s in wanted), REVIEW]


def get_open_step(steps: list[str], answers: Answers) -> str:
    """The first question without an answer; the last one when there is none.

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
    """Whether ``step`` can be asked now: all before it have their answers.

    >>> may_ask(get_steps(["provider", "text"]), Answers(type_id=1), "details")
    False
    """
    if step not in steps:
        return False
    return steps.index(step) <= steps.index(get_open_step(steps, answers))


def comes_before(steps: list[str], first: str, step: str) -> bool:
    """Whether ``first`` is asked before ``step``, which may not be asked at all.

    >>> comes_before([KIND, DETAILS, REVIEW], "kind", "review")
    True
    >>> comes_before([KIND], "kind", "review"), comes_before([KIND], "kind", "kind")
    (True, False)
    """
    return step not in steps or steps.index(first) < steps.index(step)


def get_before(steps: list[str], step: str) -> str:
    """The question before ``step``; empty before the first.

    >>> get_before(["kind", "details", "review"], "details")
    'kind'
    """
    place = steps.index(step) if step in steps else 0
    return steps[place - 1] if place else ""
