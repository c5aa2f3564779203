"""Lookups are counted: by whom, whom they found, and how much is left today."""

import logging
from contextlib import nullcontext
from unittest.mock import patch

from psycopg2.errors import DivisionByZero

from odoo.exceptions import AccessError, RedirectWarning, UserError
from odoo.http import serialize_exception
from odoo.tests import tagged
from odoo.tools import file_open, mute_logger

from odoo.addons.spar_mapper_connector.lib.contract import (
    Authority,
    CallContext,
    Outcome,
    ResolveRequest,
)

from .common import (
    ALARM_LOGGER,
    FA,
    ID,
    OTHER_FA,
    OTHER_ID,
    StoreCase,
    type_address,
)
from .common import THIRD_FA as NEW_FA

NUMBER = "111100001111"
MISS = "token:Nemo-404@nationalId"


class LookupCase(StoreCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.users = {
            role: cls.create_user(role, login=f"look_{role}")
            for role in ("viewer", "officer", "supervisor", "auditor", "administrator")
        }

    def setUp(self):
        super().setUp()
        self.link(ID, FA)
        self.link(OTHER_ID, OTHER_FA)

    def search(self, value, name="id_value", role="viewer", model="spar.mapping"):
        found = self.env[model].with_user(self.users[role])
        return found.search([(name, "=", value)])

    def lookups(self, role="viewer"):
        actor = f"user:{self.users[role].id}"
        return self.env["spar.lookup"].search([("actor", "=", actor)], order="id")

    def spent(self, role="viewer"):
        return sum(self.lookups(role).mapped("cost"))

    def find(self, role="officer", **typed):
        wizards = self.env["spar.find.wizard"].with_user(self.users[role])
        return wizards.create(typed).action_find()

    def open_another(self):
        """Open another transaction in which lookups are counted from now on.

        As outside tests, they stay when the work that caused them is undone.
        """
        lookups = type(self.env["spar.lookup"])
        cursor = self.enterContext(self.registry.cursor())
        self.patch(lookups, "_open_cursor", lambda _self: nullcontext(cursor))
        self.addCleanup(cursor.rollback)
        return cursor

    def count_spent(self, cursor, role="officer"):
        cursor.execute(
            "SELECT sum(cost) FROM spar_lookup WHERE actor = %s",
            (f"user:{self.users[role].id}",),
        )
        return cursor.fetchone()[0] or 0

    def look_up(self, id_value, role="viewer"):
        """Let a programme's user look up an ID at this store."""
        mapper_sudo = self.mapper.with_user(self.users[role]).sudo()
        call = CallContext("registry", "registry", Authority.PROGRAMME)
        return mapper_sudo._look_up(call, ResolveRequest(id_value))

    def assert_used_up(self, call, *args, **values):
        """Assert that the budget refuses a call and a supervisor is alerted."""
        with self.catch_alarms() as alarms:
            with self.assertRaisesRegex(RedirectWarning, "too many IDs") as caught:
                call(*args, **values)
        self.assertTrue(alarms)
        self.assertEqual(caught.exception.loglevel, logging.INFO)
        for value in (ID, MISS, FA, NUMBER):
            self.assertNotIn(value, str(caught.exception))


@tagged("post_install", "-at_install")
class TestProgrammes(LookupCase):
    """Users of programmes look people up by IDs that they typed into contacts."""

    def test_it_is_recorded_whom_they_looked_up(self):
        self.assertEqual(self.look_up(ID).fa, FA)
        self.assertEqual(self.look_up(MISS).outcome, Outcome.NOT_LINKED)
        found, missed = self.lookups()
        self.assertEqual({found.kind, missed.kind}, {"programme"})
        self.assertEqual(found.subject_id, self.subject_of(ID))
        self.assertFalse(missed.subject_id)
        self.assertEqual(self.spent(), 0)

    def test_same_person_on_the_same_day_is_one_look(self):
        for _again in range(3):
            self.look_up(ID)
            self.look_up(MISS)
        self.assertEqual(len(self.lookups()), 2)
        self.look_up(ID, "officer")
        self.assertEqual(len(self.lookups("officer")), 1)

    def test_it_stays_whatever_becomes_of_the_page(self):
        cursor = self.open_another()
        with self.assertRaises(ZeroDivisionError), self.env.cr.savepoint():
            self.look_up(MISS)
            raise ZeroDivisionError
        actor = f"user:{self.users['viewer'].id}"
        cursor.execute("SELECT kind FROM spar_lookup WHERE actor = %s", (actor,))
        self.assertEqual(cursor.fetchall(), [("programme",)])

    def test_an_auditor_counts_them(self):
        self.look_up(ID)
        self.look_up(MISS)
        looks = self.env["spar.look"].with_user(self.users["auditor"])
        own = looks.search([("actor", "=", f"user:{self.users['viewer'].id}")])
        self.assertEqual(sum(own.mapped("searches")), 2)
        self.assertEqual(sum(own.mapped("misses")), 1)


class TestLookup(LookupCase):
    def test_search_records_the_person_found(self):
        for name, value, kind in (("id_value", ID, "id"), ("fa_value", FA, "account")):
            with self.subTest(name):
                self.assertTrue(self.search(value, name))
                last = self.lookups()[-1:]
                self.assertEqual(
                    (last.kind, last.subject_id, last.cost),
                    (kind, self.subject_of(ID), 1),
                )
                self.assertEqual(last.actor_name, self.users["viewer"].name)
                self.assertIn("•", last.id_masked)

    def test_a_miss_costs_more_than_a_hit(self):
        self.search(MISS)
        miss = self.lookups()
        self.assertEqual((miss.cost, miss.subject_id.ids), (5, []))

    def test_every_search_is_counted(self):
        """Each way in which an ID or an account finds a person is tried."""
        ways = {
            "changes": ("spar.change", "mapping_id.id_value"),
            "cases": ("spar.objection", "mapping_id.id_value"),
            "events": ("spar.event", "mapping_id.id_value"),
            "subjects": ("spar.subject", "mapping_ids.fa_value"),
            "periods": ("spar.mapping.period", "id_value"),
            "places": ("spar.mapping", "fa_value"),
        }
        for number, (way, (model, name)) in enumerate(ways.items()):
            with self.subTest(way):
                before = self.spent("supervisor")
                self.search(f"token:Nemo-{number}@x", name, "supervisor", model)
                self.assertEqual(self.spent("supervisor") - before, 5)

    def test_one_value_at_a_time(self):
        viewer = self.env["spar.mapping"].with_user(self.users["viewer"])
        for domain in (
            [("id_value", "in", [ID, OTHER_ID])],
            ["|", ("id_value", "=", ID), ("id_value", "=", OTHER_ID)],
        ):
            self.assertFalse(viewer.search(domain))
        self.assertFalse(self.lookups())

    def test_a_negation_is_a_lookup_too(self):
        viewer = self.env["spar.mapping"].with_user(self.users["viewer"])
        for number, operator in enumerate(("!=", "not in", "not ilike")):
            value = f"token:Nemo-{number}@nationalId"
            viewer.search([("id_value", operator, [value] if number == 1 else value)])
        self.assertEqual(self.spent(), 15)

    def test_the_same_again_costs_nothing(self):
        for _again in range(3):
            self.search(ID)
            self.search(MISS)
        self.assertEqual(self.spent(), 6)
        self.assertEqual(len(self.lookups()), 2)
        self.let_pass(hours=1)
        self.search(ID)
        self.assertEqual((self.spent(), len(self.lookups())), (6, 3))

    def test_exhausted_budget_blocks_searches_for_24_hours(self):
        self.set_limit("lookup_budget", 10)
        for number in range(2):
            self.search(f"token:Nemo-{number}@nationalId")
        self.assert_used_up(self.search, ID)
        self.assertTrue(self.search(ID, role="supervisor"))
        self.let_pass(hours=25)
        self.assertTrue(self.search(ID))

    def test_a_number_cannot_be_guessed_behind_its_mask(self):
        """The account is 1111 0000 1111; its last three digits are visible."""
        self.set_limit("lookup_hourly", 2000)
        guesses = 0
        with self.assertRaises(RedirectWarning), mute_logger(ALARM_LOGGER):
            with self.enter_registry_test_mode():
                for number in range(1000):
                    self.search(f"account:{number:09}111@BR01.TESTBANK", "fa_value")
                    guesses += 1
        self.assertEqual(guesses, 40)

    def test_searched_text_is_stored_nowhere(self):
        self.search(ID)
        self.search(MISS)
        self.search(FA, "fa_value")
        self.assertEqual(self.find_clear(ID, MISS, FA, NUMBER), [])

    # === MORE THAN USUAL === #

    def search_much(self, role="officer"):
        """Search as much as is usual in an hour."""
        self.set_limit("lookup_hourly", 10)
        for number in range(2):
            self.search(f"token:Nemo-{number}@nationalId", role=role)

    def test_more_searches_than_usual_need_a_reason(self):
        self.search_much()
        with self.assertRaisesRegex(RedirectWarning, "Enter a reason"):
            self.search(ID, role="officer")
        self.assertNotIn(self.subject_of(ID), self.lookups("officer").subject_id)
        self.assertTrue(self.search(ID, role="supervisor"))

    def test_asking_for_a_reason_is_no_error(self):
        """Odoo logs no error, and the client shows the refusal as its own."""
        self.search_much()
        with self.assertRaises(RedirectWarning) as caught:
            self.search(ID, role="officer")
        self.assertEqual(caught.exception.loglevel, logging.INFO)
        shown = serialize_exception(caught.exception)
        package, _dot, name = shown["name"].rpartition(".")
        with file_open("spar_mapper/static/src/redirection/redirection.js") as file:
            script = file.read()
        self.assertIn(f"`{package}.${{name}}`", script)
        self.assertIn(f'"{name}"', script)
        self.assertEqual(shown["arguments"][2], "Find a person")

    def test_what_was_found_already_needs_no_reason(self):
        self.search(ID, role="officer")
        self.search_much()
        self.assertTrue(self.search(ID, role="officer"))

    def test_the_window_asks_for_a_reason_and_alerts_supervisors(self):
        self.search_much()
        wizards = self.env["spar.find.wizard"].with_user(self.users["officer"])
        wizard = wizards.create({"typed": "Ada-1815"})
        self.assertFalse(wizard.action_find())
        self.assertTrue(wizard.asks_reason)
        self.assertEqual(wizard.typed, "Ada-1815")
        wizard.reason = "A queue of new people"
        with self.catch_alarms() as alarms:
            opened = wizard.action_find()
        self.assertEqual(opened["res_id"], self.subject_of(ID).id)
        self.assertIn(("res_users", self.users["officer"].id), alarms)
        self.assertEqual(self.lookups("officer")[-1:].reason, "A queue of new people")

    def test_a_reason_counts_for_as_many_searches_again(self):
        self.search_much()
        reason = "A queue of new people"
        with self.catch_alarms():
            self.find(typed="Nemo-7", reason=reason)
        self.find(typed="Nemo-8")
        with self.assertRaises(RedirectWarning):
            self.search(ID, role="officer")

    def test_after_an_hour_no_reason_is_needed(self):
        self.search_much()
        self.let_pass(minutes=61)
        self.assertTrue(self.search(ID, role="officer"))

    def test_a_reason_does_not_extend_the_limit_of_the_day(self):
        self.search_much()
        self.set_limit("lookup_budget", 10)
        self.assert_used_up(self.find, typed="Ada-1815", reason="A queue")

    def test_a_reason_names_nobody(self):
        self.search_much()
        for reason in ("for 1111 0000 1111", "x" * 201):
            with self.subTest(reason), self.assertRaisesRegex(UserError, "Reason"):
                self.find(typed="Ada-1815", reason=reason)
        self.assertEqual(self.spent("officer"), 10)

    # === WHO LOOKED === #

    def test_an_auditor_counts_who_looked_how_often(self):
        for _again in range(2):
            self.search(ID, role="officer")
        self.search(MISS, role="officer")
        auditor = self.users["auditor"]
        call = self.mapper.with_user(auditor)._build_staff_call("asked in writing")
        with self.enter_registry_test_mode():
            mapper = self.mapper.with_user(auditor)
            mapper._log_reveal(call, self.mapping_of(ID).id)
        looks = self.env["spar.look"].with_user(auditor)
        domain = [
            ("actor", "in", [f"user:{self.users['officer'].id}", f"user:{auditor.id}"])
        ]
        groups = looks.formatted_read_group(
            domain,
            ["actor"],
            ["searches:sum", "misses:sum", "reveals:sum"],
        )
        counts = {
            group["actor"]: [
                group[f"{name}:sum"] for name in ("searches", "misses", "reveals")
            ]
            for group in groups
        }
        self.assertEqual(
            counts,
            {self.users["officer"].name: [2, 1, 0], auditor.name: [0, 0, 1]},
        )
        found = looks.search([("actor_name", "ilike", auditor.name)], limit=1)
        self.assertEqual(found.kind, "revealed")
        self.assertEqual(found.reason, "asked in writing")

    def test_only_auditors_see_who_looked(self):
        for role in ("viewer", "officer", "supervisor", "administrator"):
            looks = self.env["spar.look"].with_user(self.users[role])
            with self.subTest(role), self.assertRaises(AccessError):
                looks.search([])
        looks = self.env["spar.look"].with_user(self.users["auditor"])
        for operation in ("create", "write", "unlink"):
            self.assertFalse(looks.has_access(operation))

    # === THE WINDOWS === #

    def test_find_a_person_is_one_lookup_however_often_it_tries(self):
        self.find(id_value="Ada-1815")
        self.assertEqual(self.spent("officer"), 1)
        self.find(account=NUMBER, provider_id=self.bank.id)
        self.assertEqual(self.spent("officer"), 2)
        self.find(id_value="Ada-1815", account=FA)
        self.assertEqual(self.spent("officer"), 3)
        self.assertEqual(self.lookups("officer")[-1:].kind, "id_account")

    def test_miss_is_counted_whatever_becomes_of_the_page(self):
        cursor = self.open_another()
        with self.undone():
            self.assertFalse(self.find(typed="Nemo-404"))
        self.assertEqual(self.count_spent(cursor), 5)

    def test_id_and_account_of_different_people_find_no_one(self):
        self.assertFalse(self.find(id_value=ID, account=OTHER_FA))
        self.assertFalse(self.lookups("officer").subject_id)

    def test_find_a_person_ends_with_the_budget(self):
        self.set_limit("lookup_budget", 1)
        self.find(id_value=ID)
        self.assert_used_up(self.find, id_value=OTHER_ID)

    def act(self, **values):
        wizards = self.env["spar.mapping.wizard"].with_user(self.users["officer"])
        common = {"operation": "link", "reason": "came in", "has_evidence": True}
        return wizards.create({**common, **values}).action_confirm()

    def test_refused_link_counts_as_a_lookup(self):
        self.link("token:2007760999@nationalId", FA)
        cursor = self.open_another()
        with self.assertRaisesRegex(RedirectWarning, "already has an address"):
            self.act(id_value="2007760999", **type_address(FA))
        self.assertEqual(self.count_spent(cursor), 1)
        with self.assertRaisesRegex(UserError, "Address"):
            self.act(id_value="2007760998", **type_address("no address"))
        self.assertEqual(self.count_spent(cursor), 11)

    def test_question_about_an_unknown_id_counts_as_a_lookup(self):
        self.act(id_value="Mary-1903", **type_address(NEW_FA))
        self.assertEqual(self.spent("officer"), 5)

    def test_successful_link_is_no_lookup(self):
        self.link("token:2007760998@nationalId", FA)
        self.act(id_value="2007760999", **type_address(NEW_FA))
        self.assertEqual(self.spent("officer"), 0)

    def test_question_about_a_shared_account_counts_as_a_lookup(self):
        self.link("token:2007760998@nationalId", FA)
        self.act(id_value="2007760999", **type_address(FA))
        found = self.lookups("officer").grouped("kind")
        spent = {kind: sum(looks.mapped("cost")) for kind, looks in found.items()}
        self.assertEqual(spent, {"account": 1, "id": 5})

    def refuse_change(self, fa):
        """Have a change refused because it is one of an earlier version."""
        mapping = self.mapping_of(ID)
        seen = {"mapping_id": mapping.id, "seen_version": mapping.version + 7}
        try:
            with self.env.cr.savepoint():
                action = self.act(operation="update", **seen, **type_address(fa))
        except (UserError, RedirectWarning) as error:
            return error.args[0]
        # The question about an account that others have is an answer, too.
        self.assertEqual(action["res_model"], "spar.mapping.wizard")
        return "asked"

    def test_guess_at_an_account_in_a_change_that_is_refused_is_counted(self):
        cursor = self.open_another()
        for number in range(1, 4):
            self.refuse_change(NEW_FA.replace("333", f"33{number}", 1))
            self.assertEqual(self.count_spent(cursor), 5 * number)
        self.refuse_change(OTHER_FA)
        self.assertEqual(self.count_spent(cursor), 16)
        self.refuse_change(OTHER_FA)
        self.assertEqual(self.count_spent(cursor), 16)

    def test_without_a_budget_a_right_guess_is_answered_like_a_wrong_one(self):
        self.set_limit("lookup_budget", 1)
        self.find(id_value=ID)
        with self.catch_alarms():
            answers = {self.refuse_change(fa) for fa in (NEW_FA, OTHER_FA)}
        self.assertEqual(len(answers), 1)
        self.assertIn("too many IDs", answers.pop())

    def test_a_change_that_is_saved_is_no_lookup(self):
        mapping = self.mapping_of(ID)
        seen = {"mapping_id": mapping.id, "seen_version": mapping.version}
        self.act(operation="update", **seen, **type_address(NEW_FA))
        self.assertEqual(self.get_fa(ID), NEW_FA)
        self.assertEqual(self.spent("officer"), 0)

    def test_an_answer_about_a_typed_id_is_counted_whatever_refuses_it(self):
        wizards = type(self.env["spar.mapping.wizard"])
        cursor = self.open_another()
        for number, problem in enumerate((ValueError, AccessError, UserError), 1):
            with self.subTest(problem), self.assertRaises(problem):
                with patch.object(wizards, "_check_separate", side_effect=problem("x")):
                    typed = f"200776099{number}"
                    self.act(id_value=typed, **type_address(NEW_FA))
            self.assertEqual(self.count_spent(cursor), 5 * number)

    def test_a_guess_is_counted_though_the_transaction_failed(self):
        self.link("token:2007760998@nationalId", FA)
        wizards = type(self.env["spar.mapping.wizard"])
        lookups = type(self.env["spar.lookup"])
        cursor, counted = self.open_another(), []

        def fail(wizard, *args):
            wizard.env.cr.execute("SELECT 1 / 0")

        def count(lookup, kind, *args):
            counted.append((kind, lookup.env.cr is cursor))

        self.patch(lookups, "_search_counted", count)
        with mute_logger("odoo.sql_db"), self.assertRaises(DivisionByZero):
            with self.env.cr.savepoint(), patch.object(wizards, "_send_request", fail):
                self.act(id_value="2007760999", **type_address(NEW_FA))
        self.assertEqual(counted, [("id", True), ("account", True)])

    def test_numbers_in_a_reason_are_guesses(self):
        mapping = self.mapping_of(ID).with_user(self.users["officer"])
        mapping._check_reason("came with 2 children")
        self.assertEqual(self.spent("officer"), 0)
        mapping._check_reason("on 30/11/2026 in 4711")
        self.assertEqual(self.spent("officer"), 0)
        mapping._check_reason("471147114711, or 0815 0815--08 15")
        self.assertEqual(self.spent("officer"), 10)
        self.set_limit("lookup_budget", 10)
        self.assert_used_up(mapping._check_reason, "or 555566667777")

    def test_each_number_that_a_reason_is_compared_with_is_counted(self):
        """However the numbers are written, and however many run into each other."""
        mapping = self.mapping_of(ID).with_user(self.users["officer"])
        digits = "47114711471234"
        self.set_limit("lookup_hourly", 1000)
        for between in ("", " ", "-", "--", "+", ". ", "\N{SOFT HYPHEN}", "_/_"):
            before = self.spent("officer")
            mapping._check_reason(f"{between.join(digits)}{between}")
            with self.subTest(between):
                windows = len(digits) - len(NUMBER) + 1
                self.assertEqual(self.spent("officer") - before, 5 * windows)

    def test_a_reason_full_of_guesses_is_compared_with_nothing(self):
        mapping = self.mapping_of(ID).with_user(self.users["officer"])
        guesses = " ".join(f"{4711_4711_0000 + each}" for each in range(30))
        for text in (guesses, f"{guesses} {NUMBER}"):
            with self.assertRaisesRegex(UserError, "not needed here"):
                mapping._check_reason(text)
        self.assertEqual(self.spent("officer"), 0)

    def test_no_spelling_of_the_account_is_free(self):
        mapping = self.mapping_of(ID).with_user(self.users["officer"])
        spellings = [NUMBER, "--".join(NUMBER), "1111+0000.1111", "١١١١٠٠٠٠١١١١"]
        cursor = self.open_another()
        for number, spelling in enumerate(spellings, start=1):
            with self.subTest(spelling), self.assertRaises(UserError):
                mapping._check_reason(f"or {spelling}")
            self.assertEqual(self.count_spent(cursor), number)

    def test_a_right_guess_in_a_reason_is_counted_though_it_is_refused(self):
        mapping = self.mapping_of(ID).with_user(self.users["officer"])
        cursor = self.open_another()
        with self.assertRaises(UserError):
            mapping._check_reason(f"or {NUMBER}")
        self.assertEqual(self.count_spent(cursor), 1)

    # === SETTING, READING AND WRITING === #

    def test_only_administrators_may_propose_another_limit(self):
        writers = {
            role
            for role, user in self.users.items()
            if self.env["spar.limit"].with_user(user).has_access("write")
        }
        self.assertEqual(writers, {"administrator"})

    def test_only_auditors_list_them(self):
        readers = {
            role
            for role, user in self.users.items()
            if self.env["spar.lookup"].with_user(user).has_access("read")
        }
        self.assertEqual(readers, {"auditor"})
        self.search(ID)
        shown = self.env["spar.lookup"].with_user(self.users["auditor"]).search([])
        self.assertIn(self.subject_of(ID), shown.subject_id)

    def test_rows_cannot_be_rewritten_or_removed(self):
        self.search(ID)
        for statement in (
            "UPDATE spar_lookup SET cost = 0",
            "DELETE FROM spar_lookup",
            "TRUNCATE spar_lookup",
        ):
            with self.subTest(statement), mute_logger("odoo.sql_db"):
                with self.assertRaisesRegex(Exception, "lookups are not"):
                    with self.env.cr.savepoint():
                        self.env.cr.execute(statement)
        with self.assertRaisesRegex(Exception, "spar.lookup"):
            self.lookups().write({"cost": 0})


@tagged("post_install", "-at_install")
class TestLookupLasts(LookupCase):
    """Lookups in a transaction of their own."""

    def test_a_rollback_of_the_search_leaves_it(self):
        cursor = self.open_another()
        with self.undone():
            self.search(MISS)
        self.assertEqual(self.count_spent(cursor, "viewer"), 5)

    def test_a_request_that_only_reads_is_counted(self):
        """Odoo opens it for a search like this: PostgreSQL refuses to write in it."""
        cursor = self.open_another()
        self.env.flush_all()
        self.env.cr.execute("SAVEPOINT reading")
        self.env.cr.execute("SET TRANSACTION READ ONLY")
        self.search(MISS)
        self.env.cr.execute("ROLLBACK TO SAVEPOINT reading")
        self.assertEqual(self.count_spent(cursor, "viewer"), 5)
