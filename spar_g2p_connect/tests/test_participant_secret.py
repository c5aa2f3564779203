from odoo.exceptions import AccessError, UserError
from odoo.tests import TransactionCase, new_test_user, tagged

from odoo.addons.spar_g2p_connect.exceptions import InvalidClient, InvalidToken
from odoo.addons.spar_g2p_connect.lib.token_request import TokenRequest
from odoo.addons.spar_mapper_connector.exceptions import KeyringUnavailable

from .common import KeyringMixin


@tagged("post_install", "-at_install")
class TestParticipantSecret(KeyringMixin, TransactionCase):
    """A secret is shown once, and only its digest is stored."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.set_up_keyring()
        cls.participant = cls.env["spar.participant"].create(
            {"name": "Payer", "sender_id": "payer.test", "state": "active"}
        )
        cls.administrator = new_test_user(
            cls.env,
            "rest-administrator",
            groups="base.group_user,spar_fa_directory.group_administrator",
        )

    def make_wizard(self, user):
        wizards = self.env["spar.participant.secret"].with_user(user)
        return wizards.with_context(active_id=self.participant.id).create({})

    def read_digest(self):
        self.env.cr.execute(
            "SELECT secret_digest FROM spar_participant WHERE id = %s",
            [self.participant.id],
        )
        digest = self.env.cr.fetchone()[0]
        return digest and bytes(digest)

    def digest(self, secret):
        keyring = self.env["spar.keyring"]._open()
        return keyring.secret_digest(self.participant.client_id, secret)

    def test_secret_has_256_bits_and_is_new_each_time(self):
        first = self.participant._set_new_client_secret()
        second = self.participant._set_new_client_secret()
        self.assertNotEqual(first, second)
        self.assertEqual(len(first), 43)

    def test_only_a_keyed_digest_is_stored(self):
        secret = self.participant._set_new_client_secret()
        digest = self.read_digest()
        self.assertEqual(len(digest), 32)
        self.assertEqual(digest, self.digest(secret))
        self.assertNotIn(secret.encode(), digest)

    def test_new_secret_of_an_active_participant_waits_for_a_second_person(self):
        old = self.participant._set_new_client_secret()
        wizard = self.make_wizard(self.administrator)
        self.assertIn("until another administrator has approved", wizard.consequence)
        action = wizard.action_make_secret()
        self.assertEqual(self.read_digest(), self.digest(old))
        change = self.participant.setting_change_ids
        self.assertNotIn(self.read_digest().hex(), change.summary)
        second = new_test_user(
            self.env,
            "second",
            groups="base.group_user,spar_fa_directory.group_administrator",
        )
        change.with_user(second).action_approve()
        secret = action["params"]["message"].split(" ")[0]
        self.assertEqual(self.read_digest(), self.digest(secret))

    def test_no_new_secret_while_an_activation_waits(self):
        self.participant.state = "draft"
        mine = self.participant.with_user(self.administrator)
        self.assertIn("at once", self.make_wizard(self.administrator).consequence)
        mine.action_activate()
        self.env.invalidate_all()
        self.assertFalse(mine.is_overtaken)
        wizard = self.make_wizard(self.administrator)
        self.assertIn("Withdraw it first", wizard.consequence)
        with self.assertRaises(UserError):
            wizard.action_make_secret()
        mine.setting_change_ids.action_refuse()
        wizard.action_make_secret()
        mine.action_activate()
        self.env.invalidate_all()
        self.assertTrue(mine.setting_change_ids)

    def test_secret_notification_contains_nothing_else(self):
        for state in ("draft", "active"):
            self.participant.state = state
            action = self.make_wizard(self.administrator).action_make_secret()
            message = action["params"]["message"]
            self.assertRegex(message, r"^\S{43} — it is shown only once[^.]*\.$")

    def test_wizard_shows_the_secret_in_its_answer_only(self):
        self.participant.state = "draft"
        wizard = self.make_wizard(self.administrator)
        action = wizard.action_make_secret()
        secret = action["params"]["message"].split(" ")[0]
        self.assertEqual(self.read_digest(), self.digest(secret))
        self.env.cr.execute(
            "SELECT w::text || p::text FROM spar_participant_secret w "
            "JOIN spar_participant p ON p.id = w.participant_id WHERE w.id = %s",
            [wizard.id],
        )
        self.assertNotIn(secret, self.env.cr.fetchone()[0])

    def test_no_field_returns_the_digest(self):
        self.participant._set_new_client_secret()
        self.assertNotIn("secret_digest", self.participant.fields_get())
        with self.assertRaises(ValueError):
            self.participant.search([("secret_digest", "!=", False)])
        with self.assertRaises(ValueError):
            self.participant.read(["secret_digest"])

    def test_copy_has_no_secret(self):
        self.participant._set_new_client_secret()
        self.participant = self.participant.copy({"sender_id": "copy.test"})
        self.env.flush_all()
        self.assertFalse(self.read_digest())

    def test_new_secret_requires_write_access(self):
        for group in ("group_auditor", "group_supervisor", "group_officer"):
            with self.subTest(group):
                user = new_test_user(
                    self.env, group, groups=f"base.group_user,spar_fa_directory.{group}"
                )
                with self.assertRaises(AccessError):
                    self.participant.with_user(user)._set_new_client_secret()
                with self.assertRaises(AccessError):
                    self.make_wizard(user)
        self.assertFalse(self.read_digest())

    def test_no_secret_without_a_keyring(self):
        moved = self.keyring_path.with_suffix(".away")
        self.keyring_path.rename(moved)
        self.addCleanup(moved.rename, self.keyring_path)
        with self.assertRaises(KeyringUnavailable):
            self.participant._set_new_client_secret()
        self.assertFalse(self.read_digest())

    def test_secret_of_another_participant(self):
        self.participant._set_new_client_secret()
        other = self.participant.create(
            {"name": "Other", "sender_id": "other.test", "state": "active"}
        )
        secret = other._set_new_client_secret()
        with self.assertRaises(InvalidClient):
            self.env["spar.g2p.connect.token"]._grant(
                TokenRequest(self.participant.client_id, secret)
            )
        self.assertTrue(
            self.env["spar.g2p.connect.token"]._grant(
                TokenRequest(other.client_id, secret)
            )
        )

    def test_token_of_a_copied_database_is_foreign(self):
        secret = self.participant._set_new_client_secret()
        request = TokenRequest(self.participant.client_id, secret)
        token = self.env["spar.g2p.connect.token"]._grant(request)["access_token"]
        caller = self.env["spar.g2p.connect.token"]._get_caller(token)
        self.assertEqual(caller.sender_id, "payer.test")
        self.env["ir.config_parameter"].set_param("database.uuid", "a copy")
        with self.assertRaises(InvalidToken):
            self.env["spar.g2p.connect.token"]._get_caller(token)
