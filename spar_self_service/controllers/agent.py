from odoo import http
from odoo.http import request

from odoo.addons.spar_mapper_connector.exceptions import VisitNeeded
from odoo.addons.spar_mapper_connector.lib.pages.forms import get_number

from ..exceptions import DraftOutdated, StepUpNeeded, TicketNeeded
from ..lib import steps
from ..lib.browser import VISIT
from . import draft_pages
from .change import _QUESTIONS, _STEPS, show_done
from .confirmed import lead_to
from .draft_pages import DraftPages
from .page import STAFF_PAGE, go_to, page, show
from .visited import end_visit, lead_to_visit, take_visit


class AgentPages(http.Controller):
    """Pages on which an officer helps a person who is present.

    The officer fills in the answers, the person authenticates, and the officer takes
    over again.
    """

    @http.route("/spar/agent", methods=["GET"], **STAFF_PAGE)
    @page
    def explain(self, said="", **_ignored):
        request.env["spar.helped.change"]._check_officer()
        providers = request.env["auth.oauth.provider"]._get_offered()
        helped = request.env["spar.helped.change"]
        return show(
            "agent",
            said=said,
            providers=providers,
            registry_url=helped._get_registry_url(),
            has_registry=helped._has_registry(),
        )

    @http.route("/spar/agent", methods=["POST"], **STAFF_PAGE)
    @page
    def begin(self, **_ignored):
        draft = request.env["spar.helped.change"]._open_draft()
        return go_to(f"/spar/agent/{draft.uuid}/kind")

    @http.route(
        f"/spar/agent/<string:uuid>/<any({_STEPS}):step>", methods=["GET"], **STAFF_PAGE
    )
    @page
    def ask(self, uuid, step, said="", q="", **_ignored):
        return draft_pages.show_step(_find(uuid), step, said=said, words=q)

    @http.route(
        f"/spar/agent/<string:uuid>/<any({_QUESTIONS}):step>",
        methods=["POST"],
        **STAFF_PAGE,
    )
    @page
    def answer(self, uuid, step, **form):
        return draft_pages.take_answer(_find(uuid), step, form)

    @http.route("/spar/agent/<string:uuid>/prove", methods=["GET"], **STAFF_PAGE)
    @page
    def prove(self, uuid, version="", provider="", **_ignored):
        """Send the person beside the officer to authenticate on this device.

        Where the mapper asks for a visit, they do so on its own page first.
        """
        pages, helped = _find(uuid), request.env["spar.helped.change"]
        if pages.draft.state == "done":
            return go_to(pages.get_url("done"))
        chosen = {"version": get_number(version), "chosen": get_number(provider)}
        try:
            visited = helped._find_visited_provider(pages.draft, *chosen.values())
        except DraftOutdated:
            return draft_pages.show_current_step(pages)
        if visited:
            finish = pages.get_url("visited")
            return lead_to_visit(visited, finish, for_staff=True, **chosen)
        return _begin_proof(pages, **chosen)

    @http.route("/spar/agent/<string:uuid>/visited", methods=["GET"], **STAFF_PAGE)
    @page
    def finish_visit(self, uuid, confirmation="", **_ignored):
        """Log the person in here, who has just shown who they are."""
        pages, begun = _find(uuid), take_visit(confirmation)
        if begun is None or VISIT not in request.session:
            return go_to(pages.get_url(steps.REVIEW), "proof")
        return _begin_proof(pages, begun["version"], begun["chosen"], is_visited=True)

    @http.route("/spar/agent/<string:uuid>/confirm", methods=["GET"], **STAFF_PAGE)
    @page
    def ask_confirmation(self, uuid, **_ignored):
        """Show the whole change for confirmation, once the person is authenticated.

        Where the mapper has a page of its own for that, lead there.
        """
        pages, helped = _find(uuid), request.env["spar.helped.change"]
        if pages.draft.state == "open":
            if not helped._is_proved(pages.draft):
                return go_to(pages.get_url(steps.REVIEW), "proof")
            if helped._is_confirmed_elsewhere(pages.draft):
                try:
                    return _lead_to_mapper(pages)
                except VisitNeeded:
                    return go_to(pages.get_url(steps.REVIEW), "proof")
        return draft_pages.show_step(pages, steps.REVIEW, is_confirmation=True)

    @http.route("/spar/agent/<string:uuid>/confirm", methods=["POST"], **STAFF_PAGE)
    @page
    def confirm(self, uuid, version="", **_ignored):
        pages = _find(uuid)
        try:
            request.env["spar.helped.change"]._carry_out(
                pages.draft, get_number(version)
            )
        except TicketNeeded:
            return go_to(pages.get_url(steps.REVIEW), "proof")
        except DraftOutdated:
            return draft_pages.show_current_step(pages)
        if pages.draft.state == "open":
            return go_to(pages.get_url(steps.REVIEW), "again")
        return go_to(pages.get_url("done"))

    @http.route("/spar/agent/<string:uuid>/finish", methods=["GET"], **STAFF_PAGE)
    @page
    def finish(self, uuid, confirmation="", **_ignored):
        """Show what was decided on the mapper's own page."""
        pages = _find(uuid)
        try:
            request.env["spar.helped.change"]._take_result(pages.draft, confirmation)
        except StepUpNeeded:
            return go_to(pages.get_url(steps.REVIEW), "proof")
        end_visit()
        if pages.draft.state == "open":
            return go_to(pages.get_url(steps.REVIEW))
        return go_to(pages.get_url("done"))

    @http.route("/spar/agent/<string:uuid>/done", methods=["GET"], **STAFF_PAGE)
    @page
    def done(self, uuid, **_ignored):
        return show_done(_find(uuid))


def _find(uuid: str) -> DraftPages:
    draft = request.env["spar.helped.change"]._find_draft(uuid)
    return DraftPages(draft, f"/spar/agent/{uuid}", is_agent=True)


def _begin_proof(
    pages: DraftPages, version: int, chosen: int, is_visited: bool = False
):
    """Redirect the person beside the officer to their ID provider."""
    try:
        url = request.env["spar.helped.change"]._begin_proof(
            pages.draft, version, pages.get_url("confirm"), chosen, is_visited
        )
    except DraftOutdated:
        return draft_pages.show_current_step(pages)
    return request.redirect(url, 303, local=False)


def _lead_to_mapper(pages: DraftPages):
    """Redirect the person beside the officer to the mapper's own page."""
    proposed = request.env["spar.helped.change"]._propose(pages.draft)
    if proposed is None:
        return go_to(pages.get_url("done"))
    return lead_to(proposed, pages.get_url("finish"))
