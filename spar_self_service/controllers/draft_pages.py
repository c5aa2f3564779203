"""The questions of a draft, for beneficiaries and for officers who help them."""

from dataclasses import dataclass

from odoo.exceptions import MissingError
from odoo.http import request

from odoo.addons.spar_mapper_connector.lib.pages.forms import get_number

from ..exceptions import AnswerRefused, DraftClosed, DraftOutdated
from ..lib import steps
from ..models.spar_draft import MAX_PLACES_SHOWN
from .confirmed import lead_to
from .page import get_here, go_to, show


@dataclass(frozen=True)
class DraftPages:
    """A draft and the path of its pages; ``is_agent``: an officer fills it in."""

    draft: object
    path: str
    is_agent: bool = False

    def get_url(self, step: str) -> str:
        return f"{self.path}/{step}"


def show_step(pages: DraftPages, step: str, **values):
    """Return the page of a question, or of the first to be answered before it."""
    draft = pages.draft
    if draft.state == "done":
        return go_to(pages.get_url("done"))
    answers = draft._get_answers()
    questions = draft._get_steps(answers)
    outdated = draft._get_outdated_step(answers)
    if outdated and steps.comes_before(questions, outdated, step):
        return go_to(pages.get_url(outdated), "void")
    if not steps.may_ask(questions, answers, step):
        return go_to(pages.get_url(steps.get_open_step(questions, answers)))
    if step == steps.REVIEW and not pages.is_agent:
        if request.env["spar.my.confirmation"]._is_needed():
            return _lead_to_mapper(pages)
    return _show(pages, step, answers, questions, **values)


def _lead_to_mapper(pages: DraftPages):
    """Redirect to the mapper's own page of review, or to the result."""
    proposed = request.env["spar.my.confirmation"]._propose(pages.draft)
    if proposed is None:
        return go_to(pages.get_url("done"))
    return lead_to(proposed, pages.get_url("finish"))


def _show(
    pages: DraftPages, step: str, answers, questions: list[str], status=200, **values
):
    before = steps.get_previous_step(questions, step)
    values = {"problems": {}, "typed": {}, "words": "", **values}
    values |= _BUILDERS[step](pages.draft, answers, values["words"])
    return show(
        f"step_{step}",
        status,
        here=get_here(pages.get_url(step)),
        pages=pages,
        draft=pages.draft,
        answers=answers,
        back_url=before and pages.get_url(before),
        step_text=_get_texts()._get_step_text(
            questions.index(step) + 1, len(questions)
        ),
        **values,
    )


# === CONTENT OF THE PAGES === #


def _get_texts():
    return request.env["spar.page.texts"]


def _build_kind(draft, answers, words: str) -> dict:
    return {"types": draft._get_types()}


def _build_provider(draft, answers, words: str) -> dict:
    part = draft._get_type(answers).part_ids.filtered(lambda p: p.kind == "provider")
    found = draft._find_providers(answers, words)
    return {
        "question": _get_texts()._get_choice_text(part.label),
        "part": part,
        "found": found[:MAX_PLACES_SHOWN],
        "is_cut": len(found) > MAX_PLACES_SHOWN,
    }


def _build_branch(draft, answers, words: str) -> dict:
    part = draft._get_type(answers).part_ids.filtered(lambda p: p.kind == "branch")
    found = draft._find_branches(answers, words)
    return {
        "question": _get_texts()._get_choice_text(part.label),
        "part": part,
        "provider": draft._get_provider(answers),
        "found": found[:MAX_PLACES_SHOWN],
        "is_cut": len(found) > MAX_PLACES_SHOWN,
    }


def _build_details(draft, answers, words: str) -> dict:
    parts = draft._get_typed_parts(answers)
    again = {part.key: _get_texts()._get_again_text(part.label) for part in parts}
    return {"texts": parts, "again": again, "kinds_of_input": INPUTS}


def _build_review(draft, answers, words: str) -> dict:
    if draft.operation == "remove":
        return {"lines": request.env["spar.my.address"]._get_overview().lines}
    address = draft._build_address()
    words_of = request.env["spar.address.words"]
    return {
        "lines": words_of._describe(address, whole=True) if address else [],
        "providers": draft.officer_id
        and request.env["auth.oauth.provider"]._get_offered(),
    }


_BUILDERS = {
    steps.KIND: _build_kind,
    steps.PROVIDER: _build_provider,
    steps.BRANCH: _build_branch,
    steps.DETAILS: _build_details,
    steps.REVIEW: _build_review,
}

#: The keyboard that a phone shows for each check, as a value of HTML's inputmode.
INPUTS = {"phone": "tel", "email": "email"}


# === ANSWERS === #


def take_answer(pages: DraftPages, step: str, form: dict):
    """Store an answer and go to the next question; show it again if it is refused."""
    draft, version = pages.draft, get_number(form.get("version"))
    if step not in draft._get_steps(draft._get_answers()):
        return show_current_step(pages)
    try:
        _TAKERS[step](draft, version, form)
    except AnswerRefused as error:
        shown = {"problems": error.problems, "typed": form}
        return show_step(pages, step, status=422, **shown)
    except (DraftOutdated, DraftClosed, MissingError):
        return show_current_step(pages)
    return _continue(pages, step)


def _continue(pages: DraftPages, step: str):
    """Go to the question after this one, while the chosen kind still asks both."""
    questions = pages.draft._get_steps(pages.draft._get_answers())
    if step not in questions[:-1]:
        return show_current_step(pages)
    return go_to(pages.get_url(questions[questions.index(step) + 1]))


def show_current_step(pages: DraftPages):
    """Redirect to the first open question, with an explanation.

    The question may be open again because its answer no longer holds, or still open
    because another window was faster.
    """
    if pages.draft.state == "done":
        return go_to(pages.get_url("done"))
    answers = pages.draft._get_answers()
    outdated = pages.draft._get_outdated_step(answers)
    if outdated:
        return go_to(pages.get_url(outdated), "void")
    step = steps.get_open_step(pages.draft._get_steps(answers), answers)
    return go_to(pages.get_url(step), "outdated")


def _take_kind(draft, version: int, form: dict) -> None:
    draft._answer_type(version, get_number(form.get("type")))


def _take_provider(draft, version: int, form: dict) -> None:
    draft._answer_provider(version, get_number(form.get("provider")))


def _take_branch(draft, version: int, form: dict) -> None:
    draft._answer_branch(version, get_number(form.get("branch")))


def _take_details(draft, version: int, form: dict) -> None:
    keys = draft._get_typed_parts(draft._get_answers()).mapped("key")
    typed = {key: form.get(key, "") for key in keys}
    again = {key: form.get(f"{key}_again", "") for key in keys}
    draft._answer_details(version, typed, again)


_TAKERS = {
    steps.KIND: _take_kind,
    steps.PROVIDER: _take_provider,
    steps.BRANCH: _take_branch,
    steps.DETAILS: _take_details,
}
QUESTIONS = tuple(_TAKERS)
