import ast
from pathlib import Path
from xml.etree import ElementTree

from odoo.tests import BaseCase

from ..lib.bank_registry import get_banks

DEMO = Path(__file__).parents[1] / "demo"


class TestDemo(BaseCase):
    """The demo data, read from its files, so that it need not be installed."""

    def _get_records(self, model):
        records = []
        for path in sorted(DEMO.glob("*.xml")):
            for record in ElementTree.parse(path).iter("record"):
                if record.get("model") == model:
                    values = {f.get("name"): f.text for f in record.iter("field")}
                    refs = {f.get("name"): f.get("ref") for f in record.iter("field")}
                    records.append({"id": record.get("id"), "refs": refs} | values)
        return records

    def test_each_bank_has_branches_with_codes_of_their_own(self):
        banks = {r["id"] for r in self._get_records("spar.fsp") if r["kind"] == "bank"}
        branches = self._get_records("spar.fsp.branch")
        self.assertEqual(len(banks), 5)
        self.assertEqual({b["refs"]["provider_id"] for b in branches}, banks)
        codes = {(b["refs"]["provider_id"], b["code"].upper()) for b in branches}
        self.assertEqual(len(codes), len(branches))

    def test_every_kind_of_provider_is_there(self):
        kinds = [record["kind"] for record in self._get_records("spar.fsp")]
        self.assertEqual(kinds.count("wallet"), 3)
        self.assertEqual(kinds.count("email_wallet"), 1)
        self.assertEqual(kinds.count("voucher"), 1)

    def test_demo_country_has_a_reserved_code(self):
        (country,) = self._get_records("res.country")
        self.assertRegex(country["code"], r"^X[A-Z]$")

    def test_the_banks_of_five_real_countries_are_loaded(self):
        (path,) = DEMO.glob("spar_directory_demo.xml")
        root = ElementTree.parse(path).getroot()
        self.assertEqual(root.get("noupdate"), "1", "not at each upgrade")
        countries = [
            ast.literal_eval(call.get("eval"))[0]
            for call in root.iter("function")
            if call.get("name") == "_load_banks"
        ]
        self.assertEqual(len(set(countries)), 5)
        for country in countries:
            banks, _left_out = get_banks(country)
            self.assertGreaterEqual(len(banks), 10, country)
