"""Rules and transitions: the tables by which changes are assessed."""

from odoo.tests import BaseCase

from odoo.addons.spar_mapper_connector.lib.contract import (
    Authority,
)

from ..lib.assessment import (
    LOWER_AUTHORITY,
    NO_RULE,
    Assessment,
    Decision,
    Proposal,
    Proposer,
    Rule,
    Situation,
    assess,
)
from ..lib.transitions import (
    CHANGE_ENDS,
    PLACE_EVENTS,
    ForbiddenTransition,
    next_state,
)


class TestAssessment(BaseCase):
    def test_the_first_rule_whose_conditions_all_hold_decides(self):
        rules = [
            Rule(Decision.REFUSE, operation="unlink"),
            Rule(Decision.HOLD, channel="rest", below_authority=20, hold_hours=48),
            Rule(Decision.APPROVE, operation="link", channel="staff", why="look"),
            Rule(Decision.APPLY),
        ]
        cases = {
            Proposal("unlink", Proposer("rest", 20)): Decision.REFUSE,
            Proposal("unlink", Proposer("staff", 40)): Decision.REFUSE,
            Proposal("link", Proposer("rest", 10)): Decision.HOLD,
            Proposal("link", Proposer("rest", 20)): Decision.APPLY,
            Proposal("link", Proposer("staff", 10)): Decision.APPROVE,
            Proposal("update", Proposer("staff", 10)): Decision.APPLY,
            Proposal("update", Proposer("portal", 40)): Decision.APPLY,
        }
        for proposal, decision in cases.items():
            with self.subTest(proposal=proposal):
                self.assertIs(assess(rules, proposal).decision, decision)

    def test_the_assessment_has_the_rule_s_hours_and_words(self):
        assessment = assess(
            [Rule(Decision.HOLD, hold_hours=5, why="new account")],
            Proposal("update", Proposer("rest", 20)),
        )
        self.assertEqual(assessment, Assessment(Decision.HOLD, 5, "new account"))

    def test_no_rule_lets_a_lower_authority_pass(self):
        rules = [Rule(Decision.APPLY)]
        for current in Authority:
            for authority in Authority:
                proposal = Proposal(
                    "update", Proposer("rest", authority), Situation(current)
                )
                with self.subTest(current=current, authority=authority):
                    assessment = assess(rules, proposal)
                    if authority < current:
                        self.assertEqual(assessment, LOWER_AUTHORITY)
                    else:
                        self.assertIs(assessment.decision, Decision.APPLY)

    def test_without_a_rule_nothing_is_applied(self):
        proposal = Proposal("link", Proposer("rest", Authority.OWNER))
        self.assertEqual(assess([], proposal), NO_RULE)
        other = [Rule(Decision.APPLY, operation="unlink")]
        self.assertEqual(assess(other, proposal), NO_RULE)
        self.assertIs(NO_RULE.decision, Decision.APPROVE)


class TestTransitions(BaseCase):
    STATES = ("new", "proposed", "active", "suspended", "ended")

    #: Events that leave any period as it is, including an ended one.
    NOTES = (
        "revealed",
        "objected",
        "objection_confirmed",
        "objection_upheld",
        "objection_rejected",
        "changes_locked",
        "changes_unlocked",
    )

    #: Events that put a new address into a place.
    BEGINNINGS = {"linked": "active", "proposed": "proposed", "restored": "active"}

    def test_only_a_new_address_leads_out_of_the_end(self):
        for kind in PLACE_EVENTS:
            with self.subTest(kind):
                if kind in self.BEGINNINGS:
                    after = self.BEGINNINGS[kind]
                    self.assertEqual(next_state(kind, "ended"), after)
                elif kind in self.NOTES:
                    self.assertEqual(next_state(kind, "ended"), "ended")
                else:
                    with self.assertRaises(ForbiddenTransition):
                        next_state(kind, "ended")

    def test_every_state_is_reached_and_left_by_the_table(self):
        reached = set()
        for kind, (allowed, after) in PLACE_EVENTS.items():
            for state in self.STATES:
                with self.subTest(kind=kind, state=state):
                    if state in allowed:
                        reached.add(next_state(kind, state))
                        self.assertEqual(next_state(kind, state), after or state)
                    else:
                        with self.assertRaises(ForbiddenTransition):
                            next_state(kind, state)
        self.assertEqual(reached, set(self.STATES) - {"new"})

    def test_an_unknown_event_is_a_fault(self):
        with self.assertRaises(KeyError):
            next_state("deleted", "active")

    def test_a_waiting_change_has_five_ends(self):
        self.assertEqual(
            set(CHANGE_ENDS), {"applied", "cancelled", "refused", "stale", "expired"}
        )
