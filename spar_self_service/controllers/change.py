from odoo import http
from odoo.http import request

from odoo.addons.spar_mapper_connector.lib.pages.forms import get_number
from odoo.addons.spar_mapper_connector.pages.showing import PAGE

from ..exceptions import DraftOutdated, StepUpNeeded
from ..lib import steps
from . import draft_pages
from .draft_pages import DraftPages
from .page import get_home, go_to, page, show

_STEPS = ",".join((*draft_pages.QUESTIONS, steps.REVIEW))
_QUESTIONS = ",".join(draft_pages.QUESTIONS)


class ChangePages(http.Controller):
    """From the first question to a saved address: one question per page."""

    @http.route(
        f"/spar/change/<string:uuid>/<any({_STEPS}):step>", methods=["GET"], **PAGE
    )
    @page
    def ask(self, uuid, step, said="", q="", **_ignored):
        return draft_pages.show_step(_find(uuid), step, said=said, words=q)

    @http.route(
        f"/spar/change/<string:uuid>/<any({_QUESTIONS}):step>", methods=["POST"], **PAGE
    )
    @page
    def answer(self, uuid, step, **form):
        return draft_pages.take_answer(_find(uuid), step, form)

    @http.route("/spar/change/<string:uuid>/prove", methods=["GET"], **PAGE)
    @page
    def prove(self, uuid, version="", **_ignored):
        """Send the person to the ID provider.

        It is a plain link, because it changes nothing but the browser's location.
        """
        pages = _find(uuid)
        if pages.draft.state == "done":
            return go_to(pages.get_url("done"))
        try:
            url = request.env["spar.my.address"]._begin_proof(
                pages.draft, get_number(version), pages.get_url("finish")
            )
        except DraftOutdated:
            return draft_pages.show_current_step(pages)
        return request.redirect(url, 303, local=False)

    @http.route("/spar/change/<string:uuid>/finish", methods=["GET"], **PAGE)
    @page
    def finish(self, uuid, confirmation="", **_ignored):
        """Carry out the draft after the return from the ID provider.

        After the return from the mapper's own page, show what was decided there.

        This is a GET request with an effect, but only for a proof of this person for
        this draft, which it uses up: without one it leads back to the review.
        """
        pages = _find(uuid)
        if confirmation:
            return _show_confirmed(pages, confirmation)
        try:
            request.env["spar.my.address"]._carry_out(pages.draft)
        except StepUpNeeded:
            return go_to(pages.get_url(steps.REVIEW), "proof")
        if pages.draft.state == "open":
            return go_to(pages.get_url(steps.REVIEW), "again")
        return go_to(pages.get_url("done"))

    @http.route("/spar/change/<string:uuid>/done", methods=["GET"], **PAGE)
    @page
    def done(self, uuid, **_ignored):
        return show_done(_find(uuid))


def _find(uuid: str) -> DraftPages:
    draft = request.env["spar.my.address"]._find_draft(uuid)
    return DraftPages(draft, f"/spar/change/{uuid}")


def _show_confirmed(pages: DraftPages, reference: str):
    """Continue after the mapper's page: with the result, or with the question before.

    A review that was left there would lead straight back to it.
    """
    draft = pages.draft
    try:
        request.env["spar.my.confirmation"]._take_result(draft, reference)
    except StepUpNeeded:
        return go_to(get_home(), "proof")
    if draft.state == "done":
        return go_to(pages.get_url("done"))
    before = steps.get_previous_step(
        draft._get_steps(draft._get_answers()), steps.REVIEW
    )
    return go_to(pages.get_url(before) if before else get_home())


def show_done(pages: DraftPages):
    """Return the page with the actual result of a draft."""
    draft = pages.draft
    if draft.state == "open":
        return go_to(pages.get_url(steps.REVIEW))
    if draft.outcome == "abandoned":
        return go_to(get_home(), "gone")
    result = request.env["spar.page.texts"]._get_outcome(draft)
    return show("done", pages=pages, draft=draft, result=result)
