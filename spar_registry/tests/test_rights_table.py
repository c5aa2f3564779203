from base64 import b64encode
from secrets import randbelow, token_hex
from unittest.mock import patch

from lxml import etree

from odoo import models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.orm.model_classes import add_to_registry
from odoo.tests import new_test_user

from odoo.addons.spar_fa_directory.tests.buttons import iter_buttons
from odoo.addons.spar_mapper_connector.lib.contract import Outcome, Result

from .common import FA, ID, OTHER_FA, RegistryCase

ADDON = "odoo.addons.spar_registry."
ROLES = (
    "viewer",
    "officer",
    "portal",
    "nobody",
    "other",
    "programme viewer",
    "user",
    "readiness",
    "manager",
    "mover",
)
#: A mover is a manager who is an administrator of the registry as well.
MANAGERS = {"manager", "mover"}
USERS = {"user", "readiness", *MANAGERS}
#: Who checks for many people at once whether they can be paid.
CHECKERS = {"readiness", *MANAGERS}
VIEWERS = {*USERS, "programme viewer"}

#: What each role may do with a row about a person whom it may see: read, write, create,
#: unlink. Roles that are not named may do nothing; "other" is a programme's user of
#: another company, who may not see the person.
MODELS: dict[str, dict[str, str]] = {
    "spar.person.identity": {
        **{role: "rwc" for role in USERS},
        "programme viewer": "r",
    },
    "spar.programme": {
        "programme viewer": "r",
        "user": "r",
        "readiness": "r",
        **{role: "rwc" for role in MANAGERS},
    },
    "spar.programme.member": {
        "programme viewer": "r",
        "user": "r",
        "readiness": "r",
        **{role: "rwcu" for role in MANAGERS},
    },
    "spar.programme.cycle": {
        "user": "r",
        "readiness": "r",
        **{role: "rwc" for role in MANAGERS},
    },
    "spar.consent": {role: "rc" for role in USERS},
    "spar.payment.account": {role: "r" for role in VIEWERS},
    "spar.outbox.entry": {
        "user": "r",
        "readiness": "r",
        **{role: "rw" for role in MANAGERS},
    },
    "spar.outbox.summary": {role: "r" for role in USERS},
    "spar.registry.task": {role: "rw" for role in USERS},
    "spar.sweep": {role: "r" for role in (*USERS, "other")},
    "spar.registry.setting": {role: "r" for role in MANAGERS},
    "spar.readiness.run": {role: "r" for role in CHECKERS},
    "spar.readiness.line": {role: "r" for role in CHECKERS},
    "spar.readiness.export": {role: "r" for role in CHECKERS},
    "spar.readiness.chunk": {},
    "spar.person.name": {},
    "spar.registry.lookup": {},
    # Windows of somebody else: only new ones are opened, about people whom one sees.
    "spar.address.wizard": {role: "c" for role in VIEWERS},
    "spar.collect.wizard": {role: "c" for role in USERS},
    "spar.collect.wizard.part": {},
    "spar.give.up.wizard": {role: "c" for role in MANAGERS},
    "spar.move.wizard": {role: "c" for role in USERS},
    "spar.readiness.export.wizard": {role: "c" for role in CHECKERS},
    "spar.readiness.wizard": {role: "c" for role in CHECKERS},
    "spar.suspend.wizard": {role: "c" for role in USERS},
    # Files of somebody else: managers see their counts, nobody else anything.
    "spar.account.import": {
        "other": "c",
        "user": "c",
        "readiness": "c",
        **{role: "rwcu" for role in MANAGERS},
    },
    "spar.account.layout": {role: "ru" for role in MANAGERS},
    "spar.sealed.import.piece": {},
    "spar.sealed.import.chunk": {},
    "spar.sealed.import.seen": {},
    "spar.sealed.import.column": {},
    "spar.sealed.import.sheet": {},
    "spar.openg2p.move": {"mover": "rwcu"},
}
#: Who may press each button, and call each method, that is open to remote calls.
ACTIONS: dict[tuple[str, str], set[str]] = {
    ("res.partner", "get_spar_address"): VIEWERS,
    ("res.partner", "action_open_spar_address"): VIEWERS,
    # It opens an empty form: whom it is about is checked when it is saved.
    ("res.partner", "action_record_spar_consent"): USERS | {"other"},
    ("spar.address.wizard", "action_change"): USERS,
    ("spar.address.wizard", "action_remove"): USERS,
    ("spar.address.wizard", "action_resolve"): VIEWERS,
    ("spar.address.wizard", "action_resume"): USERS,
    ("spar.address.wizard", "action_suspend"): USERS,
    ("spar.collect.wizard", "action_confirm"): USERS,
    ("spar.consent", "action_withdraw"): USERS,
    ("spar.give.up.wizard", "action_confirm"): MANAGERS,
    ("spar.move.wizard", "action_approve"): MANAGERS,
    ("spar.move.wizard", "action_open_person"): USERS,
    ("spar.move.wizard", "action_propose"): USERS,
    ("spar.move.wizard", "action_withdraw"): USERS,
    ("spar.outbox.entry", "action_open_account"): USERS,
    ("spar.outbox.entry", "action_open_give_up"): MANAGERS,
    ("spar.outbox.entry", "action_retry"): MANAGERS,
    ("spar.outbox.summary", "action_open_conflicts"): USERS,
    ("spar.outbox.summary", "action_open_failed"): USERS,
    ("spar.outbox.summary", "action_open_parked"): USERS,
    ("spar.outbox.summary", "action_open_waiting"): USERS,
    ("spar.payment.account", "action_open_give_up"): MANAGERS,
    ("spar.payment.account", "action_open_person"): VIEWERS,
    ("spar.payment.account", "action_retry"): MANAGERS,
    ("spar.payment.account", "action_send"): USERS,
    ("spar.programme", "action_check_readiness"): CHECKERS,
    ("spar.programme", "action_open_outdated"): VIEWERS,
    ("spar.programme.cycle", "action_check_readiness"): CHECKERS,
    ("spar.readiness.export.wizard", "action_export"): CHECKERS,
    ("spar.readiness.run", "action_check_again"): CHECKERS,
    ("spar.readiness.run", "action_continue"): CHECKERS,
    ("spar.readiness.run", "action_export"): CHECKERS,
    ("spar.readiness.run", "action_open_call_list"): CHECKERS,
    ("spar.readiness.run", "action_open_changes"): CHECKERS,
    ("spar.readiness.run", "action_open_chart"): CHECKERS,
    ("spar.readiness.run", "action_open_lines"): CHECKERS,
    ("spar.readiness.run", "action_refresh"): CHECKERS,
    ("spar.readiness.run", "action_stop"): CHECKERS,
    ("spar.readiness.wizard", "action_start"): CHECKERS,
    ("spar.registry.task", "action_dismiss"): USERS,
    ("spar.registry.task", "action_done"): USERS,
    ("spar.registry.task", "action_solve"): USERS,
    ("spar.suspend.wizard", "action_confirm"): USERS,
    ("spar.suspend.wizard", "action_remove"): USERS,
    ("spar.sweep", "action_open_tasks"): USERS | {"other"},
    # Only the user who uploaded a file may do these.
    ("spar.account.import", "action_destroy_refused"): set(),
    ("spar.account.import", "action_download_refused"): set(),
    ("spar.account.import", "action_load"): set(),
    ("spar.account.import", "action_try"): set(),
    ("spar.account.import", "action_check"): MANAGERS,
    ("spar.account.import", "action_confirm"): MANAGERS,
    ("spar.account.import", "action_stop"): MANAGERS,
    ("spar.openg2p.move", "action_check"): {"mover"},
    ("spar.openg2p.move", "action_compare"): set(),
    ("spar.openg2p.move", "action_compare_directory"): {"mover"},
    ("spar.openg2p.move", "action_confirm"): {"mover"},
    ("spar.openg2p.move", "action_destroy_refused"): set(),
    ("spar.openg2p.move", "action_download_refused"): set(),
    ("spar.openg2p.move", "action_load"): set(),
    ("spar.openg2p.move", "action_load_directory"): {"mover"},
    ("spar.openg2p.move", "action_stop"): {"mover"},
    ("spar.openg2p.move", "action_try"): set(),
}
FILE = b64encode(b"National ID,Account number\n1,2\n")
MAPPINGS = b64encode(b"id_value,fa_value\n1,2\n")
JOB = {"job_model": "spar.account.import", "job_id": 1}


class Undone(Exception):
    """The end of an attempt: what it did is undone."""


class Hidden(Exception):
    """A user finds no such row."""


REFUSED = (AccessError, UserError, Hidden)


class TestRightsTable(RegistryCase):
    """Every role tries everything that this addon has."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other_company = cls.env["res.company"].create({"name": "Another ministry"})
        cls.users = {
            "viewer": cls.create_user("viewer"),
            "officer": cls.create_user("officer"),
            "portal": new_test_user(
                cls.env, "table.portal", groups="base.group_portal"
            ),
            "nobody": cls.create_user(login="table.nobody"),
            "other": cls.create_programme_user("group_programme_user", "table.other"),
            "programme viewer": cls.create_programme_user(
                "group_programme_viewer", "table.programme.viewer"
            ),
            "user": cls.user,
            "readiness": cls.create_programme_user("group_readiness", "table.ready"),
            "manager": cls.manager,
            "mover": cls.create_programme_user(
                "group_programme_manager,spar_fa_directory.group_administrator",
                "table.mover",
            ),
        }
        cls.users["other"].write(
            {
                "company_ids": [Command.set(cls.other_company.ids)],
                "company_id": cls.other_company.id,
            }
        )
        company = cls.env.company
        cls.programme.write({"company_id": company.id, "needs_consent": True})
        cls.ada.company_id = company
        cls.member = cls.env["spar.programme.member"].create(
            {"partner_id": cls.ada.id, "programme_id": cls.programme.id}
        )
        cls.consent = cls.env["spar.consent"].create(
            {
                "partner_id": cls.ada.id,
                "programme_id": cls.programme.id,
                "given_how": "signed",
            }
        )

    @classmethod
    def create_programme_user(cls, group, login):
        return new_test_user(
            cls.env,
            login,
            groups=f"base.group_user,base.group_partner_manager,spar_registry.{group}",
        )

    def setUp(self):
        super().setUp()
        self.store.set(ID, OTHER_FA)
        self.store.outcomes[ID] = Result(Outcome.LOCKED, ID)
        self.account = self.collect(self.ada, FA)
        self.run_outbox()
        self.entry = self.account.entry_ids
        self.assertEqual(self.entry.state, "failed")
        self.store.outcomes.clear()
        self.ada.spar_identity_ids.active = False
        self.identity = self.create_identity()
        self.task = self.env["spar.registry.task"].search(
            [("kind", "=", "identity_replaced"), ("partner_id", "=", self.ada.id)]
        )
        self.cycle = self.env["spar.programme.cycle"].create(
            {"name": "March", "programme_id": self.programme.id}
        )
        self.check = self.start_check()
        self.env.flush_all()

    def start_check(self):
        """Return a readiness run of the user with that right."""
        user = self.users["readiness"]
        query = self.ada.with_user(user)._search([("id", "=", self.ada.id)])
        runs = self.env["spar.readiness.run"].with_user(user)
        run = runs._start(query, "programme", self.programme)
        run.env["spar.readiness.export"]._export(run, "all", "csv")
        return run.sudo()

    def create_identity(self):
        values = {**self.get_new_identity(), "is_verified": True}
        return self.env["spar.person.identity"].create(values)

    def get_new_identity(self) -> dict:
        return {
            "partner_id": self.ada.id,
            "id_type_id": self.id_type.id,
            "value": "2007823972",
        }

    def get_new_values(self) -> dict[str, dict]:
        """Return the values with which a row of each model is created."""
        person = {"partner_id": self.ada.id}
        both = {**person, "programme_id": self.programme.id}
        return {
            "spar.person.identity": self.get_new_identity(),
            "spar.programme": {"name": "New", "code": "NEW"},
            "spar.programme.cycle": {
                "name": "April",
                "programme_id": self.programme.id,
            },
            "spar.registry.setting": {"name": "New", "code": "new", "value": 1},
            "spar.readiness.run": {
                "name": "New",
                "source": "people",
                "user_id": self.users["readiness"].id,
            },
            "spar.readiness.line": {"run_id": self.check.id},
            "spar.readiness.export": {
                "run_id": self.check.id,
                "user_id": self.users["readiness"].id,
                "scope": "all",
                "file_format": "csv",
            },
            "spar.readiness.chunk": {
                "run_id": self.check.id,
                "position": 9,
                "first_id": 1,
                "last_id": 1,
                "people_count": 1,
            },
            "spar.person.name": {"partner_id": self.grace.id},
            "spar.registry.lookup": {
                "actor": f"user:{self.manager.id}",
                "kind": "file",
                "looked_at": "2026-01-01",
            },
            "spar.readiness.export.wizard": {"run_id": self.check.id},
            "spar.readiness.wizard": {
                "source": "programme",
                "programme_id": self.programme.id,
            },
            "spar.programme.member": {
                "partner_id": self.grace.id,
                "programme_id": self.programme.id,
            },
            "spar.consent": {**both, "given_how": "signed"},
            "spar.payment.account": both,
            "spar.outbox.entry": {
                "account_id": self.account.id,
                "backend_id": self.backend.id,
            },
            "spar.outbox.summary": {"programme_id": self.programme.id},
            "spar.registry.task": {**both, "kind": "died"},
            "spar.sweep": {},
            "spar.address.wizard": person,
            "spar.collect.wizard": person,
            "spar.collect.wizard.part": {"wizard_id": 0},
            "spar.give.up.wizard": {"reason": "Moved away"},
            "spar.move.wizard": {"task_id": self.task.id},
            "spar.suspend.wizard": person,
            "spar.account.import": {"file": FILE, "filename": "accounts.csv"},
            "spar.account.layout": {"signature": token_hex(8), "names": ["id"]},
            "spar.sealed.import.piece": {**JOB, "place": randbelow(10**9)},
            "spar.sealed.import.chunk": {**JOB, "end": 1, "row": randbelow(10**9)},
            "spar.sealed.import.seen": {**JOB, "row": 1},
            "spar.sealed.import.column": {**JOB, "name": "ignored"},
            "spar.sealed.import.sheet": {**JOB, "name": "Sheet"},
            "spar.openg2p.move": {"file": MAPPINGS, "filename": "mappings.csv"},
        }

    def get_changes(self) -> dict[str, dict]:
        """Return what is written to a row of each model."""
        return {
            "spar.person.identity": {"is_verified": True},
            "spar.programme": {"name": "Renamed"},
            "spar.programme.cycle": {"name": "May"},
            "spar.programme.member": {"active": False},
            "spar.readiness.run": {"state": "done"},
            "spar.readiness.line": {"state": "payable"},
            "spar.readiness.export": {"row_count": 0},
            "spar.readiness.chunk": {"is_done": True},
            "spar.person.name": {"partner_id": self.grace.id},
            "spar.registry.lookup": {"is_found": True},
            "spar.registry.setting": {"name": "Renamed"},
            "spar.consent": {"withdrawn_at": False},
            "spar.payment.account": {"state": "confirmed"},
            "spar.outbox.entry": {"user_id": self.manager.id},
            "spar.outbox.summary": {"failed": 0},
            "spar.registry.task": {"answer": "Looked at it"},
            "spar.sweep": {"drift": 0},
            "spar.account.import": {"filename": "renamed.csv"},
            "spar.account.layout": {"filename": "renamed.csv"},
            "spar.sealed.import.column": {"fill_down": True},
        }

    def get_row(self, model):
        """Return a row about Ada, or the window of somebody else."""
        rows = {
            "spar.person.identity": self.identity,
            "spar.programme": self.programme,
            "spar.programme.cycle": self.cycle,
            "spar.programme.member": self.member,
            "spar.readiness.run": self.check,
            "spar.readiness.line": self.check.line_ids,
            "spar.readiness.export": self.check.export_ids,
            "spar.readiness.chunk": self.env["spar.readiness.chunk"].search(
                [("run_id", "=", self.check.id)]
            ),
            "spar.person.name": self.env["spar.person.name"].search(
                [("partner_id", "=", self.ada.id)]
            ),
            "spar.registry.setting": self.env["spar.registry.setting"].search([])[:1],
            "spar.consent": self.consent,
            "spar.payment.account": self.account,
            "spar.outbox.entry": self.entry,
            "spar.registry.task": self.task,
        }
        if model in rows:
            return rows[model]
        if model == "spar.outbox.summary":
            return self.env[model].search([("programme_id", "=", self.programme.id)])
        if model == "spar.collect.wizard.part":
            wizard = self.env["spar.collect.wizard"].create({"partner_id": self.ada.id})
            part = self.env.ref("spar_fa_directory.type_bank_account").part_ids[:1]
            return self.env[model].create({"wizard_id": wizard.id, "part_id": part.id})
        return self.env[model].create(self.get_new_values()[model])

    # === MODELS === #

    def is_done(self, attempt) -> bool:
        """Return whether an attempt succeeds; it is undone."""
        try:
            with self.env.cr.savepoint():
                attempt()
                self.env.flush_all()
                raise Undone()
        except Undone:
            return True
        except REFUSED:
            return False
        finally:
            self.env.invalidate_all()

    def find(self, row) -> None:
        """Read a row, and find it; raises Hidden for one that is not there."""
        found = row.search([("id", "in", row.ids)])
        if not row.read(["display_name"]) or not found:
            raise Hidden()

    def try_everything(self, model, user) -> str:
        """Return the letters of what a user may do with a model."""
        row = self.get_row(model).with_user(user)
        rows = self.env[model].with_user(user)
        self.env.flush_all()
        self.env.invalidate_all()
        values = self.get_new_values()[model]
        if model == "spar.collect.wizard.part":
            part_sudo = row.sudo()
            values = {
                "wizard_id": part_sudo.wizard_id.id,
                "part_id": part_sudo.part_id.id,
            }
        change = self.get_changes().get(model, {"create_uid": user.id})
        attempts = {
            "r": lambda: self.find(row),
            "w": lambda: row.write(change),
            "c": lambda: rows.create(values),
            "u": lambda: row.unlink(),
        }
        return "".join(
            letter for letter, attempt in attempts.items() if self.is_done(attempt)
        )

    def test_every_role_tries_every_model(self):
        for model, expected in MODELS.items():
            for role in ROLES:
                with self.subTest(model=model, role=role):
                    found = self.try_everything(model, self.users[role])
                    self.assertEqual(found, expected.get(role, ""))

    def find_models(self) -> set[str]:
        """Return the models of this addon that have rows."""
        return {
            name
            for name, model in self.env.registry.items()
            if model._original_module == "spar_registry" and not model._abstract
        }

    def test_the_table_has_every_model(self):
        self.assertEqual(self.find_models(), set(MODELS))

    def test_new_model_is_noticed(self):
        class NewModel(models.Model):
            _name = "spar.new.model"
            _description = "A model that is not in the table"

        add_to_registry(self.registry, NewModel)
        self.addCleanup(self.registry.__delitem__, NewModel._name)
        self.assertEqual(self.find_models() - set(MODELS), {NewModel._name})

    def test_no_role_finds_rows_about_people_whom_it_does_not_see(self):
        for model in MODELS:
            if "partner_id" not in self.env[model]._fields:
                continue
            self.get_row(model)
            rows = self.env[model].with_user(self.users["other"])
            if not rows.has_access("read"):
                continue
            with self.subTest(model):
                self.assertFalse(rows.search([("partner_id", "=", self.ada.id)]))

    def test_a_record_rule_on_contacts_hides_their_rows(self):
        self.env["ir.rule"].create(
            {
                "name": "Grace only",
                "model_id": self.env.ref("base.model_res_partner").id,
                "domain_force": f"[('id', '!=', {self.ada.id})]",
                "groups": [
                    Command.link(self.env.ref("spar_registry.group_readiness").id)
                ],
            }
        )
        user = self.users["readiness"]
        for model in ("spar.person.identity", "spar.consent", "spar.registry.task"):
            with self.subTest(model):
                self.assertEqual(self.try_everything(model, user), "")

    # === BUTTONS === #

    def prepare(self, model, method, user):
        """Return a row on which a method does what it is for."""
        if model == "res.partner":
            return self.ada
        row = self.get_row(model)
        if row._transient:
            row = self.open_window(model, user, method)
        if method == "action_send":
            return self.collect(self.ada, FA, queue=False)
        if method == "action_dismiss":
            row.answer = "Nothing has to be done"
        return row

    def open_window(self, model, user, method):
        """Return a window that the user opened themselves, or would have opened."""
        values = self.get_new_values()[model]
        if method == "action_confirm":
            values = {**values, **self.get_filled(model)}
        if method in ("action_approve", "action_withdraw"):
            self.env["spar.identity.move"].with_user(self.users["readiness"])._propose(
                self.task.with_user(self.users["readiness"])
            )
            # The address to move.
            self.store.set(ID, FA)
        window = self.env[model].create(values)
        self.env.flush_all()
        table = self.env[model]._table
        self.env.cr.execute(
            f"UPDATE {table} SET create_uid = %s WHERE id = %s", (user.id, window.id)
        )
        self.env.invalidate_all()
        return window

    def get_filled(self, model) -> dict:
        filled = {
            "spar.collect.wizard": {
                "fa_text": FA,
                "programme_id": self.programme.id,
            },
            "spar.give.up.wizard": {"entry_ids": [Command.set(self.entry.ids)]},
            "spar.suspend.wizard": {"reason": "Reported"},
        }
        return filled.get(model, {})

    def press(self, model, method, role):
        user = self.users[role]
        row = self.prepare(model, method, user)
        self.env.flush_all()
        self.env.invalidate_all()
        getattr(row.with_user(user), method)()

    def test_every_role_presses_every_button(self):
        # Suspending works on the ID that has the address.
        self.store.set("token:2007823972@nationalid", FA)
        for (model, method), allowed in ACTIONS.items():
            for role in ROLES:
                if method == "action_approve":
                    self.store.places.pop("token:2007823972@nationalid", None)
                else:
                    self.store.set("token:2007823972@nationalid", FA)
                with self.subTest(model=model, method=method, role=role):
                    done = self.is_done(
                        lambda m=model, n=method, r=role: self.press(m, n, r)
                    )
                    self.assertEqual(done, role in allowed)

    def find_methods(self) -> set[tuple[str, str]]:
        """Return the methods that remote calls reach, by model.

        Those of our models, from whichever addon of the suite; and those that this
        addon adds to models of others, also to abstract ones.
        """
        generic = set(dir(type(self.env["mail.thread"])))
        return {
            (name, method)
            for name, model in self.env.registry.items()
            for klass in model.__mro__
            if klass.__module__.startswith(self.get_origin(model))
            for method, value in vars(klass).items()
            if callable(value) and not method.startswith("_") and method not in generic
        }

    def get_origin(self, model) -> str:
        """Return in which modules the methods count that a model has."""
        is_ours = model._original_module == "spar_registry" and not model._abstract
        return "odoo.addons.spar_" if is_ours else ADDON

    def test_the_table_has_every_method(self):
        inherited = {
            (name, method)
            for name, method in self.find_methods()
            if self.env.registry[name]._abstract
        }
        # Nobody reaches rows by an abstract model: there are none.
        self.assertEqual({name for name, _method in inherited}, {"spar.sealed.import"})
        self.assertEqual(self.find_methods() - inherited, set(ACTIONS))

    def test_new_method_is_noticed(self):
        for model in ("spar.sweep", "res.partner"):
            klass = next(
                klass
                for klass in type(self.env[model]).__mro__
                if klass.__module__.startswith(ADDON)
            )
            with patch.object(klass, "action_new", print, create=True):
                new = self.find_methods() - set(ACTIONS)
                self.assertIn((model, "action_new"), new)

    def find_buttons(self) -> set[tuple[str, str]]:
        """Return the buttons of this addon's views, by model and method."""
        owners = self.env["ir.model.data"].search(
            [("module", "=", "spar_registry"), ("model", "=", "ir.ui.view")]
        )
        views = self.env["ir.ui.view"].browse(owners.mapped("res_id"))
        return {
            pair
            for view in views
            if view.model
            for pair in iter_buttons(
                self.env, etree.fromstring(view.arch_db), view.model
            )
        }

    def test_the_table_has_every_button(self):
        found = self.find_buttons()
        self.assertGreater(len(found), 30)
        self.assertEqual(found - set(ACTIONS), set())

    def test_new_button_is_noticed(self):
        arch = etree.fromstring(
            """<form>
                <button name="new" type="object"/>
                <field name="entry_ids">
                    <list><button name="newer" type="object"/></list>
                </field>
            </form>"""
        )
        found = set(iter_buttons(self.env, arch, "spar.payment.account"))
        new = {("spar.payment.account", "new"), ("spar.outbox.entry", "newer")}
        self.assertEqual(found, new)
        self.assertFalse(new & set(ACTIONS))
