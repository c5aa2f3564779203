from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError

from odoo.addons.spar_mapper_connector.exceptions import ServiceUnavailable
from odoo.addons.spar_mapper_connector.lib.contract import Capability, Outcome, Result

from .common import FA, ID, NUMBER, RegistryCase


class LifeCase(RegistryCase):
    """People in programmes, and the tasks about them."""

    def join(self, person, **values):
        values.setdefault("programme_id", self.programme.id)
        return self.env["spar.programme.member"].create(
            {"partner_id": person.id, **values}
        )

    def get_tasks(self, person=None):
        person = person or self.ada
        return self.env["spar.registry.task"].search([("partner_id", "=", person.id)])

    def get_kinds(self, person=None) -> list[str]:
        return self.get_tasks(person).mapped("kind")

    def run_night(self) -> None:
        with self.enter_registry_test_mode(), self.registry.cursor() as cr:
            self.env(cr=cr)["spar.life.events"]._cron_notice()
        self.env.invalidate_all()

    def link(self):
        """Link Ada's address through the outbox."""
        account = self.collect(self.ada, FA)
        self.run_outbox()
        self.assertEqual(account.state, "confirmed")
        return account

    def assertNothingEnded(self):
        """Nothing is unlinked or moved by itself."""
        self.run_outbox()
        self.assertEqual(self.store.get_fa(ID), FA)
        changes = {word for word, _call, _ids in self.store.calls} - {"resolve"}
        self.assertEqual(changes, {"link"})


class TestGone(LifeCase):
    def test_archived_person_is_a_task_and_nothing_ends(self):
        self.link()
        self.ada.active = False
        task = self.get_tasks()
        self.assertEqual(task.mapped("kind"), ["disabled"])
        self.assertEqual(
            (task.programme_id, task.user_id), (self.programme, self.manager)
        )
        self.assertNothingEnded()

    def test_somebody_who_died_is_a_task_and_not_paid(self):
        self.link()
        self.ada.spar_died_on = fields.Date.today()
        self.assertEqual(self.get_kinds(), ["died"])
        self.assertNotIn(self.ada.id, self.ada._spar_payable())
        self.ada.active = False
        self.assertEqual(self.get_kinds(), ["died"])
        self.assertNothingEnded()

    def test_there_is_one_task_for_each_programme(self):
        other = self.env["spar.programme"].create({"name": "Pension", "code": "P"})
        self.join(self.ada)
        self.join(self.ada, programme_id=other.id)
        self.ada.active = False
        self.assertEqual(self.get_tasks().programme_id, self.programme + other)
        self.ada.active = True
        self.ada.active = False
        self.assertEqual(len(self.get_tasks()), 2)

    def test_a_contact_of_no_programme_is_no_task(self):
        somebody = self.create_person("Somebody")
        somebody.active = False
        self.assertFalse(self.get_tasks(somebody))

    def test_a_person_with_an_id_is_a_task_without_a_programme(self):
        self.ada.active = False
        task = self.get_tasks()
        self.assertEqual((task.kind, task.programme_id.id), ("disabled", False))

    def test_a_recipient_who_died_is_a_task_about_the_member(self):
        self.programme.payee_rule = "named"
        self.join(self.ada, recipient_id=self.grace.id)
        self.grace.spar_died_on = fields.Date.today()
        self.assertEqual(self.get_kinds(), ["no_recipient"])
        self.assertEqual(self.get_kinds(self.grace), ["died"])

    def test_the_night_finds_who_was_archived_past_odoo(self):
        self.join(self.ada)
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE res_partner SET active = false WHERE id = %s", (self.ada.id,)
        )
        self.env.invalidate_all()
        self.run_night()
        self.assertEqual(self.get_kinds(), ["disabled"])
        self.get_tasks().write({"answer": "Checked"})
        self.get_tasks().action_dismiss()
        self.run_night()
        self.assertEqual(len(self.get_tasks()), 1)


class TestHeads(LifeCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.household = cls.create_person("Household", is_company=True)
        (cls.ada + cls.grace).parent_id = cls.household
        cls.household.spar_head_id = cls.ada
        cls.programme.payee_rule = "head"
        cls.env["spar.programme.member"].create(
            {"programme_id": cls.programme.id, "partner_id": cls.household.id}
        )

    def test_a_head_who_leaves(self):
        self.ada.parent_id = False
        self.assertEqual(self.get_kinds(self.household), ["no_head"])

    def test_a_head_who_dies(self):
        self.ada.spar_died_on = fields.Date.today()
        self.assertEqual(self.get_kinds(self.household), ["no_head"])

    def test_a_head_whose_id_is_archived(self):
        self.ada.spar_identity_ids.active = False
        task = self.get_tasks(self.household)
        self.assertEqual(task.kind, "no_head")
        self.assertIn("ID", task.reason)

    def test_a_household_whose_head_is_removed(self):
        self.household.spar_head_id = False
        self.assertEqual(self.get_kinds(self.household), ["no_head"])

    def test_a_member_who_leaves_is_no_task(self):
        self.grace.parent_id = False
        self.assertFalse(self.get_tasks(self.household))

    def test_a_new_head_is_no_task(self):
        self.household.spar_head_id = self.grace
        self.assertFalse(self.get_tasks(self.household))

    def test_a_programme_that_pays_people_has_no_heads(self):
        self.programme.payee_rule = "self"
        self.ada.parent_id = False
        self.assertFalse(self.get_tasks(self.household))


class TestExpiry(LifeCase):
    def expire(self):
        identity = self.ada.spar_identity_ids
        identity.expires_on = fields.Date.today() - timedelta(days=1)
        return identity

    def test_expired_id_is_a_task_of_the_night_once(self):
        self.link()
        self.expire()
        self.assertFalse(self.get_tasks())
        self.run_night()
        self.assertEqual(self.get_kinds(), ["identity_expired"])
        self.get_tasks().write({"answer": "The card is on its way"})
        self.get_tasks().action_dismiss()
        self.run_night()
        self.assertEqual(len(self.get_tasks()), 1)
        self.assertNothingEnded()

    def test_an_id_that_expires_again_is_a_task_again(self):
        identity = self.expire()
        self.join(self.ada)
        self.run_night()
        self.get_tasks().action_done()
        identity.expires_on = fields.Date.today() - timedelta(days=2)
        self.run_night()
        self.assertEqual(self.get_kinds(), ["identity_expired"] * 2)

    def test_an_id_that_is_valid_today_is_none(self):
        self.ada.spar_identity_ids.expires_on = fields.Date.today()
        self.run_night()
        self.assertFalse(self.get_tasks())

    def test_the_removal_of_an_expired_id_is_sent(self):
        self.link()
        self.expire()
        self.collect(self.ada, "")
        self.run_outbox()
        self.assertIsNone(self.store.get_fa(ID))


class TestTask(LifeCase):
    def test_staff_write_only_their_answer(self):
        self.join(self.ada)
        self.ada.active = False
        task = self.get_tasks().with_user(self.user)
        task.write({"answer": "Called the family"})
        for name, value in (
            ("state", "done"),
            ("proposed_by", self.user.id),
            ("partner_id", self.grace.id),
            ("kind", "merged"),
        ):
            with self.subTest(name), self.assertRaises(AccessError):
                task.write({name: value})

    def test_a_task_is_dismissed_with_a_reason(self):
        self.join(self.ada)
        self.ada.active = False
        task = self.get_tasks().with_user(self.user)
        with self.assertRaises(UserError):
            task.action_dismiss()
        task.answer = "Archived by mistake"
        task.action_dismiss()
        self.assertEqual((task.state, task.closed_by), ("dismissed", self.user))

    def test_every_kind_has_a_form(self):
        tasks = self.env["spar.registry.task"].with_user(self.user)
        self.join(self.ada)
        for kind, _label in tasks._fields["kind"].selection:
            with self.subTest(kind):
                task = tasks._propose(kind, self.ada, self.programme).sudo(False)
                action = task.with_user(self.user).action_solve()
                self.assertIn("res_model", action)


class TestSuspension(LifeCase):
    def open_form(self, user=None):
        """Return the form that the task about somebody who died opens."""
        self.link()
        self.ada.spar_died_on = fields.Date.today()
        action = self.get_tasks().with_user(user or self.user).action_solve()
        wizards = self.env["spar.suspend.wizard"].with_user(user or self.user)
        return wizards.browse(action["res_id"])

    def test_payments_are_suspended_and_the_task_is_done(self):
        form = self.open_form()
        self.assertTrue(form.can_suspend)
        self.assertFalse(form.problem)
        with self.assertRaises(UserError):
            form.action_confirm()
        form.reason = "Reported by the family"
        form.action_confirm()
        self.assertIn(ID, self.store.stopped)
        self.assertEqual(self.get_tasks().state, "done")
        word, call, _ids = self.store.calls[-1]
        self.assertEqual((word, call.reason), ("suspend", "Reported by the family"))
        self.assertEqual(call.on_behalf_of, f"user:{self.user.id}")

    def test_a_suspension_that_waits_leaves_the_task_open(self):
        form = self.open_form()
        form.reason = "Reported"
        self.store.outcomes[ID] = Result(Outcome.HELD, ID, reference="c1")
        form.action_confirm()
        self.assertEqual(self.get_tasks().state, "open")

    def test_a_refused_suspension_is_said(self):
        form = self.open_form()
        form.reason = "Reported"
        self.store.places.clear()
        with self.assertRaisesRegex(UserError, "no address"):
            form.action_confirm()
        self.assertEqual(self.get_tasks().state, "open")

    def test_a_mapper_that_is_down_is_said(self):
        form = self.open_form()
        form.reason = "Reported"
        self.store.failing = ServiceUnavailable("down")
        with self.assertRaisesRegex(UserError, "unavailable"):
            form.action_confirm()

    def test_a_mapper_that_cannot_suspend_offers_removal(self):
        self.store.capabilities -= {Capability.SUSPEND}
        form = self.open_form()
        self.assertFalse(form.can_suspend)
        self.assertIn("Remove", form.problem)
        action = form.action_remove()
        removal = form.env["spar.collect.wizard"].browse(action["res_id"])
        self.assertEqual(removal.programme_id, self.programme)
        removal.action_confirm()
        self.run_outbox()
        self.assertIsNone(self.store.get_fa(ID))

    def test_payments_are_resumed(self):
        self.link()
        self.store.stopped.add(ID)
        action = self.ada.with_user(self.user).action_open_spar_address()
        window = self.env["spar.address.wizard"].with_user(self.user)
        window = window.browse(action["res_id"])
        self.assertTrue(window.is_stopped)
        action = window.action_resume()
        form = window.env["spar.suspend.wizard"].browse(action["res_id"])
        form.reason = "It was somebody else"
        form.action_confirm()
        self.assertFalse(self.store.stopped)

    def test_somebody_without_an_id_cannot_be_suspended(self):
        nobody = self.create_person("Nobody")
        wizards = self.env["spar.suspend.wizard"]
        form = wizards.browse(wizards._open_for(nobody)["res_id"])
        self.assertIn("no ID", form.problem)
        form.reason = "Reported"
        with self.assertRaises(UserError):
            form.action_confirm()

    def test_no_table_holds_the_id(self):
        self.open_form()
        self.ada.spar_identity_ids.active = False
        self.env.flush_all()
        self.env.cr.execute("SELECT t::text FROM spar_registry_task t")
        rows = " ".join(row for (row,) in self.env.cr.fetchall())
        self.assertNotIn(NUMBER, rows)
