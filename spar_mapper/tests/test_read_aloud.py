"""Somebody who cannot read: a script, a witness, a form to sign, and what stays."""

from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged

from .common import FA, ID, OTHER_FA, OTHER_ID, THIRD_FA, type_address
from .test_spar_evidence import PNG, encode
from .test_spar_lookup import LookupCase

WITNESS = {"name": "Halima Adan", "contact": "near the well", "number": "0712 345678"}


@tagged("post_install", "-at_install")
class TestReadAloud(LookupCase):
    def open_form(self, id_value=ID, action="action_update", **values):
        """Return the form as an officer fills it for somebody who cannot read."""
        person = self.subject_of(id_value).with_user(self.users["officer"])
        context = getattr(person, action)()["context"]
        wizards = self.env["spar.mapping.wizard"].with_user(self.users["officer"])
        common = {
            "reason": "came in",
            "cannot_read": True,
            "document": encode(PNG),
            "witness_ids": [(0, 0, WITNESS)],
        }
        if action == "action_update":
            common |= type_address(THIRD_FA)
        return wizards.with_context(**context).create({**common, **values})

    def render(self, form, user=None):
        reports = self.env["ir.actions.report"].with_user(user or self.users["officer"])
        name = "spar_mapper.read_form"
        return reports._render_qweb_html(name, form.ids)[0].decode()

    # === WHAT IS READ === #

    def test_the_script_says_where_money_goes_what_happens_and_how_to_object(self):
        form = self.open_form()
        text = form.read_text
        masked = self.env["spar.masked.words"]._write_addresses([THIRD_FA])[0]
        for words in (masked, "payments go to the new address", "Until 30 days"):
            self.assertIn(words, text)
        self.assertNotIn("333300003333", text)
        self.assertNotIn("{", text)
        self.set_limit("objection_days", 7)
        self.env.invalidate_all()
        self.assertIn("Until 7 days", form.read_text)

    def test_it_is_in_the_language_of_the_person(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        script = self.env.ref("spar_mapper.read_script_any")
        script.with_context(lang="fr_FR").text = "Votre adresse est {address}."
        form = self.open_form(read_lang="fr_FR")
        self.assertTrue(form.read_text.startswith("Votre adresse est "))
        form.read_lang = "en_US"
        self.assertIn("I read to you", form.read_text)

    def test_a_script_of_the_operation_comes_first(self):
        self.env["spar.read.script"].create(
            {"name": "Stop", "operation": "suspend", "text": "We stop {address}."}
        )
        stopping = self.open_form(action="action_suspend", suspend_reason="asked")
        self.assertEqual(
            stopping.read_text, f"We stop {self.mapping_of(ID).fa_masked}."
        )
        self.assertIn("I read to you", self.open_form().read_text)

    def test_braces_in_a_script_open_nothing(self):
        script = self.env.ref("spar_mapper.read_script_any")
        script.text = "{address.__class__} {0} {id_value} {effect!r}"
        text = self.open_form().read_text
        self.assertEqual(text, "{address.__class__} {0} {id_value} {effect!r}")

    def test_it_is_empty_for_whoever_reads(self):
        self.assertFalse(self.open_form(cannot_read=False).read_text)

    def test_the_form_itself_asks_and_shows_what_to_read(self):
        person = self.subject_of(ID).with_user(self.users["officer"])
        wizards = self.env["spar.mapping.wizard"].with_user(self.users["officer"])
        form = Form(wizards.with_context(**person.action_unlink()["context"]))
        self.assertFalse(form.read_text)
        form.cannot_read = True
        self.assertIn("I read to you", form.read_text)
        self.assertEqual(len(form.witness_ids), 1)
        form.cannot_read = False
        with self.assertRaises(AssertionError):
            form.witness_ids.edit(0)

    # === WHAT IT NEEDS === #

    def test_what_is_refused_and_what_it_says(self):
        for values, words in (
            ({"witness_ids": []}, "who heard what was read"),
            ({"witness_ids": [(0, 0, {})]}, "who heard what was read"),
            ({"witness_ids": [(0, 0, {"name": "Ada"})]}, "how they can be found"),
            ({"witness_ids": [(0, 0, {"number": "7"})]}, "the name of each"),
            ({"witness_ids": [(0, 0, WITNESS), (0, 0, WITNESS)]}, "same person"),
            ({"document": False}, "signature or thumb print"),
        ):
            with self.subTest(words=words), self.undone():
                with self.assertRaisesRegex(UserError, words):
                    self.open_form(**values).action_confirm()
                self.assertEqual(self.get_fa(ID), FA)
                self.assertFalse(self.env["spar.witness"].search([]))

    def test_any_operation_needs_them(self):
        for action, values in (
            ("action_suspend", {"suspend_reason": "asked"}),
            ("action_unlink", {"unlink_reason": "asked"}),
        ):
            form = self.open_form(action=action, document=False, **values)
            with self.subTest(action), self.assertRaisesRegex(UserError, "thumb"):
                form.action_confirm()

    def test_it_is_stored_and_the_event_and_the_receipt_say_so(self):
        self.open_form().action_confirm()
        person = self.subject_of(ID)
        event = person.event_ids.sorted("seq")[-1:]
        self.assertIn("Read aloud to the person", event.reason)
        witness = person.witness_ids
        self.assertEqual((witness.kind, len(witness)), ("heard", 1))
        self.assertEqual(event.message_reference, f"evidence:{witness.evidence}")
        self.assertEqual(person.evidence_ids.uuid, witness.evidence)
        self.assertEqual(self.find_clear("Halima Adan", "near the well"), [])
        reports = self.env["ir.actions.report"].with_user(self.users["officer"])
        first = person.event_ids.sorted("seq")[:1]
        for one, is_said in ((event, True), (first, False)):
            html = reports._render_qweb_html("spar_mapper.receipt", one.ids)[0]
            self.assertEqual("read aloud to you" in html.decode(), is_said)
        self.assertEqual(self.env["spar.audit"]._check_store(), [])

    def test_one_who_only_heard_has_vouched_for_nobody(self):
        self.open_form().action_confirm()
        self.open_form(
            OTHER_ID, **type_address("account:444400004444@BR01.TESTBANK")
        ).action_confirm()
        witnesses = self.env["spar.witness"].search([])
        self.assertEqual(witnesses.mapped("vouched_count"), [0, 0])

    # === THE FORM === #

    def test_the_form_has_blank_lines_and_masked_values_only(self):
        form = self.open_form(witness_ids=[], document=False)
        with self.pdf_files("ok"):
            action = form.action_print_form()
        self.assertEqual(action["report_name"], "spar_mapper.read_form")
        self.assertNotIn("3333", str(action))
        html = self.render(form)
        masked = self.env["spar.masked.words"]._write_addresses([THIRD_FA])[0]
        for words in ("Thumb print", "Signature of the witness", masked, "I read to"):
            self.assertIn(words, html)
        for hidden in ("333300003333", "Ada-1815", "Ada1815", FA, THIRD_FA):
            self.assertNotIn(hidden, html)

    def test_a_new_persons_form_masks_the_typed_id(self):
        wizards = self.env["spar.mapping.wizard"].with_user(self.users["officer"])
        form = wizards.create(
            {
                "operation": "link",
                "id_value": "token:Mary-1821@nationalId",
                "cannot_read": True,
                **type_address(OTHER_FA),
            }
        )
        html = self.render(form)
        for hidden in ("Mary-1821", "222200002222"):
            self.assertNotIn(hidden, html)

    def test_without_an_address_nothing_is_printed(self):
        form = self.open_form(fa_text=False)
        with self.assertRaisesRegex(UserError, "Enter the address first"):
            form.action_print_form()

    def test_who_may_not_print_it(self):
        form = self.open_form()
        other = self.create_user("officer", login="read_other")
        refused = [other, *(self.users[r] for r in ("viewer", "supervisor", "auditor"))]
        for user in refused:
            with self.subTest(user.login), self.assertRaises(AccessError):
                self.render(form, user)
        with self.assertRaisesRegex(UserError, "no form"):
            self.render(self.open_form(cannot_read=False))
