"""Resolution by an address that was moved to a closed provider's successor."""

from odoo.addons.spar_mapper_connector.lib.contract import Outcome, ResolveRequest

from .common import CANONICAL, FA, ID, OTHER_FA, OTHER_ID
from .move_case import MoveCase

OLD_FA, NEW_FA = "account:11110000@E1.OLDB", "account:11110000@E1.NEWB"
SPELLINGS = (
    OLD_FA,
    "ACCOUNT:1111 0000@e1.oldb",
    "account:١١١١-٠٠٠٠@E1.OLDB",
    "account_number:11110000.branch_code:E1.bank_code:OLDB"
    ".mobile_number:.email_address:.fa_type:BANK_ACCOUNT",
)
THIRD_ID = "token:Joan-1920@nationalId"


class TestMoveResolve(MoveCase):
    def setUp(self):
        super().setUp()
        self.link(ID, OLD_FA)

    def move(self, record=None, **values):
        self.close(record)
        return self.move_all(**values)

    def assert_moved(self, result, fa=NEW_FA, problem="provider_replaced"):
        self.assertEqual(
            (result.outcome, result.problem, result.fa), (Outcome.FOUND, problem, fa)
        )

    def assert_unknown(self, *addresses):
        for fa in addresses:
            with self.subTest(fa):
                self.assertEqual(self.resolve(fa=fa).outcome, Outcome.NOT_LINKED)
                both = self.resolve(ID, fa)
                self.assertNotEqual(both.outcome, Outcome.FOUND)
                self.assertIsNone(both.fa)

    # === PEOPLE WHO ARE FOUND === #

    def test_every_spelling_of_it_gives_the_one_at_the_successor(self):
        self.move()
        for fa in SPELLINGS:
            with self.subTest(fa):
                result = self.resolve(fa=fa)
                self.assert_moved(result)
                self.assertEqual(result.id_value, CANONICAL)
                self.assertEqual(result.provider.code, "NEWB")

    def test_with_the_id_it_is_the_same(self):
        self.move()
        for fa in SPELLINGS:
            with self.subTest(fa):
                result = self.resolve(ID, fa)
                self.assert_moved(result)
                self.assertIs(result.same_fa, False)
                self.assertEqual(result.id_value, ID)
        self.link(OTHER_ID, OTHER_FA)
        result = self.resolve(OTHER_ID, OLD_FA)
        self.assertEqual((result.outcome, result.fa), (Outcome.FA_MISMATCH, None))

    def test_the_new_one_is_an_address_as_any_other(self):
        self.move()
        self.assert_moved(self.resolve(fa=NEW_FA), problem="")
        self.assertTrue(self.resolve(ID, NEW_FA).same_fa)

    def test_moved_branch_is_reported_as_branch_replaced(self):
        self.move(
            self.old_east,
            branch_id=self.old_east.id,
            successor_id=self.old.id,
            successor_branch_id=self.old_west.id,
        )
        self.assert_moved(
            self.resolve(fa=OLD_FA), "account:11110000@W1.OLDB", "branch_replaced"
        )

    def test_over_two_moves_it_is_found_by_both(self):
        self.move()
        last = self.env["spar.fsp"].create(
            {
                "name": "Last",
                "code": "LAST",
                "branch_ids": [(0, 0, {"name": "East", "code": "E1"})],
            }
        )
        self.close(self.new)
        self.move_all(provider_id=self.new.id, successor_id=last.id)
        for fa in (OLD_FA, NEW_FA):
            self.assert_moved(self.resolve(fa=fa), "account:11110000@E1.LAST")
            self.assert_moved(self.resolve(ID, fa), "account:11110000@E1.LAST")

    def test_successor_that_has_closed_is_not_paid(self):
        self.move()
        self.close(self.new)
        for result in (self.resolve(fa=OLD_FA), self.resolve(ID, OLD_FA)):
            self.assertEqual(
                (result.outcome, result.problem, result.fa),
                (Outcome.SUSPENDED, "provider_closed", None),
            )

    def test_a_stopped_one_is_not_given(self):
        self.suspend(ID)
        self.move()
        result = self.resolve(fa=OLD_FA)
        self.assertEqual((result.outcome, result.fa), (Outcome.SUSPENDED, None))
        self.resume(ID)
        self.assert_moved(self.resolve(fa=OLD_FA))
        self.suspend(ID)
        self.resume(ID)
        self.assert_moved(self.resolve(fa=OLD_FA))

    def test_stopped_payments_take_precedence(self):
        self.set_subject(ID, pay_stop=True)
        self.move()
        self.assertEqual(self.resolve(fa=OLD_FA).problem, "payments_stopped")

    def test_each_purpose_is_one_of_its_own(self):
        self.link(ID, "account:22220000@W1.OLDB", purpose="school")
        self.link(ID, FA, purpose="health")
        self.move()
        moved = "account:22220000@W1.NEWB"
        found = self.resolve(fa="account:22220000@W1.OLDB", purpose="school")
        self.assert_moved(found, moved)
        self.assert_moved(self.resolve(fa=OLD_FA, purpose="school"))
        both = self.resolve(ID, OLD_FA, purpose="health")
        self.assertEqual((both.outcome, both.fa), (Outcome.FA_MISMATCH, None))
        self.assert_moved(self.resolve(ID, OLD_FA, purpose="other"))

    def test_shared_address_names_no_one(self):
        for id_value in (OTHER_ID, THIRD_ID, "1", "2"):
            self.link(id_value, OLD_FA)
        self.move()
        result = self.resolve(fa=OLD_FA)
        self.assertEqual((result.id_value, result.problem), (None, "several_ids"))
        for id_value in (ID, OTHER_ID, THIRD_ID, "1", "2"):
            self.assert_moved(self.resolve(id_value, OLD_FA))

    def test_person_who_was_not_moved_is_still_counted(self):
        self.link(OTHER_ID, OLD_FA)
        self.set_subject(OTHER_ID, change_lock="staff")
        self.move()
        result = self.resolve(fa=OLD_FA)
        self.assertEqual(
            (result.outcome, result.problem), (Outcome.SUSPENDED, "provider_closed")
        )
        self.assert_moved(self.resolve(ID, OLD_FA))

    def test_ids_that_may_not_be_named_are_not_found(self):
        self.move()
        types = frozenset({self.env.ref("spar_mapper_connector.id_type_other").id})
        call = self.call.__class__(**{**vars(self.call), "id_type_ids": types})
        result = self.resolve(fa=OLD_FA, call=call)
        self.assertEqual(result.outcome, Outcome.NOT_LINKED)

    # === PEOPLE WHO ARE NOT FOUND === #

    def test_person_who_left_the_address_is_not_found(self):
        self.move()
        self.update(ID, FA)
        self.assert_unknown(OLD_FA)

    def test_person_who_left_before_the_move_is_not_found(self):
        self.update(ID, FA)
        self.move()
        self.assert_unknown(OLD_FA)

    def test_person_without_an_address_is_not_found(self):
        self.move()
        self.unlink(ID)
        self.assertEqual(self.resolve(fa=OLD_FA).outcome, Outcome.NOT_LINKED)
        self.link(ID, NEW_FA)
        self.assert_unknown(OLD_FA)

    def test_others_are_not_found(self):
        self.move()
        self.assert_unknown("account:11110001@E1.OLDB", "account:11110000@W1.OLDB")

    # === UNTRUSTED ROWS === #

    def assert_locked(self):
        with self.catch_alarms() as alarms:
            found = [self.resolve(fa=OLD_FA), self.resolve(ID, OLD_FA)]
        for result in found:
            self.assertEqual(
                (result.outcome, result.problem, result.fa),
                (Outcome.LOCKED, "integrity", None),
            )
        self.assertTrue(alarms)

    def test_an_update_that_was_made_a_move_gives_nothing(self):
        self.update(ID, FA)
        self.tamper("UPDATE spar_event SET kind = 'moved' WHERE kind = 'updated'")
        self.assert_locked()

    def test_a_move_that_was_altered_gives_nothing(self):
        self.move()
        self.tamper("UPDATE spar_event SET actor = 'user:1' WHERE kind = 'moved'")
        self.assert_locked()

    def test_an_address_put_under_a_move_gives_nothing(self):
        self.link(OTHER_ID, "account:22220000@W1.OLDB")
        self.move()
        subjects = (self.subject_of(OTHER_ID).id, self.subject_of(ID).id)
        self.tamper(
            """UPDATE spar_mapping_period p SET fa_digest_a = o.fa_digest_a
                 FROM spar_mapping_period o
                WHERE p.subject_id = %s AND p.seq = 1
                  AND o.subject_id = %s AND o.seq = 1""",
            *subjects,
        )
        with self.catch_alarms() as alarms:
            result = self.resolve(OTHER_ID, OLD_FA)
        self.assertEqual((result.outcome, result.fa), (Outcome.LOCKED, None))
        self.assertTrue(alarms)

    def test_altered_earlier_state_gives_nothing(self):
        self.move()
        self.tamper("UPDATE spar_mapping_period SET version = 9 WHERE seq = 1")
        self.assert_locked()

    # === COST === #

    def test_many_cost_as_many_statements_as_one(self):
        numbers = [f"4000{number:04}" for number in range(30)]
        for number in numbers:
            self.link(f"many-{number}", f"account:{number}@E1.OLDB")
        self.move()
        self.resolve(fa=OLD_FA)
        counts = []
        for some in (numbers[:2], numbers):
            requests = [ResolveRequest(fa=f"account:{n}@E1.OLDB") for n in some]
            requests += [
                ResolveRequest(f"many-{n}", f"account:{n}@E1.OLDB") for n in some
            ]
            results = []
            counts.append(
                self.count_statements(
                    lambda batch=requests, found=results: found.extend(
                        self.mapper._resolve_fa(self.call, batch)
                    )
                )
            )
            self.assertEqual({r.problem for r in results}, {"provider_replaced"})
        self.assertEqual(counts[0], counts[1])
        self.assertLessEqual(counts[1], 6)
