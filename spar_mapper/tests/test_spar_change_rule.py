from datetime import timedelta

import psycopg2

from odoo.exceptions import ValidationError
from odoo.tools import mute_logger

from odoo.addons.spar_mapper_connector.lib.contract import Outcome

from .common import FA, ID, OTHER_FA, OTHER_ID, THIRD_FA, StoreCase

DAY = timedelta(days=1)


class TestRules(StoreCase):
    def test_the_first_rule_that_fits_decides(self):
        self.add_rule("refuse", operation="link", sequence=2)
        self.add_rule("apply", channel="staff", sequence=1)
        self.assertEqual(self.link(ID, FA, self.staff).outcome, Outcome.LINKED)
        self.assertEqual(self.link(OTHER_ID, FA).outcome, Outcome.FORBIDDEN)

    def test_a_refused_change_leaves_nothing_to_resolve(self):
        rule = self.add_rule("refuse")
        result = self.link(ID, FA)
        self.assertEqual(result.outcome, Outcome.FORBIDDEN)
        self.assertEqual(result.problem, f"rule:{rule.id}")
        self.assertEqual(self.resolve(ID).outcome, Outcome.NOT_LINKED)
        self.assertFalse(self.mappings_of(ID))

    def test_a_rule_counts_below_an_authority_only(self):
        self.add_rule("refuse", below_authority="30")
        self.assertEqual(self.link(ID, FA).outcome, Outcome.FORBIDDEN)
        self.assertEqual(self.link(ID, FA, self.staff).outcome, Outcome.LINKED)

    def test_a_rule_counts_from_its_first_moment_to_its_last(self):
        self.link(ID, FA)
        rule = self.add_rule("refuse")
        self.assertEqual(self.update(ID, OTHER_FA).outcome, Outcome.FORBIDDEN)
        rule.active = False
        self.assertEqual(self.update(ID, OTHER_FA).outcome, Outcome.UPDATED)
        rule.active = True
        self.assertEqual(self.update(ID, THIRD_FA).outcome, Outcome.FORBIDDEN)
        rule.unlink()
        self.assertEqual(self.update(ID, THIRD_FA).outcome, Outcome.UPDATED)

    def test_no_caller_brings_an_archived_rule_back(self):
        """The rules are cached for everybody, whoever is the first to call."""
        self.link(ID, FA)
        self.add_rule("apply").active = False
        self.rules.search([("decision", "=", "apply")]).active = False
        self.env["spar.row.versions"]._forget()
        archived = self.rules.with_context(active_test=False)
        self.assertEqual(archived._get_rules(), self.rules._get_rules())
        self.assertEqual(self.update(ID, OTHER_FA).outcome, Outcome.HELD)

    def test_change_without_a_rule_needs_a_second_person(self):
        self.rules.search([]).unlink()
        self.assertEqual(self.link(ID, FA).outcome, Outcome.HELD)
        self.assertEqual(self.change_of(ID).why, "no_rule")

    def test_a_rule_names_what_it_is_about(self):
        rule = self.add_rule("refuse", operation="update", channel="agent")
        rule.below_authority = "40"
        names = {
            name: dict(rule._fields[name]._description_selection(self.env))[rule[name]]
            for name in ("operation", "channel", "below_authority")
        }
        self.assertEqual(names["operation"], "Change")
        self.assertEqual(names["channel"], "Staff, with the person present")
        self.assertEqual(names["below_authority"], "Beneficiary")

    def test_an_unknown_channel_is_refused(self):
        for channel in ("staf", "Staff", "user:7"):
            with self.subTest(channel), self.assertRaises(ValidationError):
                self.add_rule("refuse", channel=channel)

    def test_a_hold_without_hours_is_refused(self):
        for hours in (0, -1):
            with (
                self.subTest(hours=hours),
                mute_logger("odoo.sql_db"),
                self.assertRaises(psycopg2.errors.CheckViolation),
                self.env.cr.savepoint(),
            ):
                self.add_rule("hold", hold_hours=hours)
