from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import Form, new_test_user
from odoo.tools import SQL

from odoo.addons.spar_mapper_connector.exceptions import KeyringUnavailable
from odoo.addons.spar_registry.tests.common import FA

MODELS = "odoo.addons.spar_registry_source.models.identity"


class IdentityTests:
    """What every registry's addon does with its IDs, households and phones."""

    # === IDS === #

    def test_ids_of_the_registry_are_those_of_the_person(self):
        self.assertEqual(
            self.get_ids(self.hope, self.ivan), [self.ID_OF_HOPE, self.ID_OF_IVAN]
        )

    def test_another_spelling_is_the_same_id(self):
        row = self.add_id(self.household, "3007-999 001")
        self.assertEqual(self.get_ids(self.household), ["token:3007999001@nationalid"])
        self.assertEqual(row.value, "3007-999 001")
        found = self.env["res.partner"]._spar_find_by_ids(
            ["token:3007 999 001@NationalID", "token:0@nationalid", "token:{sub}@x"]
        )
        self.assertEqual([*found.values()], [[self.household.id], [], []])

    def test_person_is_found_after_a_change_and_not_by_the_former_id(self):
        row = self.source.search([("partner_id", "=", self.hope.id)])
        row.value = "3007 000 001"
        found = self.env["res.partner"]._spar_find_by_ids(
            ["token:3007000001@nationalid", self.ID_OF_HOPE]
        )
        self.assertEqual([*found.values()], [[self.hope.id], []])
        row.unlink()
        found = self.env["res.partner"]._spar_find_by_ids(
            ["token:3007000001@nationalid"]
        )
        self.assertEqual([*found.values()], [[]])

    def test_invalid_id_does_not_count(self):
        row = self.source.search([("partner_id", "=", self.hope.id)])
        row.status = "invalid"
        self.assertEqual(self.get_ids(self.hope), [])
        found = self.env["res.partner"]._spar_find_by_ids([self.ID_OF_HOPE])
        self.assertEqual(found, {self.ID_OF_HOPE: []})

    def test_empty_status_counts(self):
        row = self.source.search([("partner_id", "=", self.hope.id)])
        self.assertFalse(row.status)
        row.status = "valid"
        self.assertEqual(self.get_ids(self.hope), [self.ID_OF_HOPE])

    def test_expired_id_is_never_chosen(self):
        row = self.source.search([("partner_id", "=", self.hope.id)])
        row.expiry_date = fields.Date.today() - timedelta(days=1)
        (identity,) = self.hope._spar_identities()[self.hope.id]
        self.assertTrue(identity.is_expired)
        shown = self.hope.with_user(self.user).get_spar_address()
        self.assertEqual(shown, {"state": "No ID", "text": ""})

    def test_type_without_a_type_of_ours_does_not_count(self):
        self.their_type.spar_id_type_id = False
        self.assertEqual(self.get_ids(self.hope), [])
        found = self.env["res.partner"]._spar_find_by_ids([self.ID_OF_HOPE])
        self.assertEqual(found, {self.ID_OF_HOPE: []})
        self.their_type.spar_id_type_id = self.id_type
        self.assertEqual(self.get_ids(self.hope), [self.ID_OF_HOPE])

    def test_text_that_is_no_id_does_not_count(self):
        for text in ("null", "{sub}", "a:b@c"):
            with self.subTest(text):
                row = self.add_id(self.household, text)
                self.assertEqual(self.get_ids(self.household), [])
                row.unlink()

    # === SEARCH BY NAME === #

    def find_named(self, name, year):
        source = self.env["spar.person.source"]
        found = source._find_by_name(name, year, "", 9)
        return [id_value for one in found for id_value in one]

    def test_person_is_found_by_the_registry_s_date_of_birth(self):
        self.hope.birthdate = "1979-12-31"
        self.assertEqual(self.find_named("hope", 1979), [self.ID_OF_HOPE])
        self.assertEqual(
            self.env["spar.person.source"]._describe(self.ID_OF_HOPE).birth_year, 1979
        )
        self.hope.birthdate = "1980-01-01"
        self.assertEqual(self.find_named("hope", 1979), [])
        self.assertEqual(self.find_named("HOPE", 1980), [self.ID_OF_HOPE])
        self.hope.name = "Grace"
        self.assertEqual(self.find_named("hope", 1980), [])
        self.assertEqual(self.find_named("grace", 1980), [self.ID_OF_HOPE])

    def test_the_registry_s_year_counts_before_ours(self):
        self.hope.write({"spar_birth_year": 1950, "birthdate": "1979-12-31"})
        self.assertEqual(self.find_named("hope", 1950), [])
        self.assertEqual(self.find_named("hope", 1979), [self.ID_OF_HOPE])
        self.hope.birthdate = False
        self.assertEqual(self.find_named("hope", 1950), [self.ID_OF_HOPE])

    def test_date_of_a_contact_who_is_no_registrant_finds_nobody(self):
        self.hope.birthdate = "1979-12-31"
        self.hope.is_registrant = False
        self.assertEqual(self.find_named("hope", 1979), [])
        self.assertEqual(self.find_named("hope", None), [])

    def test_update_indexes_those_who_were_there_before(self):
        self.hope.birthdate = "1979-12-31"
        self.ivan.birthdate = "1981-01-01"
        self.env.flush_all()
        self.env.cr.execute("DELETE FROM spar_person_name")
        query = "UPDATE res_partner SET birthdate = '1999-01-01' WHERE id = %s"
        self.env.cr.execute(query, (self.ivan.id,))
        self.env.invalidate_all()
        self.assertEqual(self.find_named("hope", 1979), [])
        for _again in range(2):
            self.env["res.partner"]._spar_index_births()
        self.assertEqual(self.find_named("hope", 1979), [self.ID_OF_HOPE])
        self.assertEqual(self.find_named("ivan", 1999), [self.ID_OF_IVAN])
        self.assertEqual(self.find_named("ivan", 1981), [])

    # === SHARED IDS === #

    def test_id_that_two_people_have_is_shared_in_any_spelling(self):
        self.add_id(self.household, "3007 760 620")
        for person in (self.hope, self.household):
            (identity,) = person._spar_identities()[person.id]
            self.assertTrue(identity.is_shared)
        shown = self.hope.with_user(self.user).get_spar_address()
        self.assertEqual(shown["state"], "Shared ID")
        found = self.env["res.partner"]._spar_find_by_ids([self.ID_OF_HOPE])
        self.assertEqual(
            found[self.ID_OF_HOPE], sorted([self.hope.id, self.household.id])
        )

    def test_id_entered_in_spar_is_shared_with_one_of_the_registry(self):
        person = self.create_person("Jan", self.NUMBER_OF_HOPE)
        (theirs,) = self.hope._spar_identities()[self.hope.id]
        (ours,) = person._spar_identities()[person.id]
        self.assertEqual((theirs.is_shared, ours.is_shared), (True, True))

    def test_id_of_one_person_in_both_is_not_shared(self):
        self.env["spar.person.identity"].create(
            {
                "partner_id": self.hope.id,
                "id_type_id": self.id_type.id,
                "value": self.NUMBER_OF_HOPE,
            }
        )
        found = self.hope._spar_identities()[self.hope.id]
        self.assertEqual([one.is_shared for one in found], [False, False])

    # === THE INDEX === #

    def test_index_holds_no_id(self):
        self.env.flush_all()
        self.env.cr.execute("SELECT i::text FROM spar_source_identity i")
        text = "".join(row for (row,) in self.env.cr.fetchall())
        self.assertTrue(text)
        self.assertNotIn(self.NUMBER_OF_HOPE, text)
        self.assertNotIn(self.NUMBER_OF_HOPE.encode().hex(), text)

    def test_nightly_job_finds_what_was_written_by_sql(self):
        row = self.source.search([("partner_id", "=", self.hope.id)])
        self.write_by_sql(row, "3007000002")
        new = "token:3007000002@nationalid"
        find = self.env["res.partner"]._spar_find_by_ids
        self.assertEqual(find([new]), {new: []})
        self.rebuild()
        found = find([new, self.ID_OF_HOPE])
        self.assertEqual(found, {new: [self.hope.id], self.ID_OF_HOPE: []})
        index = self.index.search([])
        self.assertEqual(index.corrected, 1)
        self.assertTrue(index.finished_at)
        self.rebuild()
        self.assertEqual(index.corrected, 0)
        self.assertEqual(index.compared, self.source.search_count([]))

    def test_nightly_job_forgets_what_was_deleted_by_sql(self):
        row = self.source.search([("partner_id", "=", self.hope.id)])
        self.env.flush_all()
        table = SQL.identifier(row._table)
        self.env.cr.execute(SQL("DELETE FROM %s WHERE id = %s", table, row.id))
        self.rebuild()
        found = self.env["res.partner"]._spar_find_by_ids([self.ID_OF_HOPE])
        self.assertEqual(found, {self.ID_OF_HOPE: []})

    def test_nightly_job_goes_on_where_it_was_killed(self):
        for number in range(5):
            self.add_id(self.create_registrant(f"P{number}"), f"300700010{number}")
        self.identities._drop(self.source, self.source.search([]).ids)
        with patch(f"{MODELS}.spar_source_index.BATCH", 3):
            self.index._cron_start()
            index = self.index.search([])
            index._rebuild_next()
            self.assertEqual(index.compared, 3)
            self.assertTrue(index.is_running)
            # A new process: nothing is known but what is stored.
            self.env.invalidate_all()
            while index.is_running:
                index._rebuild_next()
        rows = self.source.search_count([])
        self.assertEqual((index.compared, index.corrected), (rows, rows))

    def test_scheduled_job_runs_to_its_end(self):
        self.index._cron_start()
        with self.enter_registry_test_mode(), self.registry.cursor() as cr:
            self.env(cr=cr)["spar.source.index"]._cron_rebuild()
        self.env.invalidate_all()
        self.assertFalse(self.index.search([]).is_running)

    def test_id_can_be_written_without_keys_and_is_found_by_nothing_old(self):
        row = self.source.search([("partner_id", "=", self.hope.id)])
        keyrings = type(self.env["spar.keyring"])
        closed = patch.object(keyrings, "_open", side_effect=KeyringUnavailable("none"))
        with closed, self.assertLogs("odoo.addons.spar_registry_source", "WARNING"):
            row.value = "3007000003"
        find = self.env["res.partner"]._spar_find_by_ids
        self.assertEqual(find([self.ID_OF_HOPE]), {self.ID_OF_HOPE: []})
        self.assertTrue(self.index.search([]).is_running)
        self.rebuild()
        new = "token:3007000003@nationalid"
        self.assertEqual(find([new]), {new: [self.hope.id]})

    def test_id_written_by_a_server_action_is_indexed_later(self):
        row = self.source.search([("partner_id", "=", self.hope.id)])
        action = self.env["ir.actions.server"].create(
            {
                "name": "Correct IDs",
                "model_id": self.env["ir.model"]._get_id(self.source._name),
                "state": "code",
                "code": "record.write({'value': '3007000004'})",
            }
        )
        action.with_context(active_model=row._name, active_id=row.id).run()
        self.assertEqual(row.value, "3007000004")
        find = self.env["res.partner"]._spar_find_by_ids
        self.assertEqual(find([self.ID_OF_HOPE]), {self.ID_OF_HOPE: []})
        self.rebuild()
        new = "token:3007000004@nationalid"
        self.assertEqual(find([new]), {new: [self.hope.id]})

    def test_type_with_many_ids_counts_once_they_are_indexed(self):
        with patch(f"{MODELS}.spar_id_source_type.AT_ONCE", 1):
            self.their_type.spar_id_type_id = False
            self.rebuild()
            self.their_type.spar_id_type_id = self.id_type
        self.assertFalse(self.their_type.spar_is_indexed)
        self.assertEqual(self.get_ids(self.hope), [])
        self.rebuild()
        self.assertTrue(self.their_type.spar_is_indexed)
        self.assertEqual(self.get_ids(self.hope), [self.ID_OF_HOPE])

    def test_many_people_take_as_many_queries_as_one(self):
        people = self.env["res.partner"]
        for number in range(20):
            people |= self.create_registrant(f"P{number}", f"30070002{number:02}")
        self.env.flush_all()
        self.hope._spar_identities()
        counts = []
        for group in (self.ivan, people):
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            group._spar_identities()
            counts.append(self.env.cr.sql_log_count - before)
        self.assertLessEqual(counts[1], counts[0] + 1)

    # === HOUSEHOLDS === #

    def test_head_of_a_household_is_paid_for_it_and_its_members(self):
        self.programme.payee_rule = "head"
        self.add_member(self.household, self.hope, is_head=True)
        self.add_member(self.household, self.ivan)
        payees = self.programme._find_payees(self.household + self.hope + self.ivan)
        self.assertEqual(set(payees.values()), {self.hope.id})
        self.assertEqual(len(payees), 3)

    def test_household_is_paid_for_its_members(self):
        self.programme.payee_rule = "household"
        self.add_member(self.household, self.ivan)
        payees = self.programme._find_payees(self.ivan)
        self.assertEqual(payees, {self.ivan.id: self.household.id})

    def test_head_who_left_is_none(self):
        past = fields.Datetime.now() - timedelta(days=1)
        self.add_member(
            self.household,
            self.hope,
            is_head=True,
            start_date=past - timedelta(days=9),
            ended_date=past,
        )
        self.assertEqual(self.household._spar_head(), {})

    def test_head_who_leaves_later_still_is_one(self):
        later = fields.Datetime.now() + timedelta(days=1)
        self.add_member(self.household, self.hope, is_head=True, ended_date=later)
        self.assertEqual(self.household._spar_head(), {self.household.id: self.hope.id})

    def test_disabled_head_is_none(self):
        self.add_member(self.household, self.hope, is_head=True)
        self.hope.disabled = fields.Datetime.now()
        self.assertEqual(self.household._spar_head(), {})

    def test_household_with_two_heads_has_none(self):
        self.add_member(self.household, self.hope, is_head=True)
        self.add_member(self.household, self.ivan, is_head=True)
        self.assertEqual(self.household._spar_head(), {})

    def test_member_of_two_groups_has_no_household(self):
        other = self.create_registrant("Cooperative", is_group=True)
        for group in (self.household, other):
            self.add_member(group, self.ivan)
        self.assertEqual(self.ivan._spar_households(), {})
        self.programme.payee_rule = "household"
        self.assertEqual(self.programme._find_payees(self.ivan), {})

    def test_contact_outside_the_registry_is_as_before(self):
        family = self.create_person("Family", is_company=True)
        head = self.create_person("Head", "2007000001", parent_id=family.id)
        family.spar_head_id = head
        self.assertEqual(family._spar_head(), {family.id: head.id})
        self.assertEqual(self.get_ids(head), ["token:2007000001@nationalid"])

    def test_disabled_person_is_not_paid(self):
        self.hope.disabled = fields.Datetime.now()
        self.assertEqual((self.hope + self.ivan)._spar_payable(), {self.ivan.id})
        self.ivan.active = False
        self.assertEqual((self.hope + self.ivan)._spar_payable(), set())

    # === LIFE EVENTS === #

    def get_tasks(self, person):
        tasks = self.env["spar.registry.task"].search([("partner_id", "=", person.id)])
        return tasks.mapped("kind")

    def test_disabling_a_person_opens_tasks_and_changes_nothing(self):
        self.store.set(self.ID_OF_HOPE, FA)
        self.programme.payee_rule = "head"
        self.add_member(self.household, self.hope, is_head=True)
        self.env["spar.programme.member"].create(
            {"programme_id": self.programme.id, "partner_id": self.household.id}
        )
        self.hope.disabled = fields.Datetime.now()
        self.assertEqual(self.get_tasks(self.hope), ["disabled"])
        self.assertEqual(self.get_tasks(self.household), ["no_head"])
        self.assertEqual(self.store.get_fa(self.ID_OF_HOPE), FA)
        self.hope.disabled = fields.Datetime.now()
        self.assertEqual(len(self.get_tasks(self.hope)), 1)

    def test_replacing_an_id_opens_a_task_and_another_spelling_none(self):
        row = self.source.search([("partner_id", "=", self.hope.id)])
        row.value = "3007 760-620"
        self.assertEqual(self.get_tasks(self.hope), [])
        row.value = "3007000005"
        self.assertEqual(self.get_tasks(self.hope), ["identity_replaced"])

    def test_removing_an_id_opens_a_task(self):
        row = self.source.search([("partner_id", "=", self.hope.id)])
        row.status = "invalid"
        self.assertEqual(self.get_tasks(self.hope), ["identity_replaced"])
        self.source.search([("partner_id", "=", self.ivan.id)]).unlink()
        self.assertEqual(self.get_tasks(self.ivan), ["identity_replaced"])

    def notice(self):
        """Run the nightly job."""
        with self.enter_registry_test_mode(), self.registry.cursor() as cr:
            self.env(cr=cr)["spar.life.events"]._cron_notice()
        self.env.invalidate_all()

    def test_expired_id_opens_the_task_of_ours_once(self):
        self.env["spar.programme.member"].create(
            {"programme_id": self.programme.id, "partner_id": self.hope.id}
        )
        row = self.source.search([("partner_id", "=", self.hope.id)])
        row.expiry_date = fields.Date.today()
        self.notice()
        self.assertEqual(self.get_tasks(self.hope), [])
        row.expiry_date = fields.Date.today() - timedelta(days=1)
        self.notice()
        task = self.env["spar.registry.task"].search(
            [("partner_id", "=", self.hope.id)]
        )
        self.assertEqual(task.kind, "identity_expired")
        self.assertEqual(task.programme_id, self.programme)
        self.assertEqual(
            task._get_ids(), {"old": [row.id, self.id_type.id, self.ID_OF_HOPE]}
        )
        task.write({"answer": "She has no other one."})
        task.action_dismiss()
        self.notice()
        self.assertEqual(self.get_tasks(self.hope), ["identity_expired"])
        # A document that was renewed, and expires again.
        row.expiry_date = fields.Date.today() - timedelta(days=2)
        self.notice()
        self.assertEqual(len(self.get_tasks(self.hope)), 2)
        self.assertEqual(self.get_tasks(self.ivan), [])

    def test_expired_id_that_does_not_count_opens_no_task(self):
        yesterday = fields.Date.today() - timedelta(days=1)
        self.source.search([("partner_id", "=", self.hope.id)]).write(
            {"expiry_date": yesterday, "status": "invalid"}
        )
        self.add_id(self.household, "null", expiry_date=yesterday)
        self.notice()
        tasks = self.env["spar.registry.task"].search([])
        self.assertNotIn("identity_expired", tasks.mapped("kind"))

    def test_expired_id_is_noticed_once_its_type_counts(self):
        row = self.source.search([("partner_id", "=", self.hope.id)])
        row.expiry_date = fields.Date.today() - timedelta(days=1)
        self.their_type.spar_id_type_id = False
        self.notice()
        self.assertEqual(self.get_tasks(self.hope), [])
        self.their_type.spar_id_type_id = self.id_type
        self.notice()
        self.assertEqual(self.get_tasks(self.hope), ["identity_expired"])

    def test_expired_id_of_a_head_is_a_task_of_the_household(self):
        self.programme.payee_rule = "head"
        self.add_member(self.household, self.hope, is_head=True)
        self.env["spar.programme.member"].create(
            {"programme_id": self.programme.id, "partner_id": self.household.id}
        )
        row = self.source.search([("partner_id", "=", self.hope.id)])
        row.expiry_date = fields.Date.today() - timedelta(days=1)
        self.notice()
        self.assertEqual(self.get_tasks(self.household), ["no_head"])

    def test_many_expired_ids_are_noticed_in_several_steps(self):
        yesterday = fields.Date.today() - timedelta(days=1)
        people = self.env["res.partner"]
        for number in range(5):
            person = self.create_registrant(f"P{number}")
            self.add_id(person, f"300700030{number}", expiry_date=yesterday)
            people |= person
        events = "odoo.addons.spar_registry_source.models.identity.spar_life_events"
        with patch(f"{events}.BATCH", 2):
            self.notice()
        for person in people:
            self.assertEqual(self.get_tasks(person), ["identity_expired"])

    # === PHONES === #

    def test_newest_number_in_use_is_called(self):
        for number, disabled in (
            ("+254 700 000 001", False),
            ("+254 700 000 002", False),
            ("+254 700 000 003", fields.Datetime.now()),
        ):
            self.get_phones().create(
                {
                    "partner_id": self.hope.id,
                    "phone_no": number,
                    "disabled": disabled,
                }
            )
        self.ivan.phone = "12345"
        phones = (self.hope + self.ivan + self.household)._spar_phones()
        self.assertEqual(
            {key: number.replace(" ", "") for key, number in phones.items()},
            {self.hope.id: "+254700000002", self.ivan.id: "12345"},
        )

    # === RIGHTS === #

    def test_people_whom_a_user_does_not_see_have_no_ids(self):
        self.env["ir.rule"].create(
            {
                "name": "Not Hope",
                "model_id": self.env.ref("base.model_res_partner").id,
                "domain_force": f"[('id', '!=', {self.hope.id})]",
            }
        )
        people = (self.hope + self.ivan).with_user(self.user)
        found = people._spar_identities()
        self.assertEqual(found[self.hope.id], [])
        self.assertEqual(len(found[self.ivan.id]), 1)
        self.assertEqual(people._spar_phones(), {})

    def test_user_of_spar_needs_no_rights_on_the_registrys_tables(self):
        self.store.set(self.ID_OF_HOPE, FA)
        with self.assertRaises(AccessError):
            self.source.with_user(self.user).search([]).mapped("value")
        shown = self.hope.with_user(self.user).get_spar_address()
        self.assertEqual(shown["state"], "Linked")
        self.assertNotIn("1111000", shown["text"])

    def test_user_without_a_group_sees_no_address(self):
        nobody = new_test_user(self.env, "nobody", groups="base.group_user")
        with self.assertRaises(AccessError):
            self.hope.with_user(nobody).get_spar_address()

    def test_nobody_but_an_administrator_maps_types(self):
        for model in ("spar.source.index", "spar.source.identity"):
            with self.assertRaises(AccessError):
                self.env[model].with_user(self.user).create({})
        with self.assertRaises(AccessError):
            self.their_type.with_user(self.manager).write({"spar_id_type_id": False})

    # === COLLECTING === #

    def test_account_is_sent_for_an_id_of_the_registry(self):
        account = self.collect(self.hope.with_user(self.user), FA)
        self.run_outbox()
        self.assertEqual(account.state, "confirmed")
        self.assertEqual(self.store.get_fa(self.ID_OF_HOPE), FA)

    def check_button(self, view, person):
        """Check that a form of the registry has the button and the page, and opens."""
        registrar = new_test_user(
            self.env,
            "registrar",
            groups=f"base.group_user,base.group_partner_manager,{self.REGISTRARS}",
        )
        people = self.env["res.partner"].with_user(registrar)
        arch = people.get_view(self.env.ref(view).id)["arch"]
        self.assertIn('name="action_open_spar_address"', arch)
        self.assertIn('name="spar_account_ids"', arch)
        form = Form(person.with_user(registrar), view=view)
        self.assertEqual(form.save(), person)
