from unittest.mock import patch

from odoo.exceptions import UserError
from odoo.tests import new_test_user

from .common import FA, ID, OTHER_FA, OTHER_ID, StoreCase


class TestDirectoryUsed(StoreCase):
    """Records that mappings name are archived, not deleted, and counted."""

    def setUp(self):
        super().setUp()
        self.link(ID, FA)
        self.link(OTHER_ID, OTHER_FA)
        self.unlink(OTHER_ID)

    def test_addresses_in_force_and_earlier_ones_are_counted(self):
        self.assertEqual((self.bank.use_count, self.bank.ended_use_count), (1, 1))
        self.assertEqual((self.north.use_count, self.north.ended_use_count), (1, 0))
        self.assertEqual((self.south.use_count, self.south.ended_use_count), (0, 1))
        self.assertTrue(self.south.is_used)

    def test_many_are_counted_in_two_statements(self):
        branches = self.north | self.south
        with self.assertQueryCount(2):
            branches.mapped("use_count")

    def test_archiving_states_the_number_and_addresses_still_resolve(self):
        for record in (self.north, self.bank):
            action = record.action_archive()
            message = action["params"]["message"]
            self.assertIn("1 financial address in force", message)
            self.assertIn(record.display_name, message)
            self.assertFalse(record.active)
            self.assertEqual(self.resolve(ID).fa, FA)

    def test_a_great_number_is_written_as_people_do(self):
        uses = type(self.bank)._count_uses(self.bank)[self.bank.id]
        many = {self.bank.id: uses._replace(in_force=1234)}
        with patch.object(type(self.bank), "_count_uses", lambda bank: many):
            text = self.bank._get_uses_text()
        self.assertEqual(text, "1,234 financial addresses in force name Test Bank.")

    def test_archiving_an_unused_record_gives_no_warning(self):
        other = self.env["spar.fsp"].create({"name": "Other", "code": "OTHER"})
        self.assertFalse(other.action_archive())
        self.assertFalse(self.south.action_archive())

    def test_deleting_is_refused_with_the_count(self):
        for record in (self.bank, self.north):
            with self.assertRaisesRegex(UserError, "1 financial address in force"):
                record.unlink()
        with self.assertRaisesRegex(UserError, "Archive it"):
            self.south.unlink()

    def test_the_button_opens_the_addresses(self):
        viewer = new_test_user(
            self.env, "seer", "base.group_user,spar_fa_directory.group_viewer"
        )
        action = self.north.with_user(viewer).action_open_mappings()
        mappings = self.env["spar.mapping"].with_user(viewer)
        self.assertEqual(mappings.search(action["domain"]), self.mapping_of(ID))

    def test_nothing_of_a_beneficiary_goes_to_odoos_bank_accounts(self):
        odoo_bank = self.env["res.bank"].create(
            {"name": "Test Bank", "bic": "TABUEE22"}
        )
        self.bank.bank_id = odoo_bank
        accounts = self.env["res.partner.bank"].with_context(active_test=False)
        before = accounts.search([]).ids, self.env["res.partner"].search_count([])
        self.update(ID, OTHER_FA)
        self.unlink(ID)
        self.link(ID, FA)
        self.env.flush_all()
        after = accounts.search([]).ids, self.env["res.partner"].search_count([])
        self.assertEqual(after, before)
        self.assertFalse(accounts.search([("acc_number", "ilike", "111100001111")]))
