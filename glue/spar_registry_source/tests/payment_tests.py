import csv
import io
import logging
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user
from odoo.tools import SQL

from odoo.addons.spar_mapper_connector.exceptions import MapperError
from odoo.addons.spar_mapper_connector.lib.contract import (
    LinkRequest,
    Outcome,
    PaymentState,
    Standing,
)
from odoo.addons.spar_registry.lib.readiness import ReadinessState
from odoo.addons.spar_registry.tests.common import FA, OTHER_FA
from odoo.addons.spar_registry.tests.stand_in import WRONG_ANSWERS

from ..lib.orders import COLUMNS

FINDER = "odoo.addons.spar_registry_source.models.payment.spar_payee_finder"
BANK_NUMBER = "BANK99887766"


class PaymentCase:
    """A programme of another registry with a cycle, and an entitlement for each person.

    Each registry's tests name its models.
    """

    #: Models and fields of the registry.
    PREFIX = ""
    MANAGER = ""
    MANAGERS_FIELD = ""
    PREPARERS = ""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.their_programme = cls.make("program", name="Cash")
        tag = cls.make("payment.batch.tag", name="All", domain="[]")
        cls.payment_manager = cls.env[cls.MANAGER].create(
            {
                "name": "SPAR",
                "program_id": cls.their_programme.id,
                "spar_programme_id": cls.programme.id,
                "create_batch": True,
                "batch_tag_ids": [(6, 0, tag.ids)],
            }
        )
        cls.their_programme[cls.MANAGERS_FIELD] = cls.make(
            "program.payment.manager",
            program_id=cls.their_programme.id,
            manager_ref_id=f"{cls.MANAGER},{cls.payment_manager.id}",
        )
        today = fields.Date.today()
        cls.cycle = cls.make(
            "cycle",
            name="March",
            program_id=cls.their_programme.id,
            start_date=today,
            end_date=today,
        )
        cls.jan = cls.create_registrant("Jan")
        cls.entitlements = cls.env[f"{cls.PREFIX}.entitlement"]
        for person in (cls.hope, cls.ivan, cls.jan):
            cls.entitlements |= cls.entitle(person)
        cls.held = cls.env["spar.held.payment"]
        cls.dispatches = cls.env["spar.payment.dispatch"]
        cls.payments = cls.env[f"{cls.PREFIX}.payment"]
        cls.officer = new_test_user(
            cls.env,
            "payment.officer",
            groups=f"base.group_user,base.group_partner_manager,{cls.PREPARERS}",
        )
        cls.sender = new_test_user(
            cls.env,
            "payment.sender",
            groups=f"base.group_user,base.group_partner_manager,{cls.PREPARERS},"
            "spar_registry_source.group_payment_sender",
        )

    @classmethod
    def make(cls, model, **values):
        return cls.env[f"{cls.PREFIX}.{model}"].create(values)

    @classmethod
    def entitle(cls, person, amount=25):
        return cls.make(
            "entitlement",
            partner_id=person.id,
            cycle_id=cls.cycle.id,
            initial_amount=amount,
            state="approved",
        )

    def setUp(self):
        super().setUp()
        self.store.set(self.ID_OF_HOPE, FA)

    def prepare(self, user=None):
        """Prepare the payments of the cycle; return them."""
        known = self.payments.search([])
        self.said = self.cycle.with_user(user or self.officer).prepare_payment()
        return self.payments.search([]) - known

    def send(self, user=None):
        return self.cycle.with_user(user or self.sender).send_payment()

    def get_reasons(self):
        """Return why people are held back, by their names."""
        held = self.held.search([("closed_at", "=", False)])
        return {one.partner_id.name: one.reason for one in held}

    def read_file(self, dispatch):
        """Return the rows of a payment file."""
        self.assertTrue(dispatch.has_file)
        text = dispatch._read_sealed()
        return list(csv.DictReader(io.StringIO(text)))


class PaymentTests(PaymentCase):
    # === PREPARING === #

    def test_who_would_be_paid_is_prepared_and_others_are_listed(self):
        payments = self.prepare()
        self.assertEqual(payments.partner_id, self.hope)
        self.assertEqual(
            self.get_reasons(), {"Ivan": "not_linked", "Jan": "no_identity"}
        )
        self.assertIn("2 people are held back", self.said["params"]["message"])
        self.assertIn("2 of 3 are held back", self.cycle.message_ids[0].body)

    def test_line_says_what_to_do_and_whom_to_call(self):
        self.ivan.phone = "0712"
        self.prepare()
        line = self.held.search([("partner_id", "=", self.ivan.id)])
        self.assertEqual(line.phone, "0712")
        self.assertIn("Ask the person", line.advice)
        self.assertEqual((line.stage, line.cycle_name), ("prepare", "March"))
        self.assertEqual(line.held_by, self.officer)

    def test_every_reason_has_advice(self):
        for reason, _label in self.held._fields["reason"].selection:
            error = "unavailable" if reason == "error" else False
            line = self.held.new({"reason": reason, "error": error})
            self.assertTrue(line.advice, reason)

    def test_payment_holds_no_account(self):
        bank = self.env["res.partner.bank"]
        bank.create({"acc_number": BANK_NUMBER, "partner_id": self.hope.id})
        payment = self.prepare()
        self.assertFalse(payment.account_number)
        payment.account_number = BANK_NUMBER
        self.assertFalse(payment.account_number)
        self.env.flush_all()
        table = SQL.identifier(payment._table)
        self.env.cr.execute(SQL("SELECT t::text FROM %s t", table))
        text = str(self.env.cr.fetchall())
        self.assertNotIn(BANK_NUMBER, text)
        self.assertNotIn("111100001111", text)

    def test_payment_of_another_way_of_paying_is_as_before(self):
        program = self.make("program", name="Other")
        cycle = self.make(
            "cycle",
            name="April",
            program_id=program.id,
            start_date=fields.Date.today(),
            end_date=fields.Date.today(),
        )
        entitlement = self.entitle(self.hope)
        entitlement.cycle_id = cycle
        payment = self.make(
            "payment",
            entitlement_id=entitlement.id,
            cycle_id=cycle.id,
            amount_issued=1,
            account_number=BANK_NUMBER,
        )
        self.assertEqual(payment.account_number, BANK_NUMBER)
        ours = self.prepare()
        (ours + payment).write({"account_number": "X"})
        self.assertEqual(payment.account_number, "X")
        self.assertFalse(ours.filtered("account_number"))

    def test_nobody_is_prepared_twice_and_who_becomes_ready_is(self):
        self.prepare()
        self.assertFalse(self.prepare())
        self.assertEqual(
            self.get_reasons(), {"Ivan": "not_linked", "Jan": "no_identity"}
        )
        self.store.set(self.ID_OF_IVAN, OTHER_FA)
        self.assertEqual(self.prepare().partner_id, self.ivan)
        self.assertEqual(self.get_reasons(), {"Jan": "no_identity"})
        closed = self.held.search([("partner_id", "=", self.ivan.id)])
        self.assertTrue(all(closed.mapped("closed_at")))

    def test_failed_payment_is_prepared_again(self):
        self.prepare().status = "failed"
        self.assertEqual(self.prepare().partner_id, self.hope)

    def test_entitlement_that_is_not_approved_is_not_examined(self):
        self.entitlements.state = "draft"
        self.assertFalse(self.prepare())
        self.assertEqual(self.get_reasons(), {})
        self.assertEqual(self.store.calls, [])

    def test_shared_id_is_held_back(self):
        self.add_id(self.jan, self.NUMBER_OF_HOPE)
        self.assertFalse(self.prepare())
        reasons = self.get_reasons()
        self.assertEqual((reasons["Hope"], reasons["Jan"]), ("shared_identity",) * 2)

    def test_head_is_paid_for_a_household(self):
        self.programme.payee_rule = "head"
        self.add_member(self.household, self.hope, is_head=True)
        self.entitle(self.household)
        other = self.create_registrant("Headless", is_group=True)
        self.entitle(other)
        payments = self.prepare()
        self.assertIn(self.household, payments.partner_id)
        self.assertEqual(self.get_reasons()["Headless"], "no_payee")
        dispatch = self.dispatches.search(self.send()["domain"])
        payees = {row["payee"] for row in self.read_file(dispatch)}
        self.assertEqual(payees, {"Hope"})

    def test_mapper_that_is_down_holds_everybody_back(self):
        mapper = type(self.env["spar.mapper.stand.in"])
        with patch.object(mapper, "_resolve_fa", side_effect=MapperError("down")):
            self.assertFalse(self.prepare())
        self.assertEqual(self.get_reasons()["Hope"], "error")
        line = self.held.search([("partner_id", "=", self.hope.id)])
        self.assertIn("unavailable", line.advice)
        self.assertEqual(self.prepare().partner_id, self.hope)

    def test_wrong_answers_pay_nobody(self):
        self.store.set(self.ID_OF_IVAN, OTHER_FA)
        finder = self.env["spar.payee.finder"]
        people = self.hope + self.ivan
        payable = {
            "half": 1,
            "reversed": 2,
            "other IDs": 0,
            "twice": 0,
            "nothing": 0,
        }
        for name, distort in WRONG_ANSWERS.items():
            with self.subTest(name):
                with self.answering(name, distort):
                    findings, _payees = finder._examine(self.programme, people)
                ready = [
                    one
                    for one in findings.values()
                    if one.state is ReadinessState.PAYABLE
                ]
                self.assertEqual(len(ready), payable[name])

    def answering(self, name, distort):
        """Let the mapper say of everybody that they are paid, but in a wrong way."""

        def answer(_mapper, _call, ids, purpose=""):
            if name == "other IDs":
                ids = [f"token:{number}@nationalid" for number in range(len(ids))]
                return [Standing(one, purpose, PaymentState.PAYABLE) for one in ids]
            return distort(
                [Standing(one, purpose, PaymentState.PAYABLE) for one in ids]
            )

        return patch.object(type(self.env["spar.mapper.stand.in"]), "_standing", answer)

    def test_people_are_asked_for_in_chunks(self):
        for number in range(5):
            person = self.create_registrant(f"P{number}", f"300700020{number}")
            self.store.set(f"token:300700020{number}@nationalid", FA)
            self.entitle(person)
        with patch(f"{FINDER}.CHUNK", 3):
            payments = self.prepare()
        self.assertEqual(len(payments), 6)
        sizes = [len(ids) for _word, _call, ids in self.store.calls]
        self.assertEqual((max(sizes), sum(sizes)), (3, 7))

    def test_number_of_queries_does_not_grow_with_people(self):
        finder = self.env["spar.payee.finder"]
        people = self.env["res.partner"]
        for number in range(30):
            people |= self.create_registrant(f"P{number}", f"30070003{number:02}")
        self.env.flush_all()
        counts = []
        for group in (self.hope, people):
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            finder._examine(self.programme, group)
            counts.append(self.env.cr.sql_log_count - before)
        self.assertLessEqual(counts[1], counts[0] + 2)

    def test_button_of_the_cycle_counts_and_lists(self):
        self.prepare()
        cycle = self.cycle.with_user(self.officer)
        self.assertEqual(cycle.spar_held_count, 2)
        found = self.held.search(cycle.action_open_spar_held()["domain"])
        self.assertEqual(found.partner_id, self.ivan + self.jan)

    # === SENDING === #

    def test_addresses_go_into_the_file_only(self):
        payment = self.prepare()
        dispatch = self.dispatches.search(self.send()["domain"])
        (row,) = self.read_file(dispatch)
        self.assertEqual(set(row), set(COLUMNS))
        self.assertEqual(row["address"], FA)
        self.assertEqual((row["account"], row["amount"]), ("111100001111", "25.00"))
        self.assertEqual(
            (row["provider_code"], row["branch_code"]), ("TESTBANK", "BR01")
        )
        self.assertEqual(row["reference"], payment.name)
        self.assertEqual(payment.state, "sent")
        self.assertEqual((dispatch.payment_count, dispatch.sent_by), (1, self.sender))
        self.env.flush_all()
        for table in (dispatch._table, payment._table, "spar_held_payment"):
            query = SQL("SELECT t::text FROM %s t", SQL.identifier(table))
            self.env.cr.execute(query)
            self.assertNotIn("111100001111", str(self.env.cr.fetchall()))

    def test_nothing_clear_is_logged(self):
        self.prepare()
        with self.assertLogs("odoo", "DEBUG") as logs:
            logging.getLogger("odoo.addons.spar_registry_source").error("begins")
            self.send()
        text = "\n".join(record.getMessage() for record in logs.records)
        self.assertIn("begins", text)
        self.assertNotIn("111100001111", text)
        self.assertNotIn(self.NUMBER_OF_HOPE, text)

    def test_who_lost_the_address_since_is_held_back_and_not_sent(self):
        self.store.set(self.ID_OF_IVAN, OTHER_FA)
        payments = self.prepare()
        self.store.places.pop(self.ID_OF_HOPE)
        dispatch = self.dispatches.search(self.send()["domain"])
        states = {one.partner_id.name: one.state for one in payments}
        self.assertEqual(states, {"Hope": "issued", "Ivan": "sent"})
        self.assertEqual((dispatch.payment_count, dispatch.held_count), (1, 1))
        line = self.held.search(
            [("partner_id", "=", self.hope.id), ("closed_at", "=", False)]
        )
        self.assertEqual((line.stage, line.reason), ("send", "not_linked"))

    def test_payments_are_sent_once(self):
        self.prepare()
        self.send()
        with self.assertRaisesRegex(UserError, "No payment was sent"):
            self.send()

    def test_sending_takes_a_right_of_its_own(self):
        payment = self.prepare()
        for user in (self.officer, self.manager):
            with self.assertRaises(AccessError):
                self.payment_manager.with_user(user)._send_payments(payment.batch_id)
        self.assertEqual(payment.state, "issued")

    def test_file_is_for_its_sender_only(self):
        self.prepare()
        dispatch = self.dispatches.search(self.send()["domain"])
        text = dispatch.with_user(self.sender)._download()
        self.assertIn(FA, text)
        self.assertEqual(dispatch.download_count, 1)
        other = new_test_user(
            self.env,
            "other.sender",
            groups="base.group_user,spar_registry_source.group_payment_sender",
        )
        for user in (other, self.manager, self.officer):
            with self.assertRaises(AccessError):
                dispatch.with_user(user)._download()
        self.assertEqual(dispatch.download_count, 1)

    def test_file_is_destroyed_after_a_day(self):
        self.prepare()
        dispatch = self.dispatches.search(self.send()["domain"])
        self.dispatches._destroy_files()
        self.assertTrue(dispatch.has_file)
        dispatch.sent_at = fields.Datetime.subtract(dispatch.sent_at, hours=25)
        self.dispatches._destroy_files()
        dispatch.invalidate_recordset()
        self.assertFalse(dispatch.has_file)
        with self.assertRaisesRegex(UserError, "destroyed"):
            dispatch.with_user(self.sender)._download()

    def test_payment_system_with_an_api_gets_each_order_once(self):
        self.prepare()
        sent = []
        with patch.object(
            type(self.payment_manager),
            "_spar_send_orders",
            lambda _manager, _dispatch, orders: sent.extend(orders),
        ):
            dispatch = self.dispatches.search(self.send()["domain"])
        self.assertEqual([order.address for order in sent], [FA])
        self.assertFalse(dispatch.has_file)

    def test_payment_system_that_fails_leaves_payments_unsent(self):
        payment = self.prepare()
        failing = UserError("The bank does not respond.")
        with (
            patch.object(
                type(self.payment_manager), "_spar_send_orders", side_effect=failing
            ),
            self.assertRaises(UserError),
            self.env.cr.savepoint(),
        ):
            self.send()
        self.env.invalidate_all()
        self.assertEqual(payment.state, "issued")
        self.assertFalse(self.dispatches.search([]))

    def test_no_cell_of_the_file_is_a_formula(self):
        self.hope.name = "=HYPERLINK(1)"
        self.prepare()
        dispatch = self.dispatches.search(self.send()["domain"])
        (row,) = self.read_file(dispatch)
        self.assertEqual(row["payee"], "'=HYPERLINK(1)")

    def test_expression_sends_nothing(self):
        payment = self.prepare()
        action = self.env["ir.actions.server"].create(
            {
                "name": "Send",
                "model_id": self.env["ir.model"]._get_id(payment._name),
                "state": "code",
                "code": "record.batch_id.send_payment()",
            }
        )
        action = (
            action.with_user(self.sender)
            .sudo()
            .with_context(active_model=payment._name, active_id=payment.id)
        )
        log = "odoo.addons.spar_mapper_connector.expressions"
        with self.assertLogs(log, "ERROR"), self.assertRaises(ValueError):
            action.run()
        self.assertEqual(payment.state, "issued")
        self.assertFalse(self.dispatches.search([]))

    def test_store_of_this_database_pays_whom_it_has_an_address_for(self):
        """The whole way, with the mapper that is included."""
        backends = self.env["spar.mapper.backend"]
        local = backends.search([("implementation", "=", "spar.mapper.local")])
        backends.search([]).write({"is_default": False})
        local.is_default = True
        mapper_sudo = local._bind().sudo()
        (result,) = mapper_sudo._link_fa(
            self.call, [LinkRequest(self.ID_OF_IVAN, OTHER_FA)]
        )
        self.assertIs(result.outcome, Outcome.LINKED)
        self.assertEqual(self.prepare().partner_id, self.ivan)
        self.assertEqual(
            self.get_reasons(), {"Hope": "not_linked", "Jan": "no_identity"}
        )
        dispatch = self.dispatches.search(self.send()["domain"])
        (row,) = self.read_file(dispatch)
        self.assertEqual(row["account"], "222200002222")

    # === RIGHTS === #

    def test_lists_are_for_their_groups_and_nobody_writes_them(self):
        self.prepare()
        self.send()
        nobody = new_test_user(self.env, "nobody", groups="base.group_user")
        for model in ("spar.held.payment", "spar.payment.dispatch"):
            with self.assertRaises(AccessError):
                self.env[model].with_user(nobody).search([])
            row = self.env[model].search([], limit=1)
            for user in (self.user, self.manager, self.sender):
                with self.assertRaises(AccessError):
                    row.with_user(user).unlink()
                with self.assertRaises(AccessError):
                    row.with_user(user).write({"programme_id": False})
        self.assertTrue(self.held.with_user(self.user).search([]))
        with self.assertRaises(AccessError):
            self.dispatches.with_user(self.user).search([])

    def test_held_people_whom_a_user_does_not_see_are_not_listed(self):
        self.prepare()
        self.env["ir.rule"].create(
            {
                "name": "Not Ivan",
                "model_id": self.env.ref("base.model_res_partner").id,
                "domain_force": f"[('id', '!=', {self.ivan.id})]",
            }
        )
        seen = self.held.with_user(self.user).search([])
        self.assertEqual(seen.partner_id, self.jan)

    def test_way_of_paying_is_offered_and_has_a_form(self):
        offered = dict(
            self.env[
                f"{self.PREFIX}.program.payment.manager"
            ]._selection_manager_ref_id()
        )
        self.assertIn(self.MANAGER, offered)
        self.assertGreater(len(offered), 1)
        self.assertTrue(self.payment_manager.get_manager_view_id())
