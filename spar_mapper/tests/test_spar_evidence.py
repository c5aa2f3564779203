"""A person's document: sealed, required by a rule, viewed with a trace."""

from base64 import b64encode
from dataclasses import replace

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.spar_mapper_connector.lib.contract import ObjectionRequest, Outcome
from odoo.addons.spar_mapper_connector.lib.keyring import bind

from .common import ID, OTHER_ID, THIRD_FA, type_address
from .test_spar_lookup import LookupCase

MARK = "Born in Marsabit"
PDF = b"%PDF-1.7 " + MARK.encode()
JPEG = b"\xff\xd8\xff\xe0 " + MARK.encode()
PNG = b"\x89PNG\r\n\x1a\n " + MARK.encode()
#: The stored files, none of them a person's.
FILES = {
    "spar.fsp.logo",
    "spar.directory.import.file",
    "spar.directory.import.refused_file",
    "spar.move.numbers_file",
    "spar.openg2p.move.strategy_file",
    "spar.openg2p.move.level_file",
    "spar.openg2p.move.value_file",
    "spar.openg2p.move.bank_file",
    "spar.openg2p.move.branch_file",
    "spar.openg2p.move.wallet_file",
}


def encode(data: bytes) -> str:
    return b64encode(data).decode()


@tagged("post_install", "-at_install")
class TestEvidence(LookupCase):
    def setUp(self):
        super().setUp()
        self.rule = self.add_rule("apply", channel="staff", needs_evidence=True)

    def open_wizard(self, id_value=ID, **values):
        mapping = self.mapping_of(id_value).with_user(self.users["officer"])
        context = mapping.action_update()["context"]
        wizards = self.env["spar.mapping.wizard"].with_user(self.users["officer"])
        common = {"reason": "came in", "has_evidence": True}
        common |= type_address(THIRD_FA)
        return wizards.with_context(**context).create({**common, **values})

    def store(self, data=PDF, id_value=ID):
        self.open_wizard(id_value, document=encode(data)).action_confirm()
        return self.env["spar.evidence"].search([], limit=1)

    def view(self, evidence, role="supervisor"):
        return evidence.with_user(self.users[role]).action_view()

    def open(self, evidence, role="supervisor"):
        """Return the window as the client opens it after ``action_view``."""
        wizards = self.env["spar.evidence.wizard"].with_user(self.users[role])
        return wizards.create({"evidence_id": evidence.id})

    # === REQUIRED BY A RULE === #

    def test_without_a_document_the_change_is_refused(self):
        wizard = self.open_wizard()
        self.assertTrue(wizard.asks_evidence)
        with self.assertRaisesRegex(UserError, "attach a picture"):
            wizard.action_confirm()
        self.assertNotEqual(self.get_fa(ID), THIRD_FA)

    def test_with_one_it_happens_and_the_event_names_it(self):
        evidence = self.store()
        self.assertEqual(self.get_fa(ID), THIRD_FA)
        event = self.subject_of(ID).event_ids.sorted("seq")[-1:]
        self.assertEqual(event.message_reference, f"evidence:{evidence.uuid}")
        self.assertEqual(evidence.subject_id, self.subject_of(ID))
        self.assertEqual(self.env["spar.audit"]._check_store(), [])

    def test_the_rule_holds_below_the_window_too(self):
        mapper = self.mapper.with_user(self.users["officer"])
        result = self.update(ID, THIRD_FA, mapper._build_staff_call("came in"))
        self.assertEqual(
            (result.outcome, result.problem), (Outcome.FORBIDDEN, "no_evidence")
        )

    def test_a_change_that_a_second_person_decides_has_it_as_well(self):
        self.rule.decision = "approve"
        evidence = self.store()
        self.assertTrue(evidence)
        self.assertEqual(self.change_of(ID).state, "waiting")
        with self.assertRaisesRegex(UserError, "attach a picture"):
            self.open_wizard(OTHER_ID).action_confirm()

    def test_a_lower_word_does_not_get_around_it(self):
        self.update(ID, "account:999900009999@BR01.TESTBANK", self.owner)
        with self.assertRaisesRegex(UserError, "attach a picture"):
            self.open_wizard().action_confirm()

    def test_channel_without_documents_needs_none(self):
        self.rule.channel = False
        self.assertEqual(self.update(ID, THIRD_FA).outcome, Outcome.UPDATED)

    def test_where_no_rule_asks_none_is_needed(self):
        self.rule.needs_evidence = False
        wizard = self.open_wizard()
        self.assertFalse(wizard.asks_evidence)
        wizard.action_confirm()
        self.assertFalse(self.env["spar.evidence"].search([]))

    # === PERMITTED FILES === #

    def test_file_type_is_detected_by_content(self):
        for data, kind in (
            (PDF, "application/pdf"),
            (JPEG, "image/jpeg"),
            (PNG, "image/png"),
        ):
            evidence = self.env["spar.evidence"]
            self.assertEqual(evidence._read_file(encode(data)), (data, kind))
        for data in (b"", b"<svg onload=x>", b"<html>%PDF-", b"MZ\x90", b"GIF89a"):
            with (
                self.subTest(data=data),
                self.assertRaisesRegex(UserError, "a PDF"),
            ):
                self.open_wizard(document=encode(data) or "AA==")

    def test_a_file_that_is_too_big_is_refused_before_it_is_kept(self):
        self.set_limit("evidence_kilobytes", 1)
        with self.assertRaisesRegex(UserError, "larger than 1"):
            self.open_wizard(document=encode(PDF + b"x" * 1024))

    def test_a_small_file_with_too_many_pixels_is_refused(self):
        """Whoever looked at it would run out of memory."""
        png = b"\x89PNG\r\n\x1a\n" + bytes(4) + b"IHDR" + b"\0\0\x75\x30" * 2
        jpeg = b"\xff\xd8\xff\xff\xff\xc2\0\x0b\x08" + b"\x75\x30" * 2 + bytes(9)
        for data in (png, jpeg):
            with self.subTest(data[:4]), self.assertRaisesRegex(UserError, "pixels"):
                self.open_wizard(document=encode(data))

    def test_a_heic_photo_is_refused_with_what_to_do(self):
        photo = b"\0\0\0\x18ftypheic" + MARK.encode()
        with self.assertRaisesRegex(UserError, "HEIC photo.*JPEG"):
            self.open_wizard(document=encode(photo))

    # === KEPT AND DESTROYED === #

    def destroy(self, **passed):
        self.let_pass(**passed)
        self.env["spar.evidence"]._cron_destroy()

    def is_kept(self, evidence):
        return bool(evidence._get_sealed_ids())

    def test_a_document_is_destroyed_when_its_time_is_over(self):
        evidence = self.store()
        self.destroy(days=1824)
        self.assertTrue(self.is_kept(evidence))
        self.destroy(days=2)
        self.assertFalse(self.is_kept(evidence))
        self.assertTrue(evidence.destroyed_at)
        event = self.subject_of(ID).event_ids.sorted("seq")[-1:]
        self.assertEqual(event.message_reference, f"evidence:{evidence.uuid}")
        self.assertEqual(self.env["spar.audit"]._check_store(), [])
        with self.assertRaisesRegex(UserError, "was destroyed on"):
            self.view(evidence)
        self.assertFalse(self.lookups("supervisor"))

    def test_two_people_decide_how_long(self):
        evidence = self.store()
        self.set_limit("evidence_days", 30)
        self.destroy(days=31)
        self.assertFalse(self.is_kept(evidence))

    def test_the_document_of_a_change_that_waits_is_kept(self):
        self.rule.decision = "approve"
        evidence = self.store()
        self.destroy(days=9999)
        self.assertTrue(self.is_kept(evidence))
        self.mapper._end_change(self.supervisor, self.change_of(ID).id, "refused")
        self.destroy()
        self.assertFalse(self.is_kept(evidence))

    def test_a_document_is_kept_while_an_objection_is_open(self):
        evidence = self.store()
        event = self.subject_of(ID).event_ids.sorted("seq")[-1:]
        request = ObjectionRequest(ID, event.period_id.address_uuid, event.seq)
        self.mapper._object_to(self.owner, request)
        self.destroy(days=9999)
        self.assertTrue(self.is_kept(evidence))

    # === SHOWN BY A REVIEW === #

    def test_a_message_of_a_participant_names_no_document(self):
        """A participant chooses the reference of a message."""
        evidence = self.store()
        self.add_rule("approve", channel="rest")
        call = replace(self.call, message_reference=f"evidence:{evidence.uuid}")
        self.update(OTHER_ID, THIRD_FA, call=call)
        change = self.change_of(OTHER_ID).with_user(self.users["supervisor"])
        self.assertEqual(change.message_reference, call.message_reference)
        self.assertFalse(change.evidence_id)

    def review(self):
        self.rule.decision = "approve"
        evidence = self.store()
        change = self.change_of(ID).with_user(self.users["supervisor"])
        self.assertEqual(change.evidence_id, evidence)
        context = change.action_review()["context"]
        wizards = self.env["spar.change.wizard"].with_user(self.users["supervisor"])
        return wizards.with_context(**context).create({})

    def test_a_review_shows_it_after_the_view_was_recorded(self):
        wizard = self.review()
        self.assertFalse(wizard.document or wizard.is_document_shown)
        wizard.action_show_document()
        wizard.invalidate_recordset()
        self.assertEqual(self.lookups("supervisor").kind, "evidence")
        self.assertEqual(wizard.document, encode(PDF).encode())
        self.let_pass(minutes=11)
        wizard.invalidate_recordset()
        self.assertFalse(wizard.document or wizard.is_document_shown)

    def test_a_review_names_no_document_to_an_officer(self):
        self.rule.decision = "approve"
        self.store()
        change = self.change_of(ID).with_user(self.users["officer"])
        self.assertFalse(change.evidence_id)

    # === ON THE PAGE OF THE PERSON === #

    def test_the_person_s_page_lists_documents_for_those_who_may_view_them(self):
        evidence = self.store()
        subject = self.subject_of(ID)
        for role in ("supervisor", "auditor"):
            seen = subject.with_user(self.users[role])
            with self.subTest(role):
                self.assertEqual(seen.evidence_ids, evidence)
                self.assertIn("evidence_ids", seen.get_view(view_type="form")["arch"])
        for role in ("viewer", "officer"):
            seen = subject.with_user(self.users[role])
            with self.subTest(role):
                arch = seen.get_view(view_type="form")["arch"]
                self.assertNotIn("evidence_ids", arch)
                self.assertNotIn("action_review", arch)
                with self.assertRaises(AccessError):
                    seen.read(["evidence_ids"])

    # === STORAGE === #

    def test_it_is_in_no_table_and_no_attachment(self):
        attachments = self.env["ir.attachment"].sudo()
        before = attachments.search_count([])
        wizard = self.open_wizard(document=encode(PDF))
        self.env.flush_all()
        self.assertEqual(self.find_clear(MARK, tables="%"), [])
        wizard.action_confirm()
        self.assertEqual(self.find_clear(MARK, tables="%"), [])
        self.assertEqual(attachments.search_count([]), before)
        self.assertFalse(wizard.with_context(bin_size=False).document)

    def test_no_export_contains_it(self):
        evidence = self.store()
        for role in ("supervisor", "auditor"):
            user = self.users[role]
            user.group_ids |= self.env.ref("base.group_allow_export")
            self.view(evidence, role)
            event = self.subject_of(ID).event_ids.sorted("seq")[-1:]
            for record in (evidence, event, self.open(evidence, role)):
                with self.subTest(role, model=record._name):
                    seen = record.with_user(user).with_context(bin_size=False)
                    exported = str(seen.export_data(list(seen.fields_get()))["datas"])
                    self.assertNotIn(MARK, exported)
                    self.assertNotIn(encode(PDF), exported)

    def test_no_field_keeps_it_or_makes_a_thumbnail(self):
        """Try each form and table: files about banks and numbers are kept, no other."""
        kept = {
            str(field)
            for name, model in self.env.registry.items()
            if name.startswith("spar.") and not model._abstract
            for field in model._fields.values()
            if field.type == "image" or (field.type == "binary" and field.store)
        }
        self.assertEqual({field for field in kept if field not in FILES}, set())

    def test_a_document_of_another_person_does_not_open(self):
        evidence = self.store()
        self.tamper(
            "UPDATE spar_evidence SET subject_id = %s WHERE id = %s",
            self.subject_of(OTHER_ID).id,
            evidence.id,
        )
        self.view(evidence)
        with self.assertRaisesRegex(UserError, "cannot be opened"):
            self.open(evidence).read(["document"])

    def test_it_is_sealed_anew_when_keys_change(self):
        self.assertIn(
            "spar.evidence", self.env.registry["spar.sealed.storage"]._inherit_children
        )
        evidence = self.store()
        contexts = evidence._get_seal_contexts(self.keyring, evidence.ids)
        subject, media_type = evidence.subject_id.uuid, "application/pdf"
        context = bind("evidence", evidence.uuid, subject, media_type)
        self.assertEqual(contexts, {evidence.id: ("evidence", context)})

    def test_document_cannot_be_removed(self):
        self.store()
        with mute_logger("odoo.sql_db"), self.assertRaisesRegex(Exception, "not delet"):
            with self.env.cr.savepoint():
                self.env.cr.execute("DELETE FROM spar_evidence")

    # === VIEWING === #

    def test_viewing_is_recorded_before_the_document_is_shown(self):
        evidence = self.store()
        self.assertFalse(self.open(evidence).document)
        self.view(evidence)
        self.assertEqual(self.lookups("supervisor").kind, "evidence")
        self.assertEqual(self.lookups("supervisor").subject_id, self.subject_of(ID))
        wizard = self.open(evidence)
        self.assertTrue(wizard.is_shown)
        self.assertEqual(wizard.document, encode(PDF).encode())
        self.let_pass(minutes=11)
        wizard.invalidate_recordset()
        self.assertFalse(wizard.document)

    def test_another_s_trace_is_none(self):
        evidence = self.store()
        self.view(evidence, "auditor")
        self.assertFalse(self.open(evidence).document)

    def test_others_see_none(self):
        evidence = self.store()
        for role in ("viewer", "officer", "administrator"):
            with self.subTest(role), self.assertRaises(AccessError):
                self.view(evidence, role)
