"""Refused, superseded or undone data cannot be restored by plain SQL.

As far as possible it is tried with the triggers on, as the tables' owner.
"""

from unittest.mock import patch

from odoo.tools import mute_logger

from odoo.addons.spar_mapper_connector.exceptions import NoSuchNotice, SealBroken
from odoo.addons.spar_mapper_connector.lib.contract import (
    Authority,
    CallContext,
    ObjectionRequest,
    Outcome,
)

from ..exceptions import NoSuchChange
from ..lib import audit
from ..lib.ledger import Ledger
from .common import ALARM_LOGGER, FA, ID, OTHER_FA, OTHER_ID, THIRD_FA, StoreCase
from .move_case import MoveCase
from .test_spar_tampered_forms import MIGRATION

PERSON = CallContext("person:1", "portal", Authority.OWNER, "login")


class BroughtBackCase(StoreCase):
    def sql(self, query, *values):
        """Run a statement, and perform all the checks of a commit."""
        self.env.flush_all()
        self.env.cr.execute(query, values)
        self.env.cr.execute("SET CONSTRAINTS ALL IMMEDIATE")
        self.env.cr.execute("SET CONSTRAINTS ALL DEFERRED")
        self.env.invalidate_all()

    def find(self):
        with mute_logger(ALARM_LOGGER), self.enter_registry_test_mode():
            found = self.env["spar.audit"]._check_store()
        return {(table, problem) for table, _row, problem in found}

    def get_alarms_of(self, error, function):
        """Return the alarms raised by ``function``, which raises ``error``."""
        # Not assertRaises: it would undo what was done, including alarms.
        with self.catch_alarms() as alarms:
            try:
                function()
                raised = None
            except error as caught:
                raised = caught
        self.assertIsInstance(raised, error)
        return alarms

    def decide_due(self):
        self.let_pass(hours=49)
        with mute_logger(ALARM_LOGGER):
            self.run_schedule()
        self.env.invalidate_all()


class TestRefusedChanges(BroughtBackCase):
    """A supervisor has refused a change; another was proposed since."""

    COLUMNS = """uuid, sealed, operation, base_version, needs_approval, effective_at,
        expires_at, proposer, on_behalf_of, channel, authority, asserted_at,
        authenticated_by, message_reference, reason, why"""

    def refuse(self, word, fa):
        """Propose and refuse a change, then propose another; return both."""
        word(ID, fa)
        refused = self.change_of(ID)
        self.mapper._end_change(self.supervisor, refused.id, "refused")
        word(ID, THIRD_FA)
        return refused, self.change_of(ID)

    def swap(self, refused, waiting):
        self.sql("UPDATE spar_change SET state = 'refused' WHERE id = %s", waiting.id)
        self.sql("UPDATE spar_change SET state = 'waiting' WHERE id = %s", refused.id)

    def assert_locked(self, fa):
        with self.catch_alarms() as alarms:
            self.assertEqual(self.update(ID, FA).outcome, Outcome.LOCKED)
        self.assertIn("spar_change", [table for table, _row in alarms])
        self.assertEqual(self.get_fa(ID), fa)
        self.assertIn(("spar_change", audit.CHANGE_OTHER), self.find())

    def test_it_does_not_wait_in_the_place_of_another(self):
        self.link(ID, FA)
        self.hold_everything()
        self.swap(*self.refuse(self.update, OTHER_FA))
        self.decide_due()
        self.assert_locked(FA)

    def test_it_is_not_behind_the_one_that_is_approved(self):
        self.link(ID, FA)
        self.add_rule("approve")
        refused, waiting = self.refuse(self.update, OTHER_FA)
        self.sql(
            f"""UPDATE spar_change w SET ({self.COLUMNS}) = (
                       SELECT {self.COLUMNS} FROM spar_change r WHERE r.id = %s)
                 WHERE w.id = %s""",
            refused.id,
            waiting.id,
        )
        with self.catch_alarms(), self.assertRaises(NoSuchChange):
            self.mapper._approve_change(self.supervisor, waiting.id)
        self.assert_locked(FA)

    def test_a_first_address_does_not_come_back_either(self):
        self.hold_everything()
        self.swap(*self.refuse(self.link, OTHER_FA))
        self.decide_due()
        self.assertIsNone(self.get_fa(ID))
        self.assertIn(("spar_change", audit.CHANGE_OTHER), self.find())

    def test_statements_of_the_proposer_cannot_be_altered(self):
        self.link(ID, FA)
        self.hold_everything()
        self.update(ID, OTHER_FA)
        for column, value in (
            ("asserted_at", "2999-01-01"),
            ("authenticated_by", "document"),
            ("message_reference", "m:9"),
            ("reason", "another"),
        ):
            with self.subTest(column), self.undone():
                self.sql(f"UPDATE spar_change SET {column} = %s", value)
                self.decide_due()
                self.assert_locked(FA)

    def test_it_is_applied_as_it_was_proposed(self):
        self.link(ID, FA)
        self.add_rule("approve")
        _refused, waiting = self.refuse(self.update, OTHER_FA)
        self.mapper._approve_change(self.supervisor, waiting.id)
        self.assertEqual(self.get_fa(ID), THIRD_FA)
        self.env.cr.execute(
            """SELECT count(*), count(DISTINCT commitment_change) FROM spar_event
                WHERE commitment_change IS NOT NULL"""
        )
        # held and refused; held, approved and updated
        self.assertEqual(self.env.cr.fetchone(), (5, 2))
        self.assertEqual(self.find(), set())

    def test_an_event_that_names_another_one_is_noticed_when_it_counts(self):
        self.link(ID, FA)
        self.add_rule("approve")
        refused, waiting = self.refuse(self.update, OTHER_FA)
        self.swap(refused, waiting)
        self.tamper(
            """UPDATE spar_event SET commitment_change = NULL
                WHERE subject_id = %s AND kind = 'held'""",
            self.subject_of(ID).id,
        )
        alarms = self.get_alarms_of(
            NoSuchChange,
            lambda: self.mapper._approve_change(self.supervisor, refused.id),
        )
        self.assertIn("spar_event", [table for table, _row in alarms])
        self.assertEqual(self.get_fa(ID), FA)


class TestNotices(BroughtBackCase):
    def setUp(self):
        super().setUp()
        self.link(ID, FA)
        self.update(ID, OTHER_FA)
        self.link(OTHER_ID, THIRD_FA)

    def notice_of(self, id_value, kind):
        domain = [
            ("event_id.subject_id", "=", self.subject_of(id_value).id),
            ("event_id.kind", "=", kind),
        ]
        return self.env["spar.notice"].search(domain)

    def test_a_link_is_good_for_its_own_notice_only(self):
        mine, other = self.notice_of(OTHER_ID, "linked"), self.notice_of(ID, "updated")
        token = mine._make_link()
        self.assertEqual(self.mapper._read_notice(token).kind, "linked")
        self.env.cr.execute(
            "SELECT link_digest, link_expires_at, link_mac FROM spar_notice"
            " WHERE id = %s",
            (mine.id,),
        )
        values = self.env.cr.fetchone()
        self.sql("UPDATE spar_notice SET link_digest = NULL WHERE id = %s", mine.id)
        self.sql(
            """UPDATE spar_notice
                  SET link_digest = %s, link_expires_at = %s, link_mac = %s
                WHERE id = %s""",
            *values,
            other.id,
        )
        for word in (
            lambda: self.mapper._read_notice(token),
            lambda: self.mapper._object_to_notice(PERSON, token),
        ):
            alarms = self.get_alarms_of(NoSuchNotice, word)
            self.assertEqual(alarms, [("spar_notice", other.id)])
        self.assertEqual(self.get_fa(ID), OTHER_FA)
        self.assertIn(("spar_notice", audit.LINK_ALTERED), self.find())

    def test_a_link_does_not_last_longer(self):
        token = self.notice_of(OTHER_ID, "linked")._make_link()
        self.sql(
            """UPDATE spar_notice SET link_expires_at = now() + interval '9 years'
                WHERE link_digest IS NOT NULL"""
        )
        with self.catch_alarms(), self.assertRaises(NoSuchNotice):
            self.mapper._read_notice(token)


class TestObjections(BroughtBackCase):
    def object_to(self, place, seq):
        request = ObjectionRequest(ID, place.address_uuid, seq)
        return self.mapper._object_to(PERSON, request)

    def test_one_that_was_ended_by_hand_lifts_nothing(self):
        self.link(ID, FA)
        self.link(ID, OTHER_FA, purpose="school")
        for seq, place in enumerate(self.mappings_of(ID).sorted("id"), start=1):
            self.object_to(place, seq)
        first, second = self.env["spar.objection"].search([], order="id")[-2:]
        for statement in (
            "UPDATE spar_objection SET state = 'rejected' WHERE id = %s",
            "DELETE FROM spar_objection WHERE id = %s",
        ):
            with self.subTest(statement), self.undone():
                self.sql(statement, first.id)
                with self.catch_alarms(), self.assertRaises(SealBroken):
                    self.mapper._close_objection(self.supervisor, second.id, False)
                self.assertEqual(self.subject_of(ID).change_lock, "objection")
                self.assertIn(("spar_mapping", audit.OBJECTION_OTHER), self.find())
        for one in (first, second):
            self.mapper._close_objection(self.supervisor, one.id, False)
        self.assertEqual(self.subject_of(ID).change_lock, "none")
        self.assertEqual(self.find(), set())

    def test_a_past_that_was_altered_brings_nothing_back(self):
        self.link(ID, FA)
        self.update(ID, OTHER_FA)
        self.update(ID, THIRD_FA)
        second = self.periods_of(ID).filtered(lambda period: period.seq == 2)
        for column, value in (("state", "proposed"), ("address_uuid", "x")):
            query = f"UPDATE spar_mapping_period SET {column} = %s WHERE id = %s"
            before = second[column]
            with self.subTest(column), self.undone():
                self.tamper(query, value, second.id)
                alarms = self.get_alarms_of(
                    SealBroken, lambda: self.object_to(self.mapping_of(ID), 3)
                )
                self.assertTrue(alarms)
                self.tamper(query, before, second.id)
                self.assertEqual(self.get_fa(ID), THIRD_FA)
        self.object_to(self.mapping_of(ID), 3)
        self.assertEqual(self.get_fa(ID), OTHER_FA)


class TestMoves(MoveCase, BroughtBackCase):
    OLD_FA, NEW_FA = "account:11110000@E1.OLDB", "account:11110000@E1.NEWB"
    AGAIN = """UPDATE spar_move SET state = 'running', position = 0, finished_at = NULL
                WHERE id = %s"""

    def setUp(self):
        super().setUp()
        self.link(ID, self.OLD_FA)
        self.close()

    def test_one_that_has_ended_does_not_run_again(self):
        move = self.move_all()
        self.assertEqual((move.state, self.get_fa(ID)), ("done", self.NEW_FA))
        self.old.write({"closed_on": False})
        self.link(OTHER_ID, "account:22220000@W1.OLDB")
        self.sql(self.AGAIN, move.id)
        self.run_move()
        self.assertEqual(move.state, "halted")
        self.assertEqual(self.get_fa(OTHER_ID), "account:22220000@W1.OLDB")
        self.assertIn(("spar_move", move.id), self.get_alarms())

    def test_one_that_was_given_up_does_not_run(self):
        move = self.propose(rule="add", prefix="99")
        self.approve(move)
        self.sql("UPDATE spar_move SET prefix = '66' WHERE id = %s", move.id)
        self.run_move()
        self.assertEqual(move.state, "halted")
        move.action_discard()
        self.sql("UPDATE spar_move SET prefix = '99' WHERE id = %s", move.id)
        self.sql(self.AGAIN, move.id)
        self.run_move()
        self.assertEqual((move.state, self.events_of(ID)), ("halted", ["linked"]))

    def test_it_goes_on_where_it_was_and_nowhere_else(self):
        self.link(OTHER_ID, "account:22220000@W1.OLDB")
        move = self.propose()
        self.approve(move)
        move.sudo()._do_piece()
        self.sql("UPDATE spar_move SET position = 0 WHERE id = %s", move.id)
        self.run_move()
        self.assertEqual(move.state, "halted")

    def test_the_successor_has_the_code_that_was_approved(self):
        move = self.propose()
        self.approve(move)
        self.sql("UPDATE spar_fsp SET code = 'EVIL' WHERE id = %s", self.new.id)
        self.run_move()
        self.assertEqual((move.state, self.events_of(ID)), ("halted", ["linked"]))


class TestUpgrade(MoveCase):
    """The data of a database of a previous version stay valid."""

    def test_links_of_notices_stay_good(self):
        self.link(ID, FA)
        token = self.env["spar.notice"].search([], limit=1)._make_link()
        self.tamper("UPDATE spar_notice SET link_mac = NULL")
        MIGRATION.migrate(self.env.cr, "19.0.2.2.0")
        self.assertEqual(self.mapper._read_notice(token).kind, "linked")

    def test_a_move_goes_on(self):
        self.link(ID, TestMoves.OLD_FA)
        self.close()
        move = self.propose()
        self.approve(move)
        self.tamper("UPDATE spar_move SET mac = 'of before'")
        MIGRATION.migrate(self.env.cr, "19.0.2.2.0")
        self.run_move()
        self.assertEqual((move.state, self.get_fa(ID)), ("done", TestMoves.NEW_FA))

    def test_a_check_goes_on_behind_a_part_that_is_none_any_more(self):
        run = self.env["spar.audit.run"]._start()
        run.position = {"part": "spar_change", "after": 7}
        self.env.flush_all()
        MIGRATION.migrate(self.env.cr, "19.0.2.2.0")
        run.invalidate_recordset()
        self.assertEqual(list(run._walk()), [[]])
        self.assertTrue(run.finished_at)

    def test_change_with_a_legacy_event_is_applied(self):
        """Legacy events stay as they are."""
        self.link(ID, FA)
        self.hold_everything()
        with patch.object(Ledger, "_commit_change", lambda *_args: None):
            self.update(ID, OTHER_FA)
        self.let_pass(hours=49)
        self.run_schedule()
        self.env.invalidate_all()
        self.assertEqual(self.get_fa(ID), OTHER_FA)
        self.assert_sound()
