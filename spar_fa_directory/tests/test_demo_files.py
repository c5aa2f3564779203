import base64
import csv
import re
from pathlib import Path

from .common import DirectoryCase

DEMO = Path(__file__).parents[1] / "demo"
IFSC = re.compile(r"[A-Z]{4}0[A-Z0-9]{6}")


class TestDemoFiles(DirectoryCase):
    """The Indian banks of the demo, loaded as an administrator would."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        codes = [row["Code"] for row in cls._read_rows("india_providers.csv")]
        cls.env["spar.fsp"].search([("code", "in", codes)]).unlink()

    @classmethod
    def _read_rows(cls, name):
        with open(DEMO / name, newline="") as file:
            return list(csv.DictReader(file))

    def _load(self, kind, name):
        data = base64.b64encode((DEMO / name).read_bytes())
        job = self.env["spar.directory.import"].create({"kind": kind, "file": data})
        job._load_now()
        return job

    def _find(self, words):
        found = self.env["spar.fsp.branch"].name_search(words, limit=5)
        return self.env["spar.fsp.branch"].browse([row_id for row_id, _name in found])

    def test_every_row_is_loaded(self):
        for kind, name in (
            ("provider", "india_providers.csv"),
            ("branch", "india_branches.csv"),
        ):
            job = self._load(kind, name)
            self.assertFalse(job.refusal_ids.mapped("problem"))
            self.assertEqual(job.added_count, len(self._read_rows(name)))

    def test_codes_are_written_as_in_india(self):
        for row in self._read_rows("india_branches.csv"):
            self.assertTrue(IFSC.fullmatch(row["IFSC"]), row)
            self.assertTrue(row["IFSC"].startswith(row["Bank"]), row)

    def test_a_branch_is_found_by_bank_and_place_and_when_mistyped(self):
        self._load("provider", "india_providers.csv")
        self._load("branch", "india_branches.csv")
        for words in (
            "bank of india ratnagiri",
            "ratnagiri bank of india",
            "bank of india ratnagri",
            "BKID0001411",
        ):
            with self.subTest(words=words):
                self.assertEqual(self._find(words)[:1].code, "BKID0001411")

    def test_missing_branch_is_not_found(self):
        self._load("provider", "india_providers.csv")
        self.assertFalse(self._find("qqqq zzzz"))
