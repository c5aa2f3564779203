"""The store's own client at an ID provider."""

import json

from odoo.exceptions import ValidationError
from odoo.tests import tagged

from odoo.addons.spar_mapper_connector.lib.oidc.exceptions import ProviderNotReady

from .common import RETURN_URL, PageCase


@tagged("post_install", "-at_install")
class TestClient(PageCase):
    def test_login_asks_for_the_id_and_nothing_else(self):
        self.client.write({"scope": "openid profile email", "claims": '{"x": null}'})
        settings = self.client._get_settings()
        self.assertEqual(settings.scope, "openid")
        wanted = {"userinfo": {"individual_id": {"essential": True}}}
        self.assertEqual(json.loads(settings.claims), wanted)

    def test_id_in_the_id_token_is_requested_there(self):
        self.client.userinfo_format = "json"
        settings = self.client._get_settings()
        wanted = {"id_token": {"individual_id": {"essential": True}}}
        self.assertEqual(json.loads(settings.claims), wanted)
        self.assertEqual(settings.userinfo_endpoint, "")
        self.client.id_claim = "sub"
        self.assertEqual(self.client._get_settings().claims, "")

    def test_userinfo_url_is_needed_for_signed_userinfo_only(self):
        with self.assertRaises(ValidationError):
            self.client.validation_endpoint = False
        self.client.write({"userinfo_format": "json", "validation_endpoint": False})
        self.assertTrue(self.client.enabled)

    def test_disabled_client_is_not_usable(self):
        self.client.enabled = False
        self.seal_settings("spar.confirmation.client")
        with self.assertRaises(ProviderNotReady):
            self.client._check_usable()

    def test_provider_of_the_portals_login_is_offered_alone(self):
        other = self.create_client(name="Other", issuer=self.hostile.issuer)
        self.env.flush_all()
        other.issuer = "https://other.example"
        other._register_issuers()
        self.seal_settings(
            "spar.confirmation.client", "spar.id.type", "spar.proof.issuer"
        )
        type_id = self.client.id_type_id.id
        clients = self.env["spar.confirmation.client"]
        found = clients._search_for(type_id, self.hostile.issuer)
        self.assertEqual(found.ids, self.client.ids)
        self.assertEqual(len(clients._search_for(type_id, "")), 2)

    def test_public_keys_are_published_and_no_others(self):
        document = self.get(f"/spar/confirm/keys/{self.client.id}/jwks.json").json()
        self.assertEqual(len(document["keys"]), 1)
        self.assertNotIn("d", document["keys"][0])
        self.assertEqual(
            self.get("/spar/confirm/keys/999999/jwks.json").json(), {"keys": []}
        )

    def test_secret_is_sealed(self):
        self.client._set_client_secret("s3cr3t")
        self.assertFalse(self.client.client_secret)
        self.assertTrue(self.client.has_client_secret)
        self.assertEqual(self.client._get_client_secret(), "s3cr3t")

    # === THE STORE'S LIST OF ISSUERS === #

    def test_client_that_the_stores_list_does_not_have_is_not_used(self):
        clients = self.env["spar.confirmation.client"]
        issuer = self.env["spar.proof.issuer"].search(
            [("issuer", "=", self.hostile.issuer)]
        )
        self.assertEqual(clients._search_usable([]), self.client)
        self.assertTrue(self.client.is_accepted)
        for values in (
            {"audiences": "spar-portal"},
            {"id_claim": "sub"},
            {"id_type_ids": [(5,)]},
            {"active": False},
        ):
            before = {name: issuer[name] for name in values}
            issuer.write(values)
            self.seal_settings("spar.proof.issuer")
            with self.subTest(values):
                self.assertFalse(clients._search_usable([]))
                self.client.invalidate_recordset()
                self.assertFalse(self.client.is_accepted)
            ids = before.get("id_type_ids")
            issuer.write(
                {**before, "id_type_ids": [(6, 0, ids.ids)]} if ids else before
            )
            self.seal_settings("spar.proof.issuer")
        self.assertEqual(clients._search_usable([]), self.client)

    def test_own_clients_and_portals_belong_to_one_sector(self):
        domain = [("issuer", "=", self.hostile.issuer)]
        issuer = self.env["spar.proof.issuer"].search(domain)
        own = self.client._get_redirect_uri()
        self.assertIn(own, issuer._get_redirect_urls())
        self.assertEqual(issuer._get_portal_sites(), [RETURN_URL])
        self.client.enabled = False
        self.portal.active = False
        self.assertNotIn(own, issuer._get_redirect_urls())
        self.assertEqual(issuer._get_portal_sites(), [])
