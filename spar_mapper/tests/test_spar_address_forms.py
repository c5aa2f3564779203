"""Addresses that were stored as received, rewritten in one form."""

from unittest.mock import patch

from odoo.exceptions import UserError
from odoo.modules.module import load_script
from odoo.tools import file_path

from odoo.addons.spar_fa_directory.lib import address_rules
from odoo.addons.spar_fa_directory.lib.address_rules import LIBRARIES
from odoo.addons.spar_fa_directory.lib.row_cache import RowCache
from odoo.addons.spar_fa_directory.models import spar_row_versions
from odoo.addons.spar_mapper_connector.lib.contract import Outcome
from odoo.addons.spar_mapper_connector.lib.identifier import fold

from ..lib import operations, seals
from ..lib.records import TEXT_FORM
from ..models.forms import spar_form_run
from .common import FA, ID, OTHER_FA, OTHER_ID, THIRD_FA
from .test_spar_id_forms import FormCase

MIGRATION = load_script(
    file_path("spar_mapper/migrations/19.0.2.3.0/post-address_forms.py"),
    "spar_mapper_post_migration_19_0_2_3_0",
)
ACCOUNT = "bank_account"
DASHED = "account:1111-0000-1111@BR01.TESTBANK"
BLANKS = "account:1111 0000 1111@BR01.TESTBANK"


class AddressFormCase(FormCase):
    def setUp(self):
        super().setUp()
        self.forms.search([("number", "=", 1)]).state = "gone"
        self.bank.account_pattern = False
        self.runs.search([("kind", "=", "addresses")])._end("overtaken")

    def link_before(self, id_value, fa):
        """Link an address as it used to be done: as the received text."""

        def build(case):
            address = build_now(case)
            address.fa, address.typed = case.request.fa, ""
            address.key, address.form = fold(case.request.fa), TEXT_FORM
            return address

        build_now = operations.build_address
        with patch.object(operations, "build_address", build):
            self.assertEqual(self.link(id_value, fa).outcome, Outcome.LINKED)

    def run_addresses(self):
        run = self.runs._begin_addresses()
        self.go_on()
        return run

    def get_digest(self, id_value):
        period = self.mapping_of(id_value).period_id
        self.env.cr.execute(
            "SELECT form, fa_digest_a FROM spar_mapping_period WHERE id = %s",
            (period.id,),
        )
        form, digest = self.env.cr.fetchone()
        return form, bytes(digest)


class TestAddressForms(AddressFormCase):
    def test_earlier_address_is_rewritten_with_an_event(self):
        self.link_before(ID, DASHED)
        before = self.mapping_of(ID)
        kept = (before.version, before.state, before.address_uuid, before.state_since)
        self.assertEqual(self.get_digest(ID)[0], TEXT_FORM)
        run = self.run_addresses()
        self.assertEqual((run.state, run.total, run.rewritten), ("done", 1, 1))
        self.assertEqual(self.get_fa(ID), FA)
        self.env.invalidate_all()
        now = self.mapping_of(ID)
        self.assertEqual(
            (now.version, now.state, now.address_uuid, now.state_since), kept
        )
        key = self.mapper._build_keys([FA])[0]
        digest = self.keyring.digest(seals.ADDRESS, key)
        self.assertEqual(self.get_digest(ID), (2, digest))
        self.assertEqual(self.events_of(ID), ["linked", "address_rewritten"])
        self.assert_sound()

    def test_it_is_found_and_ended_by_any_spelling_and_is_one_in_the_history(self):
        self.link_before(ID, DASHED)
        self.run_addresses()
        self.assertEqual(self.resolve(fa=BLANKS).outcome, Outcome.FOUND)
        (period,) = self.mapper._history(self.call, ID)
        self.assertEqual([event.kind for event in period.events], ["linked"])
        self.assertEqual(self.unlink(ID, BLANKS).outcome, Outcome.UNLINKED)
        self.assert_sound()

    def test_one_that_is_suspended_or_waits_stays_so(self):
        self.link_before(ID, DASHED)
        self.suspend(ID)
        self.link_before(OTHER_ID, OTHER_FA)
        rule = self.add_rule("approve")
        self.update(OTHER_ID, FA)
        rule.active = False
        self.run_addresses()
        self.assertEqual(self.resolve(ID).outcome, Outcome.SUSPENDED)
        self.assertEqual(self.resume(ID).outcome, Outcome.RESUMED)
        self.mapper._approve_change(self.supervisor, self.change_of(OTHER_ID).id)
        self.assertEqual(self.get_fa(OTHER_ID), FA)
        self.assert_sound()

    def test_rewriting_sends_no_notice(self):
        self.link_before(ID, DASHED)
        self.env.cr.execute("SELECT count(*) FROM spar_notice")
        before = self.env.cr.fetchone()
        self.run_addresses()
        self.env.cr.execute("SELECT count(*) FROM spar_notice")
        self.assertEqual(self.env.cr.fetchone(), before)

    def test_killed_half_way_it_goes_on(self):
        for number in range(7):
            fa = f"account:1234-{number}567@BR01.TESTBANK"
            self.link_before(f"token:{number}55@nationalId", fa)
        with (
            patch.object(spar_form_run, "CHECKED_AT_ONCE", 3),
            patch.object(spar_form_run, "REWRITTEN_AT_ONCE", 2),
        ):
            run = self.runs._begin_addresses()
            self.go_on(4)
            self.assertEqual((run.state, run.rewritten), ("rewriting", 2))
            self.env.invalidate_all()
            self.go_on()
        self.assertEqual((run.state, run.rewritten), ("done", 7))
        self.assertFalse(self.runs._begin_addresses().rewritten)
        self.go_on()
        self.assert_sound()

    def test_a_text_that_nothing_reads_is_read_once_the_directory_knows_it(self):
        text = "account:777@BR09.NEWBANK"
        self.link(ID, text)
        self.assertFalse(self.mapping_of(ID).provider_id)
        bank = self.env["spar.fsp"].create({"name": "New Bank", "code": "NEWBANK"})
        self.env["spar.fsp.branch"].create(
            {"provider_id": bank.id, "name": "Ninth", "code": "BR09"}
        )
        self.go_on()
        self.env.invalidate_all()
        self.assertEqual(self.mapping_of(ID).provider_id, bank)
        self.assertEqual(
            self.resolve(fa="account:7-77@BR09.NEWBANK").outcome, Outcome.FOUND
        )
        self.assert_sound()

    def test_branch_codes_are_read_again_after_a_form_is_set(self):
        self.link(ID, "account:12345678@30100.TESTBANK")
        self.link(OTHER_ID, "account:12345678@030100.TESTBANK")
        self.bank.branch_code_form = "000000"
        (run,) = self.runs.search([("state", "=", "looking")])
        self.assertEqual(run.data["providers"], [self.bank.id])
        self.go_on()
        self.assertEqual((run.state, run.coinciding), ("ready", 2))

    def test_every_added_changed_or_deleted_rule_starts_a_run(self):
        self.link(ID, FA)
        provider = self.env["spar.fsp"].create({"name": "New", "code": "NEW"})
        branches = self.env["spar.fsp.branch"]
        values = {"name": "One", "code": "N1", "provider_id": provider.id}
        for change in (
            lambda: branches.create(values),
            lambda: provider.branch_ids.write({"code": "N2"}),
            lambda: provider.branch_ids.unlink(),
        ):
            self.env.cr.execute("UPDATE spar_form_run SET state = 'done'")
            self.env.invalidate_all()
            change()
            (run,) = self.runs.search([("state", "=", "looking")])
            self.assertEqual(run.data["providers"], [provider.id])
        self.env.cr.execute("UPDATE spar_form_run SET state = 'done'")
        self.env.invalidate_all()
        provider.name = "Newer"
        self.assertFalse(self.runs.search([("state", "=", "looking")]))

    def test_one_that_would_be_another_banks_stays_as_it_is(self):
        self.link_before(ID, DASHED)
        other = self.env["spar.fsp"].create({"name": "Other", "code": "OTHER"})
        self.tamper(
            "UPDATE spar_fsp SET code = 'TESTBANK2' WHERE id = %s", self.bank.id
        )
        self.tamper("UPDATE spar_fsp SET code = 'TESTBANK' WHERE id = %s", other.id)
        run = self.run_addresses()
        self.assertEqual((run.refused, run.rewritten), (1, 0))
        self.assertEqual(self.get_fa(ID), DASHED)


class TestAddressRules(AddressFormCase):
    """The form of each address is kept: its rules, and its library versions."""

    def setUp(self):
        super().setUp()
        self.address_forms = self.env["spar.address.form"]
        self.address_forms._get_number()

    def upgrade(self, **versions):
        """Make libraries appear in other versions from now on."""
        build_now = address_rules.version

        def get_version(name):
            return versions.get(name.replace("-", "_")) or build_now(name)

        self.patch(address_rules, "version", get_version)
        self.address_forms._forget_versions()
        self.patch(spar_row_versions, "_CACHE", RowCache())
        return self.address_forms._get_number()

    def form_of(self, id_value):
        self.env.invalidate_all()
        return self.mapping_of(id_value).period_id.form

    def test_first_two_forms_are_text_and_key(self):
        one, two = self.address_forms.search([("number", "<=", 2)], order="number")
        self.assertEqual((one.number, two.number), (1, 2))
        self.assertFalse(one.data)
        self.assertEqual(set(two.data["libraries"]), {*LIBRARIES, "unicode"})
        self.assertIn("phonenumbers", two.libraries)
        (account,) = (k for k in two.data["kinds"].values() if k["code"] == ACCOUNT)
        number = next(p for p in account["parts"] if p["key"] == "account_number")
        self.assertTrue(number["gaps_do_not_count"])
        self.assertEqual(number["check_code"], "regex")

    def test_each_period_records_its_form(self):
        number = self.address_forms._get_number()
        self.link(ID, FA)
        self.assertEqual(self.form_of(ID), number)
        upgraded = self.upgrade(phonenumbers="99.0")
        self.assertEqual(upgraded, number + 1)
        self.link(OTHER_ID, OTHER_FA)
        self.assertEqual(self.form_of(OTHER_ID), upgraded)
        self.suspend(ID)
        self.assertEqual(self.form_of(ID), number)
        self.suspend(OTHER_ID)
        self.assertEqual(self.form_of(OTHER_ID), upgraded)
        self.assertEqual(self.resume(OTHER_ID).outcome, Outcome.RESUMED)
        self.assertEqual(self.get_fa(OTHER_ID), OTHER_FA)
        self.assert_sound()

    def test_an_upgraded_library_starts_a_run_over_all_addresses(self):
        self.link(ID, FA)
        self.link(OTHER_ID, "free text")
        for library in ("phonenumbers", "python_stdnum", "schwifty"):
            with self.subTest(library):
                number = self.upgrade(**{library: "99.0"})
                (run,) = self.runs.search([("state", "=", "looking")])
                self.assertEqual((run.kind, run.number), ("addresses", number))
                self.go_on()
                self.assertEqual((run.state, run.total), ("done", 2))
                self.assertEqual(run.rewritten, 0)
                state = self.address_forms._get_state()
                self.assertEqual((state.number, state.older), (number, ()))
        self.assertFalse(self.address_forms.search([("state", "=", "older")]))
        self.assertEqual(self.events_of(ID), ["linked"])
        self.assert_sound()

    def test_second_run_checks_only_concerned_addresses(self):
        self.link(ID, FA)
        self.upgrade(phonenumbers="99.0")
        self.go_on()
        self.env["spar.fsp"].create({"name": "New", "code": "NEW"})
        self.go_on()
        run = self.runs.search([("kind", "=", "addresses")], limit=1)
        self.assertEqual((run.state, run.total), ("done", 0))

    def test_a_host_with_other_libraries_does_not_go_on(self):
        self.link(ID, FA)
        number = self.upgrade(phonenumbers="99.0")
        run = self.runs.search([("state", "=", "looking")])
        run.number = number + 1
        self.assertFalse(self.runs._has_work())
        run.number = number
        self.assertTrue(self.runs._has_work())

    def test_a_kind_that_comes_needs_no_new_form(self):
        self.link(ID, FA)
        number = self.address_forms._get_number()
        self.runs.search([("state", "=", "looking")])._end("overtaken")
        self.env["spar.fa.type"].create({"name": "V", "code": "v"})
        self.assertEqual(self.address_forms._get_number(), number)
        self.assertFalse(self.runs.search([("state", "=", "looking")]))
        form = self.address_forms.search([("number", "=", number)])
        self.assertIn("v", [kind["code"] for kind in form.data["kinds"].values()])

    def change_part(self):
        """Make gaps insignificant from now on."""
        part = self.env.ref("spar_fa_directory.part_bank_account_number")
        part.write({"gaps_do_not_count": False, "check_parameter": "[0-9-]{4,34}"})
        self.address_forms._get_number()
        self.runs.search([("kind", "=", "addresses")])._end("overtaken")
        self.link(ID, DASHED)
        self.assertEqual(self.get_fa(ID), DASHED)
        part.write({"gaps_do_not_count": True, "check_parameter": "[0-9]{4,34}"})
        return self.address_forms._get_number()

    def test_a_rule_that_changes_is_a_new_form(self):
        number = self.change_part()
        (run,) = self.runs.search([("state", "=", "looking")])
        self.assertEqual(run.number, number)
        self.assertNotIn("below", run.data)
        self.go_on()
        self.assertEqual((run.state, run.rewritten), ("done", 1))
        self.assertEqual(self.form_of(ID), number)
        self.assertEqual(self.get_fa(ID), FA)
        self.assert_sound()

    def test_until_it_is_rewritten_it_is_found_by_every_spelling(self):
        self.change_part()
        self.assertTrue(self.address_forms._get_state().older)
        self.assertEqual(self.resolve(fa=DASHED).outcome, Outcome.FOUND)
        for fa in (FA, DASHED, BLANKS):
            self.assertTrue(self.resolve(ID, fa).same_fa)
        self.assertEqual(self.unlink(ID, BLANKS).outcome, Outcome.UNLINKED)

    def test_upgraded_database_keeps_its_addresses_and_checks_them(self):
        self.link_before(ID, DASHED)
        self.link(OTHER_ID, OTHER_FA)
        self.address_forms.search([]).unlink()
        MIGRATION.migrate(self.env.cr, "19.0.2.2.0")
        self.env.invalidate_all()
        forms = self.address_forms.search([], order="number")
        self.assertEqual(forms.mapped("number"), [1, 2])
        self.assertEqual(forms.mapped("state"), ["older", "current"])
        run = self.runs.search([("state", "=", "looking")])
        self.assertTrue(run.data["unread"])
        self.go_on()
        self.assertEqual((run.total, run.rewritten), (1, 1))
        self.assertEqual(forms.mapped("state"), ["gone", "current"])


class TestSharedAccounts(AddressFormCase):
    def setUp(self):
        super().setUp()
        self.link_before(ID, DASHED)
        self.link_before(OTHER_ID, FA)
        self.run = self.runs._begin_addresses()
        self.go_on()

    def start(self):
        self.run.with_user(self.create_member("administrator")).action_start()
        self.go_on()
        return self.cases.search([("kind", "=", "accounts")])

    def test_dry_run_reports_the_effect_and_waits(self):
        self.assertEqual((self.run.state, self.run.coinciding), ("ready", 2))
        self.assertEqual(self.get_fa(ID), DASHED)

    def test_everybody_is_paid_as_before_and_a_case_is_open(self):
        case = self.start()
        self.assertEqual(self.get_fa(ID), FA)
        self.assertEqual(self.get_fa(OTHER_ID), FA)
        people = self.subject_of(ID) | self.subject_of(OTHER_ID)
        self.assertEqual(case.line_ids.subject_id, people)
        self.assertEqual(self.resolve(fa=BLANKS).problem, "several_ids")
        self.assert_sound()

    def decide(self, case, *words):
        first, second = (self.create_member("supervisor") for _n in "ab")
        decisions = dict(zip(case.line_ids.ids, words, strict=True))
        case.with_user(first)._propose(decisions, "asked them both")
        case.with_user(second).action_approve()

    def test_the_same_person_keeps_both_ids(self):
        case = self.start()
        self.decide(case, "keep", "merge")
        self.assertEqual(self.subject_of(ID), self.subject_of(OTHER_ID))
        self.assertEqual(self.get_fa(OTHER_ID), FA)
        self.assertEqual(self.resolve(fa=FA).outcome, Outcome.FOUND)
        self.assert_sound()

    def test_people_who_no_longer_share_an_account_are_not_merged(self):
        case = self.start()
        self.update(OTHER_ID, THIRD_FA)
        with self.assertRaisesRegex(UserError, "no longer coincide"):
            self.decide(case, "keep", "merge")
        self.assertEqual(self.get_fa(OTHER_ID), THIRD_FA)

    def test_several_people_may_have_one_account(self):
        case = self.start()
        self.decide(case, "apart", "apart")
        self.assertEqual(case.state, "closed")
        self.assertNotEqual(self.subject_of(ID), self.subject_of(OTHER_ID))
        self.assert_sound()

    def test_other_words_are_refused(self):
        case = self.start()
        for words in (("keep", "off"), ("merge", "merge"), ("keep", "keep")):
            with self.subTest(words):
                self.assert_refused(UserError, lambda w=words: self.decide(case, *w))
