"""Under an attacker in the database, resolve gives no wrong address and alarms."""

from odoo.tools import mute_logger

from odoo.addons.spar_mapper_connector.lib.contract import (
    Outcome,
    ResolveRequest,
)

from ..exceptions import NoSuchChange
from .common import ALARM_LOGGER, FA, ID, OTHER_FA, OTHER_ID, THIRD_FA, StoreCase

SWAP = """UPDATE %(table)s one SET %(column)s = other.%(column)s
            FROM %(table)s other
           WHERE one.id IN (%%s, %%s) AND other.id IN (%%s, %%s)
             AND one.id != other.id"""


class TestTampering(StoreCase):
    def setUp(self):
        super().setUp()
        self.link(ID, FA)
        self.link(OTHER_ID, OTHER_FA)
        self.mine, self.other = self.mapping_of(ID), self.mapping_of(OTHER_ID)

    def swap(self, table, column, one, other):
        """Exchange a column of two rows."""
        query = SWAP % {"table": table, "column": column}
        self.tamper(query, one.id, other.id, one.id, other.id)

    def swap_unique(self, table, column, one, other):
        """Exchange a column of two rows whose values are unique."""
        self.env.cr.execute(
            f"SELECT id, {column} FROM {table} WHERE id IN %s", ((one.id, other.id),)
        )
        values = {row_id: bytes(value) for row_id, value in self.env.cr.fetchall()}
        query = f"UPDATE {table} SET {column} = %s WHERE id = %s"
        self.tamper(query, b"-", other.id)
        self.tamper(query, values[other.id], one.id)
        self.tamper(query, values[one.id], other.id)

    def resolve_tampered(self, *requests):
        """Return the results of resolving, and the alarms that it raises."""
        with self.catch_alarms() as alarms:
            results = self.mapper._resolve_fa(self.call, list(requests))
        return results, alarms

    def assert_locked(self, row, *requests):
        """Assert that each request is LOCKED, reveals nothing, and alarms for a row.

        :param row: the row that the alarm names
        """
        results, alarms = self.resolve_tampered(*requests)
        for request, result in zip(requests, results, strict=True):
            with self.subTest(request=request):
                self.assertEqual(result.outcome, Outcome.LOCKED)
                self.assertEqual(result.problem, "integrity")
                self.assertIsNone(result.fa)
                self.assertIsNone(result.same_fa)
                self.assertIsNone(result.provider)
                self.assertFalse(result.details)
        self.assertIn((row._table, row.id), alarms)

    def assert_unchangeable(self, id_value):
        """Assert that nothing can be done to the ID except viewing it."""
        with self.catch_alarms():
            for result in (
                self.link(id_value, THIRD_FA, self.owner),
                self.update(id_value, THIRD_FA, self.owner),
                self.suspend(id_value, self.owner),
                self.unlink(id_value, call=self.owner),
            ):
                self.assertEqual(result.outcome, Outcome.LOCKED)
                self.assertEqual(result.problem, "integrity")

    def test_swapped_addresses_are_not_disclosed(self):
        self.swap("spar_mapping", "sealed", self.mine, self.other)
        self.assert_locked(self.mine, ResolveRequest(ID), ResolveRequest(OTHER_ID))
        self.assert_locked(
            self.other, ResolveRequest(fa=FA), ResolveRequest(fa=OTHER_FA)
        )

    def test_copied_address_is_not_disclosed(self):
        for table in ("spar_mapping", "spar_mapping_period"):
            self.tamper(
                f"""UPDATE {table} mine SET sealed = o.sealed FROM {table} o
                     WHERE o.subject_id = %s AND mine.subject_id = %s""",
                self.other.subject_id.id,
                self.mine.subject_id.id,
            )
        self.assert_locked(self.mine, ResolveRequest(ID), ResolveRequest(ID, OTHER_FA))
        self.assertEqual(self.get_fa(OTHER_ID), OTHER_FA)

    def test_swapped_digests_of_addresses_find_no_one(self):
        one, other = self.periods_of(ID), self.periods_of(OTHER_ID)
        self.swap("spar_mapping_period", "fa_digest_a", one, other)
        self.assert_locked(self.other, ResolveRequest(fa=FA))
        self.assert_locked(self.mine, ResolveRequest(fa=OTHER_FA))
        self.assertEqual(self.get_fa(ID), FA)

    def test_swapped_digests_of_ids_give_no_other_s_address(self):
        one, other = self.identifier_of(ID), self.identifier_of(OTHER_ID)
        self.swap_unique("spar_subject_id", "digest_a", one, other)
        self.assert_locked(other, ResolveRequest(ID), ResolveRequest(ID, FA))
        self.assert_locked(one, ResolveRequest(OTHER_ID))

    def test_swapped_ids_give_no_other_s_address(self):
        one, other = self.identifier_of(ID), self.identifier_of(OTHER_ID)
        self.swap("spar_subject_id", "sealed", one, other)
        self.assert_locked(one, ResolveRequest(ID), ResolveRequest(fa=FA))
        self.assert_locked(other, ResolveRequest(OTHER_ID), ResolveRequest(fa=OTHER_FA))

    def test_swapped_rows_of_ids_give_no_other_s_address(self):
        one, other = self.identifier_of(ID), self.identifier_of(OTHER_ID)
        self.swap("spar_subject_id", "sealed", one, other)
        self.swap("spar_subject_id", "uuid", one, other)
        self.swap_unique("spar_subject_id", "digest_a", one, other)
        self.assert_locked(other, ResolveRequest(ID))
        self.assert_locked(one, ResolveRequest(OTHER_ID))

    def test_an_id_moved_to_another_person_gives_no_address(self):
        identifier = self.identifier_of(ID)
        self.tamper(
            "UPDATE spar_subject_id SET subject_id = %s WHERE id = %s",
            self.other.subject_id.id,
            identifier.id,
        )
        self.assert_locked(identifier, ResolveRequest(ID))

    def test_an_address_moved_to_another_person_gives_no_address(self):
        subject = self.other.subject_id
        self.tamper("DELETE FROM spar_mapping WHERE id = %s", self.other.id)
        query = "UPDATE spar_mapping SET subject_id = %s WHERE id = %s"
        self.tamper(query, subject.id, self.mine.id)
        self.assert_locked(self.mine, ResolveRequest(OTHER_ID))

    def test_an_address_moved_with_the_name_of_its_person_gives_no_address(self):
        subject, mine = self.other.subject_id, self.mine.subject_id
        self.tamper("DELETE FROM spar_mapping WHERE id = %s", self.other.id)
        self.tamper(
            "UPDATE spar_mapping SET subject_id = %s WHERE id = %s",
            subject.id,
            self.mine.id,
        )
        self.assert_locked(self.mine, ResolveRequest(OTHER_ID))
        self.swap("spar_subject", "uuid", mine, subject)
        results, _alarms = self.resolve_tampered(ResolveRequest(OTHER_ID))
        self.assertEqual(results[0].outcome, Outcome.LOCKED)

    def test_older_ciphertext_is_not_disclosed(self):
        self.env.cr.execute(
            "SELECT sealed FROM spar_mapping WHERE id = %s", (self.mine.id,)
        )
        older = bytes(self.env.cr.fetchone()[0])
        self.update(ID, THIRD_FA)
        query = "UPDATE spar_mapping SET sealed = %s WHERE id = %s"
        self.tamper(query, older, self.mine.id)
        self.assert_locked(self.mine, ResolveRequest(ID), ResolveRequest(fa=THIRD_FA))

    def test_ciphertext_of_an_ended_period_is_not_disclosed(self):
        self.update(ID, THIRD_FA)
        _new, old = self.periods_of(ID)
        self.tamper(
            """UPDATE spar_mapping m
                  SET sealed = o.sealed, address_uuid = o.address_uuid,
                      address_version = o.address_version, period_id = o.id
                 FROM spar_mapping_period o WHERE o.id = %s AND m.id = %s""",
            old.id,
            self.mine.id,
        )
        self.assert_locked(self.mine, ResolveRequest(ID), ResolveRequest(fa=FA))

    def test_a_state_set_by_hand_gives_no_address(self):
        self.suspend(ID)
        self.tamper(
            "UPDATE spar_mapping SET state = 'active' WHERE id = %s", self.mine.id
        )
        self.assert_locked(self.mine, ResolveRequest(ID), ResolveRequest(fa=FA))

    def test_an_ended_address_brought_back_by_hand_gives_no_address(self):
        self.unlink(ID)
        old = self.periods_of(ID)[-1]
        self.tamper(
            """UPDATE spar_mapping SET state = 'active', sealed = o.sealed,
                      address_version = o.address_version, period_id = o.id
                 FROM spar_mapping_period o
                WHERE o.id = %s AND spar_mapping.id = %s""",
            old.id,
            self.mine.id,
        )
        self.assert_locked(self.mine, ResolveRequest(ID), ResolveRequest(fa=FA))

    def test_a_proposed_address_made_active_by_hand_gives_no_address(self):
        self.add_rule("approve")
        self.link("new", THIRD_FA)
        proposed = self.mapping_of("new")
        self.tamper(
            "UPDATE spar_mapping SET state = 'active' WHERE id = %s", proposed.id
        )
        self.assert_locked(proposed, ResolveRequest("new"))

    def test_a_version_set_by_hand_gives_no_address(self):
        self.tamper("UPDATE spar_mapping SET version = 9 WHERE id = %s", self.mine.id)
        self.assert_locked(self.mine, ResolveRequest(ID))

    def test_a_payment_stop_lifted_by_hand_gives_no_address(self):
        self.set_subject(ID, pay_stop=True)
        self.tamper(
            "UPDATE spar_subject SET pay_stop = false WHERE id = %s",
            self.mine.subject_id.id,
        )
        self.assert_locked(self.mine.subject_id, ResolveRequest(ID))

    def test_lock_lifted_by_hand_permits_no_change(self):
        self.set_subject(ID, change_lock="owner")
        self.tamper(
            "UPDATE spar_subject SET change_lock = 'none' WHERE id = %s",
            self.mine.subject_id.id,
        )
        self.assert_unchangeable(ID)

    def test_forged_ciphertext_gives_no_address(self):
        for sealed in (b"", b"\x01", b"account:1@x", b"\x01" * 60, None):
            self.tamper(
                "UPDATE spar_mapping SET sealed = %s WHERE id = %s",
                sealed,
                self.mine.id,
            )
            with self.subTest(sealed=sealed):
                self.assert_locked(self.mine, ResolveRequest(ID))

    def test_broken_address_cannot_be_changed(self):
        self.swap("spar_mapping", "sealed", self.mine, self.other)
        self.assert_unchangeable(ID)
        self.assertEqual(self.events_of(ID), ["linked"])

    def test_a_swapped_waiting_change_is_not_applied(self):
        self.add_rule("approve")
        self.update(ID, THIRD_FA)
        self.update(OTHER_ID, FA)
        mine, other = self.change_of(ID), self.change_of(OTHER_ID)
        self.swap("spar_change", "sealed", mine, other)
        with self.catch_alarms(), self.assertRaises(NoSuchChange):
            self.mapper._approve_change(self.supervisor, mine.id)
        self.assertEqual(self.get_fa(OTHER_ID), OTHER_FA)
        self.assertEqual(self.get_fa(ID), FA)

    def test_terms_of_a_waiting_change_cannot_be_set_by_hand(self):
        self.add_rule("approve")
        self.update(ID, THIRD_FA)
        change = self.change_of(ID)
        for column, value in (
            ("needs_approval", "false"),
            ("effective_at", "'2020-01-01'"),
            ("expires_at", "'2099-01-01'"),
            ("proposer", "'user:99'"),
            ("authority", "40"),
            ("operation", "'unlink'"),
            ("base_version", "0"),
        ):
            query = f"UPDATE spar_change SET {column} = {value} WHERE id = %s"
            with (
                self.subTest(column),
                self.catch_alarms(),
                self.assertRaises(NoSuchChange),
            ):
                # It is undone with everything else that was done before the refusal.
                self.tamper(query, change.id)
                self.mapper._approve_change(self.supervisor, change.id)
        self.assertEqual(self.get_fa(ID), FA)

    def test_a_period_that_does_not_open_is_left_out_of_the_history(self):
        self.update(ID, THIRD_FA)
        _new, old = self.periods_of(ID)
        query = "UPDATE spar_mapping_period SET sealed = %s WHERE id = %s"
        self.tamper(query, b"", old.id)
        with self.catch_alarms() as alarms:
            periods = self.mapper._history(self.call, ID)
        self.assertEqual([period.fa for period in periods], [THIRD_FA])
        self.assertIn(("spar_mapping_period", old.id), alarms)

    def test_the_others_of_a_batch_are_answered(self):
        self.tamper("UPDATE spar_mapping SET sealed = '' WHERE id = %s", self.mine.id)
        requests = [ResolveRequest(ID), ResolveRequest(OTHER_ID), ResolveRequest("x?")]
        results, alarms = self.resolve_tampered(*requests)
        self.assertEqual(
            [result.outcome for result in results],
            [Outcome.LOCKED, Outcome.FOUND, Outcome.NOT_LINKED],
        )
        self.assertEqual(alarms, [("spar_mapping", self.mine.id)])

    def test_an_alarm_is_logged_without_the_id_and_the_address(self):
        self.tamper("UPDATE spar_mapping SET sealed = '' WHERE id = %s", self.mine.id)
        with (
            self.assertLogs(ALARM_LOGGER, "ERROR") as logged,
            self.enter_registry_test_mode(),
        ):
            self.resolve(ID)
        self.assertIn(f"spar_mapping, row {self.mine.id}", logged.output[0])
        for value in (ID, "Ada", FA, "1111"):
            self.assertNotIn(value, logged.output[0])

    def test_the_same_problem_is_one_alarm(self):
        self.tamper("UPDATE spar_mapping SET sealed = '' WHERE id = %s", self.mine.id)
        for _time in range(3):
            _results, alarms = self.resolve_tampered(ResolveRequest(ID))
        self.assertEqual(alarms, [("spar_mapping", self.mine.id)])

    def test_an_alarm_stays_though_its_caller_fails(self):
        with mute_logger(ALARM_LOGGER):
            self.env["spar.alarm"]._raise_alarms([("a_test", 7, "altered")])
        with self.registry.cursor() as cr:
            query = (
                "DELETE FROM spar_alarm WHERE table_name = 'a_test' RETURNING row_id"
            )
            cr.execute(query)
            self.assertEqual(cr.fetchall(), [(7,)])
