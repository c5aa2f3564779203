import json
from datetime import timedelta

from odoo.exceptions import AccessError
from odoo.tests import Form, new_test_user, tagged

from odoo.addons.spar_g2p_connect.lib.proofs import IN_HTTP_HEADER
from odoo.addons.spar_g2p_connect.models.server.spar_g2p_connect_trial import (
    FAILED,
    PASSED,
)
from odoo.addons.spar_mapper_connector.lib.g2p_connect.timestamps import (
    format_timestamp,
    now,
)
from odoo.addons.spar_mapper_connector.lib.jose.keys import PrivateKey, read_jwk
from odoo.addons.spar_mapper_connector.lib.jose.signatures import read_signature

from .signing import SigningCase, canonicalise, sign, sign_message


@tagged("post_install", "-at_install")
class TestTrial(SigningCase):
    """The check that fails is reported, and nothing is done."""

    def try_message(self, message, participant=None, signature="", action="resolve"):
        participant = participant or self.signer
        raw = message if isinstance(message, bytes) else json.dumps(message).encode()
        trial = self.env["spar.g2p.connect.trial"]
        return trial._try_message(participant, action, raw, signature)

    def assert_stops(self, checks, place, text):
        failed = [check for check in checks if check.outcome == FAILED]
        self.assertEqual(len(failed), 1, checks)
        self.assertEqual(checks.index(failed[0]), place, failed)
        self.assertIn(text, failed[0].text)

    def test_valid_message_passes_every_check(self):
        for participant in (self.signer, self.header_signer):
            message, private = self.build(participant), self.private[participant]
            signature = sign(canonicalise(message), private)
            if participant.signature_place != IN_HTTP_HEADER:
                message, signature = sign_message(message, private), ""
            checks = self.try_message(message, participant, signature)
            self.assertEqual({check.outcome for check in checks}, {PASSED}, checks)

    def test_failed_check_is_named(self):
        ours = self.private[self.signer]
        late = format_timestamp(now() - timedelta(hours=1))
        stranger = PrivateKey.generate("ES256")

        def signed(**header):
            return sign_message(self.build(self.signer, **header), ours)

        foreign = self.build(self.signer)
        foreign["header"]["sender_id"] = "other.example"
        odd = self.build(self.signer)
        odd["message"]["resolve_request"][0]["id"] = 7
        for place, message, text in (
            (1, b"{", ""),
            (1, b"[]", "object"),
            (2, self.build(self.signer), "is missing"),
            (2, sign_message(self.build(self.signer), stranger), "no key"),
            (4, signed(message_id=7), "header.message_id"),
            (5, sign_message(foreign, ours), "header.sender_id"),
            (5, signed(receiver_id="other"), "header.receiver_id"),
            (6, signed(action="link"), "header.action"),
            (8, signed(message_ts=late), "header.message_ts"),
            (9, signed(total_count=7), "header.total_count"),
            (10, sign_message(odd, ours), "id"),
        ):
            with self.subTest(place=place, text=text):
                self.assert_stops(self.try_message(message), place, text)

    def test_repeated_message_fails_its_check(self):
        message = self.build(self.signer, "link")
        self.send_signed(self.signer, message, action="link")
        signed = sign_message(message, self.private[self.signer])
        checks = self.try_message(signed, action="link")
        self.assert_stops(checks, 7, "Already received")

    def test_rights_and_state(self):
        asker = self.make_signer("trial.example")
        signed = sign_message(self.build(asker, "link"), self.private[asker])
        self.assert_stops(self.try_message(signed, asker, action="link"), 3, "")
        asker.state = "disabled"
        self.assert_stops(self.try_message(signed, asker, action="link"), 0, "active")

    def test_nothing_is_changed_or_counted(self):
        signed = sign_message(
            self.build(self.signer, "link"), self.private[self.signer]
        )
        self.try_message(signed, action="link")
        self.assertFalse(self.signer.usage_ids)
        self.assertFalse(
            self.env["spar.message"].search([("participant_id", "=", self.signer.id)])
        )


@tagged("post_install", "-at_install")
class TestTrialPage(SigningCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.administrator = new_test_user(
            cls.env,
            "admin-of-trials",
            groups="base.group_user,spar_fa_directory.group_administrator",
        )

    def open_form(self, participant=None):
        trials = self.env["spar.participant.trial"].with_user(self.administrator)
        context = {"active_id": (participant or self.signer).id}
        return Form(trials.with_context(**context))

    def test_settings_and_verifiable_example(self):
        for participant in (self.signer, self.header_signer):
            form = self.open_form(participant)
            self.assertIn(participant.client_id, form.settings)
            head, _blank, body = form.sample.partition("\n\n")
            message = json.loads(body)
            key = read_jwk(
                {k: v for k, v in json.loads(form.sample_key).items() if k != "d"}
            )
            text = message.pop("signature", "") or head.rpartition("Signature: ")[2]
            read_signature(text).verify([canonicalise(message)], key)

    def test_settings_name_the_token_endpoint_that_assertions_may_name(self):
        parameters = self.env["ir.config_parameter"]
        parameters.set_param("web.base.url", "https://registry.example")
        shown = self.open_form().settings
        endpoint = "https://registry.example/spar/v1/oauth2/client/token"
        self.assertIn(f"<td>{endpoint}</td>", shown)
        self.assertIn(
            endpoint, self.env["spar.g2p.connect.token"]._get_assertion_audiences()
        )

    def test_pasted_message_is_checked_and_not_stored(self):
        form = self.open_form()
        message = self.build(self.signer)
        message["message"]["resolve_request"][0]["id"] = "token:s3cret@nationalId"
        form.body = json.dumps(message)
        self.assertIn("is missing", form.result)
        form.body = json.dumps(sign_message(message, self.private[self.signer]))
        self.assertNotIn("text-danger", form.result)
        trial = form.save()
        self.env.flush_all()
        self.env.cr.execute(
            "SELECT t::text FROM spar_participant_trial t WHERE id = %s", [trial.id]
        )
        self.assertNotIn("s3cret", self.env.cr.fetchone()[0])
        self.assertFalse(trial.body)

    def test_pasted_markup_is_escaped(self):
        form = self.open_form()
        form.body = '{"<script>": "<script>alert(1)</script>"}'
        self.assertNotIn("<script>", form.result)

    def test_only_administrators(self):
        for role in ("supervisor", "auditor", "officer"):
            group = f"base.group_user,spar_fa_directory.group_{role}"
            user = new_test_user(self.env, role, groups=group)
            trials = self.env["spar.participant.trial"].with_user(user)
            with self.subTest(role), self.assertRaises(AccessError):
                trials.create({"participant_id": self.signer.id})
