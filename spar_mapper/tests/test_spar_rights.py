from odoo.exceptions import AccessError
from odoo.service.model import call_kw, get_public_method
from odoo.tests import new_test_user

from odoo.addons.spar_mapper_connector.exceptions import NotPermitted
from odoo.addons.spar_mapper_connector.lib.contract import (
    LinkRequest,
    Outcome,
    ResolveRequest,
    ResumeRequest,
    SuspendRequest,
    UnlinkRequest,
    UpdateRequest,
)
from odoo.addons.spar_mapper_connector.tests.common import ROLES

from .common import FA, ID, OTHER_FA, OTHER_ID, StoreCase

#: The methods each role may call; the superuser and a channel may call everything.
MAY = {
    "_link_fa": {"officer"},
    "_update_fa": {"officer"},
    "_unlink_fa": {"officer"},
    "_suspend_fa": {"officer"},
    "_resume_fa": {"officer"},
    "_resolve_fa": {"officer"},
    "_history": {"auditor"},
}
ARGUMENTS = {
    "_link_fa": [LinkRequest(OTHER_ID, FA)],
    "_update_fa": [UpdateRequest(ID, OTHER_FA)],
    "_unlink_fa": [UnlinkRequest(ID)],
    "_suspend_fa": [SuspendRequest(ID)],
    "_resume_fa": [ResumeRequest(ID)],
    "_resolve_fa": [ResolveRequest(ID)],
    "_history": ID,
}
#: Who manages users goes through the first steps.
OPEN_TO_SYSTEM = {"spar.first.steps"}
#: What administrators work with: counts by office, and what a move or a new rule left.
ADMINISTERED = {"spar.office.person", "spar.recheck.finding", "spar.move.left"}
STORE = (
    "spar.subject",
    "spar.subject.id",
    "spar.mapping",
    "spar.event",
    "spar.change",
    "spar.notice",
    "spar.alarm",
)


class TestSparRights(StoreCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.users = {role: cls.create_user(role) for role in ROLES}
        cls.users["nobody"] = cls.create_user(login="test_nobody")
        cls.users["portal"] = new_test_user(
            cls.env, "test_portal", groups="base.group_portal"
        )
        cls.users["system"] = new_test_user(
            cls.env, "test_system", groups="base.group_system"
        )
        cls.users["public"] = cls.env.ref("base.public_user")

    def setUp(self):
        super().setUp()
        self.link(ID, FA)

    def call_as(self, user, method):
        mapper = self.mapper.with_user(user)
        return getattr(mapper, method)(self.call, ARGUMENTS[method])

    def test_unauthorised_user_is_refused_without_effect(self):
        for method, roles in MAY.items():
            for role, user in self.users.items():
                if role in roles:
                    continue
                with self.subTest(method=method, role=role):
                    with self.assertRaises(NotPermitted):
                        self.call_as(user, method)
        self.assertEqual(self.events_of(ID), ["linked"])
        self.assertFalse(self.subject_of(OTHER_ID))

    def test_refusal_contains_neither_id_nor_address(self):
        error = self.assert_refused(
            NotPermitted, self.call_as, self.users["viewer"], "_link_fa"
        )
        for value in (ID, OTHER_ID, FA):
            self.assertNotIn(value, repr(error))

    def test_authorised_user_succeeds(self):
        for method, roles in MAY.items():
            for role in roles:
                with self.subTest(method=method, role=role):
                    self.assertTrue(self.call_as(self.users[role], method))

    def test_a_channel_may_do_everything(self):
        channel = self.create_channel()
        for method in MAY:
            with self.subTest(method):
                self.assertTrue(self.call_as(channel, method))

    def test_an_officer_needs_no_other_right(self):
        mapper = self.mapper.with_user(self.users["officer"])
        call = mapper._build_staff_call("came in person")
        results = mapper._link_fa(call, [LinkRequest(OTHER_ID, FA)])
        self.assertEqual(results[0].outcome, Outcome.LINKED)
        found = mapper._resolve_fa(call, [ResolveRequest(OTHER_ID)])[0]
        self.assertEqual(found.fa, FA)
        self.assertEqual(found.provider.code, "TESTBANK")

    def test_nothing_of_the_mapper_can_be_called_from_outside(self):
        base = type(self.env["base"])
        for name in ("spar.mapper.local", "spar.audit"):
            own = {
                word for word in dir(type(self.env[name])) if not hasattr(base, word)
            }
            public = {word for word in own if not word.startswith("_")}
            callable_words = {w for w in public if callable(getattr(self.env[name], w))}
            with self.subTest(name):
                self.assertFalse(callable_words)
            for method in own - public:
                with self.subTest(model=name, method=method):
                    with self.assertRaises(AccessError):
                        get_public_method(self.env[name], method)

    def test_the_remote_call_of_a_private_word_is_refused(self):
        for role in ("officer", "administrator"):
            mapper = self.mapper.with_user(self.users[role])
            for method in MAY:
                with self.subTest(role=role, method=method):
                    with self.assertRaises(AccessError):
                        call_kw(mapper, method, [[], ID], {})

    def test_no_role_writes_a_table_of_the_store(self):
        for name in STORE:
            for role, user in self.users.items():
                for operation in ("create", "write", "unlink"):
                    with self.subTest(model=name, role=role, operation=operation):
                        model = self.env[name].with_user(user)
                        self.assertFalse(model.has_access(operation))

    def test_user_without_a_role_reads_no_table_of_the_store(self):
        for name in STORE:
            for role in ("nobody", "portal", "public", "system", "administrator"):
                with self.subTest(model=name, role=role):
                    model = self.env[name].with_user(self.users[role])
                    self.assertFalse(model.has_access("read"))

    def test_user_without_a_role_has_no_right_on_any_model(self):
        """Try each model of the suite, whichever addon has it."""
        found = {
            name
            for name, model in self.env.registry.items()
            if name.startswith("spar.") and not model._abstract
        }
        self.assertGreater(len(found), 80)
        for role in ("nobody", "portal", "public", "system"):
            expected = OPEN_TO_SYSTEM if role == "system" else set()
            reached = {
                name
                for name in found
                for operation in ("read", "create", "write", "unlink")
                if self.env[name].with_user(self.users[role]).has_access(operation)
            }
            with self.subTest(role):
                self.assertEqual(reached, expected)

    def test_administrator_reads_no_more_about_people_than_settings_need(self):
        """Try each model of which users see only the people of their office."""
        rules = self.env["ir.rule"].search([("domain_force", "like", "_get_reach")])
        names = set(rules.mapped("model_id.model"))
        self.assertGreater(len(names), 20)
        administrator = self.users["administrator"]
        readable = {
            name
            for name in names
            if self.env[name].with_user(administrator).has_access("read")
        }
        self.assertEqual(readable, ADMINISTERED)

    def test_an_alarm_is_for_supervisors_and_auditors(self):
        readers = {
            role
            for role, user in self.users.items()
            if self.env["spar.alarm"].with_user(user).has_access("read")
        }
        self.assertEqual(readers, {"supervisor", "auditor"})

    def test_only_the_administrator_makes_rules(self):
        for operation in ("create", "write", "unlink"):
            may = {
                role
                for role, user in self.users.items()
                if self.rules.with_user(user).has_access(operation)
            }
            with self.subTest(operation):
                self.assertEqual(may, {"administrator"})
