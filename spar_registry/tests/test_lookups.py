from datetime import timedelta
from pathlib import Path
from runpy import run_path
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tools import mute_logger

from odoo.addons.spar_mapper_connector.exceptions import OtherOffice, RemoteMapperDown
from odoo.addons.spar_mapper_connector.lib.contract import PaymentState

from ..exceptions import LookupLimit
from ..lib.lookups import ACCOUNTS_OF_PERSON
from .common import FA, ID, NUMBER, OTHER_FA, OTHER_NUMBER, RegistryCase
from .test_account_import import OPENG2P, THIRD_NUMBER, AccountFileCase

#: Valid numbers of nobody.
UNKNOWN = ("2007816061", "2007816079", "2007816087", "2007816095")


class LookupCase(RegistryCase):
    def setUp(self):
        super().setUp()
        self.alarms = []
        self.patch(
            type(self.env["spar.settings.seal"]),
            "_raise_alarms",
            lambda _self, problems: self.alarms.extend(problems),
        )
        self.lookups = self.env["spar.registry.lookup"]

    def set_limit(self, code, value):
        limit = self.env.ref(f"spar_registry.setting_{code}")
        limit.least = 1
        limit.value = value

    def count(self, kind, user=None):
        """Return the hits and the misses of a user."""
        return self.lookups.with_user(user or self.user)._count(kind)

    def let_a_day_pass(self):
        tomorrow = fields.Datetime.now() + timedelta(hours=25)
        self.startPatcher(patch.object(fields.Datetime, "now", lambda: tomorrow))


class TestLookups(LookupCase):
    def setUp(self):
        super().setUp()
        self.store.set(ID, FA)

    def read_address(self, person, user=None):
        addresses = self.env["spar.person.address"].with_user(user or self.user)
        return addresses._read(person)

    def type_id(self, number):
        """Type an ID into a contact of one's own, in place of the last one."""
        people = self.env["res.partner"].with_user(self.user)
        mine = people.create({"name": "Probe"})
        self.env["spar.person.identity"].with_user(self.user).create(
            {"partner_id": mine.id, "id_type_id": self.id_type.id, "value": number}
        )
        return mine

    def test_who_opens_an_address_is_counted(self):
        self.assertEqual(self.read_address(self.ada).state, PaymentState.PAYABLE)
        self.assertEqual(self.count("person"), (1, 0))
        self.assertEqual(self.read_address(self.grace).state, PaymentState.NOT_LINKED)
        self.assertEqual(self.count("person"), (1, 1))

    def test_same_person_again_is_free_for_a_day(self):
        for _again in range(3):
            self.read_address(self.ada)
            self.env["res.partner"].with_user(self.user).browse(
                self.ada.id
            ).get_spar_address()
        self.assertEqual(self.count("person"), (1, 0))
        self.let_a_day_pass()
        self.assertEqual(self.count("person"), (0, 0))
        self.read_address(self.ada)
        self.assertEqual(self.count("person"), (1, 0))

    def test_who_used_up_the_budget_reads_no_other_address(self):
        self.set_limit("address_lookups", 5)
        self.read_address(self.grace)
        calls = len(self.store.calls)
        with self.assertRaises(LookupLimit):
            self.read_address(self.ada)
        addresses = self.env["spar.person.address"].with_user(self.user)
        with self.assertRaises(LookupLimit):
            addresses._read_history(self.ada)
        self.assertEqual(len(self.store.calls), calls)
        ((table, row, problem), *_more) = self.alarms
        self.assertEqual((table, row), ("res_users", self.user.id))
        self.assertNotIn(NUMBER, problem)
        self.read_address(self.grace)
        self.read_address(self.ada, self.manager)

    def test_forms_say_that_the_budget_is_used_up(self):
        self.set_limit("address_lookups", 5)
        self.read_address(self.grace)
        ada = self.ada.with_user(self.user)
        shown = ada.get_spar_address()
        self.assertEqual(shown, {"state": "Limit of 24 hours reached", "text": ""})
        wizard = self.env["spar.address.wizard"].with_user(self.user)
        wizard = wizard.create({"partner_id": ada.id})
        self.assertEqual(wizard.state, "Limit of 24 hours reached")
        self.assertFalse(wizard.text or wizard.history)
        self.env["spar.collect.wizard"].with_user(self.user)._open_for(ada, "set")

    def test_typed_id_counts_as_a_miss_until_it_is_found(self):
        mine = self.type_id(UNKNOWN[0])
        self.assertEqual(self.count("person"), (0, 1))
        self.read_address(mine)
        self.assertEqual(self.count("person"), (0, 1))
        self.store.set(f"token:{UNKNOWN[1]}@nationalid", OTHER_FA)
        self.read_address(self.type_id(UNKNOWN[1]))
        self.assertEqual(self.count("person"), (1, 1))

    def test_archived_ids_do_not_make_guesses_free(self):
        self.set_limit("address_lookups", 10)
        for number in UNKNOWN[:2]:
            self.type_id(number).spar_identity_ids.active = False
        before = self.env["spar.person.identity"].search_count([])
        for number in (*UNKNOWN[2:], NUMBER, OTHER_NUMBER):
            with self.subTest(number), self.assertRaises(UserError) as caught:
                self.type_id(number)
            self.assertTrue(str(caught.exception).startswith("ID: "))
        self.assertEqual(self.env["spar.person.identity"].search_count([]), before)
        self.let_a_day_pass()
        self.assertTrue(self.type_id(UNKNOWN[2]))

    def test_clerk_who_registers_people_all_day_is_not_bothered(self):
        for place in range(150):
            number = f"{300000000 + place}"
            digits = [int(each) for each in number]
            doubled = [sum(divmod(2 * d, 10)) for d in digits[::-2]]
            total = sum(doubled) + sum(digits[-2::-2])
            person = self.type_id(f"{number}{-total % 10}")
            person.get_spar_address()
        self.read_address(self.ada)

    def test_mapper_that_is_down_makes_no_misses(self):
        stand_in = self.registry["spar.mapper.stand.in"]
        with patch.object(stand_in, "_look_up", side_effect=RemoteMapperDown("down")):
            shown = self.grace.with_user(self.user).get_spar_address()
        self.assertEqual(shown["state"], "Cannot be shown now")
        self.assertEqual(self.count("person"), (1, 0))

    def test_person_of_another_office_is_not_shown_and_is_a_miss(self):
        stand_in = self.registry["spar.mapper.stand.in"]
        with patch.object(stand_in, "_look_up", side_effect=OtherOffice()):
            shown = self.ada.with_user(self.user).get_spar_address()
            self.assertEqual(shown["state"], "Person of another office")
            wizard = self.env["spar.address.wizard"].with_user(self.user)
            wizard = wizard.create({"partner_id": self.ada.id})
            self.assertEqual(wizard.state, "Person of another office")
            self.assertFalse(wizard.history)
        self.assertEqual(self.count("person"), (0, 1))

    def test_nobody_reads_or_removes_what_was_counted(self):
        self.read_address(self.ada)
        for user in (self.user, self.manager):
            with self.assertRaises(AccessError):
                self.lookups.with_user(user).search([]).unlink()
        self.env.cr.execute("SELECT commitment FROM spar_registry_lookup")
        for (commitment,) in self.env.cr.fetchall():
            self.assertNotIn(NUMBER.encode(), bytes(commitment))

    def test_what_no_longer_counts_is_removed(self):
        self.read_address(self.ada)
        self.lookups._remove_old()
        self.assertEqual(self.lookups.search_count([]), 1)
        self.let_a_day_pass()
        self.lookups._remove_old()
        self.assertFalse(self.lookups.search_count([]))

    def test_upgrade_has_the_limits(self):
        name = "19.0.1.3.0/post-limits.py"
        path = Path(__file__).parents[1] / "migrations" / name
        for _again in range(2):
            run_path(str(path))["migrate"](self.env.cr, "19.0.1.2.0")
        for code, value in (("address_lookups", 2000), ("unknown_ids", 500)):
            found = self.env["spar.registry.setting"]._get_number(code)
            self.assertEqual(found, value)


class TestFileOfGuesses(LookupCase, AccountFileCase):
    def collect_known(self):
        """Let somebody else collect an account, which is confirmed and destroyed."""
        self.collect(self.ada, FA)
        self.run_outbox()
        self.assertEqual(self.get_accounts(self.ada).state, "confirmed")

    def guess(self, *accounts, trial=True, **values):
        rows = "".join(f"{NUMBER},{account},,\n" for account in accounts)
        return self.load(self.upload(OPENG2P + rows, **values), trial=trial)

    def test_check_does_not_tell_which_account_is_right(self):
        self.collect_known()
        for needs_consent in (False, True):
            self.programme.needs_consent = needs_consent
            answered = []
            for account in ("111100001111", "222200002222"):
                job = self.guess(account)
                answered.append((job.state, self.get_counts(job), job.reasons))
            with self.subTest(needs_consent):
                self.assertEqual(answered[0], answered[1])

    def test_row_that_is_not_loaded_does_not_tell_it_either(self):
        self.collect_known()
        self.programme.needs_consent = True
        job = self.guess("111100001111", trial=False)
        self.assertEqual(self.get_counts(job), (1, 0, 0, 1))
        self.assertIn("consent", job.reasons)

    def test_ids_that_repeat_are_refused_before_anything_is_compared(self):
        self.collect_known()
        guesses = [f"33330000{n}" for n in range(1000, 1005)] + ["111100001111"]
        self.programme.needs_consent = True
        for trial in (True, False):
            job = self.guess(*guesses, trial=trial)
            self.assertEqual(self.get_counts(job), (6, 0, 0, 6))
            lines = "".join(job._iter_refused()).splitlines()[2:]
            for line in lines:
                self.assertIn("Row 2 of the file has the same ID", line)

    def test_account_of_a_person_is_loaded_only_a_few_times_a_day(self):
        self.collect_known()
        long_ago = fields.Datetime.now() - timedelta(days=2000)
        for number in range(ACCOUNTS_OF_PERSON):
            job = self.guess(f"33330000100{number}", trial=False, collected_at=long_ago)
            self.assertEqual(self.get_counts(job), (1, 1, 0, 0))
        for account in ("333300002000", "111100001111"):
            job = self.guess(account, trial=False, collected_at=long_ago)
            self.assertEqual(self.get_counts(job), (1, 0, 0, 1))
            self.assertIn("several accounts of this person", job.reasons)
        job = self.load(self.upload(OPENG2P + f"{OTHER_NUMBER},222200002222,,\n"))
        self.assertEqual(self.get_counts(job), (1, 1, 0, 0))

    def load_ids(self, *numbers, trial=True, **values):
        rows = "".join(f"{number},111100001111,,\n" for number in numbers)
        return self.load(self.upload(OPENG2P + rows, **values), trial=trial)

    def test_unknown_ids_are_counted_and_then_not_compared(self):
        self.set_limit("unknown_ids", 2)
        for trial in (True, False):
            with self.subTest(trial=trial):
                job = self.load_ids(*UNKNOWN, NUMBER, trial=trial)
                self.assertEqual(self.get_counts(job), (5, 0, 0, 5))
                lines = "".join(job._iter_refused()).splitlines()[1:]
                said = ["nobody in Contacts" in line for line in lines]
                self.assertEqual(said, [True, True, False, False, False])
                self.assertIn("not compared", lines[-1])
        self.assertEqual(self.count("file"), (0, 2))
        self.assertTrue(self.alarms)

    def test_file_of_unknown_ids_stops_with_what_to_do(self):
        self.set_limit("unknown_ids", 2)
        self.load_ids(*UNKNOWN[:2])
        job = self.load_ids(*UNKNOWN[2:], NUMBER)
        self.assertEqual((job.state, job.refused_count), ("stopped", 0))
        self.assertIn("choose to add people", job.problem)
        self.assertFalse(self.get_refused(job)[1:])
        # What was answered before is free.
        job = self.load_ids(*UNKNOWN[:2])
        self.assertEqual((job.state, job.refused_count), ("checked", 2))
        self.let_a_day_pass()
        job = self.load_ids(UNKNOWN[2], NUMBER)
        self.assertEqual(self.get_counts(job), (2, 1, 0, 1))

    def test_known_ids_allow_more_unknown_ones(self):
        self.set_limit("unknown_ids", 1)
        with patch(
            "odoo.addons.spar_registry.models.person.spar_registry_lookup"
            ".has_too_many_unknown",
            lambda hits, misses, limit: misses >= limit + hits,
        ):
            job = self.load_ids(NUMBER, OTHER_NUMBER, *UNKNOWN)
        lines = "".join(job._iter_refused()).splitlines()[1:]
        self.assertEqual(sum("nobody in Contacts" in line for line in lines), 3)
        self.assertEqual(self.count("file"), (2, 3))

    def test_hidden_people_count_as_unknown(self):
        rule = {
            "name": "Test: hidden",
            "model_id": self.env.ref("base.model_res_partner").id,
            "domain_force": f"[('id', '!=', {self.ada.id})]",
            "groups": [(4, self.env.ref("spar_registry.group_programme_user").id)],
        }
        self.env["ir.rule"].create(rule)
        self.load_ids(NUMBER)
        self.assertEqual(self.count("file"), (0, 1))

    def test_check_of_people_to_add_does_not_tell_who_is_known(self):
        answered = []
        for number in (NUMBER, THIRD_NUMBER):
            text = OPENG2P + f"{number},111100001111,Somebody,\n"
            job = self.load(self.upload(text, on_unknown="create"), trial=True)
            answered.append((self.get_counts(job), job.created_count, job.reasons))
        self.assertEqual(answered[0], answered[1])
        self.assertEqual(self.count("file"), (0, 0))

    def test_people_who_cannot_be_added_count_as_unknown(self):
        nameless = self.load_ids(UNKNOWN[0], on_unknown="create")
        self.assertIn("Name: this is empty", nameless.reasons)
        self.programme.needs_consent = True
        text = OPENG2P + f"{UNKNOWN[1]},111100001111,Somebody,\n"
        job = self.load(self.upload(text, on_unknown="create"), trial=True)
        self.assertIn("consent", job.reasons)
        self.assertEqual(self.count("file"), (0, 2))

    def test_people_who_are_added_do_not_count(self):
        self.set_limit("unknown_ids", 1)
        rows = "".join(f"{each},111100001111,Somebody,\n" for each in UNKNOWN)
        for trial in (True, False):
            job = self.upload(OPENG2P + rows, on_unknown="create")
            self.load(job, trial=trial)
            self.assertEqual(self.get_counts(job), (4, 4, 0, 0))
        self.assertEqual(job.created_count, 4)
        self.assertEqual(self.count("file"), (0, 0))

    @mute_logger("odoo.addons.spar_registry.models.sealed_import.spar_sealed_import")
    def test_check_that_fails_tells_nothing_and_counts_nothing(self):
        targets = patch.object(
            type(self.accounts), "_find_targets", side_effect=ValueError()
        )
        with targets:
            job = self.load_ids(*UNKNOWN, NUMBER)
        self.assertEqual((job.state, job.refused_count), ("failed", 0))
