from datetime import timedelta

from odoo.tests import tagged

from odoo.addons.spar_g2p_connect.lib.pace import UNKNOWN_COST

from .common import RestCase, build_items, build_message


@tagged("post_install", "-at_install")
class TestPace(RestCase):
    """Limits of calls and items per minute, and the cost of guessing."""

    def request_status(self, participant, operation, items):
        message = build_message(operation, participant.sender_id, items)
        return self.call(participant, operation, message)

    def pass_time(self, participant, **words):
        """Move the bucket's time back, because the database's clock cannot be set."""
        self.env.cr.execute(
            "UPDATE spar_participant_pace SET at = at - %s WHERE participant_id = %s",
            (timedelta(**words), participant.id),
        )

    def get_limits(self, participant):
        response = self.open(
            "/participant",
            method="GET",
            Authorization=f"Bearer {self.get_token(participant)}",
        )
        self.assertEqual(response.status_code, 200, response.text)
        return response.json()["limits"]

    def assertReached(self, response, seconds):
        self.assertHttpError(response, 429, "err.request.too_many_requests", "minute")
        self.assertAlmostEqual(int(response.headers["Retry-After"]), seconds, delta=2)

    def test_calls_of_a_minute(self):
        few = self.make_participant("calls.example", calls_per_minute=2)
        for _number in range(2):
            self.ask(few, "resolve", build_items("x"))
        self.assertReached(self.request_status(few, "resolve", build_items("x")), 30)
        self.pass_time(few, seconds=31)
        self.ask(few, "resolve", build_items("x"))
        self.assertReached(self.request_status(few, "resolve", build_items("x")), 30)

    def test_items_that_are_found_cost_one(self):
        few = self.make_participant("found.example", items_per_minute=60)
        self.link(*range(10))
        for _number in range(6):
            self.ask(few, "resolve", build_items(*range(10)))
        items = build_items(*range(10))
        self.assertReached(self.request_status(few, "resolve", items), 10)

    def test_unknown_ids_cost_twenty_and_leave_a_debt(self):
        guesser = self.make_participant("guess.example", items_per_minute=60)
        self.ask(guesser, "resolve", build_items(*range(10)))
        # 60 minus 10 * 20: 140 have to be refilled, one per second, and then those
        # requested.
        response = self.request_status(guesser, "resolve", build_items("a"))
        self.assertReached(response, 10 * UNKNOWN_COST - 60 + 1)
        self.pass_time(guesser, seconds=100)
        response = self.request_status(guesser, "resolve", build_items("a"))
        self.assertReached(response, 10 * UNKNOWN_COST - 60 + 1 - 100)
        self.pass_time(guesser, seconds=42)
        self.ask(guesser, "resolve", build_items("a"))

    def test_bucket_holds_no_more_than_a_minute(self):
        few = self.make_participant("full-bucket.example", items_per_minute=10)
        self.link("one")
        self.ask(few, "resolve", build_items("one"))
        self.pass_time(few, days=1)
        self.assertEqual(self.get_limits(few)["items_a_minute"]["left"], 10)

    def test_message_larger_than_the_bucket_needs_a_full_bucket(self):
        few = self.make_participant("large.example", items_per_minute=5)
        self.link(*range(8))
        self.ask(few, "resolve", build_items(*range(8)))
        response = self.request_status(few, "resolve", build_items(*range(8)))
        self.assertReached(response, (5 + 3) * 12)

    def test_zero_means_no_limit_per_minute(self):
        few = self.make_participant("lifted.example", items_per_minute=10)
        self.ask(few, "resolve", build_items(*range(9)))
        few.items_per_minute = 0
        self.env.flush_all()
        self.ask(few, "resolve", build_items(*range(9)))

    def test_undisclosed_results_cost_as_much_as_unknown_ids(self):
        """The rest of its limits, which it may read, is not an oracle either."""
        self.link("known")
        left = []
        for fa in ("account:known@BANK", "account:other@BANK"):
            for key in ("known", "unknown"):
                asker = self.make_participant(
                    f"{key}-{fa[8:12]}.example", items_per_minute=60
                )
                items = build_items(key, fa=fa)
                answers = self.ask(asker, "resolve", items)
                self.assertCodes(answers, "rjct.resolve_type.not_supported")
                left.append(self.get_limits(asker)["items_a_minute"]["left"])
        # One is refilled each second.
        self.assertLessEqual(max(left) - min(left), 1, left)
        self.assertAlmostEqual(left[0], 60 - UNKNOWN_COST, delta=2)

    def test_limits_are_returned_with_their_rest(self):
        few = self.make_participant(
            "reads.example", items_per_minute=0, daily_item_limit=50
        )
        self.ask(few, "resolve", build_items("1", "2"))
        self.assertEqual(
            self.get_limits(few),
            {
                "items_a_message": 1000,
                "calls_a_minute": {"limit": 600, "left": 599},
                "items_a_minute": None,
                "items_a_day": {"limit": 50, "left": 48},
            },
        )

    def test_record_requires_a_token(self):
        response = self.open("/participant", method="GET")
        self.assertHttpError(response, 401, "err.request.unauthorized")
        response = self.open("/participant", method="POST", Content_Type="text/plain")
        self.assertHttpError(response, 405, "err.request.bad")


@tagged("post_install", "-at_install")
class TestOwnProviders(RestCase):
    """A bank links to itself, and takes nothing from another."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.blue, cls.red = cls.env["spar.fsp"].create(
            [
                {
                    "name": name,
                    "code": name.upper(),
                    "kind": "bank",
                    "branch_ids": [(0, 0, {"name": "Main", "code": "B1"})],
                }
                for name in ("bluebank", "redbank")
            ]
        )
        rights = {"may_link": True, "may_update": True, "may_unlink": True}
        cls.own = cls.make_participant(
            "own.example",
            own_providers_only=True,
            own_provider_ids=cls.blue.ids,
            **rights,
        )

    def fa(self, bank, number="{}"):
        return f"account:1000{number}@B1.{bank.code}"

    def test_bank_links_only_to_itself(self):
        mine = build_items("1", fa=self.fa(self.blue))
        theirs = build_items("2", fa=self.fa(self.red))
        unread = build_items("3", fa="something:else")
        answers = self.ask(self.own, "link", [*mine, *theirs, *unread])
        self.assertCodes(answers, None, "rjct.fa.invalid", "rjct.fa.invalid")
        found = self.ask(self.full, "resolve", build_items("1", "2", "3"))
        codes = ["succ.id.active", "succ.id.not_found", "succ.id.not_found"]
        self.assertCodes(found, *codes)

    def test_refusal_does_not_disclose_the_current_link(self):
        self.ask(self.full, "link", build_items("5", fa=self.fa(self.red)))
        items = [
            *build_items("5", fa=self.fa(self.red)),
            *build_items("6", fa=self.fa(self.red)),
        ]
        for operation in ("link", "update"):
            one, two = self.ask(self.own, operation, items)
            for answer in (one, two):
                for name in ("reference_id", "id", "fa", "timestamp"):
                    del answer[name]
            self.assertEqual(one, two)

    def test_moving_a_link_from_another_bank_needs_approval(self):
        self.ask(self.full, "link", build_items("7", "8", fa=self.fa(self.red)))
        update = build_items("7", fa=self.fa(self.blue))
        (item,) = self.ask(self.own, "update", update)
        self.assertEqual(item["status"], "pdng")
        (item,) = self.ask(self.own, "unlink", build_items("8"))
        self.assertEqual(item["status"], "pdng")
        found = self.ask(self.full, "resolve", build_items("7", "8", scope="details"))
        wanted = [self.fa(self.red).format(key) for key in ("7", "8")]
        self.assertEqual([item["fa"] for item in found], wanted)
        why = self.env["spar.change"].search([]).mapped("why")
        self.assertEqual(set(why), {"other_provider"})

    def test_own_link_is_changed_at_once(self):
        self.ask(self.own, "link", build_items("9", fa=self.fa(self.blue)))
        items = build_items("9", fa=self.fa(self.blue, "77"))
        (item,) = self.ask(self.own, "update", items)
        self.assertEqual(item["status"], "succ")
        (item,) = self.ask(self.own, "unlink", build_items("9"))
        self.assertEqual(item["status"], "succ")

    def test_participant_without_providers_cannot_link(self):
        self.own.own_provider_ids = False
        items = build_items("10", fa=self.fa(self.blue))
        self.assertCodes(self.ask(self.own, "link", items), "rjct.fa.invalid")
