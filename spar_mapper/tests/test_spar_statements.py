from odoo.addons.spar_mapper_connector.lib.contract import (
    Details,
    LinkRequest,
    Outcome,
    ResolveRequest,
    ResumeRequest,
    SuspendRequest,
    UnlinkRequest,
    UpdateRequest,
)

from .common import FA, OTHER_FA, StoreCase

REQUESTS = {
    "suspend": SuspendRequest,
    "resume": ResumeRequest,
    "unlink": UnlinkRequest,
}


class TestStatements(StoreCase):
    """A batch costs a constant number of statements, sealed and with its history."""

    BOUNDS = {"link": 12, "update": 12, "unlink": 12, "suspend": 12, "resume": 12}

    def build(self, size, kind, fa="{}"):
        """Return the IDs of a batch, and an address for each by the pattern."""
        fa = f"account:1000{fa}00@BR01.TESTBANK"
        return [
            (f"token:{size}x{kind}x{number}@nationalId", fa.format(number))
            for number in range(size)
        ]

    def warm(self):
        """Load the caches that a worker has: types, rules, strategies, providers."""
        self.link("warm", FA)
        self.update("warm", OTHER_FA)
        self.resolve("warm")

    def count_cycle(self, size):
        """Count each operation's statements on ``size`` IDs with details, in order."""
        details = Details("Ada", "+15551815", ({"a": 1},))
        pairs = self.build(size, "cycle")
        updates = self.build(size, "cycle", "9{}")
        words = {
            "link": [LinkRequest(i, fa, details) for i, fa in pairs],
            "update": [UpdateRequest(i, fa, details) for i, fa in updates],
        }
        counts, expected = {}, {"link": Outcome.LINKED, "update": Outcome.UPDATED}
        for word, requests in words.items():
            counts[word] = self.count_batch(word, requests, expected[word])
        batches = {
            "by_id": [ResolveRequest(i) for i, _fa in updates],
            "by_fa": [ResolveRequest(fa=fa) for _i, fa in updates],
            "mixed": [
                ResolveRequest(i) if n % 2 else ResolveRequest(fa=fa)
                for n, (i, fa) in enumerate(updates)
            ],
        }
        for word, requests in batches.items():
            counts[word] = self.count_batch("resolve", requests, Outcome.FOUND)
        for word, outcome in (
            ("suspend", Outcome.SUSPENDED),
            ("resume", Outcome.RESUMED),
            ("unlink", Outcome.UNLINKED),
        ):
            request = REQUESTS[word]
            requests = [request(i) for i, _fa in pairs]
            counts[word] = self.count_batch(word, requests, outcome)
        return counts

    def ask(self, ids):
        return [ResolveRequest(id_value) for id_value in ids]

    def count_batch(self, word, requests, outcome=Outcome.FOUND):
        results = []
        method = getattr(self.mapper, f"_{word}_fa")
        count = self.count_statements(
            lambda: results.extend(method(self.call, requests))
        )
        self.assertEqual({result.outcome for result in results}, {outcome})
        return count

    def test_1000_ids_cost_at_most_12_statements_and_4_to_resolve(self):
        self.warm()
        counts = self.count_cycle(1000)
        for word, count in counts.items():
            with self.subTest(word):
                self.assertLessEqual(count, self.BOUNDS.get(word, 4))

    def test_10_ids_cost_as_many_statements_as_200(self):
        self.warm()
        self.assertEqual(self.count_cycle(10), self.count_cycle(200))

    def test_a_channel_without_other_rights_costs_no_more(self):
        self.warm()
        superuser = self.count_cycle(10)
        self.mapper = self.mapper.with_user(self.create_channel())
        # Creating a user empties caches of the whole registry.
        self.link("warm channel", FA)
        self.assertEqual(self.count_cycle(11), superuser)

    def test_a_batch_in_which_every_change_waits_is_bounded_too(self):
        self.warm()
        self.hold_everything()
        self.link("warm again", FA)
        counts = []
        for size in (5, 50):
            requests = [LinkRequest(*pair) for pair in self.build(size, "held")]
            counts.append(self.count_batch("link", requests, Outcome.HELD))
        self.assertEqual(counts[0], counts[1])
        self.assertLessEqual(counts[0], 12)

    def test_resolving_people_with_several_ids_costs_no_more(self):
        self.warm()
        pairs = self.build(10, "several")
        self.mapper._link_fa(self.call, [LinkRequest(*pair) for pair in pairs])
        one = self.count_batch("resolve", self.ask(i for i, _fa in pairs))
        for id_value, _fa in pairs:
            self.add_id(f"other:{id_value[6:-11]}", to=id_value)
        other = self.ask(f"other:{i[6:-11]}" for i, _fa in pairs)
        self.assertEqual(self.count_batch("resolve", other), one)

    def test_resolving_at_many_branches_costs_no_more(self):
        self.warm()
        codes = [f"X{number}" for number in range(30)]
        self.env["spar.fsp.branch"].create(
            [{"provider_id": self.bank.id, "name": c, "code": c} for c in codes]
        )
        pairs = [(f"many-{code}", f"account:1000001@{code}.TESTBANK") for code in codes]
        self.mapper._link_fa(self.call, [LinkRequest(*pair) for pair in pairs])
        self.env.registry.clear_cache()
        self.warm()
        requests = self.ask(i for i, _fa in pairs)
        self.assertLessEqual(self.count_batch("resolve", requests), 4)
        found = {self.resolve(i).provider.branch_code for i, _fa in pairs}
        self.assertEqual(found, set(codes))

    def test_refusals_cost_no_more_than_changes(self):
        self.warm()
        pairs = self.build(50, "refused")
        requests = [LinkRequest(*pair) for pair in pairs]
        self.mapper._link_fa(self.call, requests)
        count = self.count_batch("link", requests, Outcome.ALREADY_LINKED)
        self.assertLessEqual(count, 6)
