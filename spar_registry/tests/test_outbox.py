from datetime import timedelta

from odoo import fields
from odoo.sql_db import db_connect

from odoo.addons.spar_mapper_connector.exceptions import (
    MapperError,
    ServiceUnavailable,
)
from odoo.addons.spar_mapper_connector.lib.contract import (
    Authority,
    Capability,
    ChangeState,
    Outcome,
    Result,
)

from ..models.outbox.spar_outbox_worker import _ALIVE
from .common import FA, ID, OTHER_FA, OTHER_ID, THIRD_FA, RegistryCase
from .stand_in import WRONG_ANSWERS


class TestOutbox(RegistryCase):
    def let_pause_pass(self) -> None:
        """Let the pause of every entry that waits pass."""
        past = fields.Datetime.now() - timedelta(minutes=1)
        self.entries.search([]).write({"next_try_at": past})
        self.env.flush_all()

    def get_words(self) -> list[str]:
        """Return the operations that changed something at the mapper."""
        return [word for word, _call, _ids in self.store.calls if word != "resolve"]

    def test_first_account_is_linked(self):
        account = self.collect(self.ada, FA)
        self.assertEqual(account.state, "queued")
        self.run_outbox()
        self.assertEqual(self.store.get_fa(ID), FA)
        self.assertEqual(account.state, "confirmed")
        self.assertEqual(self.get_words(), ["link"])

    def test_the_call_names_who_collected_it(self):
        account = self.collect(self.ada, FA)
        self.run_outbox()
        _word, call, _ids = self.store.calls[-1]
        self.assertEqual(call.authority, Authority.PROGRAMME)
        self.assertEqual(call.on_behalf_of, f"user:{account.collected_by.id}")
        self.assertTrue(call.message_reference)

    def test_confirmed_account_is_destroyed(self):
        account = self.collect(self.ada, FA)
        self.assertIn("•111", account.masked)
        self.run_outbox()
        self.assertFalse(account._get_sealed_ids())
        self.assertFalse(account.entry_ids._get_sealed_ids())
        account.invalidate_recordset()
        self.assertEqual(account.masked, "")
        self.assertEqual(account.display_name, "Account of Ada")

    def test_buttons_of_an_account_are_those_of_its_entries(self):
        self.store.outcomes[ID] = Result(Outcome.LOCKED, ID)
        account = self.collect(self.ada, FA).with_user(self.manager)
        self.run_outbox()
        self.assertEqual(account.state, "failed")
        opened = account.entry_ids.action_open_account()
        self.assertEqual(
            (opened["res_model"], opened["res_id"]), (account._name, account.id)
        )
        asked = account.action_open_give_up()
        self.assertEqual(asked["context"], {"default_entry_ids": account.entry_ids.ids})
        person = account.action_open_person()
        self.assertEqual(
            (person["res_model"], person["res_id"]), ("res.partner", self.ada.id)
        )
        self.store.outcomes.clear()
        account.action_retry()
        self.run_outbox()
        self.assertEqual((self.store.get_fa(ID), account.state), (FA, "confirmed"))

    def test_another_account_is_an_update(self):
        self.store.set(ID, OTHER_FA)
        account = self.collect(self.ada, FA)
        self.run_outbox()
        self.assertEqual((self.store.get_fa(ID), account.state), (FA, "confirmed"))
        self.assertEqual(self.get_words(), ["update"])

    def test_account_in_force_is_not_sent(self):
        self.store.set(ID, FA)
        account = self.collect(self.ada, FA)
        self.run_outbox()
        self.assertEqual((account.state, self.get_words()), ("confirmed", []))

    def test_removal(self):
        self.collect(self.ada, FA)
        self.run_outbox()
        account = self.collect(self.ada, "")
        self.run_outbox()
        self.assertIsNone(self.store.get_fa(ID))
        self.assertEqual(account.state, "confirmed")

    def test_newer_account_supersedes_one_that_was_not_sent(self):
        first, second = self.collect(self.ada, FA), self.collect(self.ada, OTHER_FA)
        self.run_outbox()
        self.assertEqual((first.state, second.state), ("superseded", "confirmed"))
        self.assertEqual(self.get_words(), ["link"])

    def test_accounts_are_sent_in_order_after_a_failed_attempt(self):
        self.store.failing = ServiceUnavailable("down")
        first = self.collect(self.ada, FA)
        self.run_outbox()
        second = self.collect(self.ada, OTHER_FA)
        self.run_outbox()
        self.assertEqual((first.state, second.state), ("queued", "queued"))
        self.store.failing = None
        self.let_pause_pass()
        self.run_outbox()
        self.run_outbox()
        self.assertEqual((first.state, second.state), ("confirmed", "confirmed"))
        self.assertEqual(self.store.get_fa(ID), OTHER_FA)
        self.assertEqual(self.get_words(), ["link", "link", "update"])

    def test_one_person_does_not_hold_up_another(self):
        self.store.outcomes[ID] = Result(Outcome.INVALID_FA, ID, problem="unread")
        first, second = self.collect(self.ada, FA), self.collect(self.grace, OTHER_FA)
        self.run_outbox()
        self.assertEqual((first.state, second.state), ("failed", "confirmed"))

    def test_failed_account_holds_up_later_ones_until_it_is_given_up(self):
        self.store.outcomes[ID] = Result(Outcome.LOCKED, ID)
        first = self.collect(self.ada, FA)
        self.run_outbox()
        second = self.collect(self.ada, OTHER_FA)
        self.store.outcomes.clear()
        self.run_outbox()
        self.assertEqual((first.state, second.state), ("failed", "queued"))
        first.entry_ids.with_user(self.manager)._give_up("The person moved away")
        self.assertEqual(first.reason_text, "The person moved away")
        self.run_outbox()
        self.assertEqual((first.state, second.state), ("given_up", "confirmed"))

    def test_failed_account_is_sent_again(self):
        self.store.outcomes[ID] = Result(Outcome.LOCKED, ID)
        account = self.collect(self.ada, FA)
        self.run_outbox()
        self.store.outcomes.clear()
        account.entry_ids.with_user(self.manager).action_retry()
        self.run_outbox()
        self.assertEqual(account.state, "confirmed")

    def test_failures_are_assigned_to_somebody(self):
        self.store.outcomes[ID] = Result(Outcome.LOCKED, ID)
        account = self.collect(self.ada, FA)
        self.run_outbox()
        task = self.env["spar.registry.task"].search([("account_id", "=", account.id)])
        self.assertEqual((task.kind, task.user_id), ("failed", self.manager))
        self.assertTrue(account.reason_text)

    def test_older_account_is_superseded_not_failed(self):
        self.store.set(ID, OTHER_FA)
        older = Result(Outcome.CONFLICT, ID, problem="older_than_current")
        self.store.outcomes[ID] = older
        account = self.collect(self.ada, FA)
        self.run_outbox()
        self.assertEqual(account.state, "superseded")
        self.assertEqual(self.store.get_fa(ID), OTHER_FA)

    # === UNCERTAIN === #

    def test_effect_without_an_answer_is_not_repeated(self):
        self.store.failing = MapperError("the answer was lost")
        self.store.fails_after_effect = True
        account = self.collect(self.ada, FA)
        self.run_outbox()
        self.assertEqual(account.state, "queued")
        self.store.failing = None
        self.let_pause_pass()
        self.run_outbox()
        self.assertEqual((account.state, self.get_words()), ("confirmed", ["link"]))

    def test_another_address_after_a_time_out_is_for_staff(self):
        self.store.failing = MapperError("the answer was lost")
        account = self.collect(self.ada, FA)
        self.run_outbox()
        self.store.failing = None
        self.store.set(ID, THIRD_FA, "the person")
        self.let_pause_pass()
        self.run_outbox()
        self.assertEqual(account.state, "conflict")
        self.assertEqual(account.reason, "another_address")
        self.assertEqual(self.store.get_fa(ID), THIRD_FA)

    def test_entry_of_a_killed_worker_is_finished(self):
        for is_done in (True, False):
            with self.subTest(is_done=is_done):
                self.store.places.clear()
                account = self.collect(self.ada, FA)
                entry = account.entry_ids
                self.env.flush_all()
                self.env.cr.execute(
                    """UPDATE spar_outbox_entry
                          SET state = 'sending', worker = 7, attempts = 1,
                              base_key = '' WHERE id = %s""",
                    (entry.id,),
                )
                self.env.invalidate_all()
                if is_done:
                    self.store.set(ID, FA)
                self.store.calls.clear()
                self.run_outbox()
                self.assertEqual(account.state, "confirmed")
                self.assertEqual(self.get_words(), [] if is_done else ["link"])

    def test_entry_of_a_living_worker_is_left_alone(self):
        account = self.collect(self.ada, FA)
        account.entry_ids.sudo().write({"state": "sending", "worker": 7})
        self.env.flush_all()
        # Another session: one's own locks can be taken twice.
        with db_connect(self.env.cr.dbname).cursor() as other:
            other.execute("SELECT pg_advisory_xact_lock(%s, 7)", (_ALIVE,))
            self.run_outbox()
            self.assertEqual(account.entry_ids.state, "sending")
        self.run_outbox()
        self.assertEqual(account.state, "confirmed")

    def test_one_group_that_fails_leaves_the_others_as_they_are(self):
        """The mapper answers links and is unavailable for updates."""
        self.store.set(OTHER_ID, THIRD_FA)
        linked, updated = self.collect(self.ada, FA), self.collect(self.grace, OTHER_FA)

        def fail(*_arguments):
            raise ServiceUnavailable("down")

        self.patch(self.registry["spar.mapper.stand.in"], "_update_fa", fail)
        self.run_outbox()
        self.assertEqual((linked.state, updated.state), ("confirmed", "queued"))
        self.assertEqual(updated.reason, "unavailable")
        bases = self.worker._fetch_bases((linked + updated).entry_ids.ids)
        self.assertEqual(list(bases), updated.entry_ids.ids)

    def test_wrong_answers_are_not_believed(self):
        for name, distort in WRONG_ANSWERS.items():
            with self.subTest(name):
                self.store.places.clear()
                first = self.collect(self.ada, FA)
                second = self.collect(self.grace, OTHER_FA)
                self.store.distort = distort
                self.run_outbox()
                self.store.distort = lambda results: results
                for _attempt in range(3):
                    self.let_pause_pass()
                    self.run_outbox()
                self.assertEqual(
                    (first.state, second.state), ("confirmed", "confirmed")
                )
                self.assertEqual(self.store.get_fa(ID), FA)
                self.assertEqual(self.store.get_fa(OTHER_ID), OTHER_FA)
                self.accounts.search([]).entry_ids.unlink()

    # === CHANGES THAT WAIT === #

    def test_held_change_parks_the_queue_until_it_is_decided(self):
        for state, expected in (
            (ChangeState.APPLIED, "confirmed"),
            (ChangeState.REFUSED, "conflict"),
            (ChangeState.EXPIRED, "conflict"),
        ):
            with self.subTest(state.value):
                self.store.places.clear()
                self.store.outcomes[ID] = Result(Outcome.HELD, ID, reference="c1")
                self.store.changes["c1"] = ChangeState.WAITING
                account = self.collect(self.ada, FA)
                self.run_outbox()
                self.assertEqual(account.state, "parked")
                later = self.collect(self.ada, OTHER_FA)
                self.let_pause_pass()
                self.run_outbox()
                self.assertEqual((account.state, later.state), ("parked", "queued"))
                self.store.changes["c1"] = state
                self.store.outcomes.clear()
                self.let_pause_pass()
                self.run_outbox()
                self.assertEqual((account.state, later.state), (expected, "confirmed"))

    def test_held_change_without_its_state_is_asked_about_again(self):
        self.store.capabilities -= {Capability.CHANGE_STATUS}
        self.store.outcomes[ID] = Result(Outcome.HELD, ID)
        account = self.collect(self.ada, FA)
        self.run_outbox()
        self.assertEqual(account.state, "parked")
        self.store.outcomes.clear()
        self.store.set(ID, FA)
        self.let_pause_pass()
        self.run_outbox()
        self.assertEqual(account.state, "confirmed")
