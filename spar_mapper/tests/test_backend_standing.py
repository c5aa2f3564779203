"""The accuracy of the screen: what is paid, who decided it, what a click has done."""

from lxml import etree

from odoo.exceptions import AccessError
from odoo.tests import tagged
from odoo.tools.safe_eval import safe_eval

from odoo.addons.spar_mapper_connector.lib.contract import ObjectionRequest

from .common import FA, ID, OTHER_FA, OTHER_ID, StoreCase, type_address


@tagged("post_install", "-at_install")
class StandingCase(StoreCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.viewer = cls.create_user("viewer")
        cls.officer = cls.create_user("officer", login="omar_login")
        cls.officer.name = "Omar Officer"
        cls.supervisor_user = cls.create_user("supervisor")

    def setUp(self):
        super().setUp()
        self.link(ID, FA)

    def get_state(self, id_value=ID):
        """Return the state of an ID's newest period as a viewer sees it."""
        self.env.invalidate_all()
        return self.mapping_of(id_value).with_user(self.viewer).pay_state

    def object(self, id_value=ID):
        self.mapper._object_to(self.owner, self.build_request(id_value))

    def build_request(self, id_value):
        """Return an objection to the address that was linked last."""
        mapping = self.mapping_of(id_value)
        seq = min(mapping.event_ids.mapped("seq"))
        return ObjectionRequest(id_value, mapping.address_uuid, seq)

    def act(self, operation, **values):
        """Perform an operation in the officer's window; return the toast's message."""
        mapping = self.mapping_of(ID)
        seen = {"mapping_id": mapping.id, "seen_version": mapping.version}
        if operation in ("suspend", "resume", "unlink"):
            values.setdefault(f"{operation}_reason", "account")
        wizard = (
            self.env["spar.mapping.wizard"]
            .with_user(self.officer)
            .create({"operation": operation, "reason": "asked", **seen, **values})
        )
        return wizard.action_confirm()["params"]


class TestState(StandingCase):
    def test_paid_address_is_active(self):
        self.assertEqual(self.get_state(), "active")
        self.assertTrue(self.get_fa(ID))

    def test_unpaid_address_is_never_active(self):
        self.link(OTHER_ID, OTHER_FA)
        ways = {
            "suspended": lambda: self.suspend(ID),
            "stopped": lambda: self.set_subject(ID, pay_stop=True),
            "disputed": lambda: self.object(OTHER_ID),
        }
        for state, way in ways.items():
            with self.subTest(state):
                way()
                id_value = OTHER_ID if state == "disputed" else ID
                if state == "stopped":
                    self.resume(ID)
                self.assertEqual(self.get_state(id_value), state)
                self.assertIsNone(self.get_fa(id_value))

    def test_one_disputed_place_of_several_is_disputed(self):
        self.link(ID, OTHER_FA, purpose="school")
        request = self.build_request(ID)
        self.mapper._object_to(self.owner, request)
        self.env.invalidate_all()
        states = {
            mapping.purpose or "": mapping.with_user(self.viewer).pay_state
            for mapping in self.mappings_of(ID)
        }
        self.assertEqual(states, {"": "active", "school": "disputed"})

    def test_address_that_does_not_open_is_not_active(self):
        mapping = self.mapping_of(ID)
        self.tamper("UPDATE spar_mapping SET version = 9 WHERE id = %s", mapping.id)
        with self.catch_alarms():
            self.assertEqual(self.get_state(), "unreadable")

    def test_no_address_is_active_without_the_keyring(self):
        mapping = self.mapping_of(ID).with_user(self.viewer)
        with self.keyring_away():
            mapping.invalidate_recordset()
            self.assertEqual(mapping.pay_state, "unreadable")

    def test_ended_and_proposed_addresses_show_their_state(self):
        self.unlink(ID)
        self.assertEqual(self.get_state(), "ended")
        self.add_rule("approve")
        self.link(OTHER_ID, OTHER_FA)
        self.assertEqual(self.get_state(OTHER_ID), "proposed")

    def test_no_view_of_an_address_shows_the_bare_state(self):
        views = self.env["ir.ui.view"].search([("model", "=", "spar.mapping")])
        for view in views:
            tree = etree.fromstring(view.arch)
            for field in tree.xpath("//field[@name='state'][not(@invisible='1')]"):
                # Of a pending change, or of the past, in the form of an address.
                inside = field.xpath(
                    "ancestor::field[@name='change_ids' or @name='period_ids']"
                )
                self.assertTrue(inside, view.name)

    def test_active_filter_finds_only_paid_addresses(self):
        view = self.env.ref("spar_mapper.spar_mapping_view_search")
        (found,) = etree.fromstring(view.arch).xpath("//filter[@name='active_only']")
        domain = [("subject_id", "=", self.subject_of(ID).id)]
        search = self.env["spar.mapping"].search
        domain += safe_eval(found.get("domain"))
        self.assertTrue(search(domain))
        self.set_subject(ID, pay_stop=True)
        self.assertFalse(search(domain))


class TestWhoChangedIt(StandingCase):
    def test_form_names_the_user_who_suspended(self):
        self.act("suspend")
        mapping = self.mapping_of(ID).with_user(self.viewer)
        self.assertEqual(mapping.last_kind, "suspended")
        self.assertEqual(mapping.last_by, "Omar Officer")
        self.assertTrue(mapping.last_at)

    def test_reveal_is_no_change(self):
        self.act("suspend")
        auditor = self.create_user("auditor")
        call = self.mapper.with_user(auditor)._build_staff_call("asked")
        with self.enter_registry_test_mode():
            self.mapper.with_user(auditor)._log_reveal(call, self.mapping_of(ID).id)
        self.env.invalidate_all()
        self.assertEqual(self.mapping_of(ID).last_by, "Omar Officer")

    def test_history_is_found_by_a_name_or_a_login(self):
        self.act("suspend")
        events = self.env["spar.event"].with_user(self.viewer)
        mine = [("mapping_id", "=", self.mapping_of(ID).id)]
        for text in ("Omar", "omar officer", "omar_login"):
            found = events.search([*mine, ("actor_name", "ilike", text)])
            self.assertEqual(found.mapped("kind"), ["suspended"], text)
        found = events.search([*mine, ("actor_name", "not ilike", "Omar")])
        self.assertEqual(found.mapped("kind"), ["linked"])
        self.assertFalse(events.search([*mine, ("actor_name", "ilike", "Nobody X")]))

    def test_words_of_a_name_are_found_in_any_order(self):
        self.act("suspend")
        events = self.env["spar.event"].with_user(self.viewer)
        mine = [("mapping_id", "=", self.mapping_of(ID).id)]
        for text in ("Officer Omar", "officer  omar", "Off Om", "omar_login Officer"):
            found = events.search([*mine, ("actor_name", "ilike", text)])
            self.assertEqual(found.mapped("kind"), ["suspended"], text)
        self.assertFalse(events.search([*mine, ("actor_name", "ilike", "Omar Viewer")]))

    def test_a_wildcard_of_the_database_is_a_character_like_others(self):
        self.act("suspend")
        events = self.env["spar.event"].with_user(self.viewer)
        for text in ("Om_r", "O%r", "%", "omar%login"):
            found = events.search([("actor_name", "ilike", text)])
            self.assertNotIn("Omar Officer", found.mapped("actor_name"), text)
        self.officer.name = "Omar 100%_Officer"
        found = events.search([("actor_name", "ilike", "100%_off")])
        self.assertEqual(set(found.mapped("actor_name")), {"Omar 100%_Officer"})

    def test_a_name_is_found_by_how_it_begins(self):
        self.act("suspend")
        events = self.env["spar.event"].with_user(self.viewer)
        found = events.search([("actor_name", "=ilike", "omar%")])
        self.assertIn("Omar Officer", found.mapped("actor_name"))

    def test_former_staff_are_found_by_name(self):
        self.act("suspend")
        self.officer.active = False
        events = self.env["spar.event"].with_user(self.viewer)
        self.assertTrue(events.search([("actor_name", "ilike", "Omar Officer")]))

    def test_beneficiary_is_found_by_the_displayed_text(self):
        self.object()
        events = self.env["spar.event"].with_user(self.viewer)
        found = events.search([("actor_name", "ilike", "subject:1")])
        self.assertIn("objected", found.mapped("kind"))

    def test_every_search_for_a_person_goes_by_name(self):
        self.hold_everything()
        call = self.mapper.with_user(self.officer)._build_staff_call()
        self.update(ID, OTHER_FA, call)
        places = {
            "spar.change": ("proposer_name", self.change_of(ID)),
            "spar.mapping": ("origin_name", self.env["spar.mapping"]),
        }
        for model, (name, expected) in places.items():
            found = self.env[model].search([(name, "ilike", "Omar Off")])
            self.assertEqual(found, expected, model)

    def test_groups_of_events_are_named(self):
        self.act("suspend")
        events = self.env["spar.event"].with_user(self.viewer)
        domain = [("mapping_id", "=", self.mapping_of(ID).id)]
        groups = events.web_read_group(domain, ["actor"], ["__count"])["groups"]
        named = {group["actor"]: group for group in groups}
        self.assertIn("Omar Officer", named)
        again = [*domain, *named["Omar Officer"]["__extra_domain"]]
        self.assertEqual(events.search(again).mapped("kind"), ["suspended"])

    def test_searches_offer_names_and_no_references(self):
        for model in ("spar.event", "spar.change", "spar.mapping", "spar.objection"):
            view = self.env.ref(f"spar_mapper.{model.replace('.', '_')}_view_search")
            names = etree.fromstring(view.arch).xpath("//field/@name")
            raw = {"actor", "proposer", "decided_by", "origin", "closed_by"}
            self.assertEqual(raw & set(names), set(), model)


class TestWhatAClickSays(StandingCase):
    def test_suspending_notifies_that_nothing_is_paid(self):
        notification = self.act("suspend")
        self.assertIn("Nothing is paid", notification["message"])

    def test_each_operation_notifies_its_effect(self):
        notification = self.act("update", **type_address(OTHER_FA))
        self.assertIn("new address from now on", notification["message"])
        self.act("suspend")
        self.assertIn("go to this address again", self.act("resume")["message"])
        self.assertIn("Nothing is paid", self.act("unlink")["message"])

    def test_change_of_an_unpaid_address_is_notified_as_unpaid(self):
        self.suspend(ID)
        notification = self.act("update", **type_address(OTHER_FA))
        self.assertEqual(notification["type"], "warning")
        self.assertIn(
            "nothing is paid to this address: Suspended", notification["message"]
        )

    def test_stopped_person_is_not_reported_as_paid(self):
        self.suspend(ID)
        self.set_subject(ID, pay_stop=True)
        notification = self.act("resume")
        self.assertIn(
            "nothing is paid to this address: Payments st", notification["message"]
        )

    def test_new_person_is_reported_as_linked(self):
        wizard = self.env["spar.mapping.wizard"].with_user(self.officer)
        values = {"operation": "link", "reason": "asked", "has_evidence": True}
        draft = wizard.create(
            {**values, "id_value": OTHER_ID, **type_address(OTHER_FA)}
        )
        draft.action_confirm()  # asks for confirmation: the ID has letters
        draft.is_id_right = True
        self.assertIn("Linked", draft.action_confirm()["params"]["message"])

    def propose(self):
        self.add_rule("approve")
        call = self.mapper.with_user(self.officer)._build_staff_call()
        self.update(ID, OTHER_FA, call)
        return self.change_of(ID).with_user(self.supervisor_user)

    def test_approving_and_refusing_notify_the_result(self):
        notification = self.compare(self.propose()).action_approve()["params"]
        self.assertIn("new address from now on", notification["message"])
        change = self.propose()
        if change.state != "waiting":
            self.update(ID, FA, self.mapper.with_user(self.officer)._build_staff_call())
            change = self.change_of(ID).with_user(self.supervisor_user)
        self.assertIn("Refused", change.action_refuse("wrong")["params"]["message"])

    def test_deciding_asks_first(self):
        deciding = {
            "spar_mapper.spar_change_view_form": ["action_cancel"],
            "spar_mapper.spar_change_view_list": ["action_approve"],
            "spar_mapper.spar_change_wizard_view_form": [
                "action_approve",
                "action_refuse",
            ],
            "spar_mapper_connector.spar_setting_change_view_form": [
                "action_approve",
                "action_refuse",
            ],
            "spar_mapper_connector.spar_setting_change_view_list": [
                "action_approve",
                "action_refuse",
            ],
        }
        for view, names in deciding.items():
            tree = etree.fromstring(self.env.ref(view).arch)
            for name in names:
                buttons = tree.xpath(f"//button[@name='{name}']")
                self.assertTrue(buttons and all(b.get("confirm") for b in buttons))


class TestWhatResolveRefuses(StandingCase):
    """Nothing that resolve refuses to pay is green on the screen."""

    def assert_not_paid(self, query):
        self.tamper(query)
        with self.catch_alarms():
            self.assertEqual(self.get_state(), "unreadable")
        with self.catch_alarms():
            self.assertIsNone(self.resolve(ID).fa)

    def test_an_id_that_was_switched_off(self):
        self.assert_not_paid("UPDATE spar_subject_id SET active = false")

    def test_an_address_behind_its_history(self):
        self.assert_not_paid("UPDATE spar_mapping SET last_seq = 0")


class TestChecksThatRan(StandingCase):
    def get_help(self):
        return self.env["spar.alarm"].get_empty_list_help("")

    def test_page_states_that_no_check_has_run(self):
        self.env.cr.execute("DELETE FROM spar_audit_run")
        self.assertIn("No check has run yet", self.get_help())
        actions = self.env["ir.actions.act_window"]
        shown = actions._for_xml_id("spar_mapper.spar_alarm_action")["help"]
        self.assertIn("No check has run yet", shown)
        self.assertNotIn("tampered", shown)

    def test_page_states_the_coverage_of_the_last_check(self):
        with self.enter_registry_test_mode():
            self.env["spar.audit"]._check_store()
        last = self.env["spar.audit.run"].search([], limit=1)
        people = self.env["spar.subject"].search_count([])
        self.assertEqual(last.subjects_checked, people)
        self.assertIn(f"covered {people} of {people} people", self.get_help())
        self.assertIn("found no problems", self.get_help())

    def test_check_with_findings_is_not_reported_as_clean(self):
        mapping = self.mapping_of(ID)
        self.tamper("UPDATE spar_mapping SET version = 9 WHERE id = %s", mapping.id)
        with self.catch_alarms():
            self.env["spar.audit"]._check_store()
        last = self.env["spar.audit.run"].search([], limit=1)
        self.assertTrue(last.findings)
        self.assertNotIn("found no problems", self.get_help())

    def test_each_alarm_shows_its_state_at_the_last_check(self):
        alarms = self.env["spar.alarm"]
        mapping = self.mapping_of(ID)
        version = mapping.version
        with self.catch_alarms():
            alarms._raise_alarms([("spar_mapping", mapping.id, "seen before")])
        early = alarms.search([("problem", "=", "seen before")])
        self.env.cr.execute("DELETE FROM spar_audit_run")
        self.assertEqual(early.standing, "unchecked")
        self.env.cr.execute(
            "UPDATE spar_alarm SET last_seen = '2020-01-01' WHERE id = %s", (early.id,)
        )
        self.tamper("UPDATE spar_mapping SET version = 9 WHERE id = %s", mapping.id)
        with self.catch_alarms():
            self.env["spar.audit"]._check_store()
        self.tamper(
            "UPDATE spar_mapping SET version = %s WHERE id = %s", version, mapping.id
        )
        self.assertEqual(early.standing, "gone")
        self.assertTrue(early.checked_at)
        self.assertIn("matches the search", self.get_help())

    def test_only_supervisors_and_auditors_see_checks(self):
        for role in ("supervisor", "auditor"):
            user = self.create_user(role, login=f"check_{role}")
            self.env["spar.audit.run"].with_user(user).search([])
        with self.assertRaises(AccessError):
            self.env["spar.audit.run"].with_user(self.viewer).search([])

    def test_user_without_access_to_checks_reads_the_action(self):
        actions = self.env["ir.actions.act_window"].with_user(self.viewer)
        shown = actions._for_xml_id("spar_mapper.spar_alarm_action")["help"]
        self.assertNotIn("last check ended", shown)

    def test_no_user_writes_a_check(self):
        for role in ("supervisor", "auditor"):
            user = self.create_user(role, login=f"writing_{role}")
            runs = self.env["spar.audit.run"].with_user(user)
            with self.subTest(role), self.assertRaises(AccessError):
                runs.create({"started_at": "2026-01-01 00:00:00"})
