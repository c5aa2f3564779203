import re

from werkzeug.exceptions import HTTPException

from odoo import models
from odoo.http import request

from odoo.addons.spar_mapper_connector.transactions import use_read_committed

from ..const import BASE_PATH, MAX_MESSAGE_SIZE, ROUTING_TYPE, SERVICE_USER
from ..dispatcher import is_our_path, protocol_errors, read_body
from ..lib.evidence import Evidence

_PARAMETER = re.compile("<[^>]+>")


class IrHttp(models.AbstractModel):
    _inherit = "ir.http"

    @classmethod
    def _match(cls, path_info):
        """Match our paths without redirects and without website pages.

        The portal redirects doubled slashes, but a redirect is a page for people. A
        website is not searched for a page either: a path that would be redirected is
        matched as an unknown path under our base path.
        """
        try:
            return super()._match(path_info)
        except HTTPException as exc:
            if exc.code is None and is_our_path(request.httprequest.path):
                return super()._match(f"{BASE_PATH}/-")
            raise

    @classmethod
    def _authenticate(cls, endpoint):
        """Refuse what no caller may send before the caller is authenticated."""
        if endpoint.routing["type"] == ROUTING_TYPE:
            request.dispatcher.check_request(endpoint)
        return super()._authenticate(endpoint)

    @classmethod
    def _auth_method_spar_service(cls) -> None:
        """Run the request as the service user, without authentication."""
        with protocol_errors():
            cls._use_service_user()

    @classmethod
    def _auth_method_spar_participant(cls) -> None:
        """Authenticate a participant by its bearer token, as ``request.spar_caller``.

        The request runs as the service user; what the participant may do is in its
        :class:`Caller`. Raises Unauthorized, or Away when no caller can be
        authenticated now.
        """
        with protocol_errors():
            cls._use_service_user()
            participants = request.env["spar.participant"]
            request.spar_caller = participants._know_caller(cls._get_evidence())

    @classmethod
    def _auth_method_spar_message(cls) -> None:
        """Authenticate a participant by bearer token or by its message's signature.

        It works like ``spar_participant``; where a token was sent, the signature is
        checked when the message is read.
        """
        with protocol_errors():
            evidence = cls._get_evidence()
            raw = b""
            if not evidence.has_token:
                raw = read_body(request.httprequest, MAX_MESSAGE_SIZE)
            cls._use_service_user()
            participants = request.env["spar.participant"]
            request.spar_caller = participants._know_caller(evidence, raw)

    @classmethod
    def _get_evidence(cls) -> Evidence:
        headers = request.httprequest.headers
        return Evidence(
            authorization=headers.get("Authorization", ""),
            signature=headers.get("Signature", ""),
            address=request.httprequest.remote_addr or "",
        )

    @classmethod
    def _use_service_user(cls) -> None:
        # Set the isolation level first, because doing so begins a new transaction.
        use_read_committed(request.env.cr)
        user_id = request.env["ir.model.data"]._xmlid_to_res_id(SERVICE_USER)
        request.update_env(user=user_id)

    def _get_methods(self, path: str) -> list[str]:
        """Return the methods that our route at ``path`` allows; empty for no route."""
        for rule in self._get_our_rules().iter_rules():
            routing = rule.endpoint.routing
            is_ours = routing["type"] == ROUTING_TYPE and routing["methods"]
            if is_ours and re.fullmatch(_PARAMETER.sub(".+", rule.rule), path):
                return routing["methods"]
        return []
