"""Nobody takes part in one case twice, and staff elsewhere are nobody here."""

from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import tagged

from odoo.addons.spar_mapper_connector.lib.contract import Authority, CallContext

from ..exceptions import OwnDoing, SamePerson, TakesPart
from ..lib.assigning import Supervisor, Waiting, is_eligible
from ..lib.parties import FILLER, WITNESS, Party, find_part
from .common import FA, ID, OTHER_FA, OTHER_ID, THIRD_FA, type_address
from .test_provisional import WITNESSES, ProvisionalCase
from .test_spar_evidence import PNG, encode

HALIMA, GUYO = (one["name"] for one in WITNESSES)


class PartiesCase(ProvisionalCase):
    def setUp(self):
        super().setUp()
        self.judge = self.users["supervisor"]

    @contextmanager
    def called(self, user, **values):
        """Let a user have the name, or the phone, of somebody else for the block."""
        contact = user.partner_id
        before = {name: contact[name] for name in values}
        contact.sudo().write(values)
        yield
        contact.sudo().write(before)

    def change(self, user="officer", **values):
        """Change the account of ID in the officer's form; return what waits."""
        person = self.subject_of(ID).with_user(self.users[user])
        wizards = self.env["spar.mapping.wizard"].with_user(self.users[user])
        wizards = wizards.with_context(**person.action_update()["context"])
        common = {"reason": "came in", "has_evidence": True, **type_address(THIRD_FA)}
        wizard = wizards.create({**common, **values})
        if wizard.action_confirm().get("res_model") == wizard._name:
            # The account is newer than the paper form.
            wizard.is_review_wanted = True
            wizard.action_confirm()
        return self.change_of(ID)

    def read_aloud(self, user="officer", seen_version=None, **witness):
        witness = {**WITNESSES[0], **witness}
        seen = {"seen_version": seen_version} if seen_version else {}
        return self.change(
            user,
            **seen,
            cannot_read=True,
            document=encode(PNG),
            witness_ids=[(0, 0, witness)],
        )

    def from_paper(self, filler, **values):
        return self.change(
            is_on_paper=True,
            paper_date=fields.Date.context_today(self.env.user) - timedelta(days=1),
            paper_number="N-7",
            paper_by_id=filler.id,
            **values,
        )

    def add_collector(self, name, phone=""):
        texts = {"name": name, "identifier": "", "phone": phone, "proof": "x"}
        return (
            self.env["spar.representative"]
            .with_user(self.users["officer"])
            ._propose(
                self.subject_of(ID).with_user(self.users["officer"]),
                self.env.ref("spar_mapper.representative_kind_guardian"),
                fields.Date.today() + timedelta(days=30),
                texts,
            )
        )

    def decide_change(self, change, user):
        self.compare(change.with_user(user)).action_approve()
        self.env.invalidate_all()


@tagged("post_install", "-at_install")
class TestNobodyTwice(PartiesCase):
    def test_who_takes_part_does_not_approve(self):
        """Each part, and the change in which the supervisor has it."""
        self.add_rule("approve", channel="staff")
        cases = {
            "witness": (self.read_aloud, {"name": HALIMA}),
            "witness of this": (self.read_aloud, {"phone": "+254 712 345 678"}),
            "paper form": (lambda: self.from_paper(self.judge), {}),
            "collector": (self.change_for_a_collector, {"name": "Ada Lovelace"}),
        }
        for words, (propose, values) in cases.items():
            with self.subTest(words), self.undone():
                change = propose()
                with self.called(self.judge, **values):
                    with self.assertRaisesRegex(UserError, words.split()[0]):
                        self.decide_change(change, self.judge)
                self.assertEqual(self.get_fa(ID), FA)
                self.decide_change(change, self.users["second"])
                self.assertEqual(self.get_fa(ID), THIRD_FA)

    def change_for_a_collector(self):
        self.add_collector("LOVELACE Ada")
        return self.change()

    def test_several_at_once_leave_those_out(self):
        self.add_rule("approve", channel="staff")
        call = self.mapper.with_user(self.users["officer"])._build_staff_call("moved")
        self.update(OTHER_ID, FA, call)
        mine = self.from_paper(self.judge)
        changes = (mine + self.change_of(OTHER_ID)).with_user(self.judge)
        for change in changes:
            self.compare(change)
        self.assertIn("Not approved: 1", changes.action_approve()["params"]["message"])
        self.env.invalidate_all()
        self.assertEqual(set(changes.mapped("state")), {"waiting", "applied"})
        self.assertEqual(mine.state, "waiting")

    def test_a_witness_of_a_provisional_person_approves_neither_them_nor_the_card(self):
        person = self.register()
        with self.called(self.judge, name=HALIMA.upper()):
            with self.assertRaisesRegex(UserError, "named as a witness"):
                self.approve(person)
        self.approve(person, "second")
        for user, act in (
            ("officer", lambda: self.add_card(person)),
            ("supervisor", lambda: self.decide(self.add_card(person))),
        ):
            with (
                self.subTest(user),
                self.undone(),
                self.called(self.users[user], name=GUYO),
                self.assertRaisesRegex(UserError, "named as a witness"),
            ):
                act()
        self.assertEqual(self.decide(self.add_card(person)).state, "added")

    def test_who_takes_part_does_not_enter(self):
        officer = self.users["officer"]
        self.add_collector("Ada Lovelace", "+254 700 111 222")
        cases = {
            "cannot be a witness": (self.read_aloud, {"name": HALIMA}),
            "guardian or collector of this person. Somebody": (
                self.change,
                {"name": "Ada Lovelace"},
            ),
            "guardian or collector of this": (self.change, {"phone": "0700111222"}),
        }
        for words, (act, values) in cases.items():
            with (
                self.subTest(words),
                self.undone(),
                self.called(officer, **values),
                self.assertRaisesRegex(UserError, words),
            ):
                act()
        self.assertEqual(self.get_fa(ID), FA)

    def test_two_others_in_a_form_are_not_one_person(self):
        self.add_collector("Ada Lovelace", "+254 700 111 222")
        judge = self.judge
        cases = {
            "Witnesses: one of them is a guardian": lambda: self.read_aloud(
                name="Ada Lovelace"
            ),
            "Witnesses: one of them": lambda: self.read_aloud(number="0700 111222"),
            "Filled in by: this member": lambda: self.from_paper(
                judge,
                cannot_read=True,
                document=encode(PNG),
                witness_ids=[(0, 0, {**WITNESSES[0], "name": judge.name})],
            ),
        }
        for words, act in cases.items():
            with (
                self.subTest(words),
                self.undone(),
                self.assertRaisesRegex(UserError, words),
            ):
                act()
        self.assertEqual(self.get_fa(ID), FA)

    def test_a_guess_at_a_collector_is_counted(self):
        """Their details are masked; a refused form says whether one is right."""
        self.add_collector("Ada Lovelace", "+254 700 111 222")
        counted = []
        lookups = type(self.env["spar.lookup"])

        def count(_lookups, kind, text, find, *_args, **_kwargs):
            counted.append((kind, len(find())))

        self.patch(lookups, "_search_counted", count)
        for number, is_right in (("0700 111223", 0), ("0700 111222", 1)):
            counted.clear()
            with self.subTest(number), self.assertRaises(UserError):
                self.read_aloud(number=number, seen_version=99)
            self.assertIn(("representative", is_right), counted)
        counted.clear()
        self.read_aloud()
        self.assertFalse(counted)

    def test_who_takes_part_closes_no_complaint(self):
        complaints = self.env["spar.complaint"].with_user(self.users["officer"])
        complaint = complaints._record(
            self.subject_of(ID), "not_paid", self.env["spar.event"]
        ).with_user(self.judge)
        self.assertTrue(complaint.may_decide)
        self.add_collector("Ada Lovelace")
        self.read_aloud()
        for name in ("Ada Lovelace", HALIMA):
            with self.subTest(name), self.called(self.judge, name=name):
                self.env.invalidate_all()
                self.assertFalse(complaint.may_decide)
                self.assertIn("You are named as a", complaint.obstacle)
                with self.assertRaisesRegex(UserError, "You are named as a"):
                    complaint.action_take()
        self.env.invalidate_all()
        self.assertTrue(complaint.may_decide)

    def test_a_user_is_compared_as_a_user_and_not_by_name(self):
        filler = self.users["second"]
        self.add_rule("approve", channel="staff")
        change = self.from_paper(filler)
        with self.called(self.judge, name=filler.name):
            self.decide_change(change, self.judge)
        self.assertEqual(self.get_fa(ID), THIRD_FA)

    def test_comparing_parties(self):
        """Which of two descriptions may be one person: a table."""
        ada = Party(reference="user:7", name="Ada Lovelace", numbers=("0712345678",))
        table = (
            (Party(FILLER, "user:7"), True),
            (Party(FILLER, "user:8", name="Ada Lovelace"), False),
            (Party(WITNESS, name="lovelace  ADA"), True),
            (Party(WITNESS, name="Ada"), False),
            (Party(WITNESS, name="A. L.", numbers=("+254712345678",)), True),
            (Party(WITNESS, name="Grace", numbers=("0712345679",)), False),
            (Party(WITNESS), False),
            (Party(WITNESS, numbers=("",)), False),
        )
        for other, is_same in table:
            with self.subTest(other):
                self.assertEqual(bool(find_part(ada, [other])), is_same)
        self.assertEqual(find_part(Party(), [Party(WITNESS)]), "")

    def test_programmes_and_systems_are_no_party(self):
        parties = self.env["spar.case.parties"]
        known = [Party(WITNESS, name="system"), Party(FILLER, "user:0")]
        for actor in ("system", "registry", "participant:x", "user:x", "person:7"):
            with self.subTest(actor):
                parties._check(actor, known)
        with self.assertRaises(TakesPart):
            parties._check("user:0", known)


@tagged("post_install", "-at_install")
class TestWholeActors(PartiesCase):
    """A number of a portal's, or a registry's, user says nothing about users here."""

    def setUp(self):
        super().setUp()
        self.own = f"user:{self.judge.id}"
        self.elsewhere = CallContext(
            "participant:portal.example",
            "rest",
            Authority.STAFF,
            "document",
            on_behalf_of=self.own,
        )
        self.here = replace(self.elsewhere, actor="registry")

    def hold(self, call):
        self.add_rule("approve")
        self.update(ID, OTHER_FA, call)
        return self.change_of(ID).with_user(self.judge)

    def test_approving_and_mine(self):
        changes = self.env["spar.change"].with_user(self.judge)
        for call, is_own in ((self.elsewhere, False), (self.here, True)):
            with self.subTest(call.actor), self.undone():
                change = self.hold(call)
                self.assertEqual(change.is_mine, is_own)
                found = changes.search([("is_mine", "=", True), ("id", "=", change.id)])
                self.assertEqual(bool(found), is_own)
                self.assertEqual(change.is_for_me, not is_own)
                wizard = self.env["spar.change.wizard"].with_user(self.judge)
                self.assertEqual(wizard.create({"change_id": change.id}).is_own, is_own)
                staff = self.mapper.with_user(self.judge)._build_staff_call()
                if is_own:
                    with self.assertRaises(SamePerson):
                        self.mapper._approve_change(staff, change.id)
                else:
                    self.mapper._approve_change(staff, change.id)
                    self.assertEqual(self.get_fa(ID), OTHER_FA)

    def test_assigning(self):
        group = self.env.ref("spar_fa_directory.group_supervisor")
        (group.all_user_ids - self.judge).active = False
        for call, is_own in ((self.elsewhere, False), (self.here, True)):
            with self.subTest(call.actor), self.undone():
                change = self.hold(call)
                self.env["spar.change.assignment"]._assign_waiting()
                self.env.invalidate_all()
                self.assertEqual(bool(change.assignee_id), not is_own)

    def test_closing_a_complaint(self):
        for call, is_own in ((self.elsewhere, False), (self.here, True)):
            with self.subTest(call.actor), self.undone():
                self.update(ID, OTHER_FA, call)
                complaints = self.env["spar.complaint"].with_user(self.users["officer"])
                complaint = complaints._record(
                    self.subject_of(ID), "not_paid", self.env["spar.event"]
                ).with_user(self.judge)
                self.assertEqual(complaint.may_decide, not is_own)

    def test_deciding_a_case(self):
        for call, is_own in ((self.elsewhere, False), (self.here, True)):
            with self.subTest(call.actor), self.undone():
                self.update(ID, OTHER_FA, call)
                event = self.mapping_of(ID).event_ids.sorted("seq")[-1:]
                complaints = self.env["spar.complaint"].with_user(self.users["officer"])
                case = complaints._record(
                    self.subject_of(ID), "not_me", event
                ).objection_id
                staff = self.mapper.with_user(self.judge)._build_staff_call("seen")
                if is_own:
                    with self.assertRaises(OwnDoing):
                        self.mapper._close_objection(staff, case.id, True)
                else:
                    self.mapper._close_objection(staff, case.id, True)

    def test_eligible_are_those_who_did_not_ask(self):
        boss = Supervisor(7, frozenset())
        for parties, may in (
            ({"user:7"}, False),
            ({"participant:x", "participant:x/user:7"}, True),
        ):
            with self.subTest(parties):
                self.assertEqual(is_eligible(Waiting(1, parties, None), boss), may)
