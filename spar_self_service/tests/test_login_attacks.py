from unittest.mock import patch

from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.spar_mapper_connector.lib.jose import key_sets
from odoo.addons.spar_mapper_connector.lib.oidc import relying_party

from ..models.spar_login import SparLogin
from .attacks import ATTACKS
from .common import LoginCase


@tagged("post_install", "-at_install")
class TestLoginAttacks(LoginCase):
    """Every attack in the table is refused for the right reason, without effect."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.startClassPatcher(patch.object(key_sets, "TIMEOUT", 0.3))
        cls.startClassPatcher(patch.object(relying_party, "TIMEOUT", 0.5))
        cls.reasons = []
        explain = SparLogin._explain

        def note(self, error):
            cls.reasons.append(error.code)
            return explain(self, error)

        cls.startClassPatcher(patch.object(SparLogin, "_explain", note))

    def try_attack(self, attack):
        self.authenticate(None, None)
        self.hostile.reset()
        key_sets.CACHE.forget(self.provider.jwks_uri)
        self.begin()
        attack.prepare(self.hostile)
        self.reasons.clear()
        before = self.count_people()
        answer = self.come_back(**attack.callback)
        self.assertEqual(answer.status_code, 400, answer.headers)
        self.assertEqual(self.reasons, [attack.refused])
        self.assertIsNone(self.get_session_user())
        self.assertEqual(self.count_people(), before)
        self.assertNotIn("4711", answer.text)

    def try_group(self, group):
        with mute_logger("odoo.http"):
            for attack in ATTACKS[group]:
                with self.subTest(f"{group}: {attack.name}"):
                    self.try_attack(attack)

    def test_attacks_on_the_id_token(self):
        self.try_group("ID token")

    def test_attacks_on_its_signature(self):
        self.try_group("signature")

    def test_attacks_on_the_keys(self):
        self.try_group("keys")

    def test_attacks_on_the_token_endpoint(self):
        self.try_group("token endpoint")

    def test_attacks_on_userinfo(self):
        self.try_group("userinfo")

    def test_attacks_on_the_callback(self):
        self.try_group("callback")
