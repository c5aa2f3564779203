"""Odoo's other apps: its import keeps the file, and a website searches all texts."""

from odoo.addons.spar_mapper_connector.server.imports import guard_imports
from odoo.addons.spar_mapper_connector.server.website_texts import leave_out_ours

from .common import RegistryCase


class Import:
    """What the guard needs of ``base_import.import``, which may not be installed."""

    def __init__(self, env, model, file):
        self.env, self.res_model, self.file = env, model, file

    def execute_import(self, fields, columns, options, dryrun=False):
        return {"ids": [1], "messages": []}


class Registry:
    """A registry of models with one of Odoo's."""

    def __init__(self, model=None, name="base_import.import"):
        self.models = {name: model} if model else {}


class Website:
    """What the guard needs of ``website``."""

    def _get_html_fields(self):
        return [("ir.ui.view", "arch_db"), ("spar.programme", "consent_text")]


class TestWebsiteTexts(RegistryCase):
    def test_a_website_searches_no_text_of_ours(self):
        """Its designer, and who deletes a custom field, may not read them."""
        guarded = type("GuardedWebsite", (Website,), {})
        leave_out_ours(Registry(guarded, "website"))
        self.assertEqual(guarded()._get_html_fields(), [("ir.ui.view", "arch_db")])
        self.assertIsNone(leave_out_ours(Registry()))


class TestOdooImport(RegistryCase):
    def load(self, model, *paths, dryrun=False):
        """Return the answer and the file that is left."""
        guarded = type("GuardedImport", (Import,), {})
        guard_imports(Registry(guarded))
        job = guarded(self.env, model, b"2007760620")
        answer = job.execute_import(list(paths), list(paths), {}, dryrun)
        return answer, job.file

    def test_ids_are_refused_and_deleted(self):
        for model, path in (
            ("spar.person.identity", "value"),
            ("res.partner", "spar_identity_ids/value"),
            ("res.partner", "child_ids/spar_identity_ids/value"),
        ):
            for dryrun in (True, False):
                with self.subTest(path, dryrun=dryrun):
                    answer, left = self.load(model, "name", path, dryrun=dryrun)
                    self.assertFalse(answer["ids"])
                    (refusal,) = answer["messages"]
                    self.assertEqual(refusal["type"], "error")
                    self.assertFalse(left)

    def test_what_is_no_secret_is_loaded(self):
        for paths in (("name", "parent_id/id"), ("name", False), ("nothing/value",)):
            with self.subTest(str(paths)):
                answer, left = self.load("res.partner", *paths)
                self.assertEqual(answer["ids"], [1])
                self.assertTrue(left)

    def test_without_odoos_import_there_is_nothing_to_guard(self):
        self.assertIsNone(guard_imports(Registry()))
