from odoo.exceptions import UserError
from odoo.modules.module import load_script
from odoo.tests import TransactionCase, tagged
from odoo.tools import SQL, file_path

from odoo.addons.spar_mapper_connector.lib.g2p_connect import profiles

from .common import EVERY_RIGHT, RestCase, build_items, build_message, seal_settings

MIGRATION = load_script(
    file_path("spar_g2p_connect/migrations/19.0.1.1.0/pre-migration.py"),
    "spar_g2p_connect_pre_migration",
)


def migrate(env, *kept):
    """Restore the previous table, but for the columns in ``kept``, and upgrade it."""
    env.flush_all()
    for name in set(MIGRATION.COLUMNS) - set(kept):
        column = SQL.identifier(name)
        env.cr.execute(SQL("ALTER TABLE spar_participant DROP COLUMN %s", column))
    MIGRATION.migrate(env.cr, "19.0.1.0.0")
    env.invalidate_all()
    if env["spar.settings.seal"]._is_needed():
        seal_settings(env, "spar.participant")


class TestMigration(TransactionCase):
    """The values that an upgrade sets for existing participants."""

    def _make(self, **values):
        return self.env["spar.participant"].create(
            {"name": "P", "sender_id": "p.test", "state": "active", **values}
        )

    def _read(self, participant):
        return participant.read([*MIGRATION.COLUMNS], load=None)[0]

    def test_active_participants_are_unaffected(self):
        for state in ("active", "disabled"):
            with self.subTest(state):
                participant = self._make(state=state, sender_id=f"{state}.test")
                migrate(self.env)
                row = self._read(participant)
                self.assertEqual(row["proof"], "token_as_before")
                self.assertEqual(row["calls_per_minute"], 0)
                self.assertEqual(row["items_per_minute"], 0)
                profile = participant._get_profile()
                self.assertEqual(profile.max_age_seconds, 0)
                self.assertEqual(profile.max_ahead_seconds, 0)
                self.assertFalse(profile.checks_parties)
                self.assertFalse(profile.checks_addresses)
                self.assertFalse(profile.message_ids_are_unique)

    def test_demo_participants_stay_lenient(self):
        participant = self._make(demo_only=True, profile="openg2p-1.x")
        migrate(self.env)
        self.assertEqual(participant.proof, "token")
        self.assertEqual(participant._get_profile(), profiles.OPENG2P_1)
        self.assertFalse(participant.rule_checks_parties, "it is so already")

    def test_drafts_get_the_new_defaults(self):
        new = self._make(state="draft", sender_id="new.test")
        participant = self._make(state="draft")
        migrate(self.env)
        row = self._read(participant)
        self.assertEqual({**row, "id": new.id}, self._read(new))
        self.assertEqual(row["proof"], "token_and_signature")
        self.assertEqual(row["calls_per_minute"], 600)

    def test_chosen_values_are_kept(self):
        participant = self._make(
            proof="signature", calls_per_minute=7, rule_checks_parties="on"
        )
        migrate(self.env, *MIGRATION.COLUMNS)
        row = self._read(participant)
        self.assertEqual(row["proof"], "signature")
        self.assertEqual(row["calls_per_minute"], 7)
        self.assertEqual(row["rule_checks_parties"], "on")

    def test_columns_are_migrated_separately(self):
        participant = self._make(calls_per_minute=7, items_per_minute=70)
        migrate(self.env, "calls_per_minute")
        self.assertEqual(participant.proof, "token_as_before")
        self.assertEqual(participant.calls_per_minute, 7)
        self.assertEqual(participant.items_per_minute, 0)

    def test_required_columns_are_filled(self):
        for state in ("draft", "active"):
            self._make(state=state, sender_id=f"{state}.test")
        migrate(self.env)
        fields = self.env["spar.participant"]._fields
        for name in filter(lambda name: fields[name].required, MIGRATION.COLUMNS):
            column = SQL.identifier(name)
            self.env.cr.execute(
                SQL("ALTER TABLE spar_participant ALTER %s SET NOT NULL", column)
            )


@tagged("post_install", "-at_install")
class TestFromBefore(RestCase):
    """Legacy participants, which called with a token alone before signatures."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        values = {**EVERY_RIGHT, "proof": "token_and_signature", "demo_only": False}
        cls.old = cls.make_participant("old.example", **values)
        cls.new = cls.make_participant("new.example", **values)
        migrate(cls.env)
        cls.env.cr.execute(
            "UPDATE spar_participant SET proof = 'token_and_signature' WHERE id = %s",
            [cls.new.id],
        )
        seal_settings(cls.env, "spar.participant")

    def test_token_alone_is_enough_for_every_right(self):
        self.link("1", "2", participant=self.old)
        (answer,) = self.ask(
            self.old, "update", build_items("1", fa="account:new-{}@BANK")
        )
        self.assertEqual(answer["status"], "succ")
        (answer,) = self.ask(self.old, "unlink", build_items("2", fa="account:{}@BANK"))
        self.assertEqual(answer["status"], "succ")
        (answer,) = self.ask(self.old, "resolve", build_items("1", scope="details"))
        self.assertEqual(answer["fa"], "account:new-1@BANK")

    def test_new_participant_has_to_sign(self):
        message = build_message("resolve", self.new.sender_id, build_items("1"))
        self.assertEqual(self.call(self.new, "resolve", message).status_code, 401)

    def test_previously_accepted_messages_are_accepted(self):
        header = {
            "message_id": "the-same",
            "message_ts": "2026-01-01T00:00:00.000+00:00",
            "receiver_id": "what-they-call-us",
        }
        for key in ("1", "2"):
            items = build_items(key, fa="account:{}@unknown-bank")
            (answer,) = self.ask(self.old, "link", items, **header)
            self.assertEqual(answer["status"], "succ", answer)

    def test_its_answers_are_not_signed(self):
        message = build_message("resolve", self.old.sender_id, build_items("1"))
        self.assertFalse(
            self.call(self.old, "resolve", message).json().get("signature")
        )

    def test_its_sample_is_not_signed(self):
        trial = self.env["spar.participant.trial"].create(
            {"participant_id": self.old.id}
        )
        self.assertIn("Authorization: Bearer", trial.sample)
        self.assertNotIn("ignature", trial.sample)
        self.assertFalse(trial.sample_key)
        self.assertNotIn("jwks.json", trial.settings)

    def test_signature_without_a_token_is_refused(self):
        message = build_message("resolve", self.old.sender_id, build_items("1"))
        message["signature"] = "e30..e30"
        response = self.open(
            "/mapper/sync/resolve", message, Content_Type="application/json"
        )
        self.assertEqual(response.status_code, 401)

    def test_allowed_networks_apply_where_listed(self):
        self.old.origin_networks = "192.0.2.0/24"
        message = build_message("resolve", self.old.sender_id, build_items("1"))
        self.assertEqual(self.call(self.old, "resolve", message).status_code, 403)

    def test_legacy_proof_cannot_be_chosen(self):
        refusal = "before signatures were required"
        with self.assertRaisesRegex(UserError, refusal):
            self.new.proof = "token_as_before"
        with self.assertRaisesRegex(UserError, refusal):
            self.env["spar.participant"].create(
                {"name": "N", "sender_id": "n.test", "proof": "token_as_before"}
            )
        copy = self.old.copy({"sender_id": "copy.test"})
        self.assertEqual(copy.proof, "token_and_signature")

    def test_legacy_proof_cannot_be_restored(self):
        self.old.proof = "token_and_signature"
        with self.assertRaises(UserError):
            self.old.proof = "token_as_before"

    def test_other_settings_can_be_changed(self):
        self.old.write({"proof": "token_as_before", "note": "To sign by June."})
        self.assertEqual(self.old.note, "To sign by June.")
