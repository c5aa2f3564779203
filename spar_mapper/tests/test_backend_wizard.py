from odoo import fields
from odoo.exceptions import AccessError, RedirectWarning, UserError
from odoo.fields import Command
from odoo.tests import Form, tagged

from .common import FA, ID, OTHER_FA, StoreCase

NEW_ID = "token:Mary-1903@nationalId"
ACCOUNT = "987654321098"


@tagged("post_install", "-at_install")
class TestBackendWizard(StoreCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.officer = cls.create_user("officer")
        cls.supervisor_user = cls.create_user("supervisor")
        cls.bank.kind = "bank"
        cls.bank_account = cls.env.ref("spar_fa_directory.type_bank_account")

    def open(self, operation, id_value=None, user=None):
        """Return the wizard as the list or the form of a mapping opens it."""
        user = user or self.officer
        if id_value is None:
            return Form(
                self.env["spar.mapping.wizard"]
                .with_user(user)
                .with_context(default_operation=operation)
            )
        mapping = self.mapping_of(id_value).with_user(user)
        action = getattr(mapping, f"action_{operation}")()
        return Form(
            self.env["spar.mapping.wizard"]
            .with_user(user)
            .with_context(**action["context"])
        )

    def fill_address(self, form, account=ACCOUNT):
        form.fa_type_id = self.bank_account
        form.provider_id = self.bank
        form.branch_id = self.south
        with form.part_ids.edit(0) as line:
            line.value = line.value_again = account

    def confirm(self, form, reason="Came to the counter", has_evidence=True):
        form.reason = reason
        form.has_evidence = has_evidence
        self.choose_reason(form)
        wizard = form.save()
        action = wizard.action_confirm()
        if action.get("res_model") == wizard._name:
            # The ID of these tests has letters, so the officer must confirm it.
            wizard.is_id_right = True
            action = wizard.action_confirm()
        return wizard, action

    def choose_reason(self, form, chosen="account"):
        if form.operation in ("suspend", "resume", "unlink"):
            setattr(form, f"{form.operation}_reason", chosen)

    def link_new(self, **values):
        form = self.open("link")
        form.id_value = NEW_ID
        self.fill_address(form)
        return self.confirm(form, **values)

    def test_a_bank_without_branches_is_saved_at_once(self):
        bank = self.env["spar.fsp"].create({"name": "Branchless", "code": "NOBR"})
        form = self.open("link")
        form.id_value = NEW_ID
        form.fa_type_id = self.bank_account
        form.provider_id = bank
        self.assertFalse(form.needs_branch)
        with form.part_ids.edit(0) as line:
            line.value = line.value_again = ACCOUNT
        self.confirm(form)
        self.assertEqual(self.get_fa(NEW_ID), f"account:{ACCOUNT}@.NOBR")

    def test_branch_is_required_if_the_provider_has_any(self):
        form = self.open("link")
        form.fa_type_id = self.bank_account
        form.provider_id = self.bank
        self.assertTrue(form.needs_branch)

    def test_closed_bank_is_refused_with_its_successor(self):
        heir = self.env["spar.fsp"].create({"name": "Heir Bank", "code": "HEIR"})
        self.bank.write({"closed_on": fields.Date.today(), "successor_id": heir.id})
        with self.assertRaisesRegex(UserError, "Heir Bank"):
            self.link_new()

    def test_an_officer_links_by_answering_questions(self):
        _wizard, action = self.link_new()
        self.assertEqual(action["params"]["type"], "success")
        self.assertEqual(self.get_fa(NEW_ID), f"account:{ACCOUNT}@BR02.TESTBANK")
        event = self.mapping_of(NEW_ID).event_ids
        self.assertEqual(event.actor, f"user:{self.officer.id}")
        self.assertEqual(event.reason, "Came to the counter")
        self.assertEqual(event.channel, "staff")

    def test_typed_address_is_stored_in_canonical_form(self):
        form = self.open("link")
        form.id_value = NEW_ID
        self.fill_address(form, "\u0661\u0662\u0663\u0664-5678 ab")
        self.confirm(form)
        self.assertEqual(self.get_fa(NEW_ID), "account:12345678AB@BR02.TESTBANK")

    def test_invalid_account_number_is_refused_with_an_explanation(self):
        for number, text in (
            ("4111 1111 1111 1111", "^Account number: This is the number of a payment"),
            ("0000", "^Account number: This is not an account number"),
            ("null", "^Account number: This is only a placeholder"),
        ):
            form = self.open("link")
            form.id_value = NEW_ID
            self.fill_address(form, number)
            with self.subTest(number), self.assertRaisesRegex(UserError, text):
                self.confirm(form)

    def test_a_bank_s_own_rule_counts_for_a_whole_address_too(self):
        self.bank.account_longest = 8
        form = self.open("link")
        form.id_value = NEW_ID
        form.fa_text = form.fa_text_again = "account:123456789@BR02.TESTBANK"
        with self.assertRaisesRegex(UserError, "^Account number: .* more or fewer"):
            self.confirm(form)

    def test_typed_text_is_in_no_table(self):
        form = self.open("link")
        form.id_value = NEW_ID
        self.fill_address(form)
        form.reason = "Came to the counter"
        form.save()
        self.assertEqual(self.find_clear(NEW_ID, "Mary-1903", ACCOUNT), [])
        self.assertEqual(self.find_clear(NEW_ID, ACCOUNT, tables="%"), [])

    def test_typed_text_survives_a_refusal(self):
        form = self.open("link")
        form.id_value = NEW_ID
        self.fill_address(form)
        form.reason = "Came to the counter"
        wizard = form.save()
        wizard.invalidate_recordset()
        self.assertEqual(wizard.id_value, NEW_ID)
        self.assertEqual(wizard.part_ids.mapped("value"), [ACCOUNT])

    def test_a_draft_is_gone_once_it_is_done(self):
        wizard, _action = self.link_new()
        self.env.cr.execute(
            """SELECT sealed FROM spar_mapping_wizard WHERE id = %s UNION ALL
               SELECT sealed FROM spar_mapping_wizard_part WHERE wizard_id = %s""",
            (wizard.id, wizard.id),
        )
        self.assertEqual(self.env.cr.fetchall(), [(None,), (None,)])

    def test_a_kind_with_several_texts_asks_for_each(self):
        voucher = self.add_voucher()
        form = self.open("link")
        form.id_value = NEW_ID
        form.fa_type_id = voucher
        form.provider_id = self.env["spar.fsp"].search([("code", "=", "FOOD")])
        for number, value in enumerate(("SPRING", "79927398713")):
            with form.part_ids.edit(number) as line:
                line.value = line.value_again = value
        self.confirm(form)
        self.assertEqual(self.get_fa(NEW_ID), "coupon:79927398713/SPRING@FOOD")

    def test_a_text_that_does_not_pass_its_check_is_named_by_its_label(self):
        form = self.open("link")
        form.id_value = NEW_ID
        form.fa_type_id = self.add_voucher()
        form.provider_id = self.env["spar.fsp"].search([("code", "=", "FOOD")])
        for number, value in enumerate(("SPRING", "79927398710")):
            with form.part_ids.edit(number) as line:
                line.value = line.value_again = value
        with self.assertRaisesRegex(UserError, "^Serial number: The number is mist"):
            self.confirm(form)

    def add_voucher(self):
        """Add a kind of address with two texts, as an administrator does."""
        self.env["spar.fsp"].create(
            {"name": "Food for All", "code": "FOOD", "kind": "voucher"}
        )
        parts = [
            {"key": "scheme", "label": "Scheme", "kind": "provider"},
            {"key": "campaign", "label": "Campaign code"},
            {"key": "serial", "label": "Serial number", "check_code": "luhn"},
        ]
        return self.env["spar.fa.type"].create(
            {
                "name": "Campaign voucher",
                "code": "campaign_voucher",
                "provider_kind": "voucher",
                "part_ids": [Command.create(part) for part in parts],
                "strategy_ids": [
                    Command.create(
                        {
                            "name": "Campaign voucher",
                            "template": "coupon:{serial}/{campaign}@{scheme}",
                            "is_default": True,
                        }
                    )
                ],
            }
        )

    def test_an_officer_changes_suspends_resumes_and_unlinks(self):
        self.link(ID, FA)
        form = self.open("update", ID)
        self.fill_address(form)
        self.confirm(form)
        self.assertEqual(self.get_fa(ID), f"account:{ACCOUNT}@BR02.TESTBANK")
        self.confirm(self.open("suspend", ID))
        self.assertIsNone(self.get_fa(ID))
        self.confirm(self.open("resume", ID))
        self.assertTrue(self.get_fa(ID))
        self.confirm(self.open("unlink", ID))
        self.assertEqual(self.mapping_of(ID).state, "ended")

    def test_without_evidence_the_word_weighs_less(self):
        self.link_new(has_evidence=False)
        self.assertEqual(self.mapping_of(NEW_ID).authority_name, "20")

    def test_held_change_is_reported_as_held(self):
        self.hold_everything()
        _wizard, action = self.link_new()
        self.assertEqual(action["params"]["type"], "warning")
        self.assertIsNone(self.get_fa(NEW_ID))

    def test_a_linked_id_is_refused_by_name(self):
        self.link(NEW_ID, FA)
        with self.assertRaisesRegex(RedirectWarning, "ID: it already has an address"):
            self.link_new()

    def test_an_id_with_an_invisible_character_is_refused(self):
        form = self.open("link")
        form.id_value = "token:a\u200bb@nationalId"
        self.fill_address(form)
        with self.assertRaisesRegex(UserError, "ID: this is not a valid ID"):
            self.confirm(form)

    def test_a_change_made_meanwhile_is_a_conflict(self):
        self.link(ID, FA)
        form = self.open("update", ID)
        self.update(ID, OTHER_FA)
        self.fill_address(form)
        with self.assertRaisesRegex(UserError, "has no address in force|has changed"):
            self.confirm(form)
        self.assertEqual(self.get_fa(ID), OTHER_FA)

    def test_a_reason_with_the_id_or_the_account_is_refused(self):
        for reason in ("It is Mary-1903 again", f"Account {ACCOUNT} shown"):
            with self.assertRaisesRegex(UserError, "Reason: leave out"):
                self.link_new(reason=reason)

    def test_a_reason_with_the_id_of_the_record_is_refused_however_grouped(self):
        self.link(ID, FA)
        for reason in ("Ada-1815 is away", "closed: 1111-0000-1111"):
            with self.assertRaisesRegex(UserError, "Reason: leave out"):
                self.confirm(self.open("suspend", ID), reason=reason)
        self.assertEqual(self.find_clear("Ada-1815 is away", "1111-0000-1111"), [])

    def test_no_reason_is_refused(self):
        self.link(ID, FA)
        with self.assertRaisesRegex(UserError, "Enter a reason"):
            self.confirm(self.open("update", ID), reason=" ")

    def test_the_number_on_the_card_is_enough(self):
        form = self.open("link")
        form.id_value = "1234567890"
        self.fill_address(form)
        self.confirm(form)
        self.assertTrue(self.get_fa("token:1234567890@nationalId"))

    def test_a_tokenised_id_can_be_suspended_from_its_record(self):
        self.env["spar.id.type"].create(
            {
                "name": "Card",
                "code": "card",
                "sequence": 5,
                "strategy": "card:{number}@registry",
                "tokeniser": "openg2p-sha3-256",
                "stored_strategy": "token:{sub}@registry",
            }
        )
        self.link("card:4711@registry", FA)
        self.confirm(self.open("suspend", "card:4711@registry"))
        self.assertEqual(self.mapping_of("card:4711@registry").state, "suspended")

    def test_officer_gets_an_error_without_the_keyring(self):
        self.link(ID, FA)
        form = self.open("suspend", ID)
        self.choose_reason(form)
        wizard = form.save()
        with self.keyring_away(), self.assertRaisesRegex(UserError, "keys are missing"):
            wizard.action_confirm()

    def test_an_ended_address_is_a_conflict(self):
        self.link(ID, FA)
        form = self.open("suspend", ID)
        self.unlink(ID)
        self.link(ID, OTHER_FA)
        with self.assertRaisesRegex(UserError, "has changed"):
            self.confirm(form)

    def test_proposer_may_not_approve(self):
        self.add_rule("approve")
        both = self.create_user("officer", login="both")
        both.group_ids += self.env.ref("spar_fa_directory.group_supervisor")
        call = self.mapper.with_user(both)._build_staff_call("x")
        self.link(ID, FA, call=call)
        with self.assertRaisesRegex(UserError, "Another person"):
            self.compare(self.change_of(ID).with_user(both)).action_approve()

    def test_a_missing_part_of_the_address_is_named(self):
        form = self.open("link")
        form.id_value = NEW_ID
        form.reason = "x"
        wizard = form.save()
        with self.assertRaisesRegex(UserError, "Enter the full address"):
            wizard.action_confirm()

    def test_full_address_can_be_typed(self):
        form = self.open("link")
        form.id_value = NEW_ID
        form.fa_text = form.fa_text_again = FA
        self.confirm(form)
        self.assertEqual(self.get_fa(NEW_ID), FA)

    def test_others_may_not_open_the_wizard(self):
        for role in ("viewer", "supervisor", "auditor", "administrator"):
            user = self.create_user(role, login=f"wizard_{role}")
            with self.subTest(role=role), self.assertRaises(AccessError):
                self.env["spar.mapping.wizard"].with_user(user).create(
                    {"operation": "link", "reason": "x"}
                )

    def test_a_role_taken_away_meanwhile_does_nothing_and_loses_nothing(self):
        form = self.open("link")
        form.id_value = NEW_ID
        form.fa_text = form.fa_text_again = FA
        form.reason = "Came to the counter"
        wizard = form.save()
        wizard.action_confirm()
        # The ID of these tests has letters, so the officer must confirm it.
        wizard.is_id_right = True
        role = self.env.ref("spar_fa_directory.group_officer")
        viewer = self.env.ref("spar_fa_directory.group_viewer")
        self.officer.group_ids -= role
        for left in (viewer.browse(), viewer):
            self.officer.group_ids += left
            with self.subTest(left.name), self.assertRaises(AccessError):
                wizard.action_confirm()
            self.assertFalse(self.subject_of(NEW_ID))
        self.officer.group_ids += role
        wizard.action_confirm()
        self.assertEqual(self.get_fa(NEW_ID), FA)

    def test_another_officer_does_not_see_the_draft(self):
        form = self.open("link")
        form.id_value = NEW_ID
        form.reason = "x"
        wizard = form.save()
        other = self.create_user("officer", login="other_officer")
        with self.assertRaises(AccessError):
            wizard.with_user(other).read(["id_value"])

    def test_a_supervisor_approves_and_an_officer_may_not(self):
        self.add_rule("approve")
        self.link(ID, FA)
        change = self.change_of(ID)
        with self.assertRaises(AccessError):
            change.with_user(self.officer).action_approve()
        with self.assertRaises(AccessError):
            change.with_user(self.officer).action_refuse()
        self.compare(change.with_user(self.supervisor_user)).action_approve()
        self.assertEqual(self.get_fa(ID), FA)

    def test_only_the_proposer_may_withdraw_a_change(self):
        self.hold_everything()
        self.link_new()
        change = self.change_of(NEW_ID)
        other = self.create_user("officer", login="third_officer")
        with self.assertRaisesRegex(UserError, "so you cannot withdraw it"):
            change.with_user(other).action_cancel()
        change.with_user(self.officer).action_cancel()
        self.assertEqual(change.state, "cancelled")
