from dataclasses import replace

from odoo.tests import tagged

from odoo.addons.spar_mapper_connector.lib.contract import (
    Authority,
    CallContext,
    LinkRequest,
    Outcome,
    UnlinkRequest,
    UpdateRequest,
)

from ..lib.assessment import Decision, Proposal, Proposer, Rule, Situation, assess
from .common import StoreCase

BANK = CallContext("participant:bank", "rest", Authority.INSTITUTION)


@tagged("post_install", "-at_install")
class TestOwnProviders(StoreCase):
    """A provider links only to itself, and takes nothing from another on its own."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        branch = (0, 0, {"name": "Main", "code": "B1"})
        cls.near, cls.far = cls.env["spar.fsp"].create(
            [
                {"name": code, "code": code, "kind": "bank", "branch_ids": [branch]}
                for code in ("NEARBANK", "FARBANK")
            ]
        )
        cls.own = replace(BANK, provider_ids=frozenset(cls.near.ids))

    def ask(self, operation, requests, call=None):
        ask = getattr(self.env["spar.mapper.local"], f"_{operation}_fa")
        return ask(call or self.own, requests)

    def fa(self, provider, number="10001"):
        return f"account:{number}@B1.{provider.code}"

    def assertOutcomes(self, results, *outcomes):
        self.assertEqual([result.outcome for result in results], list(outcomes))

    def test_link_to_another_provider_is_forbidden_and_creates_no_one(self):
        before = self.env["spar.subject"].search_count([])
        results = self.ask(
            "link",
            [
                LinkRequest("own-1", self.fa(self.far)),
                LinkRequest("own-2", "no address that anybody reads"),
            ],
        )
        self.assertOutcomes(results, Outcome.FORBIDDEN, Outcome.FORBIDDEN)
        self.assertEqual({r.problem for r in results}, {"foreign_provider"})
        self.assertEqual(self.env["spar.subject"].search_count([]), before)

    def test_a_bad_one_in_a_batch_spoils_no_other(self):
        results = self.ask(
            "link",
            [
                LinkRequest("own-3", self.fa(self.near)),
                LinkRequest("own-3", self.fa(self.far)),
                LinkRequest("", self.fa(self.far)),
                LinkRequest("own-4", self.fa(self.near)),
            ],
        )
        self.assertOutcomes(
            results,
            Outcome.LINKED,
            Outcome.FORBIDDEN,
            Outcome.INVALID_ID,
            Outcome.LINKED,
        )

    def test_known_and_unknown_ids_get_the_same(self):
        self.ask("link", [LinkRequest("own-5", self.fa(self.far))], BANK)
        requests = [
            UpdateRequest("own-5", self.fa(self.far)),
            UpdateRequest("nobody", self.fa(self.far)),
        ]
        known, unknown = self.ask("update", requests)
        self.assertEqual(replace(known, id_value=""), replace(unknown, id_value=""))

    def test_change_away_from_another_waits_and_can_be_approved(self):
        self.ask("link", [LinkRequest("own-6", self.fa(self.far))], BANK)
        (held,) = self.ask("update", [UpdateRequest("own-6", self.fa(self.near))])
        self.assertIs(held.outcome, Outcome.HELD)
        (still,) = self.ask("update", [UpdateRequest("own-6", self.fa(self.near))])
        self.assertIs(still.outcome, Outcome.HELD)
        change = self.env["spar.change"].search([("why", "=", "other_provider")])
        supervisor = CallContext("user:99", "staff", Authority.STAFF)
        mapper = self.env["spar.mapper.local"]
        result = mapper._approve_change(supervisor, change.id)
        self.assertIs(result.outcome, Outcome.UPDATED)

    def test_unlink_from_another_waits_too(self):
        self.ask("link", [LinkRequest("own-7", self.fa(self.far))], BANK)
        self.assertOutcomes(self.ask("unlink", [UnlinkRequest("own-7")]), Outcome.HELD)

    def test_its_own_it_changes_at_once(self):
        self.ask("link", [LinkRequest("own-8", self.fa(self.near))])
        update = UpdateRequest("own-8", self.fa(self.near, "20002"))
        self.assertOutcomes(self.ask("update", [update]), Outcome.UPDATED)
        unlinked = self.ask("unlink", [UnlinkRequest("own-8")])
        self.assertOutcomes(unlinked, Outcome.UNLINKED)

    def test_caller_without_providers_is_not_restricted(self):
        (linked,) = self.ask("link", [LinkRequest("own-9", self.fa(self.far))], BANK)
        self.assertIs(linked.outcome, Outcome.LINKED)
        self.assertOutcomes(
            self.ask(
                "update",
                [UpdateRequest("own-9", self.fa(self.near))],
                replace(BANK, provider_ids=frozenset()),
            ),
            Outcome.FORBIDDEN,
        )

    def test_no_rule_overrules_it(self):
        at_once = Rule(Decision.APPLY)
        owner = Proposer("rest", Authority.OWNER)
        foreign = Proposal("update", owner, Situation(is_foreign=True))
        self.assertEqual(assess([at_once], foreign).why, "other_provider")
        lower = Proposal("update", Proposer("rest", 1), Situation(2, is_foreign=True))
        self.assertEqual(assess([at_once], lower).why, "lower_authority")
