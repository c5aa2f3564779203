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

    # === LOCK === #

    @http.route("/spar/lock", methods=["GET"], **PAGE)
    @page
    def ask_lock(self, **_ignored):
        shown = request.env["spar.my.address"]._get_overview()
        if not shown.can_lock:
            return go_to("/spar/address")
        return show("lock", shown=shown)

    @http.route("/spar/lock", methods=["POST"], **PAGE)
    @page
    def lock(self, **_ignored):
        """Lock changes at once."""
        is_locked = request.env["spar.my.address"]._lock()
        return go_to("/spar/address", "locked" if is_locked else "outdated")

    @http.route("/spar/unlock", methods=["POST"], **PAGE)
    @page
    def unlock(self, **_ignored):
        """Lead to the mapper's own page, on which the person lifts the lock."""
        confirmations = request.env["spar.my.confirmation"]
        if not request.env["spar.my.address"]._get_overview().is_locked:
            return go_to("/spar/address", "outdated")
        return lead_to(confirmations._propose_unlock(), "/spar/unlock/finish")

    @http.route("/spar/unlock/finish", methods=["GET"], **PAGE)
    @page
    def finish_unlock(self, confirmation="", **_ignored):
        """Say what was done on the mapper's page."""
        confirmations = request.env["spar.my.confirmation"]
        is_unlocked = confirmation and confirmations._is_unlocked(confirmation)
        return go_to("/spar/address", "unlocked" if is_unlocked else "same")


def _show_objected_there(period: str, seq: int, reference: str):
    confirmations = request.env["spar.my.confirmation"]
    answer = confirmations._find_answer(period, seq, reference)
    if answer is None:
        return go_to(f"/spar/objection/{period}/{seq}")
    return show_objected(answer)


def show_objected(answer, locks=True):
    """Return the page with the result of an objection.

    :param locks: whether it locked changes of the account
    """
    text = request.env["spar.page.texts"]._get_remedy_text(answer.remedy)
    return show("objected", answer=answer, remedy=text, locks=locks)
