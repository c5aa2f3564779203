"""Whether one person has one ID at all clients of an issuer: checked at set-up."""

import json
from unittest.mock import patch

from odoo.exceptions import UserError, ValidationError

from odoo.addons.spar_mapper_connector.exceptions import OutgoingFailed
from odoo.addons.spar_mapper_connector.lib import outgoing
from odoo.addons.spar_mapper_connector.lib.outgoing import HttpResponse
from odoo.addons.spar_mapper_connector.tests.id_provider import ISSUER

from .proof_case import OwnerProofCase

SECTOR = "https://store.example/sector.json"
METADATA = {
    "issuer": ISSUER,
    **{
        name: f"{ISSUER}/{name}"
        for name in (
            "authorization_endpoint",
            "token_endpoint",
            "userinfo_endpoint",
            "jwks_uri",
        )
    },
    "id_token_signing_alg_values_supported": ["ES256"],
}


class TestSubjects(OwnerProofCase):
    def setUp(self):
        super().setUp()
        self.issuer.write({"id_claim": "sub", "portal_audiences": "portal"})
        self.documents = {}

        def send(method, url, **_options):
            if url not in self.documents:
                raise OutgoingFailed("no answer")
            status, document = self.documents[url]
            return HttpResponse(status, {}, json.dumps(document).encode())

        self.startPatcher(patch.object(outgoing, "send", send))

    def publish(self, *kinds):
        address = f"{ISSUER}/.well-known/openid-configuration"
        document = {**METADATA, "subject_types_supported": list(kinds)}
        self.documents[address] = (200, document)

    def check(self):
        return self.issuer.action_check_subjects()["params"]["type"]

    def assert_problem(self, words):
        with self.assertRaises(UserError) as refused:
            self.check()
        self.assertIn(words, str(refused.exception))

    def test_same_subject_at_every_client(self):
        self.assertIn("Press Check subjects", self.issuer.subject_problem)
        backend = self.env["spar.mapper.backend"].new(
            {"implementation": "spar.mapper.local"}
        )
        warnings = backend._list_warnings(frozenset())
        self.assertIn("Press Check subjects", "".join(warnings))
        self.publish("public")
        self.assertEqual(self.check(), "success")
        self.assertEqual(self.issuer.subject_type, "public")
        self.assertFalse(self.issuer.subject_problem)

    def test_pairwise_subjects_without_a_sector_are_refused(self):
        self.publish("pairwise")
        self.assert_problem("one person would become several")
        self.assert_problem("sector_identifier_uri")
        self.issuer.portal_audiences = False
        self.assertEqual(self.check(), "success", "one client has one subject")
        for values in (
            {"portal_audiences": "portal"},
            {"audiences": f"{self.issuer.audiences}\nstore-2"},
        ):
            with self.subTest(values), self.assertRaises(ValidationError):
                self.issuer.write(values)
        with self.assertRaises(ValidationError):
            self.issuer.write({"id_claim": "sub", "portal_audiences": "portal"})

    def test_claim_with_the_id_needs_no_sector(self):
        self.issuer.id_claim = "individual_id"
        self.publish("pairwise")
        self.assertEqual(self.check(), "success")
        with self.assertRaises(ValidationError):
            self.issuer.id_claim = "sub"

    def test_provider_that_offers_both_asks_for_a_decision(self):
        self.publish("public", "pairwise")
        self.assert_problem("may give each client another one")
        self.issuer.subject_type = "public"
        self.assertEqual(self.check(), "success")
        self.assertEqual(self.issuer.subject_type, "public")

    def test_clients_of_one_sector(self):
        self.publish("pairwise")
        redirects = ["https://store.example/a", "https://portal.example/b"]
        issuers = type(self.issuer)
        self.patch(issuers, "_get_redirect_urls", lambda _each: redirects[:1])
        self.patch(issuers, "_get_portal_sites", lambda _each: [f"{redirects[1]}/x"])
        self.issuer.write({"subject_type": "pairwise", "sector_identifier_uri": SECTOR})
        self.documents[SECTOR] = (200, redirects)
        self.assertEqual(self.check(), "success")
        self.documents[SECTOR] = (200, redirects[:1])
        self.assert_problem("no redirect URL of https://portal.example:")
        self.documents[SECTOR] = (200, redirects[1:])
        self.assert_problem("no redirect URL of https://store.example/a:")

    def test_list_that_cannot_be_read_is_no_list(self):
        self.publish("pairwise")
        self.issuer.write({"subject_type": "pairwise", "sector_identifier_uri": SECTOR})
        for answer in (None, (404, []), (200, {"redirect_uris": []})):
            self.documents[SECTOR] = answer
            if answer is None:
                del self.documents[SECTOR]
            with self.subTest(answer):
                self.assert_problem("must be a JSON array of redirect URLs")

    def test_issuer_that_cannot_be_asked(self):
        self.assert_problem("metadata cannot be read")
        self.issuer.subject_type = "public"
        self.assertFalse(self.issuer.subject_problem)
