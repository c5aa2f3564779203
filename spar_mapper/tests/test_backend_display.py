from datetime import timedelta

from odoo.exceptions import (
    AccessError,
    RedirectWarning,
    UserError,
    ValidationError,
)
from odoo.tests import tagged

from .common import FA, ID, OTHER_FA, OTHER_ID, THIRD_FA, StoreCase


@tagged("post_install", "-at_install")
class TestBackendDisplay(StoreCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.viewer = cls.create_user("viewer")
        cls.mappings = cls.env["spar.mapping"].with_user(cls.viewer)

    def setUp(self):
        super().setUp()
        self.link(ID, FA)
        self.link(OTHER_ID, OTHER_FA)

    def search(self, name, value, operator="="):
        return self.mappings.search([(name, operator, value)])

    def test_a_viewer_sees_id_and_address_masked(self):
        mapping = self.search("id_value", ID)
        self.assertEqual(mapping.id_masked, "National ID ••5")
        self.assertEqual(mapping.fa_masked, "Bank account ••111 at Test Bank, North")
        self.assertNotIn("Ada", mapping.id_masked)

    def test_clear_values_are_never_read(self):
        mapping = self.search("id_value", ID)
        self.assertFalse(mapping.id_value)
        self.assertFalse(mapping.fa_value)
        self.assertEqual(mapping.read(["id_value"])[0]["id_value"], False)

    def test_an_exact_id_finds_its_places(self):
        self.update(ID, THIRD_FA)
        self.assertEqual(self.search("id_value", ID), self.mappings_of(ID))

    def test_an_id_is_found_however_its_type_is_written(self):
        self.assertTrue(self.search("id_value", ID.replace("token", "TOKEN")))

    def test_an_exact_address_finds_its_mapping(self):
        self.assertEqual(self.search("fa_value", FA), self.mapping_of(ID))

    def test_a_day_finds_addresses_in_force_on_it(self):
        self.let_pass(days=10)
        self.update(ID, THIRD_FA)
        today = self.mapper._get_now().date()
        periods = self.env["spar.mapping.period"].with_user(self.mappings.env.user)
        for days, masked in ((-5, "•111"), (5, "•333")):
            domain = [("in_force_on", "=", today + timedelta(days=days))]
            found = periods.search([("id_value", "=", ID), *domain])
            self.assertRegex(found.fa_masked, f"^Bank account •{masked} at Test Bank")
            places = self.mappings.search([("id_value", "=", ID), *domain])
            self.assertEqual(places, self.mapping_of(ID))
        past = today - timedelta(days=50)
        self.assertFalse(self.search("in_force_on", past))

    def test_a_day_in_a_gap_or_a_suspension_finds_nothing(self):
        for word in (self.suspend, self.resume, self.unlink):
            self.let_pass(days=10)
            word(ID)
        self.let_pass(days=10)
        self.link(ID, FA)
        today = self.mapper._get_now().date()
        periods = self.env["spar.mapping.period"]
        for days, is_found in ((35, 1), (25, 0), (15, 1), (5, 0), (0, 1)):
            day = today - timedelta(days=days)
            domain = [("id_value", "=", ID), ("in_force_on", "=", day)]
            with self.subTest(days=days):
                self.assertEqual(len(periods.search(domain)), is_found)
                self.assertEqual(self.mappings.search_count(domain), is_found)

    def test_a_part_of_an_id_finds_nothing(self):
        self.assertFalse(self.search("id_value", ID[:-1]))
        self.assertFalse(self.search("id_value", "a\u200bb"))

    def test_a_search_for_similar_ids_finds_nothing_and_logs_nothing(self):
        with self.assertNoLogs(level="WARNING"):
            for operator in ("ilike", "like", ">", "<="):
                self.assertFalse(self.search("id_value", "token:Ada", operator))
            everything = self.search("id_value", "token:Ada", "not ilike")
        self.assertIn(self.mapping_of(ID), everything)

    def test_the_number_on_the_card_finds_its_id(self):
        self.assertEqual(self.search("id_value", "Ada-1815"), self.mapping_of(ID))

    def test_search_without_the_keyring_is_refused(self):
        with self.keyring_away(), self.assertRaisesRegex(RedirectWarning, "keys are"):
            self.search("id_value", ID)

    def test_a_saved_search_cannot_keep_an_id(self):
        for name in ("id_value", "fa_value"):
            with self.assertRaises(ValidationError):
                self.env["ir.filters"].create(
                    {
                        "name": "Mine",
                        "model_id": "spar.mapping",
                        "domain": f"[('{name}', '=', 'x')]",
                    }
                )

    def test_other_searches_can_be_saved(self):
        values = {
            "name": "Mine",
            "model_id": "spar.mapping",
            "domain": "[('state', '=', 'active')]",
        }
        self.assertTrue(self.env["ir.filters"].create(values))

    def test_row_that_does_not_open_shows_an_error_only(self):
        mapping = self.mapping_of(ID)
        self.tamper(
            "UPDATE spar_mapping SET state = 'suspended' WHERE id = %s", mapping.id
        )
        shown = mapping.with_user(self.viewer)
        with self.catch_alarms() as alarms:
            self.assertEqual(shown.fa_masked, "Cannot be opened: see the alarms")
        self.assertIn(("spar_mapping", mapping.id), alarms)

    def test_without_the_keyring_nothing_is_shown(self):
        mapping = self.mapping_of(ID).with_user(self.viewer)
        with self.keyring_away():
            mapping.invalidate_recordset()
            self.assertEqual(mapping.fa_masked, "Encryption keys unavailable")

    def test_actors_are_shown_by_name(self):
        call = self.mapper.with_user(self.viewer)._build_staff_call("Asked for")
        self.suspend(ID, call=call)
        events = self.mapping_of(ID).event_ids.with_user(self.viewer)
        names = events.sorted("seq").mapped("actor_name")
        self.assertEqual(names[1], self.viewer.name)
        self.assertNotIn("participant:", names[0])

    def test_all_periods_of_the_person_are_shown(self):
        self.update(ID, THIRD_FA)
        mapping = self.mapping_of(ID).with_user(self.viewer)
        self.assertEqual(len(mapping.period_ids), 2)

    def test_a_waiting_change_is_shown_masked_and_explained(self):
        self.hold_everything()
        self.update(ID, THIRD_FA)
        change = self.change_of(ID).with_user(self.viewer)
        self.assertRegex(change.fa_masked, "^Bank account ••333 at Test Bank")
        self.assertRegex(change.current_masked, "^Bank account ••111 at Test Bank")
        self.assertEqual(change.why_text, "Test: hold")

    def test_a_lower_authority_is_named_as_the_cause(self):
        self.link("token:Own@nationalId", THIRD_FA, call=self.owner)
        self.update("token:Own@nationalId", FA)
        change = self.change_of("token:Own@nationalId").with_user(self.viewer)
        self.assertIn("higher authority", change.why_text)

    def test_user_without_a_group_reads_nothing(self):
        nobody = self.create_user(login="display_nobody")
        with self.assertRaises(AccessError):
            self.env["spar.mapping"].with_user(nobody).search([])

    def test_a_used_provider_keeps_its_code(self):
        with self.assertRaises(UserError):
            self.bank.code = "RENAMED"
        with self.assertRaises(UserError):
            self.north.code = "RENAMED"
        with self.assertRaises(UserError):
            self.bank.unlink()

    def test_an_unused_branch_may_be_recoded(self):
        unused = self.env["spar.fsp.branch"].create(
            {"provider_id": self.bank.id, "name": "New", "code": "BR77"}
        )
        unused.code = "BR78"
        self.assertEqual(unused.code, "BR78")
