from odoo import http
from odoo.http import request

from odoo.addons.spar_mapper_connector.lib.confirmation import ConfirmationPage
from odoo.addons.spar_mapper_connector.pages.showing import SHARED_PAGE

from ..models.spar_my_confirmation import RETURN_PATH
from .page import get_home, go_to, page

PROPOSED = "spar_proposed"
#: Proposals of one session that are remembered.
MAX_PROPOSED = 5


class ConfirmedPages(http.Controller):
    """The return from a mapper's own page of review."""

    @http.route(RETURN_PATH, methods=["GET"], **SHARED_PAGE)
    @page
    def come_back(self, confirmation="", **_ignored):
        """Continue where the proposal of this reference was made, in this session."""
        path = request.session.get(PROPOSED, {}).get(confirmation)
        if not path:
            return go_to(get_home(), "gone")
        return request.redirect(f"{path}?confirmation={confirmation}", 303)


def lead_to(proposed: ConfirmationPage, finish: str):
    """Redirect to the mapper's page; its reference leads back to ``finish``."""
    known = list(request.session.get(PROPOSED, {}).items())[1 - MAX_PROPOSED :]
    request.session[PROPOSED] = {**dict(known), proposed.reference: finish}
    return request.redirect(proposed.url, 303, local=False)
