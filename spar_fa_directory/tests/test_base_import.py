from odoo.tools import mute_logger

from .common import DirectoryCase

PROVIDER = ["id", "name", "code", "kind", "country_id", "bic"]
BRANCH = ["id", "name", "code", "provider_id", "city"]


class TestOdooImporter(DirectoryCase):
    """Odoo's own importer (its page calls ``load``), with external IDs."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        user = cls._create_user("administrator")
        cls.fsps = cls.env["spar.fsp"].with_user(user)
        cls.branches = cls.env["spar.fsp.branch"].with_user(user)

    def _assert_not_loaded(self, model, header, rows, text):
        count = model.search_count([])
        with mute_logger("odoo.sql_db", "odoo.models"):
            answer = model.load(header, rows)
        self.assertFalse(answer["ids"])
        self.assertRegex(" ".join(m["message"] for m in answer["messages"]), text)
        self.assertEqual(model.search_count([]), count)

    def test_providers_are_loaded_and_updated_by_external_id(self):
        row = ["x.bank_one", "One", "ONE", "bank", "Estonia", "TABUEE22"]
        answer = self.fsps.load(PROVIDER, [row])
        self.assertEqual(answer["messages"], [])
        again = self.fsps.load(PROVIDER, [["x.bank_one", "Uno", "ONE", *row[3:]]])
        self.assertEqual(again["ids"], answer["ids"])
        self.assertEqual(self.fsps.browse(answer["ids"]).name, "Uno")

    def test_branches_name_their_provider_by_code_or_external_id(self):
        self.fsps.load(PROVIDER[:4], [["x.bank_one", "One", "ONE", "bank"]])
        answer = self.branches.load(
            BRANCH, [["x.b1", "East", "E1", "TestBank", "Marn"]]
        )
        self.assertEqual(answer["messages"], [])
        header = [*BRANCH[:3], "provider_id/id", "city"]
        other = self.branches.load(header, [["x.b2", "West", "W1", "x.bank_one", ""]])
        self.assertEqual(other["messages"], [])
        branches = self.branches.browse(answer["ids"] + other["ids"])
        self.assertEqual(branches.provider_id.mapped("code"), ["TestBank", "ONE"])

    def test_a_code_with_a_space_is_refused(self):
        row = ["x.b1", "East", "E 1", "TestBank", ""]
        self._assert_not_loaded(self.branches, BRANCH, [row], "cannot contain spaces")

    def test_existing_code_is_refused(self):
        row = ["x.b1", "North", "TB.N", "TestBank", ""]
        self._assert_not_loaded(self.branches, BRANCH, [row], "has this code")

    def test_an_unknown_provider_is_refused(self):
        row = ["x.b1", "East", "E1", "NOBANK", ""]
        self._assert_not_loaded(self.branches, BRANCH, [row], "NOBANK")

    def test_loading_needs_the_right_to_write(self):
        officers = self.branches.with_user(self._create_user("officer"))
        row = ["x.b1", "East", "E1", "TestBank", ""]
        self._assert_not_loaded(officers, BRANCH, [row], "not allowed to create")
