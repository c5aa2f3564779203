"""Odoo's own import, which keeps its file unencrypted in the database."""

from odoo.addons.spar_mapper_connector.server.imports import guard_imports

from .common import RegistryCase


class Import:
    """What the guard needs of ``base_import.import``, which may not be installed."""

    def __init__(self, env, model, file):
        self.env, self.res_model, self.file = env, model, file

    def execute_import(self, fields, columns, options, dryrun=False):
        return {"ids": [1], "messages": []}


class Registry:
    """A registry with an import of its own."""

    def __init__(self, model=None):
        self.models = {"base_import.import": model} if model else {}


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
