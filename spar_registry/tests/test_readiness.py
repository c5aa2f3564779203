import base64
import io
from datetime import timedelta
from unittest.mock import patch

import openpyxl
import psycopg2.errors

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user
from odoo.tools import SQL, mute_logger, safe_eval

from odoo.addons.spar_mapper_connector.exceptions import ServiceUnavailable
from odoo.addons.spar_mapper_connector.lib.contract import (
    Outcome,
    PaymentState,
    Result,
    Standing,
)

from ..models.readiness import spar_readiness_chunk, spar_readiness_worker
from .common import FA, ID, NUMBER, OTHER_FA, OTHER_ID, OTHER_NUMBER, RegistryCase

LOGGER = "odoo.addons.spar_registry.models.readiness."
CHECKER_LOGGER = f"{LOGGER}spar_readiness_checker"
WORKER_LOGGER = f"{LOGGER}spar_readiness_worker"
GUARD_LOGGER = "odoo.addons.spar_mapper_connector.expressions"
#: Where settings that were altered are named.
LOGGERS = (
    "odoo.addons.spar_mapper_connector.models.spar_settings_seal",
    "odoo.addons.spar_mapper.models.audit.spar_alarm",
)
GROUPS = "base.group_user,base.group_partner_manager,spar_registry.group_readiness"
THIRD_NUMBER, THIRD_ID = "2007816061", "token:2007816061@nationalId"


class ReadinessCase(RegistryCase):
    """People with and without an ID and an address, and a user who may check them."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.checker = new_test_user(cls.env, "readiness.user", groups=GROUPS)
        cls.runs = cls.env["spar.readiness.run"]
        cls.nobody = cls.create_person("No ID", phone="+63 917 000 0001")
        cls.people = cls.ada | cls.grace | cls.nobody
        cls.cycle = cls.env["spar.programme.cycle"].create(
            {"name": "March", "programme_id": cls.programme.id}
        )

    def setUp(self):
        super().setUp()
        self.store.set(ID, FA)

    def start(self, people=None, user=None, source="people", **values):
        """Return a new run of ``people``, started by ``user``."""
        people = self.people if people is None else people
        own = people.with_user(user or self.checker)
        query = own.with_context(active_test=False)._search([("id", "in", people.ids)])
        runs = self.runs.with_user(user or self.checker)
        return runs._start(query, source, **values)

    def work(self) -> None:
        """Let a worker do everything that there is to do now."""
        with self.enter_registry_test_mode(), self.registry.cursor() as cr:
            self.env(cr=cr)["spar.readiness.worker"]._cron_check()
        self.env.invalidate_all()

    def work_until_killed(self) -> None:
        """Let a worker work until something kills it; what it committed stays."""
        try:
            self.work()
        except KeyboardInterrupt:
            self.env.invalidate_all()
        else:
            self.fail("nothing killed the worker")

    def check(self, people=None, **values):
        """Return a run that was started and has ended."""
        run = self.start(people, **values)
        self.work()
        return run

    def get_states(self, run) -> dict[str, str]:
        return {line.partner_id.name: line.state for line in run.sudo().line_ids}

    def get_state(self, person, **values) -> str:
        run = self.check(person, **values)
        return self.get_states(run)[person.name]

    def set_outcome(self, result: Result) -> None:
        """Let the stand-in answer each question with this result."""

        def _resolve_fa(_mapper, _call, requests):
            return [
                Result(
                    result.outcome,
                    request.id_value,
                    result.fa,
                    problem=result.problem,
                )
                for request in requests
            ]

        self.patch(self.registry["spar.mapper.stand.in"], "_resolve_fa", _resolve_fa)

    def answer(self, build) -> list:
        """Let the stand-in answer ``build(ids, purpose)``; return the questions."""
        asked = []

        def _standing(_mapper, _call, ids, purpose=""):
            asked.append(list(ids))
            return build(ids, purpose)

        self.patch(self.registry["spar.mapper.stand.in"], "_standing", _standing)
        return asked

    def let_pauses_pass(self) -> None:
        self.env.flush_all()
        self.env.cr.execute("UPDATE spar_readiness_chunk SET next_try_at = NULL")
        self.env.invalidate_all()

    def read_lines(self, run) -> str:
        """Return all that the tables of runs hold of a run, as text."""
        self.env.flush_all()
        texts = [
            self.env.execute_query(SQL("SELECT to_jsonb(t)::text FROM %s t", table))
            for table in map(
                SQL.identifier,
                (
                    "spar_readiness_run",
                    "spar_readiness_line",
                    "spar_readiness_chunk",
                    "spar_readiness_export",
                ),
            )
        ]
        return str(texts)


def be_payable(ids, purpose):
    return [Standing(one, purpose, PaymentState.PAYABLE) for one in ids]


class TestReadiness(ReadinessCase):
    # === THE LIFE OF A RUN === #

    def test_run_says_who_can_be_paid(self):
        run = self.start()
        self.assertEqual(run.state, "running")
        self.assertEqual((run.people_count, run.progress), (3, 0))
        self.assertEqual(set(self.get_states(run).values()), {"waiting"})
        self.work()
        self.assertEqual(run.state, "done")
        self.assertEqual((run.checked_count, run.progress), (3, 100))
        self.assertEqual(
            self.get_states(run),
            {"Ada": "payable", "Grace": "not_linked", "No ID": "no_identity"},
        )
        self.assertEqual((run.ready_count, run.not_ready_count), (1, 2))
        self.assertTrue(run.ended_at)

    def test_totals_equal_a_direct_count(self):
        crowd = self.people
        for number in range(20):
            crowd |= self.create_person(f"Somebody {number}")
        run = self.check(crowd)
        query = SQL(
            """SELECT state, count(*) FROM spar_readiness_line WHERE run_id = %s
                GROUP BY state""",
            run.id,
        )
        counted = dict(self.env.execute_query(query))
        self.assertEqual(run.totals["states"], counted)
        self.assertEqual(sum(counted.values()), run.people_count)
        self.assertEqual(counted, {"payable": 1, "not_linked": 1, "no_identity": 21})
        self.assertIn("21", run.totals_table)

    def test_each_state_is_apart(self):
        cases = {
            "stopped": Result(Outcome.SUSPENDED),
            "provider_closed": Result(Outcome.SUSPENDED, problem="provider_closed"),
            "contested": Result(Outcome.HELD),
            "locked": Result(Outcome.LOCKED),
            "invalid_id": Result(Outcome.INVALID_ID),
            "unknown": Result(Outcome.FOUND),
            "payable": Result(Outcome.FOUND, fa=FA),
        }
        for state, result in cases.items():
            self.set_outcome(result)
            self.assertEqual(self.get_state(self.ada), state)

    def test_flags_of_a_standing_are_kept(self):
        self.answer(
            lambda ids, purpose: [
                Standing(one, purpose, PaymentState.PAYABLE, True, True, 2)
                for one in ids
            ]
        )
        (line,) = self.check(self.ada).line_ids
        self.assertEqual(
            (line.is_disputed, line.has_waiting_change, line.shared_with),
            ("yes", "yes", 2),
        )
        for word in ("disputes", "change of the account is waiting", "2 others"):
            self.assertIn(word, line.reason_text)

    def test_flags_that_a_mapper_cannot_tell_are_empty(self):
        (line,) = self.check(self.ada).line_ids
        self.assertEqual((line.is_disputed, line.has_waiting_change), (False, False))

    def test_shared_id_is_not_asked_for(self):
        self.create_person("Twin", NUMBER)
        asked = self.answer(be_payable)
        self.assertEqual(self.get_state(self.ada), "shared_identity")
        self.assertEqual(asked, [])

    def test_expired_id_is_none(self):
        self.ada.spar_identity_ids.expires_on = fields.Date.today() - timedelta(days=1)
        self.assertEqual(self.get_state(self.ada), "no_identity")

    def test_archived_person_is_not_paid(self):
        self.ada.active = False
        self.assertEqual(self.get_state(self.ada), "no_payee")

    def test_head_of_the_household_is_asked_for(self):
        home = self.create_person("Household", is_company=True)
        self.ada.parent_id = home
        self.programme.payee_rule = "head"
        child = self.create_person("Child", parent_id=home.id)
        self.assertEqual(self.get_state(child, programme=self.programme), "no_payee")
        home.spar_head_id = self.ada
        run = self.check(child, programme=self.programme)
        self.assertEqual(run.line_ids.state, "payable")
        self.assertEqual(run.line_ids.payee_id, self.ada)

    def test_purpose_of_the_programme_is_asked_for(self):
        self.programme.purpose = "pension"
        purposes = []

        def build(ids, purpose):
            purposes.append(purpose)
            return be_payable(ids, purpose)

        self.answer(build)
        self.assertEqual(self.get_state(self.ada, programme=self.programme), "payable")
        self.assertEqual(purposes, ["pension"])

    def test_an_id_is_asked_for_once(self):
        home = self.create_person("Household", is_company=True)
        self.ada.parent_id = home
        home.spar_head_id = self.ada
        children = self.env["res.partner"]
        for name in ("One", "Two"):
            children |= self.create_person(name, parent_id=home.id)
        self.programme.payee_rule = "head"
        asked = self.answer(be_payable)
        run = self.check(children | self.ada, programme=self.programme)
        self.assertEqual(len(asked), 1)
        self.assertEqual(len(asked[0]), 1)
        self.assertEqual(run.ready_count, 3)

    def test_statements_do_not_grow_with_the_number_of_people(self):
        def count(people):
            run = self.start(people)
            (chunk,) = self.env["spar.readiness.chunk"].search(
                [("run_id", "=", run.id)]
            )
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.env["spar.readiness.worker"]._fill(chunk)
            self.assertNotIn("waiting", self.get_states(run).values())
            return self.env.cr.sql_log_count - before

        few = self.ada | self.grace
        many = few
        for number in range(60):
            many |= self.create_person(f"Crowd {number}", f"30078{number:05}")
        count(few)  # caches fill
        self.assertEqual(count(few), count(many))

    def test_no_address_and_no_id_is_stored_in_clear(self):
        run = self.check()
        stored = self.read_lines(run)
        for clear in (NUMBER, OTHER_NUMBER, FA, "111100001111"):
            self.assertNotIn(clear, stored)

    # === CHUNKS, KILLS AND REPETITIONS === #

    def split_small(self) -> None:
        self.patch(spar_readiness_chunk, "CHUNK_PEOPLE", 1)

    def test_run_goes_on_where_it_was_killed(self):
        self.split_small()
        run = self.start()
        real = type(self.env["spar.readiness.worker"])._end
        ended = []

        def _end(worker, chunk):
            if len(ended) == 1:
                raise KeyboardInterrupt  # as when the process is killed
            ended.append(chunk.id)
            return real(worker, chunk)

        with patch.object(type(self.env["spar.readiness.worker"]), "_end", _end):
            self.work_until_killed()
        self.assertEqual(run.state, "running")
        self.assertEqual(run.checked_count, 1)
        asked = self.answer(be_payable)
        self.work()
        self.assertEqual(run.state, "done")
        self.assertEqual(run.checked_count, 3)
        # Ada was done; of the other two, only Grace has an ID.
        self.assertEqual(sum(map(len, asked)), 1)
        self.assertEqual(run.ready_count, 2)

    def test_chunk_that_kills_each_worker_ends_as_an_error(self):
        self.split_small()
        run = self.start()
        first = self.env["spar.readiness.chunk"].search(
            [("run_id", "=", run.id)], limit=1
        )
        self.env.cr.execute(
            "UPDATE spar_readiness_chunk SET attempts = %s WHERE id = %s",
            (spar_readiness_worker.MAX_ATTEMPTS, first.id),
        )
        self.env.invalidate_all()
        self.work()
        self.assertEqual(run.state, "done")
        self.assertEqual(sorted(self.get_states(run).values()).count("error"), 1)

    def test_stopped_run_rests_until_somebody_continues(self):
        run = self.start()
        run.action_stop()
        self.work()
        self.assertEqual((run.state, run.checked_count), ("stopped", 0))
        run.action_continue()
        self.work()
        self.assertEqual(run.state, "done")

    def test_two_runs_take_turns(self):
        self.split_small()
        runs = self.start() | self.start()
        self.work()
        self.assertEqual(runs.mapped("state"), ["done", "done"])

    def test_unexpected_error_in_a_part_ends_as_an_error(self):
        run = self.start()
        self.patch(
            type(self.env["spar.readiness.checker"]),
            "_check_people",
            lambda *_given: 1 / 0,
        )
        for _attempt in range(spar_readiness_worker.MAX_ATTEMPTS):
            with mute_logger(WORKER_LOGGER):
                self.work()
            self.let_pauses_pass()
        self.assertEqual(run.state, "done")
        self.assertEqual(set(self.get_states(run).values()), {"error"})

    # === MAPPERS THAT ANSWER WRONGLY === #

    def check_answer(self, build) -> dict[str, str]:
        """Return the states after a mapper answered, for the rest of the run too."""
        self.answer(build)
        run = self.start()
        for _attempt in range(spar_readiness_worker.MAX_ATTEMPTS):
            with mute_logger(CHECKER_LOGGER, WORKER_LOGGER):
                self.work()
            self.let_pauses_pass()
        self.assertEqual(run.state, "done")
        states = self.get_states(run)
        self.assertEqual(states.pop("No ID"), "no_identity")
        return states

    def test_half_an_answer_counts_for_that_half(self):
        self.assertEqual(
            self.check_answer(lambda ids, p: be_payable(ids[:1], p)),
            {"Ada": "payable", "Grace": "unknown"},
        )

    def test_another_order_is_matched_by_id(self):
        def build(ids, purpose):
            states = {ID: PaymentState.PAYABLE, OTHER_ID: PaymentState.STOPPED}
            by_id = {one.lower(): state for one, state in states.items()}
            return [Standing(one, purpose, by_id[one]) for one in reversed(ids)]

        self.assertEqual(
            self.check_answer(build), {"Ada": "payable", "Grace": "stopped"}
        )

    def test_an_id_that_is_answered_twice_is_unknown(self):
        self.assertEqual(
            self.check_answer(lambda ids, p: be_payable([*ids, ids[0]], p)),
            {"Ada": "unknown", "Grace": "payable"},
        )

    def test_wrong_answers_are_unknown(self):
        cases = [
            lambda ids, p: be_payable([f"token:{n}@x" for n, _id in enumerate(ids)], p),
            lambda ids, p: be_payable(ids, "another purpose"),
            lambda ids, p: [Standing(one, p, "payable") for one in ids],
            lambda ids, p: [Result(Outcome.FOUND, one, FA) for one in ids],
            lambda ids, p: [None for _one in ids],
            lambda ids, p: [],
            lambda ids, p: None,
            lambda ids, p: 7,
        ]
        for build in cases:
            self.assertEqual(
                self.check_answer(build), {"Ada": "unknown", "Grace": "unknown"}
            )

    def test_mapper_that_raises_is_an_error(self):
        cases = [
            ServiceUnavailable(),
            ValueError("token:2007760620@nationalId"),
            psycopg2.errors.QueryCanceled(),
            TimeoutError(),
        ]
        for error in cases:

            def build(_ids, _purpose, error=error):
                raise error

            self.assertEqual(
                self.check_answer(build), {"Ada": "error", "Grace": "error"}
            )

    def test_statement_that_fails_in_the_mapper_spoils_nothing_else(self):
        def build(_ids, _purpose):
            self.env.cr.execute("SELECT 1 / 0")

        with mute_logger("odoo.sql_db"):
            states = self.check_answer(build)
        self.assertEqual(states, {"Ada": "error", "Grace": "error"})

    def test_text_of_an_error_is_not_logged(self):
        def build(_ids, _purpose):
            raise ValueError(ID)

        self.answer(build)
        self.start()
        with self.assertLogs("odoo.addons.spar_registry", "INFO") as logs:
            self.work()
        self.assertNotIn("2007760620", str(logs.output))

    def test_mapper_that_comes_back_is_asked_again(self):
        answers = [ServiceUnavailable(), None]

        def build(ids, purpose):
            error = answers.pop(0)
            if error:
                raise error
            return be_payable(ids, purpose)

        self.answer(build)
        run = self.start()
        self.work()
        self.assertEqual(run.state, "running")
        self.assertEqual(self.get_states(run)["Ada"], "error")
        self.let_pauses_pass()
        self.work()
        self.assertEqual(run.state, "done")
        self.assertEqual(run.ready_count, 2)

    # === COMPARING === #

    def test_run_is_compared_with_the_one_before(self):
        first = self.check(source="cycle", programme=self.programme, cycle=self.cycle)
        self.assertFalse(any(first.line_ids.mapped("change")))
        self.store.places.clear()
        self.store.set(OTHER_ID, OTHER_FA)
        newcomer = self.create_person("Newcomer")
        second = self.check(
            self.people | newcomer,
            source="cycle",
            programme=self.programme,
            cycle=self.cycle,
        )
        self.assertEqual(second.previous_id, first)
        changes = {
            line.partner_id.name: (line.previous_state, line.change)
            for line in second.line_ids
        }
        self.assertEqual(
            changes,
            {
                "Ada": ("payable", "newly_not_ready"),
                "Grace": ("not_linked", "newly_ready"),
                "No ID": ("no_identity", "same"),
                "Newcomer": (False, "first"),
            },
        )
        counts = (second.newly_ready_count, second.newly_not_ready_count)
        self.assertEqual(counts, (1, 1))

    def test_first_run_of_a_cycle_is_compared_with_the_programme(self):
        first = self.check(programme=self.programme)
        second = self.start(programme=self.programme, cycle=self.cycle)
        self.assertEqual(second.previous_id, first)
        self.assertFalse(self.start().previous_id)

    # === LISTS === #

    def test_call_list_has_phone_and_reason(self):
        run = self.check()
        action = run.action_open_call_list()
        lines = self.env[action["res_model"]].with_user(self.checker)
        found = lines.search(action["domain"])
        self.assertEqual(set(found.mapped("shown_name")), {"Grace", "No ID"})
        (line,) = found.filtered(lambda one: one.partner_id == self.nobody)
        self.assertEqual(line.phone, "+63 917 000 0001")
        self.assertIn("Ask the person for the card", line.reason_text)

    def test_chart_groups_by_state(self):
        run = self.check()
        groups = (
            self.env["spar.readiness.line"]
            .with_user(self.checker)
            ._read_group([("run_id", "=", run.id)], ["state"], ["__count"])
        )
        self.assertEqual(
            dict(groups), {"payable": 1, "not_linked": 1, "no_identity": 1}
        )

    # === THE LIMIT === #

    def set_limit(self, number: int) -> None:
        self.env.ref("spar_registry.setting_readiness_people").value = number

    def test_daily_limit_counts_all_runs_of_a_user(self):
        self.set_limit(5)
        self.start()
        with self.assertRaises(UserError):
            self.start()
        self.assertEqual(self.runs.search_count([("user_id", "=", self.checker.id)]), 1)
        self.start(self.ada | self.grace)
        other = new_test_user(self.env, "another.user", groups=GROUPS)
        self.start(user=other)

    def test_limit_that_sql_changed_is_not_used(self):
        self.env.flush_all()
        self.env.cr.execute("UPDATE spar_registry_setting SET value = 9999999")
        self.env.invalidate_all()
        wizard = self.env["spar.readiness.wizard"].with_user(self.checker)
        form = wizard.create({"source": "selected", "selected_ids": self.people.ids})
        with mute_logger(*LOGGERS), self.assertRaises(UserError):
            form.action_start()

    def test_nobody_is_refused(self):
        with self.assertRaises(UserError):
            self.start(self.env["res.partner"])

    # === CLEANING UP === #

    def test_old_lines_are_deleted_and_the_totals_stay(self):
        run = self.check()
        young = self.check()
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE spar_readiness_run SET create_date = %s WHERE id = %s",
            (fields.Datetime.now() - timedelta(days=401), run.id),
        )
        self.env.invalidate_all()
        while self.runs._gc_lines():
            self.env.invalidate_all()
            if not run.are_lines_kept:
                break
        self.assertFalse(run.line_ids)
        self.assertEqual((run.ready_count, run.not_ready_count), (1, 2))
        self.assertEqual(len(young.line_ids), 3)


class TestReadinessFile(ReadinessCase):
    def start_file(self, data: bytes, user=None, **values):
        """Upload a file in the form, as the web client does, and start."""
        wizards = self.env["spar.readiness.wizard"].with_user(user or self.checker)
        wizard = wizards.create(
            {
                "source": "file",
                "file": base64.b64encode(data).decode(),
                "filename": "ids.csv",
            }
        )
        wizard._onchange_file()
        wizard.write(values)
        action = wizard.action_start()
        self.assertFalse(wizard._get_sealed_ids())
        return self.runs.with_user(user or self.checker).browse(action["res_id"])

    def check_file(self, data: bytes, **values):
        run = self.start_file(data, **values)
        self.work()
        return run

    def get_rows(self, run) -> dict[int, str]:
        return {line.file_row: line.state for line in run.line_ids}

    def test_ids_are_checked_line_by_line(self):
        data = f"National ID\n{NUMBER}\n{OTHER_ID}\n\nnull\n{THIRD_NUMBER}\n".encode()
        run = self.check_file(data)
        self.assertEqual(run.state, "done")
        self.assertEqual(
            self.get_rows(run),
            {2: "payable", 3: "not_linked", 5: "invalid_id", 6: "not_linked"},
        )
        self.assertEqual(run.people_count, 4)

    def test_contact_with_the_id_is_named(self):
        self.grace.phone = "+63 917 000 0002"
        run = self.check_file(f"{OTHER_NUMBER}\n{THIRD_NUMBER}\n".encode())
        known, unknown = run.line_ids.sorted("file_row")
        self.assertEqual(known.partner_id, self.grace)
        self.assertEqual(known.phone, "+63 917 000 0002")
        self.assertEqual(known.shown_name, "Grace")
        self.assertFalse(unknown.partner_id)
        self.assertNotIn(THIRD_NUMBER, unknown.shown_name)
        self.assertTrue(unknown.shown_name.endswith(THIRD_NUMBER[-2:]))

    def test_column_of_a_wider_file_is_found(self):
        text = f"Name;National ID\nAda;{NUMBER}\nX;{OTHER_ID}\n"
        run = self.check_file(text.encode())
        self.assertEqual(self.get_rows(run), {2: "payable", 3: "not_linked"})

    def test_first_id_is_no_header(self):
        run = self.check_file(f"{NUMBER}\n{OTHER_NUMBER}\n".encode())
        self.assertEqual(self.get_rows(run), {1: "payable", 2: "not_linked"})

    def test_workbook_is_read(self):
        book = openpyxl.Workbook()
        for row in (["Nr", "National ID"], [1, NUMBER], [2, int(OTHER_NUMBER)]):
            book.active.append(row)
        output = io.BytesIO()
        book.save(output)
        run = self.check_file(output.getvalue())
        self.assertEqual(self.get_rows(run), {2: "payable", 3: "not_linked"})

    def test_repeated_id_counts_once(self):
        data = f"{NUMBER}\n{ID}\n2007 760 620\n".encode()
        run = self.check_file(data, header_row=0)
        self.assertEqual((run.people_count, run.duplicate_count), (1, 2))

    def test_ids_and_the_file_are_sealed(self):
        run = self.start_file(f"{NUMBER}\n{THIRD_NUMBER}\n".encode())
        self.assertTrue(run._get_sealed_ids())
        self.assertNotIn(NUMBER, self.read_lines(run))
        self.work()
        self.assertFalse(run._get_sealed_ids())
        self.assertEqual(len(run.line_ids._get_sealed_ids()), 2)
        stored = self.read_lines(run)
        for clear in (NUMBER, THIRD_NUMBER):
            self.assertNotIn(clear, stored)
            self.assertNotIn(clear.encode().hex(), stored)

    def test_id_of_several_contacts_is_not_asked_for(self):
        self.create_person("Twin", NUMBER)
        asked = self.answer(be_payable)
        run = self.check_file(f"{NUMBER}\n{OTHER_NUMBER}\n".encode())
        self.assertEqual(self.get_rows(run), {1: "shared_identity", 2: "payable"})
        self.assertEqual(sum(map(len, asked)), 1)

    def test_file_beyond_the_limit_is_refused_and_destroyed(self):
        self.env.ref("spar_registry.setting_readiness_people").value = 1
        run = self.check_file(f"{NUMBER}\n{OTHER_NUMBER}\n".encode())
        self.assertEqual(run.state, "failed")
        self.assertIn("1 people", run.problem)
        self.assertFalse(run.line_ids)
        self.assertFalse(run._get_sealed_ids())

    def test_file_without_an_id_fails(self):
        run = self.check_file(b"National ID\n\n \n")
        self.assertEqual(run.state, "failed")
        self.assertTrue(run.problem)

    def test_files_that_are_no_tables_are_refused(self):
        for data in (b"%PDF-1.4", b"", b"PK\x03\x04 broken"):
            with self.assertRaises(UserError):
                self.start_file(data)

    def test_row_that_cannot_be_split_is_a_line(self):
        run = self.check_file(f'ID;Name\n{NUMBER};Ada\n"{OTHER_ID};open\n'.encode())
        self.assertEqual(self.get_rows(run), {2: "payable", 3: "invalid_id"})

    def test_reading_goes_on_where_it_was_killed(self):
        reader = "odoo.addons.spar_registry.models.readiness.spar_readiness_reader"
        self.startPatcher(patch(f"{reader}.READ_ROWS", 1))
        run = self.start_file(f"{NUMBER}\n{OTHER_NUMBER}\n{THIRD_NUMBER}\n".encode())
        model = type(self.env["spar.readiness.reader"])
        real, added = model._add_part, []

        def _add_part(reader, run, records):
            if len(added) == 2:
                raise KeyboardInterrupt
            added.append(records)
            return real(reader, run, records)

        with patch.object(model, "_add_part", _add_part):
            self.work_until_killed()
        self.assertEqual((run.state, run.people_count), ("reading", 2))
        self.work()
        self.assertEqual((run.state, run.people_count), ("done", 3))
        self.assertEqual(list(self.get_rows(run)), [1, 2, 3])

    def test_preview_shows_the_chosen_column(self):
        wizard = self.env["spar.readiness.wizard"].create(
            {"source": "file", "file": base64.b64encode(b"Name;ID\nAda;7\n").decode()}
        )
        wizard._onchange_file()
        self.assertIn("<td class='table-info'>7</td>", wizard.preview)


class TestReadinessForm(ReadinessCase):
    def open_form(self, **context):
        wizards = self.env["spar.readiness.wizard"].with_user(self.checker)
        return wizards.with_context(**context).create({})

    def start_form(self, form):
        action = form.action_start()
        self.work()
        return self.runs.browse(action["res_id"])

    def test_selected_contacts(self):
        form = self.open_form(
            active_model="res.partner", active_ids=(self.ada | self.grace).ids
        )
        self.assertEqual((form.source, form.people_count), ("selected", 2))
        run = self.start_form(form)
        self.assertEqual(run.line_ids.partner_id, self.ada | self.grace)

    def test_everybody_whom_the_filter_finds(self):
        form = self.open_form(
            active_model="res.partner",
            active_ids=self.ada.ids,
            active_domain=[("id", "in", self.people.ids), ("name", "!=", "Ada")],
        )
        form.source = "filter"
        run = self.start_form(form)
        self.assertEqual(run.line_ids.partner_id, self.grace | self.nobody)

    def test_members_of_a_programme_and_a_cycle(self):
        members = self.env["spar.programme.member"]
        for person in (self.ada, self.nobody):
            members.create({"programme_id": self.programme.id, "partner_id": person.id})
        self.nobody.active = False
        for record in (self.programme, self.cycle):
            context = record.with_user(self.checker).action_check_readiness()["context"]
            form = self.open_form(**context)
            self.assertEqual(form.people_count, 2)
            run = self.start_form(form)
            self.assertEqual(run.programme_id, self.programme)
            self.assertEqual(
                self.get_states(run), {"Ada": "payable", "No ID": "no_payee"}
            )
        self.assertEqual(run.cycle_id, self.cycle)
        self.assertEqual(self.cycle.run_ids, run)

    def test_filter_that_is_none_is_refused(self):
        form = self.open_form()
        form.write({"source": "filter", "filter_domain": "[(1"})
        with self.assertRaises(UserError):
            form.action_start()

    def test_cycle_of_another_programme_is_refused(self):
        other = self.programme.copy({"code": "OTHER"})
        form = self.open_form(default_source="cycle")
        form.write({"programme_id": other.id, "cycle_id": self.cycle.id})
        with self.assertRaises(UserError):
            form.action_start()


class TestReadinessRights(ReadinessCase):
    """Whose people a user sees, and who may do what."""

    def hide(self, person, user) -> None:
        """Let a record rule of contacts hide a person from a user."""
        self.env["ir.rule"].create(
            {
                "name": "Test: hidden",
                "model_id": self.env.ref("base.model_res_partner").id,
                "domain_force": (
                    f"[(1, '=', 1)] if user.id != {user.id}"
                    f" else [('id', '!=', {person.id})]"
                ),
            }
        )

    def test_people_of_others_are_not_in_a_run(self):
        self.hide(self.ada, self.checker)
        run = self.check()
        self.assertEqual(set(self.get_states(run)), {"Grace", "No ID"})

    def test_person_who_is_hidden_meanwhile_is_not_asked_for(self):
        run = self.start()
        self.hide(self.ada, self.checker)
        asked = self.answer(be_payable)
        self.work()
        self.assertEqual(self.get_states(run)["Ada"], "error")
        self.assertEqual([len(ids) for ids in asked], [1])
        # The line is one of a person whom the user may not read.
        lines = self.env["spar.readiness.line"].with_user(self.checker)
        self.assertEqual(lines.search_count([("run_id", "=", run.id)]), 2)

    def test_id_of_a_hidden_person_in_a_file_is_not_asked_for(self):
        self.hide(self.ada, self.checker)
        form = {
            "encoding": "utf-8",
            "delimiter": ",",
            "sheet": "",
            "header": 0,
            "column": 1,
            "id_type": self.id_type.id,
        }
        data = base64.b64encode(f"{NUMBER}\n{OTHER_NUMBER}\n".encode()).decode()
        asked = self.answer(be_payable)
        run = self.runs.with_user(self.checker)._start_file(data, "x.csv", form)
        self.work()
        states = {line.file_row: line.state for line in run.line_ids}
        self.assertEqual(states, {1: "error", 2: "payable"})
        hidden, _seen = run.sudo().line_ids.sorted("file_row")
        self.assertFalse(hidden.partner_id)
        self.assertEqual(sum(map(len, asked)), 1)

    def test_hidden_payee_is_not_asked_for(self):
        home = self.create_person("Household", is_company=True)
        self.ada.parent_id = home
        home.spar_head_id = self.ada
        child = self.create_person("Child", parent_id=home.id)
        self.programme.payee_rule = "head"
        self.hide(self.ada, self.checker)
        asked = self.answer(be_payable)
        run = self.check(child, programme=self.programme)
        self.assertEqual((run.line_ids.state, run.line_ids.reason), ("error", "hidden"))
        self.assertFalse(run.line_ids.payee_id)
        self.assertEqual(asked, [])

    def test_user_who_lost_the_right_gets_nothing(self):
        run = self.start()
        group = self.env.ref("spar_registry.group_readiness")
        self.checker.group_ids -= group
        asked = self.answer(be_payable)
        self.work()
        self.assertEqual(set(self.get_states(run).values()), {"error"})
        self.assertEqual(asked, [])

    def test_users_without_the_group_are_refused(self):
        run = self.check()
        viewer = new_test_user(
            self.env,
            "viewer.only",
            groups="base.group_user,spar_fa_directory.group_viewer",
        )
        for user in (self.user, viewer):
            with self.assertRaises(AccessError):
                self.start(user=user)
            with self.assertRaises(AccessError):
                self.env["spar.readiness.wizard"].with_user(user).create({})
            with self.assertRaises(AccessError):
                run.with_user(user).read(["name"])
            with self.assertRaises(AccessError):
                self.env["spar.readiness.line"].with_user(user).search([])
            for act in ("action_stop", "action_continue"):
                with self.assertRaises(AccessError):
                    getattr(run.with_user(user), act)()
            with self.assertRaises(AccessError):
                self.env["spar.readiness.export"].with_user(user)._export(
                    run.with_user(user), "all", "csv"
                )

    def test_runs_of_others_are_seen_by_managers_alone(self):
        run = self.check()
        other = new_test_user(self.env, "another.user", groups=GROUPS)
        self.assertFalse(self.runs.with_user(other).search([("id", "=", run.id)]))
        with self.assertRaises(AccessError):
            run.with_user(other).read(["name"])
        with self.assertRaises(AccessError):
            run.with_user(other).action_stop()
        with self.assertRaises(AccessError):
            self.env["spar.readiness.export"].with_user(other)._export(
                run.with_user(other), "all", "csv"
            )
        self.assertEqual(run.with_user(self.manager).name, run.name)
        self.hide(self.ada, self.manager)
        lines = self.env["spar.readiness.line"].with_user(self.manager)
        self.assertEqual(lines.search_count([("run_id", "=", run.id)]), 2)

    def test_nobody_writes_runs_and_lines_by_hand(self):
        run = self.check()
        for record in (run, run.line_ids[0]):
            for user in (self.checker, self.manager):
                own = record.with_user(user)
                with self.assertRaises(AccessError):
                    own.write({"state": "done"})
                with self.assertRaises(AccessError):
                    own.unlink()
                with self.assertRaises(AccessError):
                    own.create({})

    def test_programme_of_another_company(self):
        company = self.env["res.company"].create({"name": "Elsewhere"})
        self.programme.company_id = company
        with self.assertRaises(AccessError):
            self.programme.with_user(self.checker).read(["name"])
        theirs = new_test_user(
            self.env,
            "their.user",
            groups=GROUPS,
            company_id=company.id,
            company_ids=[(6, 0, company.ids)],
        )
        programme = self.programme.with_user(theirs)
        run = self.check(programme=programme, user=theirs)
        for user in (self.checker, self.manager):
            own = self.runs.with_user(user)
            self.assertFalse(own.search([("id", "=", run.id)]))

    def test_limit_is_changed_by_two_administrators(self):
        setting = self.env.ref("spar_registry.setting_readiness_people")
        with self.assertRaises(AccessError):
            setting.with_user(self.manager).value = 7
        administrator = new_test_user(
            self.env,
            "one.administrator",
            groups="base.group_user,spar_fa_directory.group_administrator",
        )
        before = setting.value
        setting.with_user(administrator).write({"value": 7})
        self.assertEqual(setting.value, before)
        self.assertTrue(setting.sudo().setting_change_ids)


class TestReadinessGate(ReadinessCase):
    def test_gate_names_those_who_are_not_ready(self):
        self.programme.readiness_gate = True
        warning = self.cycle.with_user(self.user)._spar_check_ready(self.people)
        self.assertTrue(warning)
        self.assertIn("2 of 3", warning.text)
        self.assertEqual(set(warning.reasons), {self.grace.id, self.nobody.id})
        self.assertIn("Ask the person", warning.reasons[self.grace.id])
        run = self.runs.browse(warning.run_id)
        self.assertEqual((run.source, run.state), ("gate", "done"))
        self.assertIn("2 of 3", self.cycle.message_ids[0].body)

    def test_gate_is_silent_where_everybody_is_ready(self):
        self.programme.readiness_gate = True
        warning = self.cycle._spar_check_ready(self.ada)
        self.assertFalse(warning)
        self.assertTrue(warning.run_id)

    def test_gate_is_off_by_default(self):
        self.assertFalse(self.cycle._spar_check_ready(self.people))
        self.assertFalse(self.cycle.run_ids)

    def test_gate_warns_of_everybody_while_the_mapper_is_down(self):
        self.programme.readiness_gate = True
        for error in (ServiceUnavailable(), ValueError()):

            def build(_ids, _purpose, error=error):
                raise error

            self.answer(build)
            with mute_logger(CHECKER_LOGGER):
                warning = self.cycle._spar_check_ready(self.ada | self.grace)
            self.assertEqual(set(warning.reasons), {self.ada.id, self.grace.id})

    def test_gate_survives_an_error_of_ours(self):
        self.programme.readiness_gate = True
        self.patch(
            type(self.env["spar.readiness.checker"]),
            "_check_people",
            lambda *_given: 1 / 0,
        )
        with mute_logger(WORKER_LOGGER):
            warning = self.cycle._spar_check_ready(self.people)
        self.assertEqual(set(warning.reasons), set(self.people.ids))

    def test_gate_does_not_count_towards_the_limit(self):
        self.programme.readiness_gate = True
        self.env.ref("spar_registry.setting_readiness_people").value = 3
        self.cycle.with_user(self.checker)._spar_check_ready(self.people)
        self.start()


class TestReadinessExport(ReadinessCase):
    def export(self, run, file_format="csv", scope="not_ready", user=None):
        wizards = self.env["spar.readiness.export.wizard"].with_user(
            user or self.checker
        )
        wizard = wizards.create(
            {"run_id": run.id, "file_format": file_format, "scope": scope}
        )
        action = wizard.action_export()
        self.assertIn("/web/content/spar.readiness.export/", action["url"])
        exports = self.env["spar.readiness.export"].with_user(user or self.checker)
        return exports.search([("run_id", "=", run.id)], limit=1)

    def setUp(self):
        super().setUp()
        self.nobody.name = "=1+1"

    def test_formula_is_disarmed_in_a_csv_file(self):
        export = self.export(self.check())
        text = base64.b64decode(export.file).decode("utf-8-sig")
        rows = text.splitlines()
        self.assertEqual(len(rows), 3)
        self.assertTrue(rows[0].startswith("Name,Phone,"))
        self.assertIn("'=1+1,'+63 917 000 0001,", text)
        self.assertIn("Grace", text)
        self.assertNotIn("Ada", text)

    def test_formula_is_a_text_in_a_workbook(self):
        export = self.export(self.check(), "xlsx", "all")
        book = openpyxl.load_workbook(io.BytesIO(base64.b64decode(export.file)))
        rows = list(book.active.iter_rows())
        self.assertEqual(len(rows), 4)
        (row,) = (row for row in rows if row[0].value == "=1+1")
        self.assertEqual((row[0].data_type, row[1].data_type), ("s", "s"))
        self.assertEqual(row[1].value, "+63 917 000 0001")

    def test_export_is_recorded(self):
        run = self.check()
        export = self.export(run, "xlsx")
        self.assertEqual(
            (export.user_id, export.row_count, export.scope, export.file_format),
            (self.checker, 2, "not_ready", "xlsx"),
        )
        self.assertEqual(run.export_ids, export)
        for user in (self.checker, self.manager):
            with self.assertRaises(AccessError):
                export.with_user(user).write({"row_count": 0})
            with self.assertRaises(AccessError):
                export.with_user(user).unlink()

    def test_file_is_for_its_user_and_for_ten_minutes(self):
        export = self.export(self.check())
        self.assertFalse(export.with_user(self.manager).file)
        self.assertFalse(export.sudo().file)
        self.env.cr.execute(
            "UPDATE spar_readiness_export SET create_date = create_date - interval"
            " '11 minutes'"
        )
        export.invalidate_recordset()
        self.assertFalse(export.file)

    def test_ordinary_export_is_refused(self):
        run = self.check()
        with self.assertRaises(UserError):
            run.line_ids.with_user(self.checker).export_data(["shown_name"])

    def test_no_expression_exports_as_superuser(self):
        lines = self.check().line_ids.sudo()
        accounts = "partner_id/spar_account_ids/provider_id/name"
        for path in ("state", "partner_id/name", accounts):
            self.env.flush_all()
            self.env.invalidate_all()
            with (
                self.subTest(path),
                mute_logger(GUARD_LOGGER),
                self.assertRaisesRegex(ValueError, "CalledFromExpression"),
            ):
                safe_eval.safe_eval(f"lines.export_data([{path!r}])", {"lines": lines})

    def test_export_has_no_id_of_a_file(self):
        form = {
            "encoding": "utf-8",
            "delimiter": ",",
            "sheet": "",
            "header": 0,
            "column": 1,
            "id_type": self.id_type.id,
        }
        data = base64.b64encode(f"{THIRD_NUMBER}\n".encode()).decode()
        run = self.runs.with_user(self.checker)._start_file(data, "x.csv", form)
        self.work()
        text = base64.b64decode(self.export(run).file).decode("utf-8-sig")
        self.assertIn("No address", text)
        self.assertNotIn(THIRD_NUMBER, text)
