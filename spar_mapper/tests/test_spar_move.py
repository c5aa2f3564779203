"""Everyone at a closed provider or branch is moved to its successor."""

from datetime import date, datetime, timedelta, timezone
from unittest.mock import patch

from odoo.exceptions import AccessError, UserError

from odoo.addons.spar_mapper_connector.lib.contract import Authority, Details, Outcome

from ..models.move import spar_move
from ..models.move.spar_move import MOVE_FORGED
from .common import ID, OTHER_ID
from .move_case import MoveCase

OLD_FA, NEW_FA = "account:11110000@E1.OLDB", "account:11110000@E1.NEWB"
OTHER_OLD, OTHER_NEW = "account:22220000@W1.OLDB", "account:22220000@W1.NEWB"


class TestMove(MoveCase):
    def test_everybody_is_moved(self):
        self.link(ID, OLD_FA)
        self.link(OTHER_ID, OTHER_OLD, call=self.owner)
        self.close()
        move = self.move_all()
        self.assertEqual((self.get_fa(ID), self.get_fa(OTHER_ID)), (NEW_FA, OTHER_NEW))
        self.assertEqual(
            (move.state, move.moved_count, move.left_count), ("done", 2, 0)
        )
        self.assertEqual(self.events_of(ID), ["linked", "moved"])
        mapping = self.mapping_of(ID)
        self.assertEqual(
            (mapping.provider_id, mapping.branch_id), (self.new, self.new_east)
        )
        self.assert_sound()

    def test_authority_and_time_of_the_claim_stay(self):
        asserted = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
        self.link(ID, OLD_FA, call=self.owner, asserted_at=asserted)
        before = self.mapping_of(ID).read(
            ["authority", "asserted_at", "origin", "channel", "proof"]
        )
        version = self.mapping_of(ID).version
        self.close()
        self.move_all()
        mapping = self.mapping_of(ID)
        self.assertEqual(mapping.read(list(before[0])), before)
        self.assertEqual(mapping.authority, Authority.OWNER)
        self.assertEqual(mapping.version, version + 1)
        older = self.update(
            ID, OTHER_NEW, call=self.owner, asserted_at=asserted - timedelta(days=1)
        )
        self.assertEqual(older.outcome, Outcome.CONFLICT)

    def test_move_is_recorded_in_the_history(self):
        self.link(ID, OLD_FA)
        self.close()
        move = self.move_all()
        event = self.mapping_of(ID).event_ids.filtered(lambda e: e.kind == "moved")
        self.assertEqual(event.actor, f"user:{self.first.id}")
        self.assertEqual(event.reason, "Old Bank has closed")
        self.assertEqual(event.message_reference, f"move:{move.uuid}")
        periods = self.mapper._history(self.call, ID)
        self.assertEqual([period.fa for period in periods], [NEW_FA, OLD_FA])

    def test_the_owner_is_notified_as_of_an_update(self):
        self.link(ID, OLD_FA, details=Details("Ada", "+15550100"))
        self.link(OTHER_ID, OTHER_OLD)
        self.close()
        self.move_all()
        notices = self.env["spar.notice"].search([("event_id.kind", "=", "moved")])
        self.assertEqual(
            {n.event_id.subject_id: n.state for n in notices},
            {self.subject_of(ID): "queued", self.subject_of(OTHER_ID): "letter"},
        )
        self.update(ID, OTHER_NEW)
        update = self.env["spar.notice"].search(
            [("event_id.kind", "=", "updated")], order="id desc", limit=1
        )
        self.assertEqual(update.state, "queued")

    def test_the_other_details_stay(self):
        details = Details("Ada", "+15550100", ({"name": "a", "value": "b"},))
        self.link(ID, OLD_FA, details=details)
        self.close()
        self.move_all()
        self.assertEqual(self.resolve(ID).details, details)

    def test_stopped_ones_stay_stopped(self):
        self.link(ID, OLD_FA)
        self.suspend(ID)
        self.close()
        move = self.move_all()
        self.assertEqual(move.moved_count, 1)
        self.assertEqual(self.events_of(ID)[-1], "moved_suspended")
        self.assertEqual(self.resolve(ID).outcome, Outcome.SUSPENDED)
        self.resume(ID)
        self.assertEqual(self.get_fa(ID), NEW_FA)
        self.assert_sound()

    def test_stopped_payments_stay_stopped(self):
        self.link(ID, OLD_FA)
        self.set_subject(ID, pay_stop=True)
        self.close()
        self.move_all()
        self.assertEqual(self.mapping_of(ID).provider_id, self.new)
        self.assertEqual(self.resolve(ID).problem, "payments_stopped")

    def test_each_purpose_is_moved(self):
        self.link(ID, OLD_FA)
        self.link(ID, OTHER_OLD, purpose="school")
        self.close()
        self.move_all()
        self.assertEqual(self.get_fa(ID), NEW_FA)
        self.assertEqual(self.get_fa(ID, purpose="school"), OTHER_NEW)

    def test_others_are_not_touched(self):
        self.link(ID, "account:111100001111@BR01.TESTBANK")
        self.link(OTHER_ID, OLD_FA)
        self.unlink(OTHER_ID)
        self.close()
        move = self.count()
        self.assertEqual((move.total, move.moved_count, move.left_count), (0, 0, 0))

    # === ADDRESSES THAT STAY === #

    def test_locked_disputed_and_waiting_ones_are_listed(self):
        why = {
            "locked": "locked",
            "owner-locked": "locked",
            "disputed": "disputed",
            "waiting": "waiting",
            "proposed": "waiting",
        }
        for number, name in enumerate(why):
            rule = self.hold_everything() if name == "proposed" else self.rules
            self.link(name, f"account:{number}7770000@E1.OLDB")
            if name == "waiting":
                rule = self.hold_everything()
                self.update(name, OTHER_NEW)
            rule.unlink()
        self.set_subject("locked", change_lock="staff")
        self.set_subject("owner-locked", change_lock="owner")
        self.set_subject("disputed", change_lock="objection")
        self.link(ID, OLD_FA)
        self.close()
        places = {name: self.mapping_of(name) for name in why}
        before = {name: place.version for name, place in places.items()}
        move = self.move_all()
        self.assertEqual(
            self.get_left(move), {places[name].id: code for name, code in why.items()}
        )
        self.assertEqual(
            {name: place.version for name, place in places.items()}, before
        )
        self.assertEqual(self.get_fa(ID), NEW_FA)

    def test_broken_record_is_listed_and_raises_an_alarm(self):
        self.link(ID, OLD_FA)
        self.link(OTHER_ID, OTHER_OLD)
        place = self.mapping_of(ID).id
        self.tamper("UPDATE spar_mapping SET origin = 'x' WHERE id = %s", place)
        self.close()
        move = self.propose()
        self.approve(move)
        self.run_move()
        self.assertEqual(self.get_left(move), {place: "broken"})
        self.assertIn(("spar_mapping", place), self.get_alarms())
        self.assertEqual(self.get_fa(OTHER_ID), OTHER_NEW)

    def test_numbers_pass_the_checks_of_the_successor(self):
        self.link(ID, OLD_FA)
        self.link(OTHER_ID, "account:33330000333@E1.OLDB")
        self.new.write({"account_pattern": "[0-9]{8}"})
        self.close()
        move = self.move_all()
        self.assertEqual(self.get_fa(ID), NEW_FA)
        self.assertEqual(self.get_left(move), {self.mapping_of(OTHER_ID).id: "part"})
        left = move.sudo().left_ids
        self.assertIn("Account numbers of this bank look different", left.why)
        self.assertNotIn("33330000333", left.fa_masked)

    def test_a_branch_that_the_successor_lacks(self):
        self.link(ID, OLD_FA)
        self.new_east.unlink()
        self.close()
        move = self.move_all()
        self.assertEqual(
            self.get_left(move), {self.mapping_of(ID).id: "branch_unknown"}
        )

    def test_an_address_that_somebody_else_has_already(self):
        self.link(OTHER_ID, NEW_FA)
        self.link(ID, OLD_FA)
        self.close()
        move = self.move_all()
        self.assertEqual(self.get_left(move), {self.mapping_of(ID).id: "taken"})
        self.assertEqual(self.mapping_of(ID).provider_id, self.old)

    def test_two_numbers_that_would_become_one(self):
        self.link(ID, OLD_FA)
        self.link(OTHER_ID, "account:11110000@W1.OLDB")
        self.close()
        for size in (200, 1):
            with self.undone():
                move = self.propose(successor_branch_id=self.new_east.id)
                self.approve(move)
                self.run_move(size)
                self.assertEqual(
                    self.get_left(move), {self.mapping_of(OTHER_ID).id: "taken"}
                )

    def test_people_who_share_an_account_are_moved_together(self):
        self.link(ID, OLD_FA)
        self.link(OTHER_ID, "account:1111-0000@E1.OLDB")
        self.close()
        for size in (200, 1):
            with self.undone():
                move = self.propose()
                self.approve(move)
                self.run_move(size)
                self.assertEqual(
                    (self.get_fa(ID), self.get_fa(OTHER_ID)), (NEW_FA,) * 2
                )

    # === DESTINATION AND RULE === #

    def test_a_prefix_is_added(self):
        self.link(ID, OLD_FA)
        self.close()
        self.move_all(rule="add", prefix="99")
        self.assertEqual(self.get_fa(ID), "account:9911110000@E1.NEWB")

    def test_a_prefix_is_replaced(self):
        self.link(ID, OLD_FA)
        self.link(OTHER_ID, OTHER_OLD)
        self.close()
        move = self.move_all(rule="replace", replaced_prefix="1111", prefix="9")
        self.assertEqual(self.get_fa(ID), "account:90000@E1.NEWB")
        self.assertEqual(
            self.get_left(move), {self.mapping_of(OTHER_ID).id: "other_prefix"}
        )

    def test_branches_go_to_their_own_successors(self):
        self.link(ID, OLD_FA)
        self.link(OTHER_ID, OTHER_OLD)
        self.old_east.successor_id = self.new_west
        self.close()
        self.move_all()
        self.assertEqual(self.get_fa(ID), "account:11110000@W1.NEWB")
        self.assertEqual(self.get_fa(OTHER_ID), OTHER_NEW)

    def test_a_closed_branch_within_its_bank(self):
        self.link(ID, OLD_FA)
        self.link(OTHER_ID, OTHER_OLD)
        self.close(self.old_east, successor_id=self.old_west.id)
        move = self.prepare(branch_id=self.old_east.id, successor_id=self.old.id)
        self.assertEqual(move.successor_branch_id, self.old_west)
        move.action_count()
        self.run_move()
        move.action_propose()
        self.approve(move)
        self.run_move()
        self.assertEqual(self.get_fa(ID), "account:11110000@W1.OLDB")
        self.assertEqual(self.get_fa(OTHER_ID), OTHER_OLD)
        self.assertEqual(move.moved_count, 1)

    def test_an_archived_bank_is_moved_alike(self):
        self.link(ID, OLD_FA)
        self.old.action_archive()
        self.move_all()
        self.assertEqual(self.get_fa(ID), NEW_FA)

    def test_the_successor_of_the_directory_is_suggested(self):
        self.close(successor_id=self.new.id)
        moves = self.env["spar.move"].with_user(self.first)
        move = moves.create({"provider_id": self.old.id, "reason": "x"})
        self.assertEqual(move.successor_id, self.new)

    # === PIECES === #

    def test_pieces_have_the_same_result_as_one_pass(self):
        for number in range(5):
            self.link(f"piece-{number}", f"account:5550000{number}@E1.OLDB")
        self.close()
        move = self.propose()
        self.approve(move)
        self.run_move(size=2)
        self.assertEqual(move.moved_count, 5)
        self.assertEqual(move.progress, 100)
        self.assert_sound()

    def test_killed_half_way_it_goes_on(self):
        for number in range(5):
            self.link(f"piece-{number}", f"account:5550000{number}@E1.OLDB")
        self.close()
        move = self.propose()
        self.approve(move)
        with patch.object(spar_move, "PIECE", 2):
            move.sudo()._do_piece()
            self.env.flush_all()
            # What a killed worker did after its last commit is lost.
            with self.undone():
                move.sudo()._do_piece()
                self.env.flush_all()
        self.assertEqual((move.state, move.moved_count), ("running", 2))
        self.run_move(size=2)
        self.assertEqual((move.state, move.moved_count), ("done", 5))
        for number in range(5):
            self.assertEqual(
                self.events_of(f"piece-{number}"), ["linked", "moved"], number
            )

    def test_a_second_run_does_nothing(self):
        self.link(ID, OLD_FA)
        self.close()
        self.move_all()
        version = self.mapping_of(ID).version
        move = self.count()
        self.assertEqual((move.total, move.left_count), (0, 0))
        self.run_move()
        self.assertEqual(self.mapping_of(ID).version, version)

    def test_counting_changes_nothing(self):
        self.link(ID, OLD_FA)
        self.close()
        self.count()
        self.assertEqual(self.events_of(ID), ["linked"])

    # === TWO PEOPLE === #

    def test_the_second_person_sees_how_many_where_and_by_which_rule(self):
        self.link(ID, OLD_FA)
        self.link(OTHER_ID, "account:33330000333@W1.OLDB")
        self.new.write({"account_longest": 10})
        self.close()
        move = self.propose(rule="add", prefix="77")
        change = move.setting_change_ids.with_user(self.second)
        self.assertIn("Old Bank to New Bank", change.subject)
        summary = change.summary
        for words in (
            "Old Bank (OLDB)",
            "New Bank (NEWB)",
            "address there: 2",
            "to move: not shown for fewer than 20",
            "cannot be moved: not shown for fewer than 20",
            "the prefix 77 is added",
            "Old Bank has closed",
        ):
            self.assertIn(words, summary)

    def test_nothing_happens_before_the_second_person(self):
        self.link(ID, OLD_FA)
        self.close()
        move = self.propose()
        self.run_move()
        self.assertEqual(move.state, "counted")
        self.assertEqual(self.events_of(ID), ["linked"])

    def test_one_person_alone_cannot_move_anyone(self):
        self.link(ID, OLD_FA)
        self.close()
        move = self.propose()
        with self.assertRaises(UserError):
            move.setting_change_ids.with_user(self.first).action_approve()
        self.run_move()
        self.assertEqual(self.events_of(ID), ["linked"])

    def test_refused_move_is_not_executed(self):
        self.link(ID, OLD_FA)
        self.close()
        move = self.propose()
        move.setting_change_ids.with_user(self.second).action_refuse()
        self.run_move()
        self.assertEqual(self.events_of(ID), ["linked"])

    def test_change_after_proposing_cancels_the_proposal(self):
        self.link(ID, OLD_FA)
        self.close()
        move = self.propose()
        change = move.setting_change_ids
        with self.assertRaises(UserError):
            move.write({"successor_id": self.bank.id})
        move.action_change()
        self.assertEqual(change.state, "stale")
        with self.assertRaises(UserError):
            change.with_user(self.second).action_approve()
        move.write({"rule": "add", "prefix": "1"})
        with self.assertRaises(UserError):
            move.action_propose()

    def test_it_is_counted_before_it_is_proposed(self):
        self.close()
        with self.assertRaises(UserError):
            self.prepare().action_propose()

    def test_code_as_superuser_approves_nothing(self):
        self.close()
        move = self.count()
        with self.assertRaises(AccessError):
            move.sudo().write({"confirmed": True})

    def test_set_by_sql_it_does_not_run(self):
        self.link(ID, OLD_FA)
        self.close()
        move = self.count()
        self.tamper(
            """UPDATE spar_move SET confirmed = true, state = 'running', position = 0,
                      proposer_id = %s, confirmed_by_id = %s WHERE id = %s""",
            self.first.id,
            self.second.id,
            move.id,
        )
        self.assert_halted(move)

    def test_altered_by_sql_it_is_halted(self):
        self.link(ID, OLD_FA)
        self.close()
        move = self.propose()
        self.approve(move)
        for column, value in (
            ("successor_id", self.bank.id),
            ("successor_branch_id", self.new_west.id),
            ("rule", "add"),
            ("prefix", "7"),
            ("provider_id", self.bank.id),
            ("branch_map", "{}"),
            ("reason", "other"),
        ):
            with self.subTest(column), self.undone():
                self.tamper(
                    f"UPDATE spar_move SET {column} = %s WHERE id = %s", value, move.id
                )
                if column == "branch_map":
                    self.tamper(
                        "UPDATE spar_move SET branch_map = %s WHERE id = %s",
                        f'{{"{self.old_east.id}": {self.new_west.id}}}',
                        move.id,
                    )
                self.assert_halted(move)

    def assert_halted(self, move):
        self.run_move()
        self.assertEqual(self.get_alarms(), [("spar_move", move.id)])
        problem = self.env["spar.alarm"].search([("table_name", "=", "spar_move")])
        self.assertEqual(set(problem.mapped("problem")), {MOVE_FORGED})
        self.assertEqual(move.state, "halted")
        self.assertEqual(self.events_of(ID), ["linked"])

    # === REFUSALS === #

    def test_plans_that_are_refused(self):
        wallet = self.env["spar.fsp"].create(
            {"name": "Wallet", "code": "MOVEW", "kind": "wallet"}
        )
        with self.assertRaisesRegex(UserError, "has not closed"):
            self.prepare().action_count()
        self.close()
        for values, words in (
            ({"successor_id": self.old.id}, "also closed"),
            ({"successor_id": wallet.id}, "same kind"),
            ({"rule": "add"}, "prefix"),
            ({"rule": "replace", "prefix": "1"}, "prefix"),
            ({"rule": "list"}, "list"),
            ({"branch_id": self.old_east.id}, "branch that takes over"),
            (
                {
                    "branch_id": self.old_east.id,
                    "successor_branch_id": self.old_west.id,
                },
                "also closed",
            ),
        ):
            with self.subTest(values), self.assertRaisesRegex(UserError, words):
                self.prepare(**values).action_count()

    def test_one_move_of_a_provider_at_a_time(self):
        self.close()
        first = self.count()
        with self.assertRaisesRegex(UserError, "not finished"):
            self.prepare().action_count()
        first.action_discard()
        self.assertEqual(self.count().state, "counted")

    def test_only_administrators_move_people(self):
        self.close()
        move = self.count()
        for role in ("viewer", "officer", "supervisor", "auditor"):
            person = self.create_user(role, f"move-{role}")
            with self.subTest(role):
                for name in ("action_count", "action_propose", "action_discard"):
                    with self.assertRaises(AccessError):
                        getattr(move.with_user(person), name)()
                with self.assertRaises(AccessError):
                    self.env["spar.move"].with_user(person).create(
                        {
                            "provider_id": self.old.id,
                            "successor_id": self.new.id,
                            "reason": "x",
                        }
                    )

    def test_an_officer_does_not_even_see_it(self):
        move = self.prepare()
        for role in ("viewer", "officer"):
            person = self.create_user(role, f"see-{role}")
            with self.assertRaises(AccessError):
                move.with_user(person).read(["state"])

    def test_an_administrator_sets_nothing_that_happens_by_itself(self):
        self.close()
        move = self.prepare(state="running", moved_count=7, confirmed=True)
        self.assertEqual((move.state, move.moved_count), ("new", 0))
        self.assertFalse(move.confirmed)
        for values in ({"state": "running"}, {"position": 0}, {"mac": "x"}):
            with self.subTest(values), self.assertRaises(AccessError):
                move.write(values)

    def test_executed_move_cannot_be_deleted(self):
        self.link(ID, OLD_FA)
        self.close()
        move = self.move_all()
        with self.assertRaises(UserError):
            move.unlink()


class TestClosedPlace(MoveCase):
    """A closed provider or branch that is still named."""

    def test_resolving_at_a_closed_provider_names_the_closure(self):
        self.link(ID, OLD_FA)
        self.close()
        for values in (
            {"id_value": ID},
            {"fa": OLD_FA},
            {"id_value": ID, "fa": OLD_FA},
        ):
            result = self.resolve(**values)
            self.assertEqual(
                (result.outcome, result.problem, result.fa),
                (Outcome.SUSPENDED, "provider_closed", None),
            )
        self.move_all()
        self.assertEqual(self.get_fa(ID), NEW_FA)

    def test_resolving_at_a_closed_branch_names_the_closure(self):
        self.link(ID, OLD_FA)
        self.link(OTHER_ID, OTHER_OLD)
        self.close(self.old_east)
        self.assertEqual(self.resolve(ID).problem, "branch_closed")
        self.assertEqual(self.get_fa(OTHER_ID), OTHER_OLD)

    def test_until_the_day_has_come_it_is_paid(self):
        self.link(ID, OLD_FA)
        self.old.closed_on = date.today() + timedelta(days=1)
        self.assertEqual(self.get_fa(ID), OLD_FA)
        self.old.closed_on = date.today()
        self.assertIsNone(self.get_fa(ID))

    def test_stopped_payments_take_precedence(self):
        self.link(ID, OLD_FA)
        self.suspend(ID)
        self.close()
        self.assertEqual(self.resolve(ID).problem, "")

    def test_officers_see_that_it_has_closed(self):
        self.link(ID, OLD_FA)
        self.close()
        viewer = self.create_user("viewer", "closed-viewer")
        mapping = self.mapping_of(ID).with_user(viewer)
        self.assertEqual(mapping.pay_state, "closed")
        self.move_all()
        self.assertEqual(mapping.pay_state, "active")

    def test_closed_records_still_in_use_are_found(self):
        providers = self.env["spar.fsp"].with_context(active_test=False)
        domain = [("is_left_over", "=", True)]
        self.link(ID, OLD_FA)
        self.assertNotIn(self.old, providers.search(domain))
        self.close()
        self.assertIn(self.old, providers.search(domain))
        self.assertTrue(self.old.is_left_over)
        self.old.write({"closed_on": False, "active": False})
        self.assertIn(self.old, providers.search(domain))
        self.close(self.old_east)
        branches = self.env["spar.fsp.branch"].search(domain)
        self.assertEqual(branches & self.old.branch_ids, self.old_east)
        self.move_all()
        self.env.invalidate_all()
        self.assertNotIn(self.old, providers.search(domain))

    def test_one_button_prepares_the_move(self):
        self.close(successor_id=self.new.id, close_reason="Merged")
        action = self.old.with_user(self.first).action_move()
        moves = self.env["spar.move"].with_user(self.first)
        move = moves.with_context(**action["context"]).create({})
        self.assertEqual(
            (move.provider_id, move.successor_id, move.reason),
            (self.old, self.new, "Merged"),
        )
        self.assertEqual(
            self.old.with_user(self.first).action_move()["res_id"], move.id
        )
