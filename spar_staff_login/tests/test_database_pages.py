from unittest.mock import patch

from odoo import http
from odoo.tests import HttpCase, tagged
from odoo.tools import config


@tagged("post_install", "-at_install")
class TestDatabasePages(HttpCase):
    """Databases are not managed over the web if the operator forbids it."""

    def get_statuses(self):
        pages = ("selector", "manager")
        acts = ("create", "duplicate", "drop", "backup", "restore", "change_password")
        statuses = {page: self.url_open(f"/web/database/{page}") for page in pages}
        for act in acts:
            form = {"master_pwd": "x", "name": "y", "lang": "en_US"}
            statuses[act] = self.url_open(f"/web/database/{act}", data=form)
        statuses["list"] = self.url_open(
            "/web/database/list",
            data='{"params": {}}',
            headers={"Content-Type": "application/json"},
        )
        return statuses

    def test_database_pages_do_not_exist(self):
        with patch.dict(config.options, {"list_db": False}):
            for name, answer in self.get_statuses().items():
                with self.subTest(name):
                    if name == "list":  # JSON-RPC has the error inside
                        self.assertIn("404", answer.text)
                    else:
                        self.assertEqual(answer.status_code, 404)

    def test_core_shows_database_pages_where_allowed(self):
        with patch.dict(config.options, {"list_db": True}):
            answer = self.url_open("/web/database/manager")
        self.assertEqual(answer.status_code, 200)

    def test_all_database_pages_of_core_are_covered(self):
        addons = sorted(self.env.registry._init_modules)
        paths = {
            url
            for url, _endpoint in http._generate_routing_rules(addons, nodb_only=False)
            if url.startswith("/web/database")
        }
        known = {f"/web/database/{name}" for name in self.get_statuses()}
        self.assertEqual(paths, known)
