"""Legacy IDs, from before one form was kept, and their rewriting."""

from unittest.mock import patch

import psycopg2

from odoo.exceptions import AccessError, UserError
from odoo.modules.module import load_script
from odoo.tests import new_test_user
from odoo.tools import file_path, mute_logger

from odoo.addons.spar_mapper_connector.lib.contract import Outcome
from odoo.addons.spar_mapper_connector.lib.id_forms import IdForm
from odoo.addons.spar_mapper_connector.lib.identifier import StoredIdentifier

from ..lib.records import StoredId
from ..models.forms import spar_form_run
from .common import FA, ID, OTHER_FA, THIRD_FA, StoreCase

MIGRATION = load_script(
    file_path("spar_mapper/migrations/19.0.2.2.0/post-migration.py"),
    "spar_mapper_post_migration_19_0_2_2_0",
)
#: Replaces the ID that a case is about by another.
EXCHANGE = """UPDATE spar_form_case_line SET identifier_id = %s
               WHERE identifier_id = %s"""
PLAIN = "token:2007816053@nationalId"
BLANKS = "token:2007 816 053@nationalId"
DASH = "token:2007-816053@nationalId"
ARABIC = "token:٢٠٠٧٨١٦٠٥٣@nationalId"
OTHER = "token:2007 816-053@nationalId"
LONELY, LONELY_PLAIN = "token:3111 222@nationalId", "token:3111222@nationalId"
FOUR = {
    PLAIN: FA,
    BLANKS: OTHER_FA,
    DASH: THIRD_FA,
    ARABIC: "account:444400004444@BR01.TESTBANK",
}


class FormCase(StoreCase):
    """A store with legacy IDs."""

    def setUp(self):
        super().setUp()
        self.forms = self.env["spar.id.form"]
        self.runs = self.env["spar.form.run"]
        self.cases = self.env["spar.form.case"]
        self.forms._get_number()
        self.forms.search([("number", "=", 1)]).state = "older"

    def link_before(self, id_value, fa):
        """Link an ID as it used to be done: as the received text."""
        rules = self.env["spar.id.type"]._get_rules()
        found = IdForm(1, rules).identify(id_value)
        stored = StoredIdentifier(found.canonical, found.type_id)
        self.assertEqual(self.link(stored, fa).outcome, Outcome.LINKED)
        self.env.cr.execute("SELECT max(id) FROM spar_subject_id")
        (row_id,) = self.env.cr.fetchone()
        self.tamper("UPDATE spar_subject_id SET form = 1 WHERE id = %s", row_id)
        return row_id

    def link_four(self):
        return {text: self.link_before(text, fa) for text, fa in FOUR.items()}

    def begin(self):
        return self.runs._begin_ids()

    def go_on(self, most=100):
        """Process pieces as the scheduled job does, until none or ``most`` are done."""
        while most and self.runs._has_work():
            self.runs._do_next()
            most -= 1

    def run_all(self):
        run = self.begin()
        self.go_on()
        if run.state == "ready":
            run.with_user(self.create_member("administrator")).action_start()
            self.go_on()
        return run

    def create_member(self, *groups):
        """Create a member of staff with these rights."""
        number = len(self.env["res.users"].search([])) + 1
        names = [f"spar_fa_directory.group_{group}" for group in groups]
        return new_test_user(
            self.env, f"member{number}", groups=",".join(["base.group_user", *names])
        )

    def forget_forms(self):
        """Reset the store to that of a version without forms."""
        self.env.flush_all()
        for table in ("spar_id_form", "spar_form_run", "spar_form_seal"):
            self.tamper(f"DELETE FROM {table}")
        self.forms._forget_versions()

    def form_of(self, row_id):
        self.env.invalidate_all()
        return self.env["spar.subject.id"].browse(row_id).form

    def assert_sound(self):
        self.env.cr.execute("SET CONSTRAINTS ALL IMMEDIATE")
        self.env.cr.execute("SET CONSTRAINTS ALL DEFERRED")
        self.assertEqual(self.env["spar.audit"]._check_store(), [])


class TestOneForm(FormCase):
    def test_earlier_id_is_rewritten_with_an_event(self):
        row_id = self.link_before(LONELY, FA)
        self.assertEqual(self.get_fa(LONELY), FA)
        run = self.run_all()
        self.assertEqual(run.state, "done")
        self.assertEqual((run.total, run.changing, run.rewritten), (1, 1, 1))
        self.assertEqual(self.form_of(row_id), self.forms._get_number())
        for spelling in (LONELY, LONELY_PLAIN, "token:3111-222@nationalId"):
            self.assertEqual(self.get_fa(spelling), FA)
        self.assertEqual(self.events_of(LONELY_PLAIN), ["linked", "id_rewritten"])
        self.assert_sound()

    def test_previous_text_is_kept_beside_the_id(self):
        row_id = self.link_before(LONELY, FA)
        self.run_all()
        work = self.mapper._begin_work(self.call)
        subject = self.load_subject(LONELY_PLAIN)
        self.env.cr.execute(
            """SELECT id, uuid, sealed, active, last_seq FROM spar_subject_id
                WHERE id = %s""",
            (row_id,),
        )
        texts = work.load().opener.read_id(subject, self.env.cr.fetchone())
        self.assertEqual(texts, (LONELY_PLAIN.lower(), LONELY.lower()))

    def test_id_is_found_by_its_new_form_before_it_is_rewritten(self):
        row_id = self.link_before(LONELY, FA)
        self.begin()
        self.go_on(1)
        self.assertEqual(self.form_of(row_id), 1)
        self.assertEqual(self.get_fa(LONELY_PLAIN), FA)
        result = self.link(LONELY_PLAIN, OTHER_FA)
        self.assertEqual(result.outcome, Outcome.ALREADY_LINKED)
        spelling = "token:3111-222@nationalId"
        self.assertEqual(self.update(spelling, OTHER_FA).outcome, Outcome.UPDATED)
        self.go_on()
        self.assertEqual(self.get_fa(LONELY_PLAIN), OTHER_FA)
        self.assertFalse(self.forms._get_state().foreseen)
        self.assert_sound()

    def test_a_text_that_stays_needs_no_event(self):
        row_id = self.link_before(LONELY_PLAIN, FA)
        self.run_all()
        self.assertEqual(self.form_of(row_id), self.forms._get_number())
        self.assertEqual(self.events_of(LONELY_PLAIN), ["linked"])
        self.assert_sound()

    def test_only_the_current_form_is_tried_afterwards(self):
        self.link_before(LONELY, FA)
        self.assertTrue(self.forms._get_state().older)
        self.run_all()
        self.assertTrue(self.forms._retire())
        self.assertFalse(self.forms._get_state().older)
        self.assertEqual(self.get_fa(LONELY), FA)

    def test_killed_half_way_it_goes_on_where_it_was(self):
        texts = [f"token:3111 {number:03}@nationalId" for number in range(10)]
        for text in texts:
            self.link_before(text, FA)
        with (
            patch.object(spar_form_run, "CHECKED_AT_ONCE", 3),
            patch.object(spar_form_run, "REWRITTEN_AT_ONCE", 3),
        ):
            run = self.begin()
            self.go_on(2)
            self.assertEqual((run.state, run.seen, run.changing), ("looking", 6, 6))
            self.go_on(3)
            self.assertEqual((run.state, run.rewritten), ("rewriting", 3))
            for text in texts:
                self.assertEqual(self.get_fa(text), FA)
            self.env.invalidate_all()
            self.go_on()
        self.assertEqual((run.state, run.rewritten), ("done", 10))
        for text in texts:
            self.assertEqual(self.get_fa(text.replace(" ", "")), FA)
        self.assert_sound()

    def test_the_schedule_brings_it_to_its_end(self):
        row_id = self.link_before(LONELY, FA)
        self.begin()
        with self.enter_registry_test_mode(), self.registry.cursor() as cr:
            self.env(cr=cr)["spar.form.run"]._cron_run()
        self.forms._forget_versions()
        self.assertEqual(self.form_of(row_id), self.forms._get_number())
        self.assertFalse(self.forms._get_state().older)

    def test_it_waits_while_the_index_key_is_replaced(self):
        self.link_before(LONELY, FA)
        self.begin()
        phase = dict(self.env["spar.keyring"]._get_phase(), index_key_b="x")
        keyring = type(self.env["spar.keyring"])
        with patch.object(keyring, "_get_phase", lambda _self: phase):
            self.assertFalse(self.runs._has_work())
        self.assertTrue(self.runs._has_work())

    def test_an_id_that_the_rules_refuse_is_found_by_its_spelling(self):
        row_id = self.link_before("token:null@nationalId", FA)
        run = self.begin()
        self.go_on()
        self.assertEqual((run.state, run.refused), ("ready", 1))
        run.with_user(self.create_member("administrator")).action_start()
        self.go_on()
        self.assertEqual((run.state, self.form_of(row_id)), ("done", 1))
        self.assertEqual(self.get_fa("token:null@nationalId"), FA)
        self.forms._retire()
        self.assertEqual(self.get_fa("token:null@nationalId"), FA)

    def test_writing_in_an_ended_form_is_refused(self):
        self.link_before(LONELY, FA)
        self.run_all()
        self.forms._retire()
        number = patch.object(type(self.forms), "_get_number", lambda _self: 1)
        with (
            number,
            mute_logger("odoo.sql_db"),
            self.assertRaises(psycopg2.errors.SerializationFailure),
            self.env.cr.savepoint(),
        ):
            self.link("token:99887766@nationalId", FA)

    def test_index_finds_rows_in_older_forms(self):
        self.env.cr.execute("SELECT to_regclass('spar_subject_id_form_index')")
        self.assertTrue(self.env.cr.fetchone()[0])


class TestUpgrade(FormCase):
    """A database of a version that kept no forms."""

    def test_it_begins_with_a_dry_run_of_ids_and_addresses(self):
        rows = self.link_four()
        lonely = self.link_before(LONELY, FA)
        self.runs.search([("state", "in", spar_form_run.OPEN)])._end("overtaken")
        self.forget_forms()
        MIGRATION.migrate(self.env.cr, "19.0.2.1.0")
        states = self.forms.search_read([], ["number", "state"], order="number")
        self.assertEqual([form["state"] for form in states], ["older", "current"])
        self.go_on()
        run = self.runs._get_open_ids()
        self.assertEqual((run.state, run.total, run.coinciding), ("ready", 5, 4))
        for text, fa in FOUR.items():
            self.assertEqual(self.get_fa(text), fa)
        run.with_user(self.create_member("administrator")).action_start()
        self.go_on()
        self.assertEqual(self.form_of(lonely), self.forms._get_number())
        self.assertEqual({self.form_of(row_id) for row_id in rows.values()}, {1})
        self.assertEqual(self.resolve(OTHER).outcome, Outcome.HELD)
        self.assert_sound()

    def test_where_nothing_coincides_it_goes_on_by_itself(self):
        row_id = self.link_before(LONELY, FA)
        self.forget_forms()
        MIGRATION.migrate(self.env.cr, "19.0.2.1.0")
        self.go_on()
        self.assertFalse(self.runs._get_open_ids())
        self.assertEqual(self.form_of(row_id), self.forms._get_number())

    def test_new_database_needs_no_run(self):
        before = self.runs.search_count([])
        self.forget_forms()
        self.env.cr.execute("SELECT count(*) FROM spar_subject_id WHERE form = 1")
        self.assertEqual(self.env.cr.fetchone()[0], 0)
        self.forms._get_number()
        self.assertEqual(self.runs.search_count([]), before)


class TestContested(FormCase):
    def test_dry_run_reports_the_effect_and_changes_nothing(self):
        rows = self.link_four()
        run = self.begin()
        self.go_on()
        self.assertEqual(run.state, "ready")
        self.assertEqual((run.total, run.changing), (4, 3))
        self.assertEqual((run.coinciding, run.coinciding_groups), (4, 1))
        self.assertEqual({self.form_of(row_id) for row_id in rows.values()}, {1})

    def test_each_is_paid_under_its_own_spelling_and_every_other_waits(self):
        rows = self.link_four()
        self.run_all()
        self.assertEqual({self.form_of(row_id) for row_id in rows.values()}, {1})
        for text, fa in FOUR.items():
            self.assertEqual(self.get_fa(text), fa)
        for word in (
            lambda: self.resolve(OTHER),
            lambda: self.link(OTHER, FA),
            lambda: self.update(OTHER, FA),
            lambda: self.unlink(OTHER),
            lambda: self.suspend(OTHER),
        ):
            result = word()
            self.assertEqual(result.outcome, Outcome.HELD)
            self.assertEqual(result.problem, "contested")
            self.assertIsNone(result.fa)
        self.assertEqual(self.update(DASH, FA).outcome, Outcome.UPDATED)
        self.assertEqual(self.get_fa(DASH), FA)
        self.assertEqual(self.get_fa(BLANKS), OTHER_FA)
        case = self.cases.search([])
        self.assertEqual(sorted(case.line_ids.identifier_id.ids), sorted(rows.values()))
        self.assert_sound()

    def test_contested_id_without_the_plain_spelling_is_held(self):
        self.link_before(BLANKS, OTHER_FA)
        self.link_before(DASH, THIRD_FA)
        self.run_all()
        self.assertEqual(self.resolve(PLAIN).outcome, Outcome.HELD)
        self.assertEqual(self.link(PLAIN, FA).outcome, Outcome.HELD)
        self.assertEqual(self.get_fa(BLANKS), OTHER_FA)
        self.assertEqual(self.get_fa(DASH), THIRD_FA)

    def test_id_linked_during_a_run_is_contested_with_an_earlier_one(self):
        self.link_before(BLANKS, OTHER_FA)
        run = self.begin()
        self.link(PLAIN, FA)
        self.go_on()
        self.assertEqual((run.state, run.coinciding), ("ready", 2))
        run.with_user(self.create_member("administrator")).action_start()
        self.go_on()
        self.assertEqual(len(self.cases.search([]).line_ids), 2)
        self.assertEqual(self.get_fa(BLANKS), OTHER_FA)
        self.assertEqual(self.get_fa(PLAIN), FA)
        self.assertEqual(self.resolve(OTHER).outcome, Outcome.HELD)

    def test_a_second_run_opens_no_second_case(self):
        self.link_four()
        self.run_all()
        self.run_all()
        self.assertEqual(len(self.cases.search([])), 1)

    def test_no_table_has_an_id_in_clear(self):
        self.link_four()
        run = self.begin()
        self.go_on()
        self.assertEqual(self.find_clear("2007816053", "2007 816 053"), [])
        run.with_user(self.create_member("administrator")).action_start()
        self.go_on()
        self.assertEqual(self.find_clear("2007816053", "2007 816 053"), [])

    def test_only_an_administrator_starts_a_run(self):
        self.link_four()
        run = self.begin()
        self.go_on()
        for group in ("officer", "supervisor", "auditor"):
            member = self.create_member(group)
            with self.subTest(group):
                self.assert_refused(AccessError, run.with_user(member).action_start)
        self.assertEqual(run.state, "ready")


class TestDeciding(FormCase):
    def setUp(self):
        super().setUp()
        self.rows = self.link_four()
        self.run_all()
        self.case = self.cases.search([])
        self.first, self.second = (self.create_member("supervisor") for _n in "ab")

    def propose(self, kept, others="merge", **special):
        """Propose to keep one ID; the rest are ``others``, or as in ``special``."""
        decisions = {}
        for line in self.case.line_ids:
            text = next(t for t, r in self.rows.items() if r == line.identifier_id.id)
            decisions[line.id] = "keep" if text == kept else special.get(text, others)
        case = self.case.with_user(self.first)
        return lambda: case._propose(decisions, "seen the documents")

    def decide(self, kept, others="merge", special=None):
        self.propose(kept, others, **(special or {}))()
        self.case.with_user(self.second).action_approve()

    def test_the_same_person_all_spellings_reach_the_record_that_is_kept(self):
        self.decide(BLANKS)
        for spelling in (*FOUR, OTHER):
            self.assertEqual(self.get_fa(spelling), OTHER_FA)
        kept = self.subject_of(PLAIN)
        merged = self.env["spar.subject"].search([("merged_into", "=", kept.id)])
        self.assertEqual(len(merged), 3)
        self.assertEqual(set(merged.mapping_ids.mapped("state")), {"ended"})
        self.assertEqual(self.case.state, "closed")
        events = self.events_of(PLAIN)
        self.assertEqual(events.count("merged_with"), 3)
        self.assertEqual(events[-1], "merged_with")
        for subject in merged:
            kinds = subject.event_ids.sorted("id").mapped("kind")
            self.assertEqual(kinds, ["linked", "id_switched_off", "unlinked", "merged"])
        self.assertEqual(self.resolve(fa=FA).outcome, Outcome.NOT_LINKED)
        self.assert_sound()

    def test_previous_form_ends_afterwards(self):
        self.decide(PLAIN)
        self.forms._retire()
        state = self.forms._get_state()
        self.assertFalse(state.older or state.contested)
        self.assertEqual(self.get_fa(ARABIC), FA)

    def test_somebody_else_the_mistyped_id_is_switched_off(self):
        self.decide(PLAIN, "off")
        for spelling in (*FOUR, OTHER):
            self.assertEqual(self.get_fa(spelling), FA)
        self.env.cr.execute("SELECT count(*) FROM spar_subject WHERE merged_into > 0")
        self.assertEqual(self.env.cr.fetchone()[0], 0)
        self.assertEqual(self.resolve(fa=OTHER_FA).outcome, Outcome.NOT_LINKED)
        self.assert_sound()

    def test_person_without_an_active_id_is_not_paid(self):
        """Both spellings were one person's, and both were mistyped."""
        giver = self.env["spar.subject.id"].browse(self.rows[DASH])
        taker = self.env["spar.subject.id"].browse(self.rows[ARABIC])
        work = self.mapper._begin_work(self.call)
        people = work.load().load_people({giver.subject_id.id, taker.subject_id.id})
        ledger = work.begin()
        canonical = IdForm(1, self.env["spar.id.type"]._get_rules()).identify(DASH)
        stored = StoredId(
            giver.id, giver.uuid, giver.type_id.id, 1, canonical.canonical
        )
        owner = people[taker.subject_id.id]
        ledger.hand_over_id(people[giver.subject_id.id], owner, stored)
        work.save(ledger)
        self.env.invalidate_all()
        self.decide(PLAIN, "off")
        place = taker.subject_id.mapping_ids
        self.assertEqual(place.mapped("state"), ["ended"])
        self.assertEqual(taker.subject_id.event_ids.sorted("id")[-1:].kind, "unlinked")
        fa = FOUR[ARABIC]
        self.assertEqual(self.resolve(fa=fa).outcome, Outcome.NOT_LINKED)

    def test_other_ids_go_to_the_record_that_is_kept(self):
        second = "token:99887766@nationalId"
        self.add_id_to(self.rows[DASH], second)
        self.decide(PLAIN)
        self.assertEqual(self.get_fa(second), FA)
        self.assertIn("id_taken_over", self.events_of(PLAIN))
        self.assert_sound()

    def add_id_to(self, row_id, id_value):
        """Give the person of an ID one more."""
        giver = self.env["spar.subject.id"].browse(row_id).subject_id
        with patch.object(type(self), "subject_of", lambda _self, _id: giver):
            self.add_id(id_value, to=id_value)

    def test_ids_that_were_switched_off_are_still_shown(self):
        self.decide(PLAIN)
        masked = self.case.line_ids.mapped("id_masked")
        self.assertTrue(
            all(text.startswith("National ID ••") for text in masked), masked
        )

    def test_a_stop_is_not_lifted_by_merging(self):
        self.set_subject_row(self.rows[DASH], pay_stop=True, change_lock="staff")
        self.decide(PLAIN)
        self.assertEqual(self.resolve(PLAIN).outcome, Outcome.SUSPENDED)
        self.assertEqual(self.subject_of(PLAIN).change_lock, "staff")
        self.assert_sound()

    def test_of_two_locks_the_stronger_one_counts(self):
        self.set_subject_row(self.rows[DASH], change_lock="owner")
        self.set_subject_row(self.rows[PLAIN], change_lock="staff")
        self.decide(PLAIN)
        self.assertEqual(self.subject_of(PLAIN).change_lock, "owner")
        self.assert_sound()

    def set_subject_row(self, row_id, **values):
        subject_id = self.env["spar.subject.id"].browse(row_id).subject_id.id
        loader = self.mapper._begin_work(self.call).load()
        subject = loader.load_subject(subject_id).subject
        for name, value in values.items():
            setattr(subject, name, value)
        self.write_subject(subject)

    def test_one_person_does_not_decide(self):
        self.propose(PLAIN)()
        case = self.case.with_user(self.first)
        self.assert_refused(UserError, case.action_approve)
        for group in ("officer", "auditor", "administrator"):
            case = self.case.with_user(self.create_member(group))
            with self.subTest(group):
                self.assert_refused(AccessError, case.action_approve)
                self.assert_refused(AccessError, lambda c=case: c._propose({}, "x"))
        self.assertEqual(self.get_fa(BLANKS), OTHER_FA)

    def test_half_a_decision_is_refused(self):
        self.assert_refused(UserError, self.propose("nobody"))
        self.assert_refused(UserError, self.propose(PLAIN, "keep"))
        self.assert_refused(UserError, self.propose(PLAIN, ""))
        lines = {line.id: "merge" for line in self.case.line_ids}
        case = self.case.with_user(self.first)
        self.assert_refused(UserError, lambda: case._propose(lines, "  "))
        self.assert_refused(UserError, lambda: case._propose(lines, "it is 2007816053"))

    def test_decision_set_by_sql_is_not_applied(self):
        self.propose(PLAIN)()
        self.env.cr.execute(
            """UPDATE spar_form_case_line SET decision = 'keep'
                WHERE identifier_id = %s""",
            (self.rows[DASH],),
        )
        self.env.cr.execute(
            """UPDATE spar_form_case_line SET decision = 'merge'
                WHERE identifier_id = %s""",
            (self.rows[PLAIN],),
        )
        self.env.invalidate_all()
        with self.catch_alarms():
            self.assert_refused(
                UserError, self.case.with_user(self.second).action_approve
            )
        self.assertEqual(self.get_fa(DASH), THIRD_FA)

    def test_changed_owner_invalidates_a_proposal(self):
        self.link(ID, FA)
        stranger = self.subject_of(ID).identifier_ids.id
        self.propose(PLAIN)()
        self.env.cr.execute(EXCHANGE, (stranger, self.rows[DASH]))
        self.env.invalidate_all()
        with self.catch_alarms():
            self.assert_refused(
                UserError, self.case.with_user(self.second).action_approve
            )

    def test_records_that_do_not_coincide_are_not_put_together(self):
        """They are not merged even if two people decide so and the case is sound."""
        self.link(ID, FA)
        stranger = self.subject_of(ID).identifier_ids.id
        self.env.cr.execute(EXCHANGE, (stranger, self.rows[DASH]))
        self.env.invalidate_all()
        self.case._sign()
        self.rows[DASH] = stranger
        self.propose(PLAIN)()
        case = self.case.with_user(self.second)
        with self.assertRaisesRegex(UserError, "no longer coincide"):
            case.action_approve()
        self.env.invalidate_all()
        self.assertEqual(self.get_fa(ID), FA)

    def test_refused_case_stays_open(self):
        self.propose(PLAIN)()
        self.case.with_user(self.second).action_refuse()
        self.assertEqual(self.case.state, "open")
        self.assertEqual(self.resolve(OTHER).outcome, Outcome.HELD)

    def test_the_wizard_proposes(self):
        case = self.case.with_user(self.first)
        action = case.action_propose()
        wizard = (
            self.env["spar.form.case.wizard"]
            .with_user(self.first)
            .with_context(**action["context"])
            .create({"reason": "seen both"})
        )
        self.assertEqual(len(wizard.line_ids), 4)
        for line in wizard.line_ids:
            line.decision = "merge"
        wizard.line_ids[0].decision = "keep"
        wizard.action_propose()
        self.assertEqual(self.case.state, "proposed")


class TestChangedRules(FormCase):
    """A change of the rules of an ID type."""

    def setUp(self):
        super().setUp()
        self.forms.search([("number", "=", 1)]).state = "gone"
        self.type = self.env.ref("spar_mapper_connector.id_type_national_id")
        self.first, self.second = (self.create_member("administrator") for _n in "ab")
        self.small, self.capital = "token:ab1@nationalId", "token:AB1@nationalId"
        self.link(self.small, FA)

    def propose(self, **values):
        self.type.with_user(self.first).write(values)
        return self.type.sudo().setting_change_ids[:1]

    def test_approver_sees_the_dry_run(self):
        self.link(self.capital, OTHER_FA)
        change = self.propose(ignores_case=True)
        run = self.runs.search([("change_id", "=", change.id)])
        self.assertEqual(run.state, "done")
        summary = change.with_user(self.second).summary
        self.assertIn("Dry run over 2 IDs", summary)
        self.assertIn("not shown for fewer than 20", summary)
        self.assertEqual(self.get_fa(self.capital), OTHER_FA)

    def test_once_approved_everything_is_rewritten(self):
        before = self.forms._get_number()
        self.propose(ignores_case=True).with_user(self.second).action_approve()
        number = self.forms._get_number()
        self.assertGreater(number, before)
        self.assertEqual(self.get_fa(self.small), FA)
        self.go_on()
        self.assertEqual(self.get_fa(self.capital), FA)
        self.assertEqual(self.identifier_of(self.capital).form, number)
        self.forms._retire()
        self.assertFalse(self.forms._get_state().older)
        self.assert_sound()

    def test_those_that_coincide_are_contested(self):
        self.link(self.capital, OTHER_FA)
        self.propose(ignores_case=True).with_user(self.second).action_approve()
        self.go_on()
        self.assertEqual(self.get_fa(self.small), FA)
        self.assertEqual(self.get_fa(self.capital), OTHER_FA)
        self.assertEqual(self.resolve("token:Ab1@nationalId").outcome, Outcome.HELD)

    def test_it_is_not_approved_before_the_dry_run_is_done(self):
        with patch.object(spar_form_run, "CHECKED_AT_ONCE", 1):
            self.link("token:cd2@nationalId", FA)
            change = self.propose(ignores_case=True)
            approve = change.with_user(self.second).action_approve
            self.assert_refused(UserError, approve)
            self.go_on()
            change.with_user(self.second).action_approve()
        self.assertTrue(self.type.ignores_case)

    def test_change_without_effect_on_ids_needs_no_dry_run(self):
        change = self.propose(card_min_length=3)
        self.assertFalse(self.runs.search([("change_id", "=", change.id)]))
        before = self.forms._get_number()
        change.with_user(self.second).action_approve()
        self.assertEqual(self.forms._get_number(), before)

    def test_another_version_of_a_library_is_another_form(self):
        before = self.forms._get_number()
        path = "odoo.addons.spar_mapper_connector.lib.id_forms.version"
        with patch(path, lambda name: "99"):
            self.forms._forget_versions()
            self.type.check = self.type.check
            number = self.forms._add_current()
        self.assertGreater(number, before)
        form = self.forms.search([("number", "=", number)])
        self.assertIn("python-stdnum 99", form.libraries)
