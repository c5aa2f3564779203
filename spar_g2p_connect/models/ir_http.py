import contextlib
import re

import werkzeug.routing
from werkzeug.exceptions import HTTPException, NotFound

from odoo import http, models, tools
from odoo.http import ROUTING_KEYS, request
from odoo.tools.misc import submap

from odoo.addons.base.models import ir_http as base
from odoo.addons.spar_mapper_connector.transactions import use_read_committed

from ..const import BASE_PATH, MAX_MESSAGE_SIZE, ROUTING_TYPE, SERVICE_USER
from ..dispatcher import is_our_path, protocol_errors, read_body
from ..lib.proofs import RequestEvidence

_PARAMETER = re.compile("<[^>]+>")

#: Methods to which addons for web pages add work on each request.
_HOOKS = ("_match", "_pre_dispatch", "_post_dispatch")


class IrHttp(models.AbstractModel):
    """Routing and authentication of our paths, which are not web pages.

    They bypass the hooks of addons for pages: finding the website and its language and
    tracking the visitor costs as much as the store itself on a call of one item. The
    addons that do so may be loaded after this one, so the bypass is installed on the
    registry's own class.
    """

    _inherit = "ir.http"

    # === ROUTING === #

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

    def _register_hook(self) -> None:
        result = super()._register_hook()
        for name in _HOOKS:
            setattr(type(self), name, _build_hook(type(self), name))
        return result

    def _unregister_hook(self) -> None:
        for name in _HOOKS:
            if name in type(self).__dict__:
                delattr(type(self), name)
        return super()._unregister_hook()

    @classmethod
    def _match_ours(cls, path_info: str):
        """Return the rule and the arguments of one of our paths.

        Raises NotFound for a path that has to be matched in the usual way.
        """
        rules = request.env["ir.http"]._get_our_rules()
        adapter = rules.bind_to_environ(request.httprequest.environ)
        found = adapter.match(path_info=path_info, return_rule=True)
        # Addons for web pages read these attributes of a matched request.
        request.is_frontend = request.is_frontend_multilang = False
        request.website_routing = False
        return found

    @tools.ormcache(cache="routing")
    def _get_our_rules(self) -> werkzeug.routing.Map:
        """Return the rules under our base path, built like those of ``routing_map``.

        No website can rewrite them.
        """
        converters = self._get_converters()
        rules = werkzeug.routing.Map(strict_slashes=False, converters=converters)
        addons = self.env.registry._init_modules | set(
            tools.config["server_wide_modules"]
        )
        for url, endpoint in http._generate_routing_rules(
            sorted(addons), nodb_only=False, converters=converters
        ):
            if is_our_path(url):
                rules.add(_build_rule(url, endpoint))
        return rules

    def _get_methods(self, path: str) -> list[str]:
        """Return the methods that our route at ``path`` allows; empty for no route."""
        for rule in self._get_our_rules().iter_rules():
            routing = rule.endpoint.routing
            is_ours = routing["type"] == ROUTING_TYPE and routing["methods"]
            if is_ours and re.fullmatch(_PARAMETER.sub(".+", rule.rule), path):
                return routing["methods"]
        return []

    # === AUTHENTICATION === #

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
        ``Caller``. Raises Unauthorized, or Unavailable when no caller can be
        authenticated now.
        """
        with protocol_errors():
            cls._use_service_user()
            authentication = request.env["spar.g2p.connect.authentication"]
            request.spar_caller = authentication._authenticate(cls._get_evidence())

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
            authentication = request.env["spar.g2p.connect.authentication"]
            request.spar_caller = authentication._authenticate(evidence, raw)

    @classmethod
    def _get_evidence(cls) -> RequestEvidence:
        headers = request.httprequest.headers
        return RequestEvidence(
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


def _build_rule(url: str, endpoint) -> werkzeug.routing.Rule:
    routing = submap(endpoint.routing, ROUTING_KEYS)
    if routing["methods"] is not None:
        routing["methods"] = [*routing["methods"], "OPTIONS"]
    rule = base.FasterRule(url, endpoint=endpoint, **routing)
    # Otherwise werkzeug would redirect a path with doubled slashes.
    rule.merge_slashes = False
    return rule


def _build_hook(model_class: type, name: str) -> classmethod:
    """Return the first implementation of ``name`` that ``ir.http`` calls.

    It is Odoo's own for our paths, and for others what all addons make of it.
    """
    own = getattr(base.IrHttp, name).__func__

    def hook(cls, *arguments):
        if is_our_path(request.httprequest.path):
            if name != "_match":
                return own(cls, *arguments)
            with contextlib.suppress(NotFound):
                return cls._match_ours(*arguments)
        return getattr(super(model_class, cls), name)(*arguments)

    return classmethod(hook)
