from dataclasses import replace

from odoo.exceptions import UserError

from odoo.addons.spar_mapper_connector.lib.contract import (
    LinkRequest,
    Outcome,
    UpdateRequest,
)

from .common import FA, ID, OTHER_FA, OTHER_ID, StoreCase, type_address

#: Addresses that the directory rejects, and why.
WRONG = {
    "no account at all": "unread",
    "account:12345678@BR01.NOSUCH": "provider_unknown",
    "account:12345678@BR09.TESTBANK": "branch_unknown",
    "account:1@BR01.TESTBANK": "part",
    "mobile:+15551234567@TESTBANK": "provider_kind",
}


class TestAddressChecks(StoreCase):
    """Callers that request it have addresses checked by the directory first."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.free = cls.call
        cls.call = cls.strict = replace(cls.call, checks_addresses=True)

    def count_rows(self):
        self.env.cr.execute(
            """SELECT (SELECT count(*) FROM spar_subject_id),
                      (SELECT count(*) FROM spar_mapping),
                      (SELECT count(*) FROM spar_event)"""
        )
        return self.env.cr.fetchone()

    def test_an_address_in_order_is_linked_with_its_strategy_and_place(self):
        self.assertEqual(self.link(ID, FA).outcome, Outcome.LINKED)
        mapping = self.env["spar.mapping"].search([("id_value", "=", ID)])
        self.assertTrue(mapping.strategy_number)
        self.assertEqual(mapping.branch_id, self.north)

    def test_each_wrong_address_is_refused_by_its_reason_and_leaves_nothing(self):
        before = self.count_rows()
        for fa, problem in WRONG.items():
            with self.subTest(fa):
                result = self.link(ID, fa)
                self.assertEqual(result.outcome, Outcome.INVALID_FA)
                self.assertEqual(result.problem, problem)
        self.assertEqual(self.count_rows(), before)

    def test_a_part_is_named_and_its_value_is_not(self):
        result = self.link(ID, "account:1@BR01.TESTBANK")
        self.assertEqual(
            result.problem_values, {"part": "account_number", "check": "regex"}
        )

    def test_the_own_id_is_no_account_number_however_either_is_written(self):
        for id_value, number in (
            ("token:2007816053@nationalId", "2007816053"),
            ("TOKEN:2007816053@NATIONALID", "2007-816 053"),
            ("token:2007 816-053@nationalId", "2007816053"),
            ("token:\u0662007816053@nationalId", "2007816053"),
            ("token:ab2007816053@nationalId", "AB2007816053"),
            ("token:2007816053AB@nationalId", "2007816053ab"),
        ):
            with self.subTest(id_value):
                result = self.link(id_value, f"account:{number}@BR01.TESTBANK")
                self.assertEqual(result.outcome, Outcome.INVALID_FA)
                self.assertEqual(result.problem_values["check"], "own_id")

    def test_a_number_that_is_only_a_part_of_the_id_is_an_account(self):
        result = self.link(
            "token:920078160531@nationalId", "account:2007816053@BR01.TESTBANK"
        )
        self.assertEqual(result.outcome, Outcome.LINKED)

    def test_an_update_to_a_wrong_address_keeps_the_old_one(self):
        self.link(ID, FA)
        for fa, problem in WRONG.items():
            with self.subTest(fa):
                self.assertEqual(self.update(ID, fa).problem, problem)
        self.assertEqual(self.resolve(ID).fa, FA)

    def test_the_good_items_of_a_batch_are_done(self):
        requests = [
            LinkRequest(ID, "account:1@BR01.TESTBANK"),
            LinkRequest(OTHER_ID, OTHER_FA),
        ]
        refused, linked = self.mapper._link_fa(self.call, requests)
        self.assertEqual(refused.outcome, Outcome.INVALID_FA)
        self.assertEqual(linked.outcome, Outcome.LINKED)

    def test_earlier_address_can_be_unlinked(self):
        self.link(ID, "anything", call=self.free)
        self.assertEqual(self.unlink(ID, "anything").outcome, Outcome.UNLINKED)

    def test_unchecked_text_is_stored_unparsed_and_fully_masked(self):
        self.assertEqual(
            self.link(ID, "no account at all", call=self.free).outcome, Outcome.LINKED
        )
        unparsed = [("strategy_number", "=", False)]
        mapping = self.env["spar.mapping"].search([("id_value", "=", ID), *unparsed])
        self.assertEqual(mapping.fa_masked, "•" * 13 + " all")
        self.assertEqual(self.resolve(ID).fa, "no account at all")

    def test_an_unparsed_address_can_be_replaced_by_one_in_order(self):
        self.link(ID, "no account at all", call=self.free)
        self.assertEqual(self.update(ID, FA).outcome, Outcome.UPDATED)
        self.assertEqual(self.resolve(ID).provider.code, "TESTBANK")

    def test_archived_branch_refuses_new_links_and_stays_resolvable(self):
        self.link(ID, FA)
        self.north.action_archive()
        self.assertEqual(self.link(OTHER_ID, FA).problem, "branch_archived")
        self.assertEqual(self.resolve(ID).fa, FA)

    def test_the_check_costs_no_statement_more(self):
        def count(call, number):
            requests = [UpdateRequest(ID, f"account:{number:08}@BR01.TESTBANK")]
            return self.count_statements(lambda: self.mapper._update_fa(call, requests))

        self.link(ID, FA)
        count(self.strict, 1)
        self.assertEqual(count(self.strict, 2), count(self.free, 3))

    def test_refusal_states_the_problem_and_the_remedy(self):
        answers = self.env["spar.staff.answers"]
        for fa, word in {
            "account:12345678@BR01.NOSUCH": "Provider:",
            "account:12345678@BR09.TESTBANK": "Branch:",
            "account:1@BR01.TESTBANK": "Account number:",
            "no account at all": "Choose the kind",
        }.items():
            with self.subTest(fa):
                self.assertIn(word, answers._get_refusal(self.link(ID, fa)))

    def test_address_typed_by_an_officer_is_checked(self):
        wizard = self.env["spar.mapping.wizard"].create(
            {
                "operation": "link",
                "reason": "asked in person",
                "id_value": "2007816053",
                **type_address("account:12345678@BR09.TESTBANK"),
            }
        )
        self.env.user.group_ids += self.env.ref("spar_fa_directory.group_officer")
        wizard.action_confirm()  # asks for confirmation: the first ID of this length
        wizard.is_id_right = True
        with self.assertRaisesRegex(UserError, "Branch: this provider has no branch"):
            wizard.action_confirm()
