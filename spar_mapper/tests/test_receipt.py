"""The receipt that a person takes home, and its reference."""

from contextlib import contextmanager, suppress
from unittest.mock import Mock, patch

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.tests import new_test_user, tagged
from odoo.tools import SQL

from odoo.addons.spar_mapper_connector import expressions
from odoo.addons.spar_mapper_connector.expressions import scheduled
from odoo.addons.spar_mapper_connector.lib.settings_seal import REPORT_LINKED
from odoo.addons.spar_mapper_connector.models.customising import ir_actions
from odoo.addons.spar_mapper_connector.tests.test_two_accounts import ServedRequest

from ..lib.receipt import read_receipt_number, write_receipt_number
from .common import FA, ID, OTHER_FA, StoreCase


@tagged("post_install", "-at_install")
class TestReceipt(StoreCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.officer = cls.create_user("officer")
        cls.officer.name = "Omar Officer"

    def setUp(self):
        super().setUp()
        self.acting = self.mapper.with_user(self.officer)._build_staff_call("came in")
        self.link(ID, FA, self.acting)

    def render(self, kind, user=None):
        """Return the receipt of the person's newest event of a kind, as HTML."""
        events = self.mapping_of(ID).event_ids.filtered(lambda e: e.kind == kind)
        reports = self.env["ir.actions.report"].with_user(user or self.officer)
        html, _kind = reports._render_qweb_html(
            "spar_mapper.receipt", events.sorted("seq")[-1:].ids
        )
        return html.decode()

    # === WHAT IT SAYS === #

    def test_it_names_date_reference_officer_and_masked_values(self):
        event = self.mapping_of(ID).event_ids
        html = self.render("linked")
        place = self.mapping_of(ID)
        for text in (
            write_receipt_number(event.id),
            "Omar Officer",
            place.id_masked,
            place.fa_masked,
            "Test Bank",
            "This was not me",
            f"{event.happened_at:%m/%d/%Y}",
        ):
            with self.subTest(text):
                self.assertIn(text, html)
        self.assertRegex(html, r"until\s+30\s+days after")

    def test_it_shows_no_id_and_no_account(self):
        html = self.render("linked")
        for text in ("Ada-1815", "Ada1815", "111100001111", FA):
            self.assertNotIn(text, html)

    def test_a_change_that_waits_shows_the_address_that_was_asked_for(self):
        self.add_rule("approve")
        self.update(ID, OTHER_FA, self.acting)
        html = self.render("held")
        self.assertIn("until it is approved", html)
        self.assertIn(self.change_of(ID).fa_masked, html)
        self.assertNotIn("222200002222", html)

    def test_a_suspension_that_waits_shows_the_address_in_force(self):
        self.add_rule("approve", operation="suspend")
        self.suspend(ID, self.acting)
        html = self.render("held")
        self.assertIn("This waits: until it is approved, they continue", html)
        self.assertIn(self.mapping_of(ID).fa_masked, html)

    def test_an_end_shows_no_address(self):
        masked = self.mapping_of(ID).fa_masked
        self.unlink(ID, call=self.acting)
        html = self.render("unlinked")
        self.assertIn("Nothing is paid", html)
        self.assertNotIn(masked, html)

    # === WHO MAY PRINT IT === #

    def test_button_prints_the_last_change(self):
        self.suspend(ID)
        person = self.subject_of(ID).with_user(self.officer)
        with self.pdf_files("ok"):
            action = person.action_receipt()
        self.assertEqual(action["report_name"], "spar_mapper.receipt")
        (event_id,) = action["context"]["active_ids"]
        self.assertEqual(self.env["spar.event"].browse(event_id).kind, "suspended")
        self.assertNotIn("Ada", str(action))
        for state in ("install", "broken"):
            with self.subTest(state), self.pdf_files(state):
                page = person.action_receipt()
                self.assertEqual(page["type"], "ir.actions.act_url")
                path = f"/report/html/spar_mapper.receipt/{event_id}"
                self.assertEqual(page["url"], path)

    def test_roles_that_read_the_history_print_it_and_no_one_else(self):
        for role in ("viewer", "supervisor", "auditor"):
            user = self.create_user(role, login=f"printing_{role}")
            with self.subTest(role):
                self.assertIn("Omar Officer", self.render("linked", user))
        others = [
            self.create_user("administrator", login="printing_administrator"),
            new_test_user(self.env, "printing_nobody", "base.group_user"),
            new_test_user(self.env, "printing_portal", "base.group_portal"),
        ]
        for user in others:
            with self.subTest(user.login), self.assertRaises(AccessError):
                self.render("linked", user)

    def test_it_is_made_for_the_person_who_opens_it(self):
        """Code of Odoo knows numbers only, of whatever records."""
        page, screen = "/report/pdf/spar_mapper.receipt/1", "/web/dataset/call_kw"
        for path, person, is_made in (
            (page, self.officer, True),
            ("/report/download", self.officer, True),
            (page, self.create_user("viewer"), False),
            (screen, self.officer, False),
            ("/reports", self.officer, False),
        ):
            with self.subTest(path, person=person.login), self.served(path, person):
                if is_made:
                    self.assertIn("Omar Officer", self.render("linked"))
                else:
                    with self.assertRaisesRegex(AccessError, "own screens"):
                        self.render("linked")
        with scheduled(), self.assertRaisesRegex(AccessError, "own screens"):
            self.render("linked")
        reports_sudo = self.env["ir.actions.report"].with_user(self.officer).sudo()
        event_ids = self.mapping_of(ID).event_ids.ids
        for make in (reports_sudo._render_qweb_html, reports_sudo._render_qweb_pdf):
            with self.assertRaisesRegex(AccessError, "own screens"):
                make("spar_mapper.receipt", event_ids)

    @contextmanager
    def served(self, path, person):
        """Serve a request of a user who is logged in."""
        served = ServedRequest(person.id)
        served.httprequest = Mock(path=path)
        with (
            patch.object(expressions, "request", served),
            patch.object(ir_actions, "request", served),
        ):
            yield

    def test_every_report_of_ours_is_recognised(self):
        reports = self.env["ir.actions.report"].search([])
        named = reports._get_external_ids()
        for report in reports:
            is_ours = any(name.startswith("spar_") for name in named[report.id])
            with self.subTest(report.report_name):
                self.assertEqual(report._is_report_of_ours(), is_ours)

    def test_no_mail_has_one_attached(self):
        """Its number would be that of the contact to whom staff write."""
        if "mail.template" not in self.env:
            self.skipTest("there are no mails")
        receipt = self.env.ref("spar_mapper.spar_receipt_report")
        form = self.env.ref("spar_mapper.spar_read_form_report")
        model = self.env["ir.model"]._get("res.partner")
        values = {"name": "Welcome", "model_id": model.id, "use_default_to": True}
        other = self.env["ir.actions.report"].search(
            [("model", "not like", "spar.")], limit=1
        )
        templates = self.env["mail.template"]
        template = templates.create({**values, "report_template_ids": other.ids})
        partner = self.env["res.partner"].create({"name": "Ada"})
        field = templates._fields["report_template_ids"]
        with scheduled():
            for report in (receipt, form):
                chosen = {"report_template_ids": [Command.link(report.id)]}
                for write in (
                    lambda chosen=chosen: template.write(chosen),
                    lambda chosen=chosen: templates.create({**values, **chosen}),
                ):
                    with (
                        self.subTest(report.name),
                        self.assertRaisesRegex(ValidationError, report.name),
                        self.env.cr.savepoint(),
                    ):
                        write()
                    self.env.invalidate_all()
        check = self.env["spar.settings.seal"].sudo()._check_all
        self.assertNotIn(REPORT_LINKED, [problem for *_row, problem in check()])
        # One from before.
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                "INSERT INTO %s (%s, %s) VALUES (%s, %s)",
                SQL.identifier(field.relation),
                SQL.identifier(field.column1),
                SQL.identifier(field.column2),
                template.id,
                receipt.id,
            )
        )
        self.env.invalidate_all()
        self.assertIn(("mail_template", template.id, REPORT_LINKED), check())
        files = self.env["ir.attachment"].search_count([])
        mail = {
            "model": "res.partner",
            "res_ids": str(partner.ids),
            "composition_mode": "comment",
            "template_id": template.id,
        }
        mails = self.env["mail.compose.message"].with_user(self.officer)
        reports = self.env["ir.actions.report"].with_user(self.officer)
        with self.served("/web/dataset/call_kw", self.officer):
            with self.assertRaisesRegex(AccessError, "cannot be attached"):
                reports._render_qweb_pdf(receipt, partner.ids)
            with suppress(AccessError):
                mails.create(mail).read(["attachment_ids"])
        self.assertEqual(self.env["ir.attachment"].search_count([]), files)

    def test_an_officer_of_another_office_prints_nothing(self):
        offices = self.env["spar.office"].create([{"name": "Here"}, {"name": "There"}])
        here, there = offices
        here.member_ids = self.officer
        other = self.create_user("officer", login="printing_there")
        there.member_ids = other
        call = self.mapper.with_user(self.officer)._build_staff_call("moved")
        self.mapper._assign_office(call, self.subject_of(ID).ids, here)
        self.assertIn("Omar Officer", self.render("linked"))
        with self.assertRaises(AccessError):
            self.render("linked", other)

    def test_events_of_others_work_have_no_receipt(self):
        auditor = self.create_user("auditor")
        call = self.mapper.with_user(auditor)._build_staff_call("asked")
        with self.enter_registry_test_mode():
            self.mapper.with_user(auditor)._log_reveal(call, self.mapping_of(ID).id)
        with self.assertRaisesRegex(UserError, "no receipt"):
            self.render("revealed")
        with self.assertRaisesRegex(UserError, "no receipt"):
            self.render("resumed")

    # === THE REFERENCE === #

    def test_receipt_finds_the_person_however_it_is_written(self):
        event = self.mapping_of(ID).event_ids
        number = write_receipt_number(event.id)
        for typed in (number, number.lower(), number.replace(" ", "-")):
            wizard = self.env["spar.find.wizard"].with_user(self.officer)
            action = wizard.create({"typed": typed}).action_find()
            with self.subTest(typed):
                self.assertTrue(action, "nobody was found")
                self.assertEqual(action["res_id"], self.subject_of(ID).id)

    def test_mistyped_reference_finds_nobody(self):
        number = write_receipt_number(self.mapping_of(ID).event_ids.id)
        wrong = number[:-1] + str((int(number[-1]) + 1) % 10)
        wizard = self.env["spar.find.wizard"].with_user(self.officer)
        draft = wizard.create({"typed": wrong})
        self.assertFalse(draft.action_find())
        self.assertEqual(draft.answer, "none")

    def test_no_slip_is_another_reference(self):
        for event_id in (1, 7, 1815, 98_765_432, 9_007_199_254_740_993):
            number = write_receipt_number(event_id)
            self.assertEqual(read_receipt_number(number), event_id)
            digits = number.replace(" ", "")[1:]
            for place, digit in enumerate(digits):
                for other in "0123456789".replace(digit, ""):
                    slip = digits[:place] + other + digits[place + 1 :]
                    self.assertIsNone(read_receipt_number(f"R{slip}"))

    def test_other_texts_are_no_reference(self):
        for text in ("", "R", "R 12", "12345676", "RR0777", "R" + "0" * 40, "Ada"):
            self.assertIsNone(read_receipt_number(text), text)
