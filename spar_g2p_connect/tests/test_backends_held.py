"""Messages in the queue, changes that wait, and requests that come back."""

from contextlib import suppress
from unittest.mock import patch

from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.spar_mapper.tests.common import ALARM_LOGGER
from odoo.addons.spar_mapper_connector.exceptions import ServiceUnavailable
from odoo.addons.spar_mapper_connector.lib.contract import Capability, ChangeState
from odoo.addons.spar_mapper_connector.lib.g2p_connect.headers import PASSED
from odoo.addons.spar_mapper_connector.lib.passing import build_mark

from ..models.message.spar_message_change import SparMessageChange
from .backend_case import BACKEND_LOGGER, BackendCase
from .common import MESSAGE_WORKER_LOGGER, build_message
from .stand_in import EVERYTHING

ANSWERS_LOGGER = "odoo.addons.spar_g2p_connect.models.server.spar_g2p_connect_answers"
CHANGE_LOGGER = "odoo.addons.spar_g2p_connect.models.message.spar_message_change"
REFUSED = "The change was refused."


class HeldCase(BackendCase):
    def build_for(self, operation, *words, header=None, **members):
        items = self.build_items(*words, **members)
        return build_message(operation, "full.example", items, **(header or {}))

    def queue_and_run(self, operation, *words, **members):
        """Return an asynchronous message that has been answered."""
        message = self.build_for(operation, *words, **members)
        self.assertEqual(self.queue(operation, message)["ack_status"], "ACK")
        self.run_worker()
        return message

    def get_items(self, message):
        (name,) = (name for name in message["message"] if name.endswith("_request"))
        answer = self.get_answer(message)["message"]
        return answer[name.replace("request", "response")]

    def list_callbacks(self, message):
        name = message["header"]["message_id"]
        row = self.get_messages(message_id=name)
        return row.callback_ids.sorted("id")

    def follow(self):
        """Ask about every change that waits elsewhere, as the job does."""
        self.env.cr.execute(
            "UPDATE spar_message_change SET next_try = now() - interval '1 hour'"
        )
        self.run_schedule("spar.message.change", "_cron_follow")


@tagged("post_install", "-at_install")
class TestQueuedElsewhere(HeldCase):
    def test_a_queued_message_is_divided_and_joined_in_order(self):
        words = ("b@second", "a", "c@third")
        message = self.queue_and_run("link", *words, fa="account:{}@BANK")
        self.assertEqual(
            [
                (each["reference_id"], each["status"])
                for each in self.get_items(message)
            ],
            [(f"ref-{word}", "succ") for word in words],
        )
        message = self.queue_and_run("resolve", *words, scope="details")
        self.assertEqual(
            [each["fa"] for each in self.get_items(message)],
            ["account:b@BANK", "account:a@BANK", "account:c@BANK"],
        )

    def test_messages_of_a_participant_stay_in_order(self):
        self.queue("link", self.build_for("link", "b@second", fa="account:1@BANK"))
        for number in range(2, 5):
            fa = f"account:{number}@BANK"
            self.queue("update", self.build_for("update", "b@second", fa=fa))
        self.run_worker()
        self.assertEqual(self.store.fas, {"token:b@second": "account:4@BANK"})

    def test_a_backend_that_is_down_ends_the_message_all_the_same(self):
        self.store.failing = ServiceUnavailable()
        with mute_logger(BACKEND_LOGGER):
            message = self.queue_and_run("link", "b@second", "a", fa="account:{}@BANK")
        self.assertCodes(self.get_items(message), "rjct.unknown.retry", None)
        self.assertEqual(len(self.list_callbacks(message)), 1)

    def test_a_message_that_waits_for_a_mapper_is_left_to_its_worker(self):
        message = self.build_for("link", "b@second", fa="account:1@BANK")
        self.queue("link", message)
        seen = []

        def look(_word, env):
            messages = env["spar.message"]
            seen.append(messages._lock_participant(0))
            env.cr.execute("SELECT state, attempts FROM spar_message")
            seen.extend(env.cr.fetchall())

        self.store.on_call = look
        self.run_worker()
        self.assertEqual(seen, [0, ("waiting", 1)])
        self.assertEqual(len(self.store.calls), 1)
        self.assertEqual(self.get_messages(state="done").attempts, 1)

    def test_a_worker_that_lost_its_message_drops_the_result(self):
        message = self.build_for("link", "b@second", "a", fa="account:1@BANK")
        self.queue("link", message)

        def take_over(_word, env):
            env.cr.execute("UPDATE spar_message SET attempts = attempts + 1")

        self.store.on_call = take_over
        self.run_worker()
        self.assertEqual(self.get_messages(state="done"), self.env["spar.message"])
        self.assertFalse(self.env["spar.subject.id"].search_count([]))
        self.assertFalse(self.env["spar.callback"].search_count([]))

    def test_a_worker_that_dies_while_it_asks_leaves_the_message_to_another(self):
        message = self.build_for("link", "b@second", fa="account:1@BANK")
        self.queue("link", message)

        class Killed(BaseException):
            pass

        def die(_word, _env):
            raise Killed()

        self.store.on_call = die
        # Odoo's assertRaises would undo what the worker has committed.
        with suppress(Killed):
            self.run_worker()
            self.fail("it was not asked")
        self.store.on_call = lambda _word, _env: None
        self.run_worker()
        self.assertTrue(self.get_messages(state="waiting"), "it is still claimed")
        self.env.cr.execute("UPDATE spar_message SET next_try = now()")
        self.run_worker()
        self.assertEqual([each["status"] for each in self.get_items(message)], ["succ"])


@tagged("post_install", "-at_install")
class TestHeldElsewhere(HeldCase):
    """A change that waits at a mapper elsewhere, and its end."""

    def setUp(self):
        super().setUp()
        self.store.holding = {"token:b@second", "token:c@second"}

    def decide(self, key, state):
        self.store.states[f"change-of-token:{key}@second"] = state

    def test_decision_is_sent_by_another_callback(self):
        words = ("a", "b@second", "c@second")
        message = self.queue_and_run("link", *words, fa="account:{}@BANK")
        first = self.get_items(message)
        self.assertEqual([each["status"] for each in first], ["succ", "pdng", "pdng"])
        self.decide("b", ChangeState.APPLIED)
        self.follow()
        sent = self.list_callbacks(message)
        self.assertEqual(len(sent), 2)
        second = self.env["spar.callback"]._get_document(sent[-1].id)
        items = second["message"]["link_response"]
        self.assertEqual([each["status"] for each in items], ["succ", "succ", "pdng"])
        self.assertEqual(second["header"]["completed_count"], 2)
        self.decide("c", ChangeState.REFUSED)
        self.follow()
        last = self.list_callbacks(message)[-1]
        items = self.env["spar.callback"]._get_document(last.id)["message"]
        statuses = [each["status"] for each in items["link_response"]]
        self.assertEqual(statuses, ["succ", "succ", "rjct"])
        self.assertEqual(items["link_response"][2]["status_reason_message"], REFUSED)
        self.follow()
        self.assertEqual(len(self.list_callbacks(message)), 3)

    def test_decision_is_in_the_status_of_either_kind_of_message(self):
        self.queue_and_run("link", "b@second", fa="account:1@BANK")
        (held,) = self.ask_for("link", "c@second", fa="account:1@BANK")
        self.assertEqual(held["status"], "pdng")
        for key in "bc":
            (item,) = self.ask_status("link", f"ref-{key}@second")
            self.assertEqual(item["status"], "pdng")
        self.decide("b", ChangeState.EXPIRED)
        self.decide("c", ChangeState.APPLIED)
        self.follow()
        (item,) = self.ask_status("link", "ref-b@second")
        self.assertEqual(item["status"], "rjct")
        (item,) = self.ask_status("link", "ref-c@second")
        self.assertEqual(item["status"], "succ")

    def test_a_synchronous_message_gets_no_callback(self):
        self.ask_for("link", "b@second", fa="account:1@BANK")
        self.decide("b", ChangeState.APPLIED)
        self.follow()
        self.assertFalse(self.env["spar.callback"].search_count([]))

    def test_what_is_not_decided_is_asked_again_after_a_longer_pause(self):
        self.queue_and_run("link", "b@second", fa="account:1@BANK")
        for _round in range(3):
            self.follow()
        change = self.env["spar.message.change"].search([])
        self.assertRecordValues(change, [{"state": "waiting", "attempts": 3}])
        asked = len(self.store.calls)
        self.run_schedule("spar.message.change", "_cron_follow")
        self.assertEqual(len(self.store.calls), asked, "it is not due yet")

    def test_a_mapper_that_is_down_or_cannot_say_decides_nothing(self):
        message = self.queue_and_run("link", "b@second", fa="account:1@BANK")
        self.decide("b", ChangeState.APPLIED)
        self.store.failing = ServiceUnavailable()
        with mute_logger(CHANGE_LOGGER):
            self.follow()
        self.store.failing = None
        self.store.capabilities = EVERYTHING - {Capability.CHANGE_STATUS}
        self.follow()
        self.assertEqual(len(self.list_callbacks(message)), 1)
        self.store.capabilities = EVERYTHING
        self.follow()
        self.assertEqual(len(self.list_callbacks(message)), 2)

    def test_one_mapper_that_is_down_does_not_delay_the_others(self):
        self.other.holding = {"token:d@third"}
        first = self.queue_and_run("link", "b@second", fa="account:1@BANK")
        second = self.queue_and_run("link", "d@third", fa="account:1@BANK")
        self.store.failing = ServiceUnavailable()
        self.other.states["change-of-token:d@third"] = ChangeState.APPLIED
        with mute_logger(CHANGE_LOGGER):
            self.follow()
        self.assertEqual(len(self.list_callbacks(first)), 1)
        self.assertEqual(len(self.list_callbacks(second)), 2)

    def test_a_change_of_the_store_says_nothing_about_one_elsewhere(self):
        """The same text may once have been an ID of the store."""
        message = self.queue_and_run("link", "b@second", fa="account:1@BANK")
        self.patch(
            type(self.env["spar.message"]),
            "_get_decisions",
            lambda _self, *words: {"token:b@second": "applied"},
        )
        (item,) = self.ask_status("link", "ref-b@second")
        self.assertEqual(item["status"], "pdng")
        self.assertEqual(self.get_items(message)[0]["status"], "pdng")

    def test_an_altered_answer_raises_an_alarm_and_others_are_sent(self):
        message = self.queue_and_run("link", "b@second", fa="account:1@BANK")
        other = self.queue_and_run("link", "c@second", fa="account:1@BANK")
        self.env.cr.execute(
            "UPDATE spar_message SET sealed_answer = '\\x00' WHERE message_id = %s",
            [message["header"]["message_id"]],
        )
        self.decide("b", ChangeState.APPLIED)
        self.decide("c", ChangeState.APPLIED)
        with mute_logger(ALARM_LOGGER):
            self.follow()
        self.assertEqual(len(self.list_callbacks(message)), 1)
        self.assertEqual(len(self.list_callbacks(other)), 2)

    def test_an_altered_change_is_not_believed(self):
        """A decision that was written past the mapper is none."""
        self.queue_and_run("link", "b@second", fa="account:1@BANK")
        self.env.cr.execute("UPDATE spar_message_change SET state = 'applied'")
        with self.assertLogs(ALARM_LOGGER):
            (item,) = self.ask_status("link", "ref-b@second")
        self.assertEqual(item["status"], "pdng")
        self.env.cr.execute("UPDATE spar_message_change SET position = 7")
        self.env.cr.execute("UPDATE spar_message_change SET state = 'waiting'")
        asked = len(self.store.calls)
        with mute_logger(ALARM_LOGGER):
            self.follow()
        self.assertEqual(len(self.store.calls), asked)

    def test_nothing_is_locked_while_a_mapper_is_asked(self):
        self.queue_and_run("link", "b@second", fa="account:1@BANK")
        ask, seen = SparMessageChange._ask, []

        def look(model, *words):
            model.env.cr.execute("SELECT next_try > now() FROM spar_message_change")
            seen.extend(model.env.cr.fetchall())
            return ask(model, *words)

        with patch.object(SparMessageChange, "_ask", look):
            self.follow()
        self.assertEqual(seen, [(True,)], "the claim was stored before")


@tagged("post_install", "-at_install")
class TestLoops(HeldCase):
    """A request that has passed through this server is not sent on again."""

    def setUp(self):
        super().setUp()
        self.link_all("a", "b@second")
        self.store.calls.clear()
        parameters = self.env["ir.config_parameter"].sudo()
        self.mark = build_mark(parameters.get_param("database.uuid"))
        self.foreign = build_mark("another database")

    def send_passed(self, operation, marks, *words, **members):
        header = {"meta": {PASSED: marks}}
        message = self.build_for(operation, *words, header=header, **members)
        return self.post(operation, message)["message"][f"{operation}_response"]

    def test_a_request_that_comes_back_is_refused(self):
        for operation in ("link", "update", "unlink", "resolve"):
            with mute_logger(ANSWERS_LOGGER):
                answers = self.send_passed(
                    operation,
                    [self.mark, self.foreign],
                    "b@second",
                    "a",
                    fa="account:9@BANK",
                )
            self.assertCodes(answers, "rjct.other.error", "rjct.other.error")
            self.assertIn("already passed", answers[0]["status_reason_message"])
        self.assertEqual(self.store.calls, [])
        self.assertEqual(self.store.fas, {"token:b@second": "account:b@BANK"})
        self.assertEqual(self.resolve_fa("a"), "account:a@BANK")

    def test_a_queued_request_that_comes_back_is_refused(self):
        header = {"meta": {PASSED: [self.mark]}}
        message = self.build_for(
            "update", "b@second", header=header, fa="account:9@BANK"
        )
        self.queue("update", message)
        with mute_logger(ANSWERS_LOGGER):
            self.run_worker()
        self.assertCodes(self.get_items(message), "rjct.other.error")
        self.assertEqual(self.store.calls, [])

    def test_a_request_from_another_server_is_answered(self):
        answers = self.send_passed("resolve", [self.foreign], "b@second", "a")
        self.assertCodes(answers, "succ.id.active", "succ.id.active")
        ((_word, call, _requests),) = self.store.calls
        self.assertEqual(call.passed, (self.foreign,))

    def test_an_address_that_comes_back_adds_nothing(self):
        """The server that asked first adds its own answer itself."""
        items = self.build_items("x", fa="account:a@BANK")
        del items[0]["id"]
        header = {"meta": {PASSED: [self.mark]}}
        message = build_message("resolve", "full.example", items, **header)
        with mute_logger(ANSWERS_LOGGER):
            document = self.post("resolve", message)
        self.assertCodes(document["message"]["resolve_response"], "succ.fa.not_found")
        self.assertEqual(self.store.calls, [])

    def test_marks_that_are_none_or_too_many_are_refused(self):
        for marks in ("x", ["spar.example"], [7], [self.foreign] * 9, {"a": 1}):
            header = {"meta": {PASSED: marks}}
            message = self.build_for("resolve", "a", header=header)
            response = self.call(self.full, "resolve", message)
            self.assertHttpError(response, 400, "err.request.bad", f"meta.{PASSED}")

    def test_other_content_of_meta_is_the_sender_s_own(self):
        for meta in ("a note", {"note": 1}, None, [1], {PASSED: []}):
            message = self.build_for("resolve", "a", header={"meta": meta})
            answers = self.post("resolve", message)["message"]["resolve_response"]
            self.assertCodes(answers, "succ.id.active")


@tagged("post_install", "-at_install")
class TestMixedFailures(HeldCase):
    def test_the_store_in_trouble_does_not_spoil_the_items_elsewhere(self):
        self.patch(
            self.registry["spar.mapper.local"],
            "_link_fa",
            lambda _self, _call, _requests: (_ for _ in ()).throw(ServiceUnavailable()),
        )
        with mute_logger(BACKEND_LOGGER, MESSAGE_WORKER_LOGGER):
            answers = self.ask_for("link", "a", "b@second", fa="account:1@BANK")
        self.assertCodes(answers, "rjct.unknown.retry", None)
