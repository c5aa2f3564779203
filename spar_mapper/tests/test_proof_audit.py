"""Owners' proofs long after the login: altered parts are named.

The attacker here controls the database, and in some tests our keys as well.
"""

import copy
import json
from dataclasses import replace

from odoo.exceptions import AccessError, ValidationError
from odoo.tests import BaseCase, new_test_user
from odoo.tools import mute_logger

from odoo.addons.spar_mapper_connector.lib.contract import (
    LinkRequest,
    ObjectionRequest,
    UpdateRequest,
)
from odoo.addons.spar_mapper_connector.lib.jose.keys import PrivateKey
from odoo.addons.spar_mapper_connector.lib.keyring import bind
from odoo.addons.spar_mapper_connector.lib.owner_proof import (
    ProofUnreadable,
    make_salt,
)
from odoo.addons.spar_mapper_connector.tests.common import build_open_keyring

from ..lib import audit, proof_export
from ..lib.chain import FORMAT, PROOF_FORMAT, mac_event
from ..lib.ledger import Ledger
from ..lib.proofs import read_kept, write_kept
from ..lib.records import Holding, Subject
from ..store.archiving import note_keys
from .common import CALL, FA, ID, NOW, OTHER_FA, THIRD_FA, build_address
from .proof_case import VALUE, OwnerProofCase
from .test_audit_findings import AuditCase
from .test_spar_checkpoint import CheckpointCase

LINK = LinkRequest(ID, FA)


class TestFormats(BaseCase):
    """Events without a proof are written as before."""

    def record(self):
        ledger = Ledger(CALL, build_open_keyring(), NOW)
        ledger.begin(Holding("id", 1, Subject("s1", 1)), "", build_address(), "linked")
        return ledger.keyring, ledger.events[0]

    def test_event_without_a_proof_has_the_bytes_of_format_2(self):
        keyring, event = self.record()
        parts = (
            event.previous_mac.hex(),
            event.subject_uuid,
            event.uuid,
            event.head_uuid,
            event.address_uuid,
            2,
            event.seq,
            event.kind,
            event.actor,
            event.on_behalf_of,
            event.channel,
            event.authenticated_by,
            event.message_reference,
            event.reason,
            event.happened_at.isoformat(timespec="microseconds"),
            event.commitment_before.hex(),
            event.commitment_after.hex(),
        )
        self.assertEqual(event.mac, keyring.mac("event", bind(*parts)))
        change = b"\x01" * 32
        with_change = replace(event, commitment_change=change)
        self.assertEqual(
            mac_event(keyring, with_change),
            keyring.mac("event", bind(*parts, change.hex())),
        )

    def test_proof_is_inside_the_mac(self):
        keyring, event = self.record()
        macs = {
            mac_event(keyring, replace(event, **values))
            for values in (
                {},
                {"commitment_proof": b"a"},
                {"commitment_proof": b"b"},
                {"commitment_change": b"a"},
                {"commitment_change": b"a", "commitment_proof": b"a"},
            )
        }
        self.assertEqual(len(macs), 5)
        self.assertEqual((FORMAT, PROOF_FORMAT), (2, 3))


class ProofAuditCase(OwnerProofCase, AuditCase):
    def setUp(self):
        super().setUp()
        self.send(LINK)
        self.proof = self.get_proofs()

    def reseal(self, **values):
        """Replace parts of the stored proof, as somebody who has the keys."""
        kept = read_kept(self.proof._read_sealed())
        change = values.pop("change", kept.change)
        proof = replace(kept.proof, **values)
        text = write_kept(replace(kept, proof=proof, change=change))
        with self.past_triggers():
            self.proof._write_sealed(text)

    def get_kept(self):
        return read_kept(self.proof._read_sealed())

    def assert_part_found(self, *parts):
        problems = [audit.PROOF_PARTS[part] for part in parts]
        expected = [("spar_owner_proof", self.proof.id, text) for text in problems]
        self.assertEqual(self.check(), expected)
        self.assertEqual(self.proofs._check_all(), expected)


class TestAudit(ProofAuditCase):
    def test_proofs_are_verified_after_the_keys_were_rotated(self):
        self.rotate_keys()
        self.send(UpdateRequest(ID, OTHER_FA, expected_version=1))
        self.rotate_keys()
        self.let_pass(days=400)
        self.assertEqual(self.check(), [])
        self.assertEqual(self.proofs._check_all(), [])
        self.assertEqual(self.proofs._count_kept(), 2)

    def test_rules_of_the_issuer_at_that_time_count(self):
        self.issuer.write({"audiences": "new.example", "acr_values": "urn:new"})
        self.assertEqual(self.check(), [])

    def test_proofs_are_sealed_anew_when_the_sealing_key_is_replaced(self):
        keyring = self.env["spar.keyring"]._open()
        (before,) = self.proof._fetch_sealed().values()
        done = self.proofs._reseal(keyring, [keyring.roles.seal_key], 0, 10)
        self.assertEqual(done, (self.proof.id, 1))
        (after,) = self.proof._fetch_sealed().values()
        self.assertNotEqual(after, before)
        self.assertEqual(self.check(), [])

    def test_every_altered_part_is_named(self):
        kept = self.get_kept()
        token = kept.proof.id_token
        item = replace(kept.change.item, fa=THIRD_FA)
        salt = make_salt()
        for part, values in (
            ("id_token", {"id_token": token[:-5] + "AAAAA"}),
            ("userinfo", {"userinfo": "a.b.c"}),
            ("salt", {"salt": salt, "change": replace(kept.change, salt=salt)}),
            ("event", {"change": replace(kept.change, item=item)}),
            ("page", {"shown_at": kept.proof.shown_at - 1}),
        ):
            with self.subTest(part), self.undone():
                self.reseal(**values)
                self.assert_part_found(part)
            self.env.invalidate_all()

    def test_altered_ciphertext_is_named(self):
        self.tamper(
            """UPDATE spar_owner_proof
                  SET sealed = set_byte(sealed, 60, 255 - get_byte(sealed, 60))
                WHERE id = %s""",
            self.proof.id,
        )
        problem = ("spar_owner_proof", self.proof.id, audit.PROOF_DOES_NOT_OPEN)
        self.assertEqual(self.check(), [problem])

    def test_deleted_proof_is_named_by_its_event(self):
        event = self.proof.event_id
        self.tamper("DELETE FROM spar_owner_proof WHERE id = %s", self.proof.id)
        self.assertEqual(self.check(), [("spar_event", event.id, audit.PROOF_MISSING)])

    def test_proof_that_the_event_does_not_name_is_found(self):
        self.tamper(
            "UPDATE spar_owner_proof SET parts = '' WHERE id = %s", self.proof.id
        )
        problem = ("spar_owner_proof", self.proof.id, audit.PROOF_OTHER)
        self.assertIn(problem, self.check())

    def test_event_without_its_commitment_is_found(self):
        event = self.proof.event_id
        for values in (
            "commitment_proof = NULL",
            "commitment_proof = NULL, format = 2",
            "format = 2",
            "commitment_proof = sha256(commitment_proof)",
        ):
            with self.subTest(values), self.undone():
                self.tamper(f"UPDATE spar_event SET {values} WHERE id = %s", event.id)
                problem = ("spar_event", event.id, audit.EVENT_ALTERED)
                self.assertIn(problem, self.check())
            self.env.invalidate_all()

    def test_proof_given_to_an_older_event_is_found(self):
        other = self.env["spar.event"].search([("format", "=", 2)], limit=1)
        self.tamper(
            """UPDATE spar_event SET format = 3, commitment_proof = 'x'
                WHERE id = %s""",
            other.id,
        )
        self.assertFound("spar_event", other.id, audit.EVENT_ALTERED)

    def test_objection_and_change_that_waits_are_verified(self):
        self.hold_everything()
        self.send(UpdateRequest(ID, OTHER_FA, expected_version=1))
        period = self.mapper._history(self.owner, ID)[0]
        held = self.mapper._waiting_changes(self.owner, ID)[0]
        self.object_to(ObjectionRequest(ID, period.uuid, held.seq))
        self.assertEqual(self.check(), [])


class TestErasure(ProofAuditCase):
    def setUp(self):
        super().setUp()
        self.eraser = new_test_user(
            self.env, "proof-eraser", "spar_fa_directory.group_supervisor"
        )

    def erase(self):
        """Erase Ada's proofs; return how many there were."""
        mapper, subject = self.mapper.with_user(self.eraser), self.subject_of(ID)
        return mapper._erase_proofs(self.supervisor, subject.ids)

    def test_erased_proof_is_gone_and_the_chain_holds(self):
        self.assertEqual(self.erase(), 1)
        self.assertIsNone(self.proof._read_sealed())
        self.assertEqual(self.check(), [])
        self.assertEqual(self.erase(), 0)

    def test_login_stays_used_after_erasure(self):
        call = self.confirm(LINK)
        self.send(LINK, call)
        self.erase()
        self.assert_refused("proof_replayed", LINK, call)

    def test_officer_erases_nothing(self):
        officer = new_test_user(
            self.env, "proof-officer", "spar_fa_directory.group_officer"
        )
        with self.assertRaises(AccessError):
            mapper = self.mapper.with_user(officer)
            mapper._erase_proofs(self.staff, self.subject_of(ID).ids)

    def test_proof_that_sql_destroyed_is_named(self):
        self.env.cr.execute("UPDATE spar_owner_proof SET sealed = NULL")
        problem = ("spar_owner_proof", self.proof.id, audit.PROOF_ERASED)
        self.assertEqual(self.check(), [problem])


class TestArchive(ProofAuditCase):
    def get_key(self):
        return self.env["spar.issuer.key"].search([])

    def test_altered_key_is_named_and_not_used(self):
        key = self.get_key()
        forged = json.dumps(PrivateKey.generate("ES256").public.jwk)
        self.tamper("UPDATE spar_issuer_key SET jwk = %s", forged)
        found = self.check()
        self.assertIn(("spar_issuer_key", key.id, audit.KEY_ALTERED), found)
        text = audit.PROOF_PARTS["id_token"]
        self.assertIn(("spar_owner_proof", self.proof.id, text), found)

    def test_key_that_was_added_by_sql_is_named(self):
        self.tamper(
            """INSERT INTO spar_issuer_key
                      (seq, issuer, kid, thumbprint, algorithms, jwk, certificates,
                       first_seen, last_seen, previous, mac)
               SELECT 2, issuer, 'x', 'x', algorithms, jwk, '[]', first_seen, last_seen,
                      mac, mac FROM spar_issuer_key"""
        )
        key = self.get_key()[0]
        self.assertFound("spar_issuer_key", key.id, audit.KEY_ALTERED)

    def test_missing_key_is_named(self):
        first = self.get_key()
        self.rotate_keys()
        self.send(UpdateRequest(ID, OTHER_FA, expected_version=1))
        self.tamper("DELETE FROM spar_issuer_key WHERE id = %s", first.id)
        self.assertFound("spar_issuer_key", self.get_key().id, audit.KEY_GAP)

    def test_key_of_a_later_time_verifies_nothing_earlier(self):
        later = self.mapper._get_now().replace(year=2090)
        self.tamper("DELETE FROM spar_issuer_key")
        note_keys(
            self.env.cr,
            self.env["spar.keyring"]._open(),
            self.provider.issuer,
            [self.provider.key.public],
            later,
        )
        self.assert_part_found("id_token")

    def test_scheduled_job_archives_what_is_published(self):
        self.rotate_keys()
        with self.enter_registry_test_mode(), self.registry.cursor() as cr:
            self.env(cr=cr)["spar.issuer.key"]._cron_see_keys()
        self.env.invalidate_all()
        self.assertEqual(self.get_key()[0].kid, self.provider.key.public.kid)

    def test_certificates_are_kept_with_the_key(self):
        self.provider.rotate()
        (jwk,) = self.provider.publish()["keys"]
        document = {"keys": [{**jwk, "x5c": ["MIIB"]}]}
        self.issuer.pinned_keys = json.dumps(document)
        self.send(UpdateRequest(ID, OTHER_FA, expected_version=1))
        self.assertEqual(self.get_key()[0].certificates, '["MIIB"]')


class TestCheckpoint(OwnerProofCase, CheckpointCase):
    def test_checkpoint_covers_the_archive(self):
        self.send(LINK)
        self.take()
        key = self.env["spar.issuer.key"].search([])
        seq = key.seq
        self.assertEqual(self.parse().keys, (seq, key.mac))
        self.tamper("DELETE FROM spar_issuer_key")
        self.assertFound("spar_issuer_key", seq, audit.KEYS_OLDER)

    def test_checkpoint_before_the_first_key_is_written_as_before(self):
        self.take()
        self.assertNotIn('"keys"', self.get_lines()[-1])


class TestExport(ProofAuditCase):
    """One proof, outside the database."""

    def setUp(self):
        super().setUp()
        self.text, problems = self.proofs._export(self.proof.event_id.uuid)
        self.assertEqual(problems, [])

    def judge(self, document):
        verdict = proof_export.check_export(json.dumps(document))
        return [part for part, _code in verdict.problems]

    def test_exported_proof_is_verified_after_rotation(self):
        self.rotate_keys()
        verdict = proof_export.check_export(self.text)
        self.assertEqual(verdict.problems, ())
        self.assertEqual(verdict.person.id_value, VALUE)
        lines = proof_export.describe_export(self.text, verdict)
        self.assertIn(f"The address: {FA}", lines)

    def test_access_is_recorded(self):
        event = self.env["spar.event"].search([], limit=1, order="id desc")
        self.assertEqual((event.kind, event.channel), ("revealed", "command"))

    def test_every_altered_part_is_named(self):
        for part, path in (
            ("id_token", ("kept", "proof", "id_token")),
            ("userinfo", ("kept", "proof", "userinfo")),
            ("salt", ("kept", "proof", "salt")),
            ("page", ("kept", "proof", "draft_id")),
            ("event", ("kept", "change", "item", "fa")),
            ("event", ("kept", "change", "item", "id_value")),
            ("history", ("history", "actor")),
            ("keys", ("keys", 0, "kid")),
        ):
            with self.subTest(part):
                document = json.loads(self.text)
                inner = document
                for step in path[:-1]:
                    inner = inner[step]
                text = inner[path[-1]]
                inner[path[-1]] = ("B" if text[:1] == "A" else "A") + text[1:]
                self.assertIn(part, self.judge(document))

    def test_altered_part_with_a_new_digest_is_refused_all_the_same(self):
        for path, value in (
            (("change", "item", "fa"), THIRD_FA),
            (("change", "base_version"), 7),
            (("proof", "draft_id"), "other"),
            (("proof", "shown_at"), 4_000_000_000),
        ):
            with self.subTest(path):
                document = json.loads(self.text)
                inner = document["kept"]
                for step in path[:-1]:
                    inner = inner[step]
                inner[path[-1]] = value
                kept = read_kept(json.dumps(document["kept"]))
                document["digests"] = proof_export._digest_parts(document, kept)
                self.assertTrue(self.judge(document))

    def test_key_of_a_later_time_is_refused_all_the_same(self):
        document = json.loads(self.text)
        document["keys"][0]["first_seen"] = "2090-01-01T00:00:00"
        kept = read_kept(json.dumps(document["kept"]))
        document["digests"] = proof_export._digest_parts(document, kept)
        verdict = proof_export.check_export(json.dumps(document))
        self.assertEqual(verdict.problems, (("id_token", "key"),))

    def test_proof_of_another_person_is_refused_all_the_same(self):
        document = json.loads(self.text)
        request = LinkRequest("token:Other@nationalId", FA)
        call = self.confirm(request)  # Ada's own login, for somebody else's ID
        kept = document["kept"]
        kept["proof"]["id_token"] = call.owner_proof.id_token
        kept["change"]["item"]["id_value"] = request.id_value
        self.assertIn("id_token", self.judge(document))

    def test_what_is_no_export_is_refused(self):
        document = json.loads(self.text)
        incomplete = [{k: v for k, v in document.items() if k != m} for m in document]
        others = copy.deepcopy(document)
        others["kept"]["change"]["operation"] = "pay"
        for other in (
            *incomplete,
            others,
            [],
            {},
            "x",
            None,
            {**document, "format": 9},
        ):
            with self.subTest(str(other)[:40]):
                with self.assertRaises(proof_export.ExportUnreadable):
                    proof_export.check_export(json.dumps(other))
        with self.assertRaises(proof_export.ExportUnreadable):
            proof_export.check_export("no JSON")

    def test_event_without_a_proof_has_no_export(self):
        other = self.env["spar.event"].search([("format", "=", 2)], limit=1)
        for uuid in (other.uuid, "unknown"):
            with self.subTest(uuid):
                text, problems = self.proofs._export(uuid)
                self.assertFalse(text)
                self.assertEqual(len(problems), 1)

    def test_applied_change_rests_on_the_proof_with_which_it_waited(self):
        self.hold_everything()
        self.send(UpdateRequest(ID, OTHER_FA, expected_version=1))
        self.let_pass(hours=49)
        self.run_schedule()
        event = self.env["spar.event"].search([], limit=1, order="id desc")
        self.assertEqual(event.kind, "updated")
        text, problems = self.proofs._export(event.uuid)
        self.assertEqual(problems, [])
        self.assertEqual(json.loads(text)["history"]["kind"], "held")

    def test_altered_proof_is_not_exported(self):
        self.reseal(userinfo="a.b.c")
        text, problems = self.proofs._export(self.proof.event_id.uuid)
        self.assertEqual((text, problems), ("", [audit.PROOF_PARTS["userinfo"]]))

    def test_kept_text_that_is_none_is_refused(self):
        for text in ("", "{}", "[]", '{"proof": 1}'):
            with self.subTest(text), self.assertRaises(ProofUnreadable):
                read_kept(text)


class TestSettings(OwnerProofCase):
    """The list of issuers takes two people."""

    def test_refused_values(self):
        for values in (
            {"algorithms": "none"},
            {"algorithms": "HS256 ES256"},
            {"algorithms": " "},
            {"audiences": " \n "},
            {"portal_audiences": "portal.example\nstore.example.org"},
            {"pinned_keys": ""},
            {"pinned_keys": "{}"},
            {"pinned_keys": '{"keys": []}'},
            {"jwks_url": "https://id.example.org/jwks"},
            {"jwks_url": "http://id.example.org/jwks", "pinned_keys": ""},
        ):
            with self.subTest(values), self.assertRaises(ValidationError):
                with self.env.cr.savepoint():
                    self.issuer.write(values)

    def test_issuer_that_the_id_type_does_not_trust_is_refused(self):
        with self.assertRaises(ValidationError), self.env.cr.savepoint():
            self.issuer.issuer = "https://other.example"

    def test_one_administrator_changes_nothing(self):
        administrator = new_test_user(
            self.env, "proof-admin", "spar_fa_directory.group_administrator"
        )
        issuer = self.issuer.with_user(administrator)
        issuer.audiences = "attacker.example"
        self.assertEqual(issuer.audiences, "store.example.org")
        self.assertTrue(issuer.setting_change_ids)

    def test_officer_sees_neither_issuers_nor_keys_nor_proofs(self):
        officer = new_test_user(
            self.env, "proof-nobody", "spar_fa_directory.group_officer"
        )
        for model in ("spar.proof.issuer", "spar.issuer.key", "spar.owner.proof"):
            with self.subTest(model), self.assertRaises(AccessError):
                with mute_logger("odoo.addons.base.models.ir_model"):
                    self.env[model].with_user(officer).search([])
