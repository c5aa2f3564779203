from dataclasses import replace

from odoo.tests import BaseCase

from odoo.addons.spar_g2p_connect.exceptions import OperationNotGranted
from odoo.addons.spar_g2p_connect.lib import proofs
from odoo.addons.spar_g2p_connect.lib.caller import CallerSettings, build_caller
from odoo.addons.spar_g2p_connect.lib.disclosure import Rights
from odoo.addons.spar_mapper_connector.lib.contract import Authority, Operation
from odoo.addons.spar_mapper_connector.lib.g2p_connect import profiles, signing

EVERY_OPERATION = frozenset(Operation)
SETTINGS = CallerSettings(
    participant_id=1,
    sender_id="payer.example",
    rights=Rights(EVERY_OPERATION, sees_details=True, resolves_by_fa=True),
    authority=Authority.INSTITUTION,
    profile=profiles.STRICT,
    max_items=1000,
    daily_limit=0,
    calls_per_minute=0,
    items_per_minute=0,
    provider_ids=None,
    id_type_ids=None,
    strategy_number=0,
    callback="",
    receiver_id="",
    proof=proofs.BOTH,
    demo_only=False,
    origin_networks="",
    signature_place=signing.IN_MESSAGE,
    answer_algorithm="ES256",
)


def build(operations=EVERY_OPERATION, **values):
    return build_caller(replace(SETTINGS, **values)).limit(operations)


class TestBuildCaller(BaseCase):
    """What the settings of a participant make of a caller."""

    def test_operations_are_those_granted_and_requested(self):
        granted = Rights(frozenset({Operation.LINK, Operation.RESOLVE}))
        caller = build({Operation.LINK, Operation.UNLINK}, rights=granted)
        self.assertEqual(caller.rights.operations, {Operation.LINK})
        with self.assertRaises(OperationNotGranted):
            caller.check_operation(Operation.UNLINK)

    def test_signing_participant(self):
        for proof, method in (
            (proofs.BOTH, "bearer+signature"),
            (proofs.SIGNATURE, "signature"),
        ):
            with self.subTest(proof):
                caller = build(proof=proof)
                self.assertTrue(caller.needs_signature)
                self.assertFalse(caller.needs_origin)
                self.assertTrue(caller.must_not_repeat)
                self.assertEqual(caller.signature_place, signing.IN_MESSAGE)
                self.assertEqual(caller.authenticated_by, method)
                self.assertEqual(caller.rights, SETTINGS.rights)

    def test_token_alone_only_resolves_from_listed_networks(self):
        caller = build(proof=proofs.TOKEN)
        self.assertTrue(caller.needs_origin)
        self.assertFalse(caller.needs_signature)
        self.assertEqual(caller.signature_place, "")
        self.assertEqual(caller.rights.operations, {Operation.RESOLVE})
        self.assertTrue(caller.rights.sees_details)

    def test_demo_participant_has_every_right_with_a_token(self):
        caller = build(proof=proofs.TOKEN, demo_only=True)
        self.assertFalse(caller.needs_origin)
        self.assertFalse(caller.must_not_repeat)
        self.assertEqual(caller.rights, SETTINGS.rights)

    def test_legacy_participant_keeps_its_rights(self):
        caller = build(proof=proofs.TOKEN_AS_BEFORE)
        self.assertFalse(caller.needs_origin)
        self.assertFalse(caller.needs_signature)
        self.assertFalse(caller.must_not_repeat)
        self.assertEqual(caller.rights, SETTINGS.rights)
