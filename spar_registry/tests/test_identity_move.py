from odoo.exceptions import AccessError, UserError

from odoo.addons.spar_mapper_connector.lib.contract import Outcome, Result

from .common import FA, ID, OTHER_FA, THIRD_FA, RegistryCase

NEW_NUMBER, NEW_ID = "2007823972", "token:2007823972@nationalid"


class TestIdentityMove(RegistryCase):
    """An ID is replaced; its address moves by two people, in two steps."""

    def setUp(self):
        super().setUp()
        self.collect(self.ada, FA)
        self.run_outbox()
        self.old = self.ada.spar_identity_ids
        self.second = self.create_user(login="programme.second")
        self.second.group_ids += self.env.ref("spar_registry.group_programme_manager")
        self.second.group_ids += self.env.ref("base.group_partner_manager")

    def replace(self, number=NEW_NUMBER):
        """Replace the ID; return the task, as the programme's user sees it."""
        self.old.active = False
        if number:
            self.env["spar.person.identity"].create(
                {
                    "partner_id": self.ada.id,
                    "id_type_id": self.id_type.id,
                    "value": number,
                }
            )
        task = self.env["spar.registry.task"].search(
            [("kind", "=", "identity_replaced"), ("partner_id", "=", self.ada.id)]
        )
        return task.with_user(self.user)

    def open_form(self, task, user):
        action = task.with_user(user).action_solve()
        wizards = self.env["spar.move.wizard"].with_user(user)
        return wizards.browse(action["res_id"])

    def propose(self, task):
        self.open_form(task, self.user).action_propose()

    def test_replacing_an_id_moves_nothing_by_itself(self):
        task = self.replace()
        self.run_outbox()
        self.assertEqual((task.state, task.programme_id), ("open", self.programme))
        self.assertEqual(set(self.store.places), {ID})

    def test_the_new_id_is_linked_and_then_the_old_one_removed(self):
        task = self.replace()
        self.propose(task)
        self.assertEqual((task.state, task.proposed_by), ("proposed", self.user))
        self.open_form(task, self.second).action_approve()
        self.assertEqual(task.state, "moving")
        self.assertEqual(self.store.get_fa(ID), FA)
        self.run_outbox()
        self.run_outbox()
        self.assertEqual(
            {key: p.fa for key, p in self.store.places.items()}, {NEW_ID: FA}
        )
        self.assertEqual(task.state, "done")
        words = [word for word, _call, _ids in self.store.calls if word != "resolve"]
        self.assertEqual(words, ["link", "link", "unlink"])
        self.assertEqual(task.sudo()._get_ids(), {})

    def test_the_form_shows_both_ids_masked(self):
        form = self.open_form(self.replace(), self.user)
        self.assertFalse(form.problem)
        self.assertIn(NEW_NUMBER[-2:], form.new_id)
        self.assertNotIn(NEW_NUMBER, form.new_id)
        self.assertNotIn("111100001111", form.old_address)
        self.assertEqual(form.new_address, "None")

    def test_the_proposer_does_not_approve(self):
        task = self.replace()
        self.open_form(task, self.manager).action_propose()
        self.assertFalse(self.open_form(task, self.manager).can_approve)
        with self.assertRaisesRegex(UserError, "proposed"):
            self.open_form(task, self.manager).action_approve()

    def test_only_a_manager_approves(self):
        task = self.replace()
        self.open_form(task, self.manager).action_propose()
        with self.assertRaises(AccessError):
            self.open_form(task, self.user).action_approve()

    def test_who_made_the_proposer_s_account_does_not_approve(self):
        task = self.replace()
        self.propose(task)
        self.patch(
            self.registry["spar.account.act"],
            "_find_dependence",
            lambda *_arguments: "they set your password",
        )
        with self.assertRaisesRegex(UserError, "they set your password"):
            self.open_form(task, self.second).action_approve()

    def test_what_was_not_proposed_is_not_approved(self):
        task = self.replace()
        with self.assertRaises(UserError):
            self.open_form(task, self.second).action_approve()
        self.propose(task)
        with self.assertRaises(UserError):
            self.propose(task)

    def test_a_withdrawn_proposal_is_open_again(self):
        task = self.replace()
        self.propose(task)
        self.open_form(task, self.second).action_withdraw()
        self.assertEqual((task.state, task.proposed_by.id), ("open", False))
        with self.assertRaises(UserError):
            self.open_form(task, self.second).action_approve()

    def test_without_a_new_id_nothing_is_proposed(self):
        task = self.replace(number=None)
        self.assertIn("no other ID", self.open_form(task, self.user).problem)
        with self.assertRaises(UserError):
            self.propose(task)

    def test_ids_that_changed_after_the_proposal_are_not_moved(self):
        task = self.replace()
        self.propose(task)
        self.ada.spar_identity_ids.active = False
        self.env["spar.person.identity"].create(
            {
                "partner_id": self.ada.id,
                "id_type_id": self.id_type.id,
                "value": "2007831891",
            }
        )
        with self.assertRaisesRegex(UserError, "changed"):
            self.open_form(task, self.second).action_approve()

    def test_a_new_id_with_another_address_is_not_overwritten(self):
        task = self.replace()
        self.propose(task)
        self.store.set(NEW_ID, OTHER_FA)
        with self.assertRaisesRegex(UserError, "another address"):
            self.open_form(task, self.second).action_approve()

    def test_a_new_id_that_gets_an_address_meanwhile_keeps_it(self):
        task = self.replace()
        self.propose(task)
        self.open_form(task, self.second).action_approve()
        self.store.set(NEW_ID, OTHER_FA)
        self.run_outbox()
        self.assertEqual(self.store.get_fa(NEW_ID), OTHER_FA)
        self.assertEqual((self.store.get_fa(ID), task.state), (FA, "open"))

    def test_an_old_id_that_changes_meanwhile_is_not_removed(self):
        task = self.replace()
        self.propose(task)
        self.open_form(task, self.second).action_approve()
        original = self.worker._finish

        def finish(worker, items):
            self.store.set(ID, THIRD_FA)
            original(items)

        self.patch(self.registry["spar.outbox.worker"], "_finish", finish)
        self.run_outbox()
        self.run_outbox()
        self.assertEqual(self.store.get_fa(NEW_ID), FA)
        self.assertEqual(self.store.get_fa(ID), THIRD_FA)
        self.assertEqual(task.state, "open")

    def test_an_old_id_without_an_address_is_not_moved(self):
        task = self.replace()
        self.propose(task)
        self.store.stopped.add(ID)
        with self.assertRaisesRegex(UserError, "nothing to move"):
            self.open_form(task, self.second).action_approve()

    def test_a_refused_new_id_is_said(self):
        task = self.replace()
        self.propose(task)
        self.patch(
            self.registry["spar.mapper.stand.in"],
            "_resolve_fa",
            lambda _mapper, _call, requests: [
                Result(Outcome.FOUND, one.id_value, FA)
                if one.id_value == ID
                else Result(Outcome.LOCKED, one.id_value)
                for one in requests
            ],
        )
        with self.assertRaisesRegex(UserError, "does not accept"):
            self.open_form(task, self.second).action_approve()

    def test_a_task_that_sql_gave_another_person_is_not_solved(self):
        task = self.replace()
        self.propose(task)
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE spar_registry_task SET partner_id = %s WHERE id = %s",
            (self.grace.id, task.id),
        )
        self.env.invalidate_all()
        with self.assertRaisesRegex(UserError, "altered"):
            self.open_form(task, self.second).action_approve()
