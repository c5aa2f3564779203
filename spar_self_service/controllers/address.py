from odoo import http
from odoo.http import request

from odoo.addons.spar_mapper_connector.lib.oidc.exceptions import LoginRefused
from odoo.addons.spar_mapper_connector.lib.pages.forms import get_number
from odoo.addons.spar_mapper_connector.pages.showing import PAGE

from ..exceptions import StepUpNeeded
from .confirmed import lead_to
from .page import go_to, page, show


class AddressPages(http.Controller):
    """The person's own financial address: its state, its history and objections."""

    @http.route("/spar/address", methods=["GET"], **PAGE)
    @page
    def address(self, said="", **_ignored):
        shown = request.env["spar.my.address"]._get_overview()
        return show("address", said=said, shown=shown)

    @http.route("/spar/change", methods=["POST"], **PAGE)
    @page
    def begin_change(self, **_ignored):
        draft = request.env["spar.my.address"]._open_draft("set")
        return go_to(f"/spar/change/{draft.uuid}/kind")

    @http.route("/spar/remove", methods=["POST"], **PAGE)
    @page
    def begin_removal(self, **_ignored):
        draft = request.env["spar.my.address"]._open_draft("remove")
        return go_to(f"/spar/change/{draft.uuid}/review")

    @http.route("/spar/history", methods=["GET"], **PAGE)
    @page
    def history(self, said="", **_ignored):
        entries = request.env["spar.my.address"]._get_history()
        return show("history", said=said, entries=entries)

    @http.route("/spar/objection/<string:period>/<int:seq>", methods=["GET"], **PAGE)
    @page
    def ask_objection(self, period, seq, **_ignored):
        disputed = request.env["spar.my.address"]._find_disputed(period, seq)
        if disputed is None:
            return go_to("/spar/history")
        return show("objection", disputed=disputed)

    @http.route("/spar/objection", methods=["POST"], **PAGE)
    @page
    def object_to(self, period="", seq="", **_ignored):
        """Freeze at once, then send the person to the ID provider to have it undone."""
        mine = request.env["spar.my.address"]
        answer = mine._begin_objection(period, get_number(seq))
        if not answer.needs_login:
            return show_objected(answer)
        finish = f"/spar/objection/{period}/{get_number(seq)}/finish"
        confirmations = request.env["spar.my.confirmation"]
        if confirmations._is_needed():
            proposed = confirmations._propose_objection(period, get_number(seq))
            return lead_to(proposed, finish)
        try:
            url = mine._prove_objection(period, get_number(seq), finish)
        except LoginRefused:
            return show_objected(answer)
        return request.redirect(url, 303, local=False)

    @http.route(
        "/spar/objection/<string:period>/<int:seq>/finish", methods=["GET"], **PAGE
    )
    @page
    def finish_objection(self, period, seq, confirmation="", **_ignored):
        """Finish an objection after the return from the ID provider.

        It takes a proof of this person for this objection, which it uses up. After the
        return from the mapper's own page it only shows what was done there.
        """
        if confirmation:
            return _show_objected_there(period, seq, confirmation)
        try:
            answer = request.env["spar.my.address"]._object_to(period, seq)
        except StepUpNeeded:
            return go_to(f"/spar/objection/{period}/{seq}")
        return show_objected(answer)


def _show_objected_there(period: str, seq: int, reference: str):
    confirmations = request.env["spar.my.confirmation"]
    answer = confirmations._find_answer(period, seq, reference)
    if answer is None:
        return go_to(f"/spar/objection/{period}/{seq}")
    return show_objected(answer)


def show_objected(answer):
    """Return the page with the result of an objection."""
    text = request.env["spar.page.texts"]._get_remedy_text(answer.remedy)
    return show("objected", answer=answer, remedy=text)
