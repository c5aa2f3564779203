"""Staff of an office see and change only their own people and those of no office."""

from contextlib import nullcontext
from unittest.mock import patch

from psycopg2 import IntegrityError

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tools import mute_logger

from odoo.addons.spar_mapper_connector import expressions
from odoo.addons.spar_mapper_connector.exceptions import (
    OtherOffice,
    SealBroken,
    SettingsAltered,
)
from odoo.addons.spar_mapper_connector.lib.contract import (
    Authority,
    CallContext,
    Outcome,
    ResolveRequest,
)
from odoo.addons.spar_mapper_connector.server import readers
from odoo.addons.spar_mapper_connector.tests.other_addon import load_addon
from odoo.addons.spar_mapper_connector.tests.test_two_accounts import ServedRequest

from .common import FA, ID, OTHER_FA, OTHER_ID, THIRD_FA, StoreCase
from .test_spar_limit import SEALS

FREE_ID = "token:5555666677@nationalId"


class TestSparOffice(StoreCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        names = {
            "north": "officer",
            "south": "officer",
            "everywhere": "officer",
            "head": "supervisor",
            "auditor": "auditor",
            "south_auditor": "auditor",
            "first": "administrator",
            "second": "administrator",
        }
        cls.users = {
            name: cls.create_user(role, f"office-{name}")
            for name, role in names.items()
        }
        members = {"north": ["north"], "south": ["south", "south_auditor"]}
        cls.offices = {
            name: cls.env["spar.office"].create(
                {
                    "name": name.capitalize(),
                    "member_ids": [Command.set([cls.users[each].id for each in staff])],
                }
            )
            for name, staff in members.items()
        }

    def setUp(self):
        super().setUp()
        self.link(ID, FA)
        self.link(OTHER_ID, OTHER_FA)
        self.link(FREE_ID, THIRD_FA)
        self.move(ID, "north")
        self.move(OTHER_ID, "south")

    def move(self, id_value, office, user="head"):
        mapper = self.mapper.with_user(self.users[user])
        subjects = self.subject_of(id_value).ids
        call = mapper._build_staff_call("as the ministry says")
        moved = mapper._move_to_office(call, subjects, self.offices.get(office))
        self.env.invalidate_all()
        return moved

    def seen(self, user, model="spar.mapping", path="subject_id"):
        """Return which of the three people a user sees."""
        known = {self.subject_of(each): each for each in (ID, OTHER_ID, FREE_ID)}
        rows = self.env[model].with_user(self.users[user]).search([])
        subjects = rows.sudo().mapped(path) if path else rows.sudo()
        return {known[each] for each in subjects if each in known}

    # === VISIBILITY === #

    def test_which_office_somebody_belongs_to_is_seen_there_alone(self):
        for user in ("south", "south_auditor"):
            with self.subTest(user):
                rows = self.env["spar.office.person"].with_user(self.users[user])
                self.assertEqual(rows.search([]).office_id, self.offices["south"])
                counts = self.offices["north"].with_user(self.users[user]).people_count
                self.assertEqual(counts, 0)
        rows = self.env["spar.office.person"].with_user(self.users["everywhere"])
        self.assertEqual(len(rows.search([]).office_id), 2)

    def test_each_list_shows_ones_own_people_and_those_of_no_office(self):
        lists = {
            "spar.mapping": "subject_id",
            "spar.mapping.period": "subject_id",
            "spar.event": "subject_id",
        }
        for model, path in lists.items():
            with self.subTest(model):
                self.assertEqual(self.seen("north", model, path), {ID, FREE_ID})
                self.assertEqual(self.seen("south", model, path), {OTHER_ID, FREE_ID})
                everybody = {ID, OTHER_ID, FREE_ID}
                self.assertEqual(self.seen("everywhere", model, path), everybody)

    def test_neither_a_search_nor_a_count_nor_a_reveal_goes_past_it(self):
        mappings = self.env["spar.mapping"].with_user(self.users["north"])
        self.assertFalse(mappings.search([("id_value", "=", OTHER_ID)]))
        self.assertEqual(mappings.search_count([("id_value", "=", OTHER_ID)]), 0)
        self.assertTrue(mappings.search([("id_value", "=", ID)]))
        mapping = self.mapping_of(OTHER_ID)
        with self.assertRaises(AccessError):
            mapping.with_user(self.users["north"]).read(["id_masked"])
        with self.assertRaises(AccessError):
            mapping.with_user(self.users["north"])._show()
        wizards = self.env["spar.find.wizard"].with_user(self.users["north"])
        wizard = wizards.create({"typed": OTHER_ID})
        self.assertFalse(wizard.action_find())
        self.assertEqual(wizard.answer, "none")
        reveals = self.env["spar.reveal.wizard"].with_user(self.users["south_auditor"])
        reveal = reveals.create(
            {"mapping_id": self.mapping_of(ID).id, "reason": "asked in writing"}
        )
        with self.enter_registry_test_mode(), self.assertRaises(AccessError):
            reveal.action_reveal()

    def test_odoo_names_nobody_of_another_office(self):
        """An activity holds the name of any record, by its number."""
        for user, id_value, is_open in (
            ("north", ID, True),
            ("north", OTHER_ID, False),
            ("everywhere", OTHER_ID, True),
        ):
            event = self.subject_of(id_value).event_ids[:1]
            rows = self.env["mail.activity"].with_user(self.users[user])
            served = ServedRequest(self.users[user].id)
            number = {"res_model": event._name, "res_id": event.id}
            with (
                self.subTest(user, id_value=id_value),
                patch.object(expressions, "request", served),
                patch.object(readers, "request", served),
                mute_logger("odoo.addons.spar_mapper_connector.server.reading"),
                nullcontext() if is_open else self.assertRaises(AccessError),
            ):
                self.env.invalidate_all()
                found = rows.onchange(number, [], {"res_name": {}})["value"]
                self.assertEqual(found["res_name"], event.display_name)

    def test_odoo_lists_people_of_one_s_own_office(self):
        """As the person, and as superuser for them; the rules ask about each other."""
        work = load_addon(self, "mail")
        for user, known in (("north", {ID, FREE_ID}), ("south", {OTHER_ID, FREE_ID})):
            served = ServedRequest(self.users[user].id)
            expected = self.env["spar.subject"].union(*map(self.subject_of, known))
            others = self.subject_of(ID) + self.subject_of(OTHER_ID) - expected
            for model in ("spar.subject", "spar.mapping", "spar.event"):
                rows = self.env[model].with_user(self.users[user])
                path = "id" if model == "spar.subject" else "subject_id"
                with (
                    self.subTest(user, model=model),
                    patch.object(expressions, "request", served),
                    patch.object(readers, "request", served),
                ):
                    self.env.invalidate_all()
                    for found in (
                        work.find_for_user(rows),
                        work.find_all(rows, [(path, "in", (expected + others).ids)]),
                    ):
                        people = found.sudo().mapped(path)
                        ids = people if path == "id" else people.ids
                        self.assertLessEqual(set(expected.ids), set(ids))
                        self.assertFalse(set(others.ids) & set(ids))

    def look_up(self, user, id_value) -> bool:
        """Return whether a programme's user is shown an address; the look stays."""
        mapper_sudo = self.mapper.with_user(user).sudo()
        call = CallContext("registry", "registry", Authority.PROGRAMME)
        try:
            return bool(mapper_sudo._look_up(call, ResolveRequest(id_value)).fa)
        except OtherOffice:
            return False

    def test_a_programmes_user_looks_up_nobody_of_another_office(self):
        for user, hidden in (("north", OTHER_ID), ("south", ID), ("everywhere", None)):
            for id_value in (ID, OTHER_ID, FREE_ID):
                with self.subTest(user=user, id_value=id_value):
                    found = self.look_up(self.users[user], id_value)
                    self.assertEqual(found, id_value != hidden)
        rows = self.env["spar.lookup"].search([("kind", "=", "programme")])
        self.assertEqual(len(rows), 9)

    def get_guarded(self):
        """Return the models of which a user sees only those of their offices."""
        rules = self.env["ir.rule"].search([("domain_force", "like", "_get_reach")])
        return set(rules.mapped("model_id.model"))

    def test_every_list_that_names_a_person_is_limited(self):
        guarded = self.get_guarded()
        self.assertIn("spar.mapping", guarded)
        open_to_all = [
            name
            for name, model in self.env.registry.items()
            if not (model._abstract or model._transient or name in guarded)
            and any(
                field.type == "many2one" and field.comodel_name in guarded
                for field in model._fields.values()
            )
            and self.env["ir.model.access"].search_count(
                [("model_id.model", "=", name), ("perm_read", "=", True)], limit=1
            )
        ]
        self.assertEqual(open_to_all, [])
        self.assertEqual(self.seen("north", "spar.office.person"), {ID})
        everybody = {ID, OTHER_ID}
        self.assertEqual(self.seen("everywhere", "spar.office.person"), everybody)

    def test_no_field_shows_a_person_as_the_superuser(self):
        guarded = self.get_guarded()
        shown = [
            f"{name}.{field.name}"
            for name, model in self.env.registry.items()
            if not model._abstract
            for field in model._fields.values()
            if field.related
            and field.compute_sudo
            and model._fields[field.related.split(".")[0]].comodel_name in guarded
        ]
        self.assertEqual(shown, [])

    def test_no_form_shows_somebody_of_another_office(self):
        person, place = self.subject_of(OTHER_ID), self.mapping_of(OTHER_ID)
        change = self.hold(OTHER_ID)
        self.offices["north"].member_ids += self.users["head"]
        box = self.env["spar.find.wizard"].with_user(self.users["north"])
        line = {"wizard_id": box.create({"typed": "x"}).id, "subject_id": person.id}
        suspend = {"operation": "suspend", "mapping_id": place.id}
        forms = [
            ("north", "spar.find.wizard.line", line, ["fa_masked", "pay_state"]),
            ("north", "spar.representative.wizard", {"subject_id": person.id}, []),
            ("north", "spar.mapping.wizard", suspend, ["fa_masked"]),
            ("head", "spar.change.wizard", {"change_id": change.id}, self.get_shown()),
        ]
        for user, model, values, names in forms:
            form = self.env[model].with_user(self.users[user]).create(values)
            form.invalidate_recordset()
            for name in ["id_masked", *names]:
                with self.subTest(model, field=name), self.assertRaises(AccessError):
                    form.read([name])

    def get_shown(self):
        """Return what the review of a change shows of it."""
        names = self.env["spar.change.wizard"]._fields
        masked = [name for name in names if name.endswith("masked")]
        return ["why_text", "request_reason", "can_retype", *masked]

    def test_review_that_is_typed_but_not_saved_shows_no_other_office(self):
        change = self.hold(OTHER_ID)
        self.offices["north"].member_ids += self.users["head"]
        wizards = self.env["spar.change.wizard"].with_user(self.users["head"])
        for name in self.get_shown():
            with self.subTest(name), self.assertRaises(AccessError):
                wizards.onchange({"change_id": change.id}, ["change_id"], {name: {}})
        empty = wizards.onchange({}, [], {"can_retype": {}, "fa_masked": {}})
        self.assertFalse(any(empty["value"].values()))

    def hold(self, id_value):
        """Return a change that waits for a supervisor."""
        self.hold_everything()
        result = self.change("everywhere", "update", id_value, THIRD_FA)
        self.assertEqual(result.outcome, Outcome.HELD)
        return self.mapping_of(id_value).change_ids

    # === PERMITTED CHANGES === #

    def change(self, user, operation, id_value, fa=None):
        mapper = self.mapper.with_user(self.users[user])
        call = mapper._build_staff_call("asked in person")
        return getattr(self, operation)(id_value, *([fa] if fa else []), call=call)

    def test_no_change_for_people_of_another_office(self):
        for operation, fa in (("update", THIRD_FA), ("unlink", OTHER_FA)):
            with self.subTest(operation):
                result = self.change("north", operation, OTHER_ID, fa)
                self.assertEqual(result.outcome, Outcome.FORBIDDEN)
                self.assertEqual(result.problem, "other_office")
        self.assertEqual(
            self.change("south", "update", OTHER_ID, THIRD_FA).outcome, Outcome.UPDATED
        )
        self.assertEqual(
            self.change("everywhere", "update", ID, THIRD_FA).outcome, Outcome.UPDATED
        )
        self.assertEqual(
            self.change("north", "update", FREE_ID, OTHER_FA).outcome, Outcome.UPDATED
        )

    def test_payers_know_no_offices(self):
        self.assertEqual(self.update(OTHER_ID, FA).outcome, Outcome.UPDATED)

    def test_person_linked_by_a_clerk_belongs_to_the_clerks_office(self):
        new = "token:7777000012@nationalId"
        self.assertEqual(self.change("north", "link", new, FA).outcome, Outcome.LINKED)
        self.assertEqual(
            self.subject_of(new).office_person_ids.office_id, self.offices["north"]
        )
        other = "token:7777000013@nationalId"
        self.change("everywhere", "link", other, FA)
        self.assertFalse(self.subject_of(other).office_person_ids)

    # === MOVING PEOPLE, AND STAFF === #

    def test_moving_is_an_event_and_done_once(self):
        self.assertEqual(self.move(ID, "south"), 1)
        self.assertEqual(self.move(ID, "south"), 0)
        self.assertEqual(self.events_of(ID)[-1], "office_changed")
        self.assertEqual(self.seen("north"), {FREE_ID})
        self.assertEqual(self.move(ID, None), 1)
        self.assertEqual(self.seen("north"), {ID, FREE_ID})
        self.assertEqual(self.env["spar.audit"]._check_store(), [])

    def test_only_supervisors_move_people(self):
        for user in ("north", "everywhere", "auditor", "first"):
            with self.subTest(user), self.assertRaises(AccessError):
                self.move(ID, "south", user)
        self.offices["north"].sudo().member_ids += self.users["head"]
        with self.assertRaises(AccessError):
            self.move(OTHER_ID, "north")

    def test_window_moves_selected_people(self):
        wizards = self.env["spar.office.wizard"].with_user(self.users["head"])
        chosen = self.mapping_of(FREE_ID) + self.mapping_of(ID)
        wizard = wizards.with_context(active_ids=chosen.ids).create(
            {"office_id": self.offices["south"].id, "reason": "they have moved"}
        )
        wizard.action_move()
        self.env.invalidate_all()
        self.assertEqual(self.seen("south"), {ID, OTHER_ID, FREE_ID})
        with self.assertRaises(UserError):
            wizards.create({"reason": "nobody was chosen"}).action_move()

    def test_two_administrators_set_the_members_of_an_office(self):
        office = self.offices["north"].with_user(self.users["first"])
        office.member_ids += self.users["south"]
        self.assertNotIn(self.users["south"], self.offices["north"].member_ids)
        change = office.setting_change_ids
        change.with_user(self.users["second"]).action_approve()
        self.assertEqual(self.seen("south"), {ID, OTHER_ID, FREE_ID})
        new = (
            self.env["spar.office"]
            .with_user(self.users["first"])
            .create({"name": "New", "member_ids": [self.users["north"].id]})
        )
        self.assertFalse(new.member_ids)
        with self.assertRaises(AccessError):
            self.offices["north"].with_user(self.users["head"]).member_ids = False

    def test_an_office_is_never_deleted(self):
        office = self.offices["north"]
        for name, user in self.users.items():
            with self.subTest(name), self.assertRaises(AccessError):
                office.with_user(user).unlink()
        with self.assertRaises(IntegrityError), mute_logger("odoo.sql_db"):
            with self.env.cr.savepoint():
                office.unlink()
        self.assertEqual(self.subject_of(ID).office_person_ids.office_id, office)
        self.assertEqual(self.seen("south"), {OTHER_ID, FREE_ID})

    def test_an_archived_office_opens_nobody_to_its_staff(self):
        office = self.offices["north"].with_user(self.users["first"])
        office.active = False
        office.setting_change_ids.with_user(self.users["second"]).action_approve()
        self.assertFalse(self.offices["north"].active)
        self.env.invalidate_all()
        self.assertEqual(self.seen("north"), {ID, FREE_ID})
        refused = self.change("north", "update", OTHER_ID, THIRD_FA)
        self.assertEqual(refused.outcome, Outcome.FORBIDDEN)
        self.assertEqual(refused.problem, "other_office")
        new = "token:7777000014@nationalId"
        self.assertEqual(self.change("north", "link", new, FA).outcome, Outcome.LINKED)
        self.assertFalse(self.subject_of(new).office_person_ids)

    # === BYPASSING THE REGISTRY === #

    def test_office_changed_by_sql_is_named_and_refused(self):
        subject = self.subject_of(OTHER_ID)
        for query, values in (
            (
                "UPDATE spar_office_person SET office_id = %s WHERE subject_id = %s",
                (self.offices["north"].id, subject.id),
            ),
            (
                "SET session_replication_role = replica; "
                "DELETE FROM spar_office_person WHERE subject_id = %s; "
                "SET session_replication_role = DEFAULT",
                (subject.id,),
            ),
        ):
            with self.subTest(query), self.env.cr.savepoint() as savepoint:
                self.env.flush_all()
                self.env.cr.execute(query, values)
                self.env.invalidate_all()
                with self.catch_alarms():
                    found = self.env["spar.audit"]._check_store()
                self.assertIn(
                    ("spar_subject", subject.id), {each[:2] for each in found}
                )
                with self.assertRaises(SealBroken):
                    self.change("north", "update", OTHER_ID, THIRD_FA)
                savepoint.rollback()
            self.env.invalidate_all()

    def test_staff_that_sql_put_into_an_office_change_nothing(self):
        self.env.flush_all()
        self.env.cr.execute(
            "INSERT INTO spar_office_user_rel (spar_office_id, res_users_id) "
            "VALUES (%s, %s)",
            (self.offices["south"].id, self.users["north"].id),
        )
        self.env.invalidate_all()
        with (
            self.catch_alarms(),
            mute_logger(SEALS),
            self.assertRaises(SettingsAltered),
        ):
            self.change("north", "update", OTHER_ID, THIRD_FA)
