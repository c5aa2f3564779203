from odoo import http
from odoo.http import request

from ..const import BASE_PATH, ROUTING_TYPE


class ParticipantController(http.Controller):
    """The endpoint with a participant's own record."""

    @http.route(
        f"{BASE_PATH}/participant",
        type=ROUTING_TYPE,
        auth="spar_participant",
        methods=["GET"],
        save_session=False,
        content_type="",
    )
    def participant(self):
        """Return the caller's rights and limits, and what is left of the limits."""
        return request.env["spar.participant"]._get_own_record(request.spar_caller)
