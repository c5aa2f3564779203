import json

from odoo.tests import TransactionCase

from odoo.addons.spar_fa_directory.lib.directory_page import SearchCriteria

from ..exceptions import HttpRefused, RequestRefused
from ..lib import directory_query


class TestDirectoryRest(TransactionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        service = cls.env.ref("spar_g2p_connect.user_service")
        cls.rest = cls.env["spar.g2p.connect.directory"].with_user(service)
        cls.env["res.lang"]._activate_lang("fr_FR")
        cls.banks = cls.env["spar.fsp"].create(
            [{"name": f"Quxbank {n}", "code": f"QUX/{n}"} for n in range(3)]
        )
        cls.banks[0].with_context(lang="fr_FR").name = "Banque Qux"
        cls.banks[0].branch_ids = [(0, 0, {"name": "Only", "code": "1"})]

    def _list(self, query=b"", languages=()):
        document, headers = self.rest._list_providers(query, languages)
        return document, dict(headers)

    def test_page_links_to_the_next(self):
        document, headers = self._list(b"q=quxbank&limit=2")
        self.assertEqual(len(document["providers"]), 2)
        path, _mark, query = document["next"].partition("?")
        self.assertEqual(path, "/spar/v1/directory/providers")
        self.assertEqual(headers["Link"], f'<{document["next"]}>; rel="next"')
        document, headers = self._list(query.encode())
        self.assertEqual([p["name"] for p in document["providers"]], ["Quxbank 2"])
        self.assertNotIn("next", document)
        self.assertNotIn("Link", headers)

    def test_names_are_in_the_preferred_language(self):
        document, headers = self._list(b"q=qux/0", ["xx", "fr-CA", "en"])
        self.assertEqual(document["providers"][0]["name"], "Banque Qux")
        self.assertEqual(headers["Content-Language"], "fr-FR")
        document, headers = self._list(b"q=qux/0", ["en-GB", "fr"])
        self.assertEqual(document["providers"][0]["name"], "Quxbank 0")
        self.assertEqual(headers["Content-Language"], "en")

    def test_code_may_contain_a_slash(self):
        document, _headers = self.rest._list_branches("qux/0", b"limit=1", [])
        self.assertEqual(document["branches"][0]["name"], "Only")

    def test_every_answer_is_json(self):
        document, _headers = self.rest._list_fa_types(b"", ["fr"])
        self.assertTrue(json.dumps(document))

    def test_unknown_providers_are_refused(self):
        with self.assertRaises(HttpRefused) as caught:
            self.rest._list_branches("NONE", b"", [])
        self.assertEqual(caught.exception.code, 404)

    def test_bad_parameters_are_named(self):
        for query, member in (
            (b"limit=0", "limit"),
            (b"limit=99999999999", "limit"),
            (b"q=" + b"x" * 201, "q"),
            (b"q=%FF", "query"),
            (b"q=\xff", "query"),
            (b"&".join([b"q=a"] * 30), "query"),
            (b"q=a&q=b", "q"),
            (b"type=cheque", "type"),
            (b"kind=casino", "kind"),
            (b"country=ATL", "country"),
            (b"cursor=%21", "cursor"),
            (b"archived=1", "archived"),
            (b"Limit=1", "Limit"),
            (b"%0Aa=1", "a"),
        ):
            with self.subTest(query=query[:30]):
                with self.assertRaises(RequestRefused) as caught:
                    self._list(query)
                self.assertTrue(caught.exception.description.startswith(f"{member}: "))

    def test_empty_parameters_are_ignored(self):
        members = directory_query.read_members(b"q=&limit=", frozenset({"q", "limit"}))
        self.assertEqual(directory_query.read_criteria(members), SearchCriteria())
