"""A phone shared in a household is noted; beyond a limit it needs a reason."""

from odoo.exceptions import ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import FA
from .test_desk_entry import NEW_ID, EntryCase
from .test_spar_limit import SEALS

PHONE = "mobile:+447911123456@TESTBANK"
PEOPLE = [f"token:200776061{n}@nationalId" for n in range(4)]


@tagged("post_install", "-at_install")
class TestSharedPhone(EntryCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.kind = cls.env.ref("spar_fa_directory.type_mobile_wallet")
        cls.bank.kind = "wallet"

    def link_people(self, number, fa=PHONE):
        for person in PEOPLE[:number]:
            self.link(person, fa)

    def confirm(self, fa=PHONE, **values):
        wizard = self.open_link(fa, **values)
        return wizard, wizard.action_confirm()

    def test_household_is_noted_and_beyond_it_a_reason_is_asked_for(self):
        """As shipped, four people share a phone."""
        for number, is_stopped in ((1, False), (3, False), (4, True)):
            with self.subTest(number), self.undone():
                self.link_people(number)
                wizard, action = self.confirm()
                self.assertEqual(action.get("res_id") == wizard.id, is_stopped)
                self.assertEqual(self.get_fa(NEW_ID), None if is_stopped else PHONE)
                if is_stopped:
                    self.assertEqual(wizard.shared_count, number)
                else:
                    note = f"are paid to this phone: {number}."
                    self.assertIn(note, action["params"]["message"])

    def test_nobody_else_is_no_note(self):
        _wizard, action = self.confirm()
        self.assertNotIn("phone", action["params"]["message"])

    def test_beyond_the_limit_a_reason_is_kept(self):
        self.link_people(4)
        wizard, _action = self.confirm()
        wizard.shared_reason = "Three families, one house"
        action = wizard.action_confirm()
        self.assertNotIn("That is usual", action["params"]["message"])
        (event,) = self.mapping_of(NEW_ID).event_ids
        self.assertIn("Others with this account: 4. Three families", event.reason)

    def test_people_of_other_offices_count_and_are_not_named(self):
        self.link_people(4)
        offices = self.env["spar.office"]
        elsewhere = offices.create({"name": "Elsewhere"})
        offices.create({"name": "Here", "member_ids": [(4, self.officer.id)]})
        people = self.env["spar.subject"].union(*map(self.subject_of, PEOPLE))
        mapper = self.mapper.with_user(self.create_user("supervisor"))
        call = mapper._build_staff_call("moved away")
        mapper._move_to_office(call, people.ids, elsewhere)
        self.env.invalidate_all()
        mine = self.env["spar.subject"].with_user(self.officer)
        self.assertFalse(mine.search([("id", "in", people.ids)]))
        wizard, action = self.confirm()
        self.assertEqual(action.get("res_id"), wizard.id)
        self.assertEqual(wizard.shared_count, 4)
        self.assertNotIn("Elsewhere", str(wizard.read()))

    def test_account_stops_the_officer_whatever_its_kind_says(self):
        """Only a phone is shared: an account that is, may be whoever collects."""
        self.bank.kind = "bank"
        self.env.ref("spar_fa_directory.type_bank_account").people_per_address = 9
        self.link(PEOPLE[0], FA)
        wizard, action = self.confirm(FA)
        self.assertEqual(action.get("res_id"), wizard.id)

    def test_setting_that_sql_changed_does_not_count(self):
        self.env["spar.settings.seal"]._seal_all()
        self.link_people(4)
        self.tamper("UPDATE spar_fa_type SET people_per_address = 9")
        with mute_logger(SEALS), self.catch_alarms():
            places = self.env["spar.mapping"]._find_in_force([PHONE])
            self.assertEqual(len(places), 4)
            self.assertFalse(self.wizards._may_share(places))

    def test_one_administrator_does_not_change_the_setting(self):
        administrator = self.create_user("administrator")
        self.kind.with_user(administrator).people_per_address = 9
        self.assertEqual(self.kind.people_per_address, 4)

    def test_numbers_out_of_range_are_refused(self):
        for number in (0, -1, 21):
            with self.subTest(number), self.assertRaises(ValidationError):
                self.kind.people_per_address = number
