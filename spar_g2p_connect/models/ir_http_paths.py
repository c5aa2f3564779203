import contextlib

import werkzeug.routing
from werkzeug.exceptions import NotFound

from odoo import http, models, tools
from odoo.http import ROUTING_KEYS, request
from odoo.tools.misc import submap

from odoo.addons.base.models import ir_http as base

from ..dispatcher import is_our_path

#: Methods to which addons for web pages add work on each request.
_HOOKS = ("_match", "_pre_dispatch", "_post_dispatch")


class IrHttp(models.AbstractModel):
    """Our paths are not web pages: they bypass the hooks of addons for pages.

    Finding the website and its language and tracking the visitor costs as much as the
    store itself on a call of one item. The addons that do so may be loaded after this
    one, so the bypass is installed on the registry's own class.
    """

    _inherit = "ir.http"  # pylint: disable=consider-merging-classes-inherited

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
