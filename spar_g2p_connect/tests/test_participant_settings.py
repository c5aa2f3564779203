from dataclasses import fields as members
from unittest.mock import patch

from odoo.fields import Command
from odoo.tests import TransactionCase, tagged

from odoo.addons.spar_g2p_connect.lib.rules import AGES, RULES, SWITCHES
from odoo.addons.spar_mapper.store.opening import Opener
from odoo.addons.spar_mapper_connector.lib.g2p_connect.profiles import (
    STRICT,
    Profile,
)

from .common import EVERY_RIGHT, RestCase, build_items


@tagged("post_install", "-at_install")
class TestProfile(TransactionCase):
    """A preset, and a switch for each of its rules."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.participant = cls.env["spar.participant"].create(
            {"name": "P", "sender_id": "p.test"}
        )

    def test_every_rule_of_syntax_has_a_switch(self):
        kinds = {member.name: member.type for member in members(Profile)}
        switches = {name for name, kind in kinds.items() if kind == "bool"}
        ages = {name for name, kind in kinds.items() if kind == "int"}
        self.assertEqual(set(SWITCHES.values()), switches)
        self.assertEqual(set(AGES.values()), ages)
        self.assertLessEqual(set(RULES), set(self.participant._fields))

    def test_preset_applies_without_switches(self):
        self.assertEqual(self.participant._get_profile(), STRICT)

    def test_each_switch_changes_its_own_rule_and_no_other(self):
        for field, name in SWITCHES.items():
            for value, expected in (("on", True), ("off", False)):
                with self.subTest(field, value=value):
                    self.participant[field] = value
                    profile = self.participant._get_profile()
                    self.assertIs(getattr(profile, name), expected)
                    self.participant[field] = False
                    self.assertEqual(self.participant._get_profile(), STRICT)

    def test_age_limits(self):
        self.participant.rule_max_age_seconds = "86400"
        self.assertEqual(self.participant._get_profile().max_age_seconds, 86400)
        self.participant.rule_max_age_seconds = "0"
        self.assertEqual(self.participant._get_profile().max_age_seconds, 0)


@tagged("post_install", "-at_install")
class TestStrategy(RestCase):
    """The strategy in which addresses are written for a participant."""

    FA = "account:4711@BANK"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.strategy = cls.env["spar.fa.strategy"].create(
            {
                "name": "As a switch reads it",
                "number": 9901,
                "type_id": cls.env["spar.fa.type"]
                .search([("code", "=", "any_account")])
                .id,
                "template": "acct:{bank}.{number}",
            }
        )
        cls.reader = cls.make_participant(
            "switch.example", fa_strategy_id=cls.strategy.id, **EVERY_RIGHT
        )

    def resolve(self, participant, **members):
        items = build_items("strategy", scope="details", **members)
        (answer,) = self.ask(participant, "resolve", items)
        return answer["fa"]

    def test_address_is_rewritten_in_the_callers_strategy(self):
        self.ask(self.full, "link", build_items("strategy", fa=self.FA))
        self.assertEqual(self.resolve(self.full), self.FA)
        self.assertEqual(self.resolve(self.reader), "acct:BANK.4711")

    def test_address_of_another_kind_is_not_rewritten(self):
        wallet = "wallet:someone@elsewhere"
        lenient = self.make_participant(
            "lenient.example", rule_checks_addresses="off", **EVERY_RIGHT
        )
        self.ask(lenient, "link", build_items("strategy", fa=wallet))
        self.assertEqual(self.resolve(self.reader), wallet)

    def test_requested_address_is_repeated_as_sent(self):
        self.ask(self.full, "link", build_items("strategy", fa=self.FA))
        self.assertEqual(self.resolve(self.reader, fa=self.FA), self.FA)


@tagged("post_install", "-at_install")
class TestIdTypes(RestCase):
    """The types of ID that a participant may name."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        national = cls.env.ref("spar_mapper_connector.id_type_national_id")
        cls.narrow = cls.make_participant(
            "narrow.example", id_type_ids=national.ids, **EVERY_RIGHT
        )

    def test_id_of_a_permitted_type(self):
        answers = self.ask(self.narrow, "link", build_items("in", fa="account:1@BANK"))
        self.assertEqual(answers[0]["status"], "succ", answers)

    def test_deleted_type_grants_no_other_types(self):
        spare = self.env["spar.id.type"].create(
            {"name": "Spare", "code": "spare", "strategy": "spare:{sub}@office"}
        )
        self.narrow.write({"id_type_ids": [Command.set(spare.ids)]})
        spare.unlink()
        self.env.invalidate_all()
        self.env["spar.row.versions"]._forget()
        (answer,) = self.ask(
            self.narrow, "link", build_items("gone", fa="account:1@BANK")
        )
        self.assertEqual(answer["status"], "rjct", answer)

    def test_id_of_another_type_is_invalid_in_any_case(self):
        known, unknown = "passport-known", "passport-unknown"
        items = build_items("x", fa="account:1@BANK")
        self.ask(self.full, "link", [{**items[0], "id": known}])
        for operation in ("resolve", "link", "update", "unlink"):
            answers = []
            for value in (known, unknown):
                item = {**items[0], "id": value, "fa": "account:2@BANK"}
                (answer,) = self.ask(self.narrow, operation, [item])
                self.assertNotEqual(
                    (answer["status"], answer.get("status_reason_code")),
                    ("succ", "succ.id.active"),
                )
                answers.append({**answer, "id": "", "timestamp": ""})
            with self.subTest(operation):
                self.assertEqual(answers[0], answers[1])
                self.assertEqual(answers[0]["status"], "rjct")

    def test_resolve_by_address_returns_only_permitted_types(self):
        items = build_items("x", fa="account:77@BANK")
        self.ask(self.full, "link", [{**items[0], "id": "passport-77"}])
        asked = [{k: v for k, v in items[0].items() if k != "id"}]
        asked[0]["scope"] = "details"
        (answer,) = self.ask(self.narrow, "resolve", asked)
        self.assertEqual(answer["status_reason_code"], "succ.fa.not_found")
        (answer,) = self.ask(self.full, "resolve", asked)
        self.assertEqual(answer["id"], "passport-77")
        with patch.object(Opener, "open_id", side_effect=AssertionError("opened")):
            self.ask(self.narrow, "resolve", asked)
        self.ask(self.full, "link", items)
        (answer,) = self.ask(self.narrow, "resolve", asked)
        self.assertEqual(answer["id"], items[0]["id"].lower())
        (answer,) = self.ask(self.full, "resolve", asked)
        self.assertNotIn("id", answer)
