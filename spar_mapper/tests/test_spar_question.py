"""What one person may learn of sealed values by rules and plans of their choice."""

import base64

from odoo.exceptions import AccessError, RedirectWarning, UserError

from ..models.directory import spar_directory_trial
from ..models.staff import spar_question
from .common import FA, ID, StoreCase
from .move_case import MoveCase

PEOPLE = 24


def build_id(number: int) -> str:
    return f"token:77{number:02}5@nationalId"


class QuestionCase(MoveCase):
    """People at a bank that has closed, and an administrator who asks about them."""

    def setUp(self):
        super().setUp()
        edges = spar_question.draw_edges(bytes(8))
        self.patch(spar_question, "draw_edges", lambda _mac: edges)
        for number in range(PEOPLE):
            self.link(build_id(number), f"account:55{number:02}0000@E1.OLDB")
        self.close()

    def get_questions(self, kind):
        lookups = self.env["spar.lookup"].sudo()
        actor = f"user:{self.first.id}"
        return lookups.search([("actor", "=", actor), ("kind", "=", kind)])

    def use_up(self):
        """Use up the budget of the first administrator."""
        self.set_limit("lookup_budget", 1)
        self.env["spar.lookup"].with_user(self.first)._count_question("rule", "any")

    def assert_used_up(self, act):
        with (
            self.catch_alarms(),
            self.assertRaisesRegex(UserError, "too often"),
            self.env.cr.savepoint(),
        ):
            act()
        self.env.invalidate_all()


class TestMoveQuestion(QuestionCase):
    def test_count_tells_nothing_about_one_person(self):
        """A prefix that one number has and one that none has are answered alike."""
        answers = set()
        for prefix in ("55070000", "99999999"):
            move = self.count(rule="replace", replaced_prefix=prefix, prefix=prefix)
            self.assertEqual(move.state, "counted")
            values = move.read(["moved_count", "left_count", "total", "seen_count"])[0]
            values.pop("id")
            answers.add((tuple(values.values()), move.findings))
            self.assertFalse(move.left_ids)
            self.assertFalse(self.env["spar.move.left"].search([]))
            self.assertIn("people", move.findings.lower())
            move.action_discard()
        self.assertEqual(len(answers), 1, answers)

    def test_list_of_numbers_tells_nothing_about_one_person(self):
        answers = set()
        for number in ("55070000", "99999999"):
            data = base64.b64encode(f"old,new\n{number},1\n".encode()).decode()
            move = self.count(rule="list", numbers_file=data)
            answers.add((move.moved_count, move.left_count, move.findings))
            self.assertFalse(move.left_ids)
            move.action_discard()
        self.assertEqual(len(answers), 1, answers)

    def test_nothing_exact_is_readable_while_it_counts(self):
        move = self.prepare(rule="replace", replaced_prefix="550", prefix="1")
        move.action_count()
        with self.undone():
            move.sudo()._do_piece()
            self.assertEqual((move.moved_count, move.left_count), (0, 0))
            self.assertFalse(move.left_ids)
            with self.assertRaises(AccessError):
                move.read(["tally"])

    def test_size_of_the_work_is_seen(self):
        move = self.count(rule="replace", replaced_prefix="551", prefix="1")
        self.assertIn("People with an address there: 24", move.findings)
        self.assertIn("cannot be moved: about 1", move.findings)
        self.assertIn("does not start with the replaced prefix. about 1", move.findings)

    def test_those_who_stay_whatever_the_plan_is_are_listed(self):
        self.set_subject(build_id(3), change_lock="staff")
        move = self.count(rule="replace", replaced_prefix="99", prefix="1")
        place = self.mapping_of(build_id(3)).id
        self.assertEqual(self.get_left(move), {place: "locked"})
        self.assertIn("are locked. 1", move.findings)

    def test_once_approved_everybody_who_stays_is_listed(self):
        move = self.move_all(rule="replace", replaced_prefix="5507", prefix="1")
        self.assertEqual((move.moved_count, move.left_count), (1, PEOPLE - 1))
        self.assertEqual(len(move.left_ids), PEOPLE - 1)
        self.assertFalse(move.sudo().tally)

    def test_each_plan_is_kept_with_who_counted_it(self):
        move = self.count(rule="replace", replaced_prefix="550", prefix="1")
        move.action_change()
        with self.assertRaisesRegex(UserError, "cannot be deleted"):
            move.unlink()
        move.write({"replaced_prefix": "551"})
        move.action_count()
        plans = move.counted_plans.splitlines()
        self.assertEqual(len(plans), 2)
        for plan, prefix in zip(plans, ("550", "551"), strict=True):
            self.assertIn(self.first.name, plan)
            self.assertIn(f"the prefix {prefix} becomes 1", plan)
        with self.assertRaises(AccessError):
            move.write({"counted_plans": False})
        move.action_discard()
        with self.assertRaisesRegex(UserError, "cannot be deleted"):
            move.unlink()
        self.assertEqual(len(self.get_questions("move")), 2)

    def test_move_that_was_not_counted_can_be_deleted(self):
        self.prepare().unlink()

    def test_counts_of_a_day_are_limited(self):
        self.use_up()
        move = self.prepare()
        self.assert_used_up(move.action_count)
        with self.catch_alarms() as alarms:
            with self.assertRaisesRegex(UserError, "too often"):
                move.action_count()
        self.assertEqual(alarms, [("res_users", self.first.id)])
        move.with_user(self.second).action_count()
        self.assertEqual(move.state, "counting")

    def test_same_question_is_free(self):
        for _time in range(2):
            self.count().action_discard()
        self.assertEqual(sum(self.get_questions("move").mapped("cost")), 5)


class TestRuleQuestion(QuestionCase):
    def setUp(self):
        super().setUp()
        self.type = self.env.ref("spar_mapper_connector.id_type_national_id")

    def propose(self, pattern):
        """Return the dry run of a proposed pattern for IDs."""
        values = {"check": "regex", "check_parameter": pattern}
        self.type.with_user(self.first).write(values)
        change = self.type.sudo().setting_change_ids[:1]
        run = self.env["spar.form.run"].search([("change_id", "=", change.id)])
        return run.with_user(self.first), change.with_user(self.first)

    def ask(self, pattern):
        run, change = self.propose(pattern)
        self.assertEqual(run.state, "done")
        figures = run.read(
            ["changing", "coinciding", "coinciding_groups", "refused", "unknown"]
        )[0]
        figures.pop("id")
        summary = change.summary.splitlines()[-1]
        change.action_refuse()
        return tuple(figures.values()), run.findings, summary

    def test_dry_run_tells_nothing_about_one_person(self):
        one = self.ask("77075")
        self.assertEqual(one, self.ask("99999"))
        self.assertIn("Rejected by the new rules: all but fewer than 10", one[1])
        self.assertEqual(self.ask("77[0-9]*"), self.ask("77[0-9]*|99999"))

    def test_size_of_the_work_is_seen(self):
        _figures, findings, summary = self.ask("770[0-9]*")
        self.assertIn("Dry run over 24 IDs", findings)
        self.assertIn("Rejected by the new rules: about 1", findings)
        self.assertEqual(findings, summary)

    def test_who_asked_stays_after_a_withdrawal(self):
        self.ask("77075")
        question = self.get_questions("rule")
        self.assertEqual((len(question), question.cost), (1, 5))
        withdrawn = self.env["spar.setting.change"].search(
            [("res_model", "=", "spar.id.type"), ("proposer_id", "=", self.first.id)]
        )
        self.assertEqual(withdrawn.state, "withdrawn")
        self.assertIn("77075", withdrawn.summary)

    def test_dry_runs_of_a_day_are_limited(self):
        self.use_up()
        self.assert_used_up(lambda: self.propose("77075"))
        self.assertFalse(self.type.sudo().setting_change_ids)


class TestDirectoryQuestion(QuestionCase):
    def setUp(self):
        super().setUp()
        self.link(ID, FA)
        self.part = self.env.ref("spar_fa_directory.part_bank_account_number")
        self.kept = []

        def keep(_trials, *values):
            self.kept.append(values)
            return 1

        self.patch(type(self.env["spar.directory.trial"]), "_store_change", keep)

    def ask(self, pattern):
        """Return the answer to the question whether numbers match ``pattern``."""
        values = {"check_code": "regex", "check_parameter": pattern}
        part = self.part.with_user(self.first)
        with self.assertRaises(RedirectWarning) as raised, self.env.cr.savepoint():
            part.write(values)
        self.env.invalidate_all()
        (*_change, effect) = self.kept.pop()
        return effect, raised.exception.args[0]

    def test_trial_tells_nothing_about_one_address(self):
        """It comes whether a number matches or not, with the same figures."""
        answers = {self.ask(p) for p in ("[0-9]*", "[0-9]*|55070000", ".*")}
        self.assertEqual(len(answers), 1, answers)
        ((effect, text),) = answers
        self.assertEqual(effect.looked_at, PEOPLE + 1)
        self.assertIn("fewer than 10", text)

    def test_trials_of_a_day_are_limited(self):
        self.use_up()
        values = {"check_code": "regex", "check_parameter": "55.*"}
        self.assert_used_up(lambda: self.part.with_user(self.first).write(values))
        self.assertFalse(self.kept)

    def test_background_does_not_tell_either(self):
        """A change that is checked in the background waits even without an effect."""
        self.patch(spar_directory_trial, "MAX_CHECKED", 1)
        effect, _text = self.ask("[0-9]*")
        self.assertFalse(effect.is_known)
        trials = self.env["spar.directory.trial"]
        values = {"check_code": "regex", "check_parameter": "[0-9]*"}
        trial = trials._add(self.part._name, self.part.ids, values, self.first.id)
        trial._test_change()
        self.assertEqual(trial.state, "ready")
        self.assertIn("another form: fewer than 10", trial.findings)

    def test_another_bank_is_added_without_a_question(self):
        providers = self.env["spar.fsp"].with_user(self.first)
        providers.create({"name": "Third", "code": "THIRDB", "account_pattern": "5.*"})
        self.assertFalse(self.kept)
        self.assertFalse(self.get_questions("directory"))


class TestEdges(StoreCase):
    def test_the_edge_of_a_figure_is_another_for_each_question(self):
        """Otherwise somebody who knows nine people could ask for a tenth."""
        questions = self.env["spar.question"]

        def ask(text, count):
            return questions._blur(text, 100, shown=count)["shown"]

        texts = [f"question {number}" for number in range(60)]
        figures = [[ask(text, count) for text in texts] for count in (6, 7)]
        for shown in figures:
            self.assertEqual(set(shown), {0, 10})
        self.assertEqual(figures[0], [ask(text, 6) for text in texts])

    def test_one_row_more_never_shows_by_itself(self):
        questions = self.env["spar.question"]
        for number in range(60):
            text = f"question {number}"
            few = questions._blur(text, 100, a=0, b=4)
            self.assertEqual(few, {"a": 0, "b": 0})
            most = questions._blur(text, 100, a=96, b=100)
            self.assertEqual(most, {"a": 100, "b": 100})


class TestNoQuestion(StoreCase):
    def test_rules_of_an_empty_registry_cost_nothing(self):
        user = self.create_user("administrator", "empty-first")
        kind = self.env.ref("spar_mapper_connector.id_type_national_id")
        kind.with_user(user).write({"check": "regex", "check_parameter": "[0-9]+"})
        self.assertFalse(self.env["spar.lookup"].search([("kind", "=", "rule")]))
