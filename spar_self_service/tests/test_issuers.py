"""An ID type names its issuers; a provider that was altered by SQL is not used."""

from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.spar_mapper_connector.lib.oidc.exceptions import ProviderNotReady
from odoo.addons.spar_mapper_connector.tests.test_settings_seal import (
    ALARM_LOGGER,
    SEAL_LOGGER,
)

from .common import LoginCase


@tagged("post_install", "-at_install")
class TestIssuers(LoginCase):
    def setUp(self):
        super().setUp()
        self.id_type = self.provider.id_type_id

    def try_to_log_in(self):
        self.begin()
        return self.come_back()

    def test_issuer_of_the_id_type_is_accepted(self):
        self.assertTrue(self.id_type._may_be_asserted_by(self.provider.issuer))
        self.assertEqual(self.try_to_log_in().status_code, 303)

    def test_other_issuers_are_refused(self):
        for issuers in (False, "https://other.example", f"{self.provider.issuer}.x"):
            with self.subTest(issuers):
                self.id_type.issuers = issuers
                self.assertEqual(self.try_to_log_in().status_code, 400)
                self.assertIsNone(self.get_session_user())

    def test_both_forms_show_the_issuers(self):
        self.assertEqual(self.provider.id_type_issuers, self.id_type.issuers)
        for model in ("spar.id.type", "auth.oauth.provider"):
            views = self.env["ir.ui.view"].search(
                [("model", "=", model), ("type", "=", "form")]
            )
            archs = "".join(views.mapped("arch"))
            self.assertIn("issuers", archs, model)

    def test_change_of_issuers_needs_a_second_person(self):
        first = self.create_user("administrator", "issuer-first")
        self.id_type.with_user(first).issuers = "https://evil.example"
        self.env.invalidate_all()
        self.assertFalse(self.id_type._may_be_asserted_by("https://evil.example"))
        change = self.id_type.sudo().setting_change_ids
        self.assertIn("https://evil.example", change.summary)


@tagged("post_install", "-at_install")
class TestProviderSealed(LoginCase):
    def test_provider_changed_by_sql_is_not_used(self):
        columns = ("issuer", "token_endpoint", "jwks_uri", "validation_endpoint")
        attacks = [f"{name} = 'https://evil.example'" for name in columns]
        attacks += ["accepted_acrs = ''", "id_claim = 'email'", "algorithms = 'RS256'"]
        for attack in attacks:
            for replica in ("origin", "replica"):
                with self.subTest(attack, replica=replica):
                    with self.env.cr.savepoint() as savepoint:
                        self.env.flush_all()
                        self.env.cr.execute(
                            "SET LOCAL session_replication_role = " + replica
                        )
                        self.env.cr.execute(
                            f"UPDATE auth_oauth_provider SET {attack} WHERE id = %s",
                            [self.provider.id],
                        )
                        self.env.invalidate_all()
                        with mute_logger(SEAL_LOGGER, ALARM_LOGGER):
                            with self.assertRaises(ProviderNotReady):
                                self.provider._check_usable()
                            with self.assertRaises(ProviderNotReady):
                                self.provider._get_settings()
                            offered = self.provider._get_offered()
                            self.assertNotIn(self.provider, offered)
                        savepoint.rollback()
                    self.env.invalidate_all()
