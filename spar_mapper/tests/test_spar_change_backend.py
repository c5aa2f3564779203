from odoo.exceptions import AccessError, UserError
from odoo.tools import format_datetime

from .common import ID, OTHER_FA, type_address
from .test_spar_change import WaitingCase


class TestDecidingInTheBackend(WaitingCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.users = {
            role: cls.create_user(role) for role in ("officer", "supervisor", "auditor")
        }
        cls.second = cls.create_user("supervisor", login="test_second")

    def setUp(self):
        super().setUp()
        self.add_rule("approve")

    def propose(self, role="officer", login=None):
        user = login or self.users[role]
        call = self.mapper.with_user(user)._build_staff_call()
        self.update(ID, OTHER_FA, call)
        return self.change_of(ID)

    def test_supervisor_approves_a_change_of_an_officer(self):
        change = self.propose()
        self.compare(change.with_user(self.users["supervisor"])).action_approve()
        self.assertEqual(self.get_fa(ID), OTHER_FA)

    def test_supervisor_refuses_a_change_of_an_officer(self):
        change = self.propose().with_user(self.users["supervisor"])
        change.action_refuse("The name differs")
        self.assertEqual(self.change_of(ID).state, "refused")

    def test_proposer_withdraws_a_change(self):
        self.propose().with_user(self.users["officer"]).action_cancel()
        self.assertEqual(self.change_of(ID).state, "cancelled")

    def test_supervisor_refuses_a_change_of_others_and_never_withdraws_it(self):
        """Refusing takes a reason, which the officer sees."""
        change = self.propose().with_user(self.users["supervisor"])
        self.assert_refused(UserError, change.action_cancel)
        self.assert_waits()

    def test_only_a_supervisor_decides(self):
        change = self.propose()
        for role in ("officer", "auditor"):
            own = change.with_user(self.users[role])
            with self.subTest(role):
                self.assert_refused(AccessError, own.action_approve)
                self.assert_refused(AccessError, own.action_refuse)
        self.assert_waits()

    def test_nobody_withdraws_a_change_of_another(self):
        change = self.propose(login=self.second)
        for role, error in (
            ("officer", UserError),
            ("auditor", AccessError),
            # A supervisor refuses it, with a reason that the proposer sees.
            ("supervisor", UserError),
        ):
            with self.subTest(role):
                own = change.with_user(self.users[role])
                self.assert_refused(error, own.action_cancel)
        self.assert_waits()

    def test_a_supervisor_does_not_approve_an_own_proposal(self):
        change = self.propose(login=self.second)
        with self.assertRaises(Exception) as caught:
            self.compare(change.with_user(self.second)).action_approve()
        self.assertNotIsInstance(caught.exception, AccessError)
        self.assert_waits()

    # === MESSAGES === #

    def act(self, operation="update"):
        """Return the message of an officer's window after *Confirm*."""
        mapping = self.mapping_of(ID).with_user(self.users["officer"])
        context = getattr(mapping, f"action_{operation}")()["context"]
        wizards = self.env["spar.mapping.wizard"].with_user(self.users["officer"])
        wizard = wizards.with_context(**context).create(
            {"reason": "asked", **type_address(OTHER_FA)}
        )
        return wizard.action_confirm()["params"]

    def test_notification_names_the_supervisor_only(self):
        notification = self.act()
        self.assertEqual(
            notification["message"], "The change waits until a supervisor approves it."
        )
        self.assertEqual(notification["type"], "warning")

    def test_notification_names_the_time(self):
        self.add_rule("hold", sequence=0)
        notification = self.act()
        officer = self.env(user=self.users["officer"])
        time = format_datetime(officer, self.change_of(ID).effective_at)
        self.assertEqual(notification["message"], f"The change waits until {time}.")

    def test_a_change_is_called_by_the_beginning_of_its_reference(self):
        change = self.propose()
        self.assertEqual(change.display_name, f"Change {change.uuid[:8]}")
