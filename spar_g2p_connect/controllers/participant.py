from odoo import http
from odoo.http import request

from ..const import BASE_PATH, ROUTING_TYPE


class ParticipantController(http.Controller):
    """What a participant may know of its own record."""

    @http.route(
        f"{BASE_PATH}/participant",
        type=ROUTING_TYPE,
        auth="spar_participant",
        methods=["GET"],
        save_session=False,
        content_type="",
    )
    def participant(self):
        """Its rights and limits, and what is left of them now."""
        return request.env["spar.participant"]._describe(request.spar_caller)
