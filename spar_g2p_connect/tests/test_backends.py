from itertools import permutations
from unittest.mock import patch

from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.spar_mapper_connector.exceptions import (
    MapperError,
    ServiceUnavailable,
)
from odoo.addons.spar_mapper_connector.lib.contract import (
    Capability,
    Outcome,
    Result,
)

from ..models.server.spar_g2p_connect_backends import SparG2pConnectBackends
from .backend_case import BACKEND_LOGGER, BackendCase
from .common import EVERY_RIGHT, build_message, seal_settings
from .stand_in import EVERYTHING

DISPATCHER_LOGGER = "odoo.addons.spar_g2p_connect.dispatcher"
RETRY = "rjct.unknown.retry"


@tagged("post_install", "-at_install")
class TestBackends(BackendCase):
    """Each item is answered by the backend that its ID type names."""

    def test_every_operation_in_every_order(self):
        for number, words in enumerate(permutations(("a", "b@second", "c@third"))):
            words = [word.replace("@", f"{number}@") for word in words]
            words = [word if "@" in word else f"{word}{number}" for word in words]
            with self.subTest(words):
                self.link_all(*words)
                found = self.ask_for("resolve", *words, scope="details")
                keys = [word.partition("@")[0] for word in words]
                self.assertEqual(
                    [each["fa"] for each in found],
                    [f"account:{key}@BANK" for key in keys],
                )
                self.assertEqual(
                    [each["reference_id"] for each in found],
                    [f"ref-{word}" for word in words],
                )
                updated = self.ask_for("update", *words, fa="account:new{}@BANK")
                self.assertEqual({each["status"] for each in updated}, {"succ"})
                found = self.ask_for("resolve", *words, scope="details")
                self.assertEqual(
                    [each["fa"] for each in found],
                    [f"account:new{key}@BANK" for key in keys],
                )
                ended = self.ask_for("unlink", *words)
                self.assertEqual({each["status"] for each in ended}, {"succ"})
                missing = self.ask_for("resolve", *words)
                self.assertCodes(missing, *["succ.id.not_found"] * 3)

    def test_each_backend_is_called_once_and_with_its_own_items(self):
        words = ("a@second", "b", "c@third", "d@second", "e", "f@third")
        self.link_all(*words)
        for store, keys in ((self.store, "ad"), (self.other, "cf")):
            (ids,) = store.list_ids("link")
            self.assertEqual([each.partition(":")[2][0] for each in ids], list(keys))
        self.assertEqual(
            self.env["spar.subject.id"].search_count([]), 2, "only the store's own"
        )

    def test_the_call_says_who_requests_it(self):
        self.link_all("who@second")
        ((_word, call, _requests),) = self.store.calls
        self.assertEqual(call.actor, "participant:full.example")
        self.assertEqual(call.channel, "rest")

    def test_a_default_backend_elsewhere_answers_everything(self):
        self.third.is_default = True
        seal_settings(self.env, "spar.mapper.backend")
        self.link_all("a", "b@second")
        self.assertEqual(self.other.list_ids("link"), [["token:a@nationalId"]])
        self.assertFalse(self.env["spar.subject.id"].search_count([]))

    def test_batch_of_a_thousand_items(self):
        names = ("", "@second", "@third")
        words = [f"k{number}{names[number % 3]}" for number in range(1000)]
        self.store.failing = ServiceUnavailable()
        with mute_logger(BACKEND_LOGGER):
            answers = self.ask_for("link", *words, fa="account:{}@BANK")
        expected = [RETRY if word.endswith("second") else None for word in words]
        self.assertCodes(answers, *expected)
        self.assertEqual(len(self.other.list_ids("link")), 1)
        found = self.ask_for("resolve", *reversed(words), scope="details")
        for word, each in zip(reversed(words), found, strict=True):
            key, _at, name = word.partition("@")
            if name != "second":
                self.assertEqual(each["fa"], f"account:{key}@BANK")

    def test_a_bad_item_does_not_affect_the_others(self):
        items = self.build_items("a@second", "b", "c@third", fa="account:{}@BANK")
        items[0]["id"] = "token:{sub}@second"
        items[1]["fa"] = ""
        answers = self.ask(self.full, "link", items)
        self.assertCodes(answers, "rjct.id.invalid", "rjct.fa.invalid", None)
        self.assertEqual(self.store.calls, [])

    def test_ids_that_no_type_accepts_are_not_sent_elsewhere(self):
        self.third.is_default = True
        seal_settings(self.env, "spar.mapper.backend")
        items = self.build_items("null", "{sub}")
        for item in items:
            item["id"] = item["id"].partition(":")[2].partition("@")[0]
        answers = self.ask(self.full, "resolve", items)
        self.assertCodes(answers, "rjct.id.invalid", "rjct.id.invalid")
        self.assertEqual(self.other.calls, [])

    # === FAILURES === #

    def test_a_backend_that_is_down_concerns_its_own_items(self):
        self.link_all("a", "b@second", "c@third")
        for failure in (
            ServiceUnavailable("down"),
            MapperError("odd"),
            ZeroDivisionError("a fault of its code"),
        ):
            with self.subTest(type(failure).__name__), mute_logger(BACKEND_LOGGER):
                self.reset_stores()
                self.other.fas["token:c@third"] = "account:c@BANK"
                self.store.failing = failure
                answers = self.ask_for("resolve", "b@second", "a", "c@third")
                self.assertCodes(answers, RETRY, "succ.id.active", "succ.id.active")

    def test_a_backend_that_did_not_answer_is_left_alone_for_a_moment(self):
        self.store.failing = ServiceUnavailable()
        with mute_logger(BACKEND_LOGGER):
            self.ask_for("resolve", "a@second")
        self.store.failing = None
        answers = self.ask_for("resolve", "a@second", "b@third")
        self.assertCodes(answers, RETRY, "succ.id.not_found")
        self.assertEqual(len(self.store.calls), 1)

    def test_a_backend_that_is_busy_with_one_id_is_asked_for_others(self):
        """Nobody keeps all payers away by repeating one request."""
        self.store.spoil = lambda given: [Result(Outcome.RETRY, given[0].id_value)]
        self.assertCodes(self.ask_for("resolve", "a@second"), RETRY)
        self.store.spoil = lambda given: given
        self.assertCodes(self.ask_for("resolve", "b@second"), "succ.id.not_found")
        self.assertEqual(len(self.store.calls), 2)

    def test_the_log_names_no_id_and_no_address(self):
        self.store.failing = ValueError("token:b@second account:1@BANK")
        with self.assertLogs(BACKEND_LOGGER, "WARNING") as logs:
            self.ask_for("link", "b@second", fa="account:1@BANK")
        self.assertNotIn("token:", "".join(logs.output))
        self.assertNotIn("account:", "".join(logs.output))

    def test_the_store_without_keys_answers_the_items_elsewhere(self):
        """The keys are needed to store a change, so that nothing is sent without."""
        self.link_all("b@second")
        self.store.calls.clear()
        path = self.keyring_path
        hidden = path.with_suffix(".hidden")
        self.get_token(self.full)
        path.rename(hidden)
        try:
            message = build_message(
                "update",
                "full.example",
                self.build_items("b@second", fa="account:9@BANK"),
            )
            response = self.call(self.full, "update", message)
        finally:
            hidden.rename(path)
        self.assertEqual(response.status_code, 503)
        self.assertEqual(self.store.calls, [])

    def test_what_a_backend_cannot_do_is_refused(self):
        self.store.capabilities = frozenset({Capability.RESOLVE})
        for operation in ("link", "update", "unlink"):
            mine, other = self.ask_for(
                operation, "x@second", "x@third", fa="account:1@BANK"
            )
            self.assertCodes([mine], "rjct.other.error")
            self.assertIn("does not support", mine["status_reason_message"])
            self.assertNotEqual(other.get("status_reason_code"), "rjct.other.error")
        self.store.capabilities = frozenset()
        self.assertCodes(self.ask_for("resolve", "x@second"), "rjct.other.error")
        self.assertEqual(self.store.calls, [])

    def test_only_certain_results_are_believed(self):
        first, second = "token:a@second", "token:b@second"
        cases = (
            (lambda given: given[::-1], (None, None)),
            (lambda given: given[:1], (None, RETRY)),
            (lambda given: [], (RETRY, RETRY)),
            (lambda given: given[:1] * 2, (RETRY, RETRY)),
            (lambda given: [Result(Outcome.FOUND, first), given[1]], (RETRY, None)),
            (lambda given: [Result(Outcome.UPDATED, first), given[1]], (RETRY, None)),
            (
                lambda given: [Result(Outcome.LINKED, first, "x" * 1001), given[1]],
                (RETRY, None),
            ),
            (
                lambda given: [Result(Outcome.LINKED, first, "a\nb"), given[1]],
                (RETRY, None),
            ),
            (
                lambda given: [Result(Outcome.LINKED, "token:z@second"), given[1]],
                (RETRY, None),
            ),
            (
                lambda given: [
                    Result(
                        Outcome.INVALID_FA,
                        first,
                        problem="part",
                        problem_values={"other": "x"},
                    ),
                    Result(Outcome.LINKED, second),
                ],
                ("rjct.fa.invalid", None),
            ),
        )
        for spoil, codes in cases:
            self.reset_stores()
            self.store.spoil = spoil
            answers = self.ask_for("link", "a@second", "b@second", fa="account:1@BANK")
            with self.subTest(codes):
                self.assertCodes(answers, *codes)

    # === RESOLVE BY ADDRESS === #

    def resolve_address(self, fa, participant=None, scope="details"):
        (item,) = self.build_items("x", fa=fa, scope=scope)
        del item["id"]
        (answer,) = self.ask(participant or self.full, "resolve", [item])
        return answer.get("status_reason_code"), answer.get("id")

    def test_an_address_is_looked_up_at_every_backend(self):
        self.link_all("a", "b@second", "c@third")
        for key, found in (
            ("a", "token:a@nationalid"),
            ("b", "token:b@second"),
            ("c", "token:c@third"),
        ):
            self.assertEqual(
                self.resolve_address(f"account:{key}@BANK"), ("succ.fa.active", found)
            )
        self.assertEqual(
            self.resolve_address("account:nobody@BANK"), ("succ.fa.not_found", None)
        )

    def test_an_address_at_two_backends_is_never_guessed(self):
        self.link_all("a")
        for fas, name in ((self.store.fas, "second"), (self.other.fas, "third")):
            fas[f"token:z@{name}"] = "account:a@BANK"
            self.assertEqual(
                self.resolve_address("account:a@BANK"),
                ("rjct.resolve_type.not_supported", None),
            )
        self.assertEqual(
            self.resolve_address("account:a@BANK", scope="yes_no"),
            ("succ.fa.active", None),
        )

    def test_an_address_is_uncertain_while_a_backend_is_down(self):
        self.link_all("a")
        self.store.failing = ServiceUnavailable()
        with mute_logger(BACKEND_LOGGER):
            for fa in ("account:a@BANK", "account:nobody@BANK"):
                self.assertEqual(self.resolve_address(fa), (RETRY, None))

    def test_a_backend_that_cannot_be_asked_so_is_left_out(self):
        self.link_all("a")
        self.store.capabilities = EVERYTHING - {Capability.RESOLVE_BY_FA}
        self.store.fas["token:b@second"] = "account:b@BANK"
        self.assertEqual(
            self.resolve_address("account:a@BANK"),
            ("succ.fa.active", "token:a@nationalid"),
        )
        self.assertEqual(self.resolve_address("account:b@BANK")[0], "succ.fa.not_found")
        self.assertEqual(self.store.calls, [])

    def test_a_backend_names_only_ids_of_its_own_types(self):
        self.store.fas["token:stolen@nationalId"] = "account:1@BANK"
        self.store.fas["token:stolen@third"] = "account:2@BANK"
        for fa in ("account:1@BANK", "account:2@BANK"):
            self.assertEqual(self.resolve_address(fa), ("succ.fa.not_found", None))

    def test_the_store_names_no_ids_whose_type_has_moved_elsewhere(self):
        self.link_all("moved")
        id_type = self.env["spar.id.type"].search([("code", "=", "second")])
        national = self.env["spar.id.type"].search(
            [("strategy", "=", "token:{sub}@nationalId")]
        )
        self.assertTrue(id_type and national)
        national.backend_id = self.third
        seal_settings(self.env, "spar.id.type")
        self.assertEqual(
            self.resolve_address("account:moved@BANK"), ("succ.fa.not_found", None)
        )

    # === NOTHING MORE IS LEARNED ELSEWHERE === #

    def test_answers_disclose_no_more_than_those_of_the_store(self):
        """Whoever stored it, a participant without details learns the same."""
        self.link_all("a", "b@second")
        curious = self.make_participant(
            "curious.example", **{**EVERY_RIGHT, "scope": "yes_no"}
        )
        for operation, fa in (
            ("link", "account:{}@BANK"),
            ("link", "account:wrong@BANK"),
            ("unlink", "account:wrong@BANK"),
            ("resolve", "account:{}@BANK"),
            ("resolve", "account:wrong@BANK"),
        ):
            with self.subTest(operation=operation, fa=fa):
                here, there = self.ask_for(
                    operation, "a", "b@second", participant=curious, fa=fa
                )
                self.assertEqual(_get_reason(here), _get_reason(there))

    def test_details_are_refused_before_anybody_is_asked(self):
        self.link_all("b@second")
        self.store.calls.clear()
        items = self.build_items("b@second", scope="details")
        self.assertCodes(
            self.ask(self.bank, "resolve", items), "rjct.resolve_type.not_supported"
        )
        self.assertEqual(self.resolve_address("account:b@BANK", self.bank)[1], None)
        self.assertEqual(self.store.calls, [])

    def test_a_participant_for_some_id_types_learns_nothing_of_others(self):
        self.link_all("b@second", "c@third")
        id_type = self.env["spar.id.type"].search([("code", "=", "third")])
        narrow = self.make_participant(
            "narrow.example", **EVERY_RIGHT, id_type_ids=[(6, 0, id_type.ids)]
        )
        answers = self.ask_for("resolve", "b@second", "c@third", participant=narrow)
        self.assertCodes(answers, "rjct.id.invalid", "succ.id.active")
        self.store.calls.clear()
        self.assertEqual(
            self.resolve_address("account:b@BANK", narrow), ("succ.fa.not_found", None)
        )
        self.assertEqual(self.store.calls, [], "it is not even asked")
        self.assertEqual(
            self.resolve_address("account:c@BANK", narrow),
            ("succ.fa.active", "token:c@third"),
        )

    def test_an_address_that_no_backend_may_be_asked_for_is_refused(self):
        """The other items of its message are answered all the same."""
        id_type = self.env["spar.id.type"].search([("code", "=", "third")])
        narrow = self.make_participant(
            "narrower.example", **EVERY_RIGHT, id_type_ids=[(6, 0, id_type.ids)]
        )
        id_type.active = False
        seal_settings(self.env, "spar.id.type", "spar.participant")
        items = self.build_items("x", "y", fa="account:b@BANK")
        items[0]["id"] = "null"
        del items[1]["id"]
        answers = self.ask(narrow, "resolve", items)
        self.assertCodes(answers, "rjct.id.invalid", "rjct.resolve_type.not_supported")
        self.assertEqual(self.store.calls, [])

    def make_own_bank(self):
        bank = self.env["spar.fsp"].create({"name": "Own Bank", "code": "OWN"})
        return self.make_participant(
            "own.example",
            **EVERY_RIGHT,
            own_providers_only=True,
            own_provider_ids=[(6, 0, bank.ids)],
        )

    def test_a_bank_links_only_its_own_accounts_elsewhere(self):
        own = self.make_own_bank()
        items = self.build_items("a@second", "b@second")
        items[0]["fa"], items[1]["fa"] = "account:1@BANK", "account:1@OWN"
        answers = self.ask(own, "link", items)
        self.assertCodes(answers, "rjct.fa.invalid", None)
        self.assertEqual(self.store.fas, {"token:b@second": "account:1@OWN"})

    def test_a_bank_does_not_move_accounts_of_others_elsewhere(self):
        own = self.make_own_bank()
        self.store.fas = {
            "token:a@second": "account:1@BANK",
            "token:b@second": "account:1@OWN",
        }
        before = dict(self.store.fas)
        for operation in ("update", "unlink"):
            self.store.fas = dict(before)
            answers = self.ask_for(
                operation,
                "a@second",
                "b@second",
                "c@second",
                participant=own,
                **({"fa": "account:2@OWN"} if operation == "update" else {}),
            )
            self.assertCodes(answers, "rjct.id.invalid", None, "rjct.id.invalid")
            self.assertEqual(_get_reason(answers[0]), _get_reason(answers[2]))
            self.assertEqual(self.store.fas["token:a@second"], "account:1@BANK")
            (request, _other) = self.store.calls[-1][2]
            self.assertEqual(request.expected_version, 3)

    def test_addresses_are_checked_by_our_directory(self):
        strict = self.make_participant("strict.example", **EVERY_RIGHT)
        answers = self.ask_for(
            "link", "a@second", participant=strict, fa="account:1@NOSUCHBANK"
        )
        self.assertCodes(answers, "rjct.fa.invalid")
        self.assertEqual(self.store.calls, [])

    def test_an_unknown_id_elsewhere_counts_as_one_here(self):
        counted = []
        self.patch(
            type(self.env["spar.participant.usage"]),
            "_count_not_found",
            lambda _self, _caller, count: counted.append(count),
        )
        self.ask_for("resolve", "a", "b@second", "c@third")
        self.assertEqual(counted, [3])

    # === TRANSACTIONS === #

    def test_nothing_is_stored_or_locked_while_a_mapper_elsewhere_is_called(self):
        seen = []

        def look(_word, env):
            env.cr.execute("SELECT count(*) FROM spar_message")
            env2 = env.cr.fetchone()[0]
            env.cr.execute("SELECT count(*) FROM spar_event")
            seen.append((env2, env.cr.fetchone()[0]))

        self.store.on_call = look
        self.link_all("a", "b@second")
        self.assertEqual(seen, [(0, 0)])
        self.assertEqual(self.env["spar.message"].search_count([]), 1)

    @mute_logger("odoo.sql_db", DISPATCHER_LOGGER)
    def test_an_error_of_the_database_releases_the_message_id(self):
        def fail(backends, _batch):
            backends.env.cr.execute("SELECT 1 / 0")

        items = self.build_items("b@second", fa="account:1@BANK")
        message = build_message("link", "full.example", items)
        with patch.object(SparG2pConnectBackends, "_ask_elsewhere", fail):
            response = self.call(self.full, "link", message)
        self.assertEqual(response.status_code, 500)
        self.env.cr.execute(
            """SELECT count(*) FROM pg_locks
                WHERE classid = %s AND pid = pg_backend_pid()""",
            [int.from_bytes(b"sprm", "big")],
        )
        self.assertEqual(self.env.cr.fetchone(), (0,))
        self.assertCodes(self.post("link", message)["message"]["link_response"], None)

    def test_a_repeat_is_answered_without_asking_again(self):
        message = self.build("link", "none")
        message["message"]["link_request"] = self.build_items(
            "a", "b@second", fa="account:{}@BANK"
        )
        message["header"]["total_count"] = 2
        first = self.post("link", message)
        self.assertEqual(self.post("link", message), first)
        self.assertEqual(len(self.store.calls), 1)

    def test_status_comes_from_our_own_messages(self):
        self.link_all("a", "b@second")
        self.store.failing = ServiceUnavailable()
        status = self.ask_status("link", "ref-a", "ref-b@second")
        self.assertEqual({each["status"] for each in status}, {"succ"})
        self.assertEqual(len(status), 2)


def _get_reason(answer):
    return [
        answer.get(name)
        for name in ("status", "status_reason_code", "status_reason_message")
    ]
