"""Owners' changes that carry a proof: what is accepted, refused, and kept."""

import json
from dataclasses import replace
from unittest.mock import Mock

import psycopg2

from odoo.tools import mute_logger

from odoo.addons.spar_mapper_connector.exceptions import (
    OwnerProofRefused,
    SealBroken,
    ServiceUnavailable,
)
from odoo.addons.spar_mapper_connector.lib.contract import (
    LinkRequest,
    ObjectionRequest,
    Outcome,
    ResumeRequest,
    SuspendRequest,
    UnlinkRequest,
    UpdateRequest,
)
from odoo.addons.spar_mapper_connector.lib.jose.exceptions import KeySetUnavailable
from odoo.addons.spar_mapper_connector.lib.jose.keys import PrivateKey
from odoo.addons.spar_mapper_connector.tests.id_provider import CLIENT, IdProvider
from odoo.addons.spar_mapper_connector.tests.test_settings_seal import SEAL_LOGGER

from ..exceptions import DirectWriteRefused
from ..lib.proofs import read_kept
from ..models.proof import spar_proof_issuer
from .common import ALARM_LOGGER, FA, ID, OTHER_FA, OTHER_ID, THIRD_FA, get_clear_forms
from .proof_case import OTHER_VALUE, VALUE, OwnerProofCase

LINK = LinkRequest(ID, FA)


class TestConfirmed(OwnerProofCase):
    def test_owner_links_changes_and_removes_with_a_proof_for_each(self):
        requests = (
            (LINK, Outcome.LINKED),
            (UpdateRequest(ID, OTHER_FA, expected_version=1), Outcome.UPDATED),
            (UnlinkRequest(ID, expected_version=2), Outcome.UNLINKED),
        )
        for request, outcome in requests:
            with self.subTest(outcome):
                self.assertEqual(self.send(request).outcome, outcome)
        kinds = self.get_proofs().event_id.mapped("kind")
        self.assertEqual(kinds, ["linked", "updated", "unlinked"])

    def test_events_with_a_proof_have_a_format_of_their_own(self):
        self.link(OTHER_ID, THIRD_FA)
        self.send(LINK)
        events = self.env["spar.event"].search([], order="id desc", limit=2)
        self.assertEqual(events.mapped("format"), [3, 2])

    def test_spelling_of_the_id_does_not_matter(self):
        request = LinkRequest("token:Ada 1815@nationalId", FA)
        self.assertEqual(self.send(request).outcome, Outcome.LINKED)

    def test_id_may_be_in_a_signed_userinfo(self):
        claims = {"sub": f"sub-of-{VALUE}", "individual_id": VALUE}
        userinfo = self.provider.sign(claims)
        call = self.confirm(LINK, individual_id=None, userinfo=userinfo)
        self.assertEqual(self.send(LINK, call).outcome, Outcome.LINKED)

    def test_proof_is_kept_sealed(self):
        self.send(LINK)
        proof = self.get_proofs()
        kept = read_kept(proof._read_sealed())
        self.assertEqual(kept.change.item.fa, FA)
        self.env.cr.execute("SELECT * FROM spar_owner_proof WHERE id = %s", [proof.id])
        values = self.env.cr.fetchone()
        dump = " ".join(
            bytes(value).hex() if isinstance(value, memoryview) else str(value)
            for value in values
        ).lower()
        for secret in (kept.proof.id_token, kept.proof.salt.hex(), VALUE, FA):
            for form in get_clear_forms(secret):
                self.assertNotIn(form, dump)

    def test_change_that_waits_keeps_its_proof(self):
        self.send(LINK)
        self.hold_everything()
        request = UpdateRequest(ID, OTHER_FA, expected_version=1)
        self.assertEqual(self.send(request).outcome, Outcome.HELD)
        self.let_pass(hours=49)
        self.run_schedule()
        self.assertEqual(self.get_fa(ID), OTHER_FA)
        self.assertEqual(self.get_proofs()[-1].event_id.kind, "held")

    def test_first_link_that_waits_keeps_its_proof(self):
        self.hold_everything()
        self.assertEqual(self.send(LINK).outcome, Outcome.HELD)
        self.assertEqual(self.get_proofs().event_id.kind, "proposed")

    def test_objection_of_the_owner_is_proved(self):
        self.send(LINK)
        self.send(UpdateRequest(ID, OTHER_FA, expected_version=1))
        period = self.mapper._history(self.owner, ID)[0]
        request = ObjectionRequest(ID, period.uuid, period.events[0].seq)
        answer = self.object_to(request)
        self.assertEqual(answer.remedy.value, "restored")
        self.assertEqual(self.get_proofs()[-1].event_id.kind, "objected")

    def test_agent_is_named_beside_the_person_who_confirmed(self):
        call = replace(self.confirm(LINK), actor="user:7", channel="agent")
        self.assertEqual(self.send(LINK, call).outcome, Outcome.LINKED)
        self.assertEqual(self.get_proofs().event_id.actor, "user:7")

    def test_key_is_archived_when_it_is_first_used(self):
        self.send(LINK)
        self.send(UnlinkRequest(ID, expected_version=1))
        key = self.env["spar.issuer.key"].search([])
        self.assertEqual(key.kid, self.provider.key.public.kid)
        self.assertEqual(key.seq, 1)


class TestRefused(OwnerProofCase):
    def test_change_without_a_proof_is_refused(self):
        self.assert_refused("proof_missing", LINK, self.owner)

    def test_without_the_setting_no_proof_is_needed(self):
        self.env.ref("spar_mapper.limit_owner_proof_required").is_on = False
        self.assertEqual(self.send(LINK, self.owner).outcome, Outcome.LINKED)

    def test_proof_is_verified_whether_it_is_needed_or_not(self):
        self.env.ref("spar_mapper.limit_owner_proof_required").is_on = False
        call = self.confirm(LINK, nonce="other")
        self.assert_refused("proof_other_change", LINK, call)

    def test_others_need_no_proof(self):
        for call in (self.call, self.staff, self.institution):
            with self.subTest(call.actor):
                self.assertNotEqual(
                    self.link(ID, FA, call=call).problem, "proof_missing"
                )

    def test_suspension_takes_effect_without_a_proof_and_its_end_does_not(self):
        self.send(LINK)
        (result,) = self.mapper._suspend_fa(self.owner, [SuspendRequest(ID)])
        self.assertEqual(result.outcome, Outcome.SUSPENDED)
        (result,) = self.mapper._resume_fa(self.owner, [ResumeRequest(ID)])
        self.assertEqual(result.problem, "proof_missing")

    def test_proof_of_another_person_is_refused(self):
        call = self.confirm(LINK, value=OTHER_VALUE)
        self.assert_refused("proof_other_person", LINK, call)

    def test_proof_with_an_id_that_alters_its_template_is_refused(self):
        for value in ("x@nationalId", "token:Ada-1815@nationalId", " ", "{sub}"):
            with self.subTest(value):
                call = self.confirm(LINK, value=value)
                self.assert_refused("proof_other_person", LINK, call)

    def test_change_that_was_altered_after_the_review_is_refused(self):
        self.send(LINK)
        shown = UpdateRequest(ID, OTHER_FA, expected_version=1)
        altered = (
            replace(shown, fa=THIRD_FA),
            replace(shown, expected_version=None),
            replace(shown, purpose="cash"),
            UnlinkRequest(ID, expected_version=1),
            LinkRequest(ID, OTHER_FA, expected_version=1),
        )
        for sent in altered:
            with self.subTest(sent):
                self.assert_refused("proof_other_change", sent, self.confirm(shown))

    def test_login_for_another_reason_is_refused(self):
        for nonce in ("random", None, 7):
            with self.subTest(nonce):
                call = self.confirm(LINK, nonce=nonce)
                self.assert_refused("proof_other_change", LINK, call)

    def test_replayed_login_is_refused(self):
        call = self.confirm(LINK)
        self.send(LINK, call)
        self.send(UnlinkRequest(ID, expected_version=1))
        self.assert_refused("proof_replayed", LINK, call)

    def test_login_that_changed_nothing_is_used_up(self):
        self.send(LINK)
        self.assertEqual(
            self.send(LINK, call := self.confirm(LINK)).outcome, Outcome.ALREADY_LINKED
        )
        self.assertFalse(self.get_proofs()[-1].event_id)
        self.send(UnlinkRequest(ID, expected_version=1))
        self.assert_refused("proof_replayed", LINK, call)

    def test_login_for_an_objection_that_was_made_already_is_used_up(self):
        self.send(LINK)
        period = self.mapper._history(self.owner, ID)[0]
        request = ObjectionRequest(ID, period.uuid, period.events[0].seq)
        answer = self.object_to(request)
        call = self.confirm(request)
        self.assertEqual(self.object_to(request, call), answer)
        with self.assertRaises(OwnerProofRefused) as caught:
            self.object_to(request, call)
        self.assertEqual(caught.exception.code, "proof_replayed")

    def test_login_from_before_the_page_was_shown_is_refused(self):
        call = self.confirm(LINK, auth_time=self.provider.now - 31)
        self.assert_refused("proof_old", LINK, call)

    def test_expired_login_is_refused(self):
        call = self.confirm(LINK)
        self.let_pass(minutes=6)
        self.assert_refused("proof_old", LINK, call)

    def test_login_that_a_portal_started_proves_nothing(self):
        self.issuer.portal_audiences = "portal.example.org"
        for audience in ("portal.example.org", ["portal.example.org"]):
            with self.subTest(audience):
                call = self.confirm(LINK, aud=audience)
                self.assert_refused("proof_audience", LINK, call)
        both = self.confirm(LINK, aud=[CLIENT, "portal.example.org"])
        self.assert_refused("proof_audience", LINK, both)
        by_portal = {"aud": [CLIENT], "azp": "portal.example.org"}
        call = self.confirm(LINK, **by_portal)
        self.assert_refused("proof_audience", LINK, call)
        rules = self.issuer._get_portal_rules()
        self.assertEqual(rules.audiences, {"portal.example.org"})

    def test_login_of_another_client_is_refused(self):
        call = self.confirm(LINK, aud="portal.example.org")
        self.assert_refused("proof_audience", LINK, call)

    def test_login_at_an_issuer_that_is_not_listed_is_refused(self):
        other = IdProvider(self.provider.now, "https://other.example")
        change = replace(LINK)
        call = self.confirm(change, issuer=other.issuer, iss=other.issuer)
        self.assert_refused("proof_issuer", LINK, call)

    def test_archived_issuer_is_refused(self):
        call = self.confirm(LINK)
        self.issuer.active = False
        self.assert_refused("proof_issuer", LINK, call)

    def test_issuer_that_the_id_type_does_not_name_is_refused(self):
        call = self.confirm(LINK)
        self.id_type.issuers = "https://other.example"
        self.assert_refused("proof_other_person", LINK, call)

    def test_issuer_that_may_not_assert_this_type_is_refused(self):
        call = self.confirm(LINK)
        self.issuer.id_type_ids = False
        self.assert_refused("proof_other_person", LINK, call)

    def test_issuer_that_was_changed_by_sql_is_refused(self):
        call = self.confirm(LINK)
        with mute_logger(SEAL_LOGGER, ALARM_LOGGER):
            self.env.cr.execute(
                "UPDATE spar_proof_issuer SET audiences = 'x' WHERE id = %s",
                [self.issuer.id],
            )
            self.env.invalidate_all()
            self.env["spar.row.versions"]._forget()
            self.assert_refused("proof_issuer", LINK, call)

    def test_unknown_or_rotated_key_is_refused(self):
        call = self.confirm(LINK)
        self.rotate_keys()
        self.assert_refused("proof_key", LINK, call)

    def test_unsigned_or_forged_token_is_refused(self):
        call = self.confirm(LINK)
        header, payload, signature = call.owner_proof.id_token.split(".")
        none = "eyJhbGciOiJub25lIn0"
        other = self.provider.sign({"a": 1}, PrivateKey.generate("ES256"))
        for token in (
            f"{none}.{payload}.",
            f"{none}.{payload}.{signature}",
            f"{header}.{payload}.{other.split('.')[2]}",
            "not a token",
            "",
        ):
            with self.subTest(token[:20]):
                proof = replace(call.owner_proof, id_token=token)
                self.assert_refused(
                    "proof_invalid", LINK, replace(call, owner_proof=proof)
                )

    def test_userinfo_in_plain_json_is_refused(self):
        plain = json.dumps({"sub": f"sub-of-{VALUE}", "individual_id": VALUE})
        call = self.confirm(LINK, individual_id=None, userinfo=plain)
        self.assert_refused("proof_invalid", LINK, call)

    def test_proof_for_another_store_is_refused(self):
        binding = self.build_binding(receiver="other.example")
        self.assert_refused("proof_receiver", LINK, self.confirm(LINK, binding=binding))

    def test_way_to_authenticate_that_is_not_accepted_is_refused(self):
        self.issuer.acr_values = "urn:biometrics"
        self.assert_refused("proof_not_strong_enough", LINK, self.confirm(LINK))

    def test_proof_with_a_lower_authority_is_refused(self):
        call = replace(self.confirm(LINK), authority=self.staff.authority)
        self.assert_refused("proof_not_usable", LINK, call)

    def test_proof_for_several_requests_is_refused(self):
        requests = [LINK, LinkRequest(OTHER_ID, OTHER_FA)]
        results = self.mapper._link_fa(self.confirm(LINK), requests)
        problems = [result.problem for result in results]
        self.assertEqual(problems, ["proof_not_usable"] * 2)

    def test_proof_with_a_bad_salt_is_refused(self):
        call = self.confirm(LINK)
        proof = replace(call.owner_proof, salt=b"short")
        self.assert_refused("proof_invalid", LINK, replace(call, owner_proof=proof))

    def test_objection_without_or_with_another_proof_is_refused(self):
        self.send(LINK)
        period = self.mapper._history(self.owner, ID)[0]
        request = ObjectionRequest(ID, period.uuid, period.events[0].seq)
        other = replace(request, seq=99)
        for code, call in (
            ("proof_missing", self.owner),
            ("proof_other_change", self.confirm(other)),
        ):
            with self.subTest(code), self.assertRaises(OwnerProofRefused) as caught:
                self.object_to(request, call)
            self.assertEqual(caught.exception.code, code)

    def test_owner_who_has_not_logged_in_can_freeze_without_a_proof(self):
        self.send(LINK)
        period = self.mapper._history(self.owner, ID)[0]
        request = ObjectionRequest(ID, period.uuid, period.events[0].seq)
        call = replace(self.owner, authenticated_by="session")
        self.assertEqual(self.object_to(request, call).remedy.value, "frozen")

    def test_without_the_issuers_keys_nothing_is_decided(self):
        unavailable = KeySetUnavailable("not now")
        self.patch(spar_proof_issuer, "check_url", lambda url: None)
        self.patch(spar_proof_issuer, "CACHE", Mock(find=Mock(side_effect=unavailable)))
        url = "https://id.example.org/jwks"
        self.issuer.write({"jwks_url": url, "pinned_keys": ""})
        before = self.count_rows()
        with self.assertRaises(ServiceUnavailable):
            self.send(LINK)
        self.assertEqual(self.count_rows(), before)


class TestDatabase(OwnerProofCase):
    """What the database itself refuses."""

    def setUp(self):
        super().setUp()
        self.send(LINK)

    def assert_sql_refused(self, query, *values):
        with mute_logger("odoo.sql_db"), self.assertRaises(psycopg2.Error):
            with self.env.cr.savepoint():
                self.env.cr.execute(query, values)

    def test_proofs_are_neither_altered_nor_deleted(self):
        for query in (
            "DELETE FROM spar_owner_proof",
            "TRUNCATE spar_owner_proof",
            "UPDATE spar_owner_proof SET login_digest = 'x'",
            "UPDATE spar_owner_proof SET parts = 'x'",
            "UPDATE spar_owner_proof SET event_id = NULL",
        ):
            with self.subTest(query):
                self.assert_sql_refused(query)

    def test_archived_keys_are_neither_altered_nor_deleted(self):
        for query in (
            "DELETE FROM spar_issuer_key",
            "TRUNCATE spar_issuer_key",
            "UPDATE spar_issuer_key SET jwk = '{}'",
            "UPDATE spar_issuer_key SET last_seen = now() AT TIME ZONE 'UTC'",
            """SELECT set_config('spar.key_seen', 'yes', true);
               UPDATE spar_issuer_key SET last_seen = '2020-01-01'""",
        ):
            with self.subTest(query):
                self.assert_sql_refused(query)

    def test_login_is_unique_for_ever(self):
        self.assert_sql_refused(
            """INSERT INTO spar_owner_proof (uuid, used_at, login_digest)
               SELECT 'x', used_at, login_digest FROM spar_owner_proof LIMIT 1"""
        )

    def test_orm_writes_neither(self):
        for record in (self.get_proofs(), self.env["spar.issuer.key"].search([])):
            with self.subTest(record._name), self.assertRaises(DirectWriteRefused):
                record.sudo().write({"uuid": "x"})

    def test_last_seen_moves_on(self):
        key = self.env["spar.issuer.key"].search([])
        before = key.last_seen
        self.let_pass(hours=2)
        self.provider.now += 7200
        self.send(UnlinkRequest(ID, expected_version=1))
        self.assertGreater(key.last_seen, before)
        self.assertEqual(key.first_seen, before)

    def test_proof_does_not_open_beside_another_person(self):
        proof = self.get_proofs()
        self.send_for_other()
        self.tamper(
            """UPDATE spar_owner_proof p SET sealed = o.sealed
                 FROM spar_owner_proof o WHERE p.id = %s AND o.id = %s""",
            proof.id,
            self.get_proofs()[-1].id,
        )
        with self.assertRaises(SealBroken):
            proof._read_sealed()

    def send_for_other(self):
        request = LinkRequest(OTHER_ID, OTHER_FA)
        self.send(request, self.confirm(request, value=OTHER_VALUE))
