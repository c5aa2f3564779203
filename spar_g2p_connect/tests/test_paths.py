"""Our paths bypass the hooks of addons for pages; pages are unaffected."""

import threading
from unittest.mock import patch

from odoo.tests import tagged

from odoo.addons.spar_g2p_connect import dispatcher
from odoo.addons.spar_g2p_connect.const import BASE_PATH, ROUTING_TYPE
from odoo.addons.spar_g2p_connect.models import ir_http

from .common import RestCase

HOOKS = ("_match", "_pre_dispatch", "_post_dispatch")
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
#: Paths that have a similar prefix but are not ours.
LIKE_OURS = ("/spar/v", "/spar/v10/health", "/spar/v1x", "/spar/v2/health")


def build_page_hook(name, seen):
    """Return a hook of an addon for pages, which records each path that it sees."""

    ours = ir_http.IrHttp.__dict__.get(name)

    def hook(cls, *arguments):
        seen.append((name, ir_http.request.httprequest.path))
        if ours:
            return ours.__func__(cls, *arguments)
        return getattr(super(ir_http.IrHttp, cls), name)(*arguments)

    return classmethod(hook)


@tagged("post_install", "-at_install")
class TestPaths(RestCase):
    def get_rules(self):
        """Return each of our routes with methods, as a path without parameters."""
        rules = self.env["ir.http"]._get_our_rules().iter_rules()
        return [
            (rule.rule.replace("<path:code>", "BANK"), rule.endpoint.routing)
            for rule in rules
            if rule.endpoint.routing["methods"]
        ]

    def watch(self):
        """Record the page hooks that are called from now on, with the paths."""
        seen = []
        for name in HOOKS:
            hook = build_page_hook(name, seen)
            patcher = patch.object(ir_http.IrHttp, name, hook, create=True)
            self.startPatcher(patcher)
        return seen

    def test_rules_are_exactly_our_routes(self):
        thread, name = threading.current_thread(), self.env.cr.dbname
        with patch.object(thread, "dbname", name, create=True):
            every = list(self.env["ir.http"].routing_map().iter_rules())
        wanted = {rule.rule for rule in every if dispatcher.is_our_path(rule.rule)}
        found = list(self.env["ir.http"]._get_our_rules().iter_rules())
        self.assertEqual({rule.rule for rule in found}, wanted)
        types = {rule.endpoint.routing["type"] for rule in found}
        self.assertEqual(types, {ROUTING_TYPE})
        self.assertGreater(len(wanted), 20)

    def test_each_path_refuses_other_methods(self):
        for path, routing in self.get_rules():
            for method in set(METHODS) - set(routing["methods"]):
                with self.subTest(path=path, method=method):
                    response = self.url_open(path, method=method)
                    self.assertHttpError(response, 405, "err.request.bad")
                    allowed = response.headers["Allow"].split(", ")
                    self.assertEqual(allowed, list(routing["methods"]))

    def test_no_other_paths_exist(self):
        for path, routing in self.get_rules():
            for wrong in (f"{path}/more", f"{path}x", f"{path}/-", path.upper()):
                if not wrong.startswith(BASE_PATH) or "/providers/" in wrong:
                    continue
                with self.subTest(wrong):
                    response = self.url_open(wrong, method=routing["methods"][0])
                    self.assertHttpError(response, 404, "err.request.not_found")

    def test_participant_paths_require_a_token(self):
        for path, routing in self.get_rules():
            if routing["auth"] == "spar_service":
                continue
            with self.subTest(path):
                method = routing["methods"][0]
                headers = {"Content-Type": "application/json"}
                body = None if method == "GET" else "{}"
                response = self.url_open(path, body, method=method, headers=headers)
                self.assertEqual(response.status_code, 401, response.text)
                self.assertEqual(response.headers["Content-Type"], "application/json")
                self.assertIn("Bearer", response.headers["WWW-Authenticate"])

    def test_page_hooks_do_not_run_on_our_paths(self):
        seen = self.watch()
        for path, routing in self.get_rules():
            for method in (routing["methods"][0], "DELETE"):
                self.url_open(path, method=method)
        for path in ("", "/nothing", "/mapper/sync"):
            self.open(path, b"{}")
        self.assertEqual(seen, [])

    def test_page_hooks_run_on_pages(self):
        seen = self.watch()
        self.url_open("/web/login")
        self.assertEqual({name for name, path in seen}, set(HOOKS))
        self.assertEqual({path for name, path in seen}, {"/web/login"})

    def test_similar_prefix_is_a_page(self):
        seen = self.watch()
        for path in LIKE_OURS:
            with self.subTest(path):
                response = self.url_open(path)
                self.assertEqual(response.status_code, 404)
                self.assertIn("text/html", response.headers["Content-Type"])
                self.assertIn(("_match", path), seen)

    def test_unmatched_path_is_matched_as_usual(self):
        """A doubled slash: addons for pages redirect it, and we still do not."""
        seen = self.watch()
        response = self.url_open(f"{BASE_PATH}//health", allow_redirects=False)
        self.assertHttpError(response, 404, "err.request.not_found")
        names = {name for name, path in seen}
        self.assertNotIn("_pre_dispatch", names)
        self.assertNotIn("_post_dispatch", names)

    def test_hooks_are_installed_and_removed_with_the_registry(self):
        model_class = self.env.registry["ir.http"]
        own = {name: model_class.__dict__[name] for name in HOOKS}
        model = self.env["ir.http"]
        try:
            model._unregister_hook()
            self.assertFalse(set(HOOKS) & set(model_class.__dict__))
            model._unregister_hook()
        finally:
            model._register_hook()
        self.assertEqual(set(own), set(HOOKS) & set(model_class.__dict__))
        self.assertEqual(self.open("/health", method="GET").status_code, 200)

    def test_methods_of_a_path(self):
        model = self.env["ir.http"]
        for path, methods in {
            "/health": ["GET"],
            "/mapper/sync/link": ["POST"],
            "/mapper/sync/link/": [],
            "/mapper/sync": [],
            "/directory/providers/A/B/branches": ["GET"],
            "/directory/providers//branches": [],
            "": [],
        }.items():
            with self.subTest(path):
                self.assertEqual(model._get_methods(f"{BASE_PATH}{path}"), methods)
        self.assertEqual(model._get_methods("/web/login"), [])
