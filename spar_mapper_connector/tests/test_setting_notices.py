"""The messages to administrators who decided on a change of a setting."""

from odoo.exceptions import AccessError, UserError

from .test_second_person import SecondPersonCase


class TestSettingNotices(SecondPersonCase):
    def setUp(self):
        super().setUp()
        self.other = self.env.ref("spar_mapper_connector.id_type_other")
        self.other.backend_id = False

    def assert_notice(self, action, kind, words):
        self.assertEqual(
            (action["type"], action["tag"]),
            ("ir.actions.client", "display_notification"),
        )
        self.assertEqual(action["params"]["type"], kind)
        self.assertIn(words, action["params"]["message"])
        following = action["params"]["next"]
        self.assertEqual(following["tag"], "soft_reload", "the list is drawn anew")

    def test_the_approver_sees_that_it_is_in_force(self):
        change = self.propose().with_user(self.second)
        self.assert_notice(change.action_approve(), "success", "in force")
        self.assertEqual(self.id_type.backend_id, self.backend)

    def test_a_refusal_or_withdrawal_reports_that_nothing_changed(self):
        for user, state in ((self.second, "refused"), (self.first, "withdrawn")):
            with self.subTest(state):
                change = self.propose().with_user(user)
                self.assert_notice(change.action_refuse(), "success", "not changed")
                self.assertEqual((change.state, change.decider_id), (state, user))
                self.assertFalse(self.id_type.backend_id)

    def test_approving_an_overtaken_change_shows_a_warning(self):
        change = self.propose().with_user(self.second)
        self.id_type.backend_id = self.env["spar.mapper.backend"].search([], limit=1)
        self.assertTrue(self.id_type.backend_id)
        self.assert_notice(change.action_approve(), "warning", "change again")
        self.assertEqual(change.state, "stale")

    def test_one_overtaken_change_of_two_is_enough_for_a_warning(self):
        changes = self.propose() + self.propose(self.other)
        self.other.backend_id = self.env["spar.mapper.backend"].search([], limit=1)
        notice = changes.with_user(self.second).action_approve()
        self.assert_notice(notice, "warning", "change again")
        self.assertEqual(changes.mapped("state"), ["applied", "stale"])
        self.assertEqual(self.id_type.backend_id, self.backend)

    def test_of_several_changes_none_is_made_where_one_is_ones_own(self):
        changes = self.propose() + self.propose(self.other, self.second)
        for user in (self.first, self.second):
            self.assert_refused(UserError, changes.with_user(user).action_approve)
        self.assertEqual(set(changes.mapped("state")), {"waiting"})
        self.assertFalse(self.id_type.backend_id or self.other.backend_id)

    def test_a_decided_change_cannot_be_decided_again(self):
        for action, record in (
            ("action_approve", self.id_type),
            ("action_refuse", self.other),
        ):
            change = self.propose(record).with_user(self.second)
            getattr(change, action)()
            state = change.state
            for again in (change.action_approve, change.action_refuse):
                with self.subTest(action, again=again.__name__):
                    error = self.assert_refused(UserError, again)
                    self.assertIn("already been decided", str(error))
                    self.assertEqual(change.state, state)

    def test_a_decided_change_among_waiting_ones_refuses_them_together(self):
        changes = self.propose() + self.propose(self.other)
        changes[0].with_user(self.second).action_refuse()
        self.assert_refused(UserError, changes.with_user(self.second).action_approve)
        self.assertEqual(changes.mapped("state"), ["refused", "waiting"])
        self.assertFalse(self.other.backend_id)

    def test_a_user_who_cannot_decide_sees_only_the_refusal(self):
        change = self.propose()
        for user in (self.create_channel(), self.create_user("auditor")):
            for action in ("action_approve", "action_refuse"):
                with self.subTest(user.login, action=action):
                    decide = getattr(change.with_user(user), action)
                    error = self.assert_refused(AccessError, decide)
                    self.assertNotIn(self.backend.name, str(error))
        self.assertEqual(change.state, "waiting")
