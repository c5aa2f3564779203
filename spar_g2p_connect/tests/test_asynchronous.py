from unittest.mock import patch

from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from odoo.addons.spar_mapper.models.spar_mapper_local import SparMapperLocal
from odoo.addons.spar_mapper.tests.common import ALARM_LOGGER
from odoo.addons.spar_mapper_connector.exceptions import ServiceUnavailable
from odoo.addons.spar_mapper_connector.lib.g2p_connect import profiles

from .common import (
    EVERY_RIGHT,
    MESSAGE_WORKER_LOGGER,
    build_items,
    build_message,
    seal_settings,
)
from .test_messages import MessageCase

CALLBACK = "https://full.example/spar"


class AsynchronousCase(MessageCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # By SQL, because the form's check would look up the host.
        cls.env.cr.execute(
            "UPDATE spar_participant SET callback_url = %s WHERE id = %s",
            (CALLBACK, cls.full.id),
        )
        seal_settings(cls.env, "spar.participant")

    def queue(self, operation, message, participant=None, path="/mapper/"):
        """Return the acknowledgement of ``message``."""
        participant = participant or self.full
        response = self.open(
            f"{path}{operation}",
            message,
            Authorization=f"Bearer {self.get_token(participant)}",
            Content_Type="application/json",
        )
        self.assertEqual(response.status_code, 200, response.text)
        return response.json()["message"]

    def run_worker(self):
        """Process waiting messages, as the scheduled action does."""
        self.run_schedule("spar.message", "_cron_answer")

    def run_schedule(self, model, name):
        """Call a scheduled action's method, which commits, on a cursor of its own."""
        self.env.flush_all()
        with self.env.registry.cursor() as cr:
            getattr(self.env(cr=cr)[model], name)()
        self.env.invalidate_all()

    def get_answer(self, message):
        """Return the stored answer to ``message``."""
        name = message["header"]["message_id"]
        row = self.get_messages(message_id=name, state="done")
        return self.env["spar.callback"]._get_document(row.callback_ids[:1].id)

    def assertAck(self, ack, status, code="", text=""):
        self.assertEqual(ack["ack_status"], status, ack)
        self.assertTrue(ack["correlation_id"])
        error = ack.get("error", {"code": "", "message": ""})
        self.assertEqual(error["code"], code)
        self.assertIn(text, error["message"])


@tagged("post_install", "-at_install")
class TestAsynchronous(AsynchronousCase):
    def test_message_waits_and_is_answered_when_its_turn_comes(self):
        message = self.build("link", "async1")
        ack = self.queue("link", message)
        self.assertAck(ack, "ACK")
        self.assertIsNone(self.resolve_fa("async1"))
        self.run_worker()
        self.assertEqual(self.resolve_fa("async1"), "account:async1@BANK")
        answer = self.get_answer(message)
        self.assertEqual(answer["header"]["action"], "on-link")
        self.assertEqual(answer["message"]["correlation_id"], ack["correlation_id"])
        kept = self.get_messages(correlation_id=ack["correlation_id"])
        self.assertEqual(kept.state, "done")
        self.assertRecordValues(
            kept.callback_ids, [{"url": f"{CALLBACK}/on-link", "state": "waiting"}]
        )

    def test_both_paths_accept_each_operation_and_repeats(self):
        for operation, number in (
            ("link", 1),
            ("update", 2),
            ("unlink", 2),
            ("resolve", 3),
        ):
            fa = f"account:{number}@BANK"
            message = self.build(operation, "paths", fa=fa)
            acks = [
                self.queue(operation, message, path=path)["correlation_id"]
                for path in ("/mapper/", "/mapper/async/")
            ]
            self.assertEqual(len(set(acks)), 1)
            self.run_worker()
            answer = self.get_answer(message)
            self.assertEqual(answer["header"]["status"], "succ", answer)
            self.assertEqual(answer["header"]["action"], f"on-{operation}")

    def test_messages_are_answered_in_order_of_arrival(self):
        for number in range(5):
            operation = "update" if number else "link"
            fa = f"account:{number}@BANK"
            self.queue(operation, self.build(operation, "order", fa=fa))
        self.run_worker()
        self.assertEqual(self.resolve_fa("order"), "account:4@BANK")
        done = self.get_messages(state="done").sorted("id")
        self.assertEqual(done.mapped("reason_code"), [False] * 5)

    def test_different_body_under_a_used_id_is_refused(self):
        message = self.build("link", "async2")
        self.queue("link", message)
        message["message"]["link_request"][0]["fa"] = "account:other@BANK"
        ack = self.queue("link", message)
        self.assertAck(ack, "ERR", "err.request.bad", "rjct.message_id.duplicate")
        sync = self.post("link", message)
        self.assertRejected(sync, "rjct.message_id.duplicate")

    def test_without_a_callback_url_the_message_is_refused(self):
        message = self.build("link", "nack", participant=self.bank)
        ack = self.queue("link", message, self.bank)
        self.assertAck(ack, "NACK", "err.sender_uri.invalid")
        self.run_worker()
        self.assertIsNone(self.resolve_fa("nack"))
        (refused,) = self.get_messages(participant_id=self.bank.id)
        self.assertEqual(refused.reason_code, "err.sender_uri.invalid")

    def test_answer_is_only_sent_below_the_registered_url(self):
        message = self.build("link", "uri1", sender_uri=f"{CALLBACK}/deeper")
        self.queue("link", message)
        self.run_worker()
        (callback,) = self.env["spar.callback"].search([])
        self.assertEqual(callback.url, f"{CALLBACK}/deeper/on-link")
        for uri in (
            "http://169.254.169.254/latest",
            "https://full.example.evil.example/",
            "https://full.example/spar/../admin",
            "https://full.example/sparx",
            "https://full.example/spar/%2e%2e/x",
            "file:///etc/passwd",
            "x",
            "https://full.example/spar/..%2fx",
            "https://full.example/spar/..;/x",
        ):
            message = self.build("link", "uri2", sender_uri=uri)
            response = self.open(
                "/mapper/link",
                message,
                Authorization=f"Bearer {self.get_token(self.full)}",
                Content_Type="application/json",
            )
            self.assertHttpError(response, 403, "err.sender_uri.invalid")

    def test_refusal_is_returned_immediately(self):
        for header, text in (
            ({"version": "2"}, ""),
            ({"action": "update"}, "rjct.action.not_supported"),
            ({"total_count": 3}, "rjct.total_count.invalid"),
            ({"message_ts": "2020-01-01T00:00:00Z"}, "rjct.message_ts.invalid"),
        ):
            ack = self.queue("link", self.build("link", "bad", **header))
            is_version = "version" in header
            code = "err.version.not_supported" if is_version else "err.request.bad"
            self.assertAck(ack, "ERR", code, text)
        self.run_worker()
        self.assertFalse(self.get_messages(state="done"))

    def test_unreadable_body_is_answered_in_both_forms(self):
        response = self.open(
            "/mapper/link",
            b"{",
            Authorization=f"Bearer {self.get_token(self.full)}",
            Content_Type="application/json",
        )
        self.assertHttpError(response, 400, "err.request.bad", "not JSON")
        self.assertAck(response.json()["message"], "ERR", "err.request.bad")

    def test_without_a_token_only_an_error_is_returned(self):
        response = self.open("/mapper/link", b"{}", Content_Type="application/json")
        self.assertHttpError(response, 401, "err.request.unauthorized")
        self.assertNotIn("message", response.json())


@tagged("post_install", "-at_install")
class TestWorker(AsynchronousCase):
    """Rights at the time of processing, errors, and the order of messages."""

    def test_right_is_checked_again_when_the_turn_comes(self):
        message = self.build("link", "gone")
        self.queue("link", message)
        self.full.may_link = False
        self.run_worker()
        rejected = self.get_answer(message)
        self.assertRejected(rejected, "rjct.action.not_supported")
        self.assertIsNone(self.resolve_fa("gone"))

    def test_message_of_a_disabled_participant_is_rejected(self):
        message = self.build("link", "disabled")
        self.queue("link", message)
        self.full.action_disable()
        self.run_worker()
        rejected = self.get_answer(message)
        self.assertRejected(rejected, "rjct.action.not_supported")

    def test_internal_error_is_retried_and_delays_no_other_participant(self):
        other = self.make_participant("other.example", **EVERY_RIGHT)
        self.env.cr.execute(
            "UPDATE spar_participant SET callback_url = %s", (CALLBACK,)
        )
        seal_settings(self.env, "spar.participant")
        broken, behind = self.build("link", "broken"), self.build("link", "behind")
        theirs = self.build("link", "theirs", participant=other)
        for message, sender in ((broken, None), (behind, None), (theirs, other)):
            self.queue("link", message, sender)
        link = SparMapperLocal._link_fa

        def fail_for_one(mapper, call, requests):
            if any("broken" in request.id_value for request in requests):
                raise ZeroDivisionError(f"of {requests[0].id_value}")
            return link(mapper, call, requests)

        with (
            patch.object(SparMapperLocal, "_link_fa", fail_for_one),
            self.assertLogs(MESSAGE_WORKER_LOGGER, "WARNING") as logs,
        ):
            self.run_worker()
        self.assertNotIn("token:broken", "".join(logs.output))
        self.assertEqual(self.resolve_fa("theirs"), "account:theirs@BANK")
        # The first message is not overtaken.
        self.assertIsNone(self.resolve_fa("behind"))
        waiting = self.get_messages(state="waiting").sorted("id")
        self.assertEqual(waiting.mapped("attempts"), [1, 0])
        self.env.cr.execute("UPDATE spar_message SET next_try = NULL")
        self.run_worker()
        self.assertEqual(self.resolve_fa("broken"), "account:broken@BANK")
        self.assertEqual(self.resolve_fa("behind"), "account:behind@BANK")

    def test_message_that_always_fails_is_given_up_without_effect(self):
        message = self.build("link", "never")
        self.queue("link", message)
        self.queue("link", self.build("link", "next"))
        self.env.cr.execute("UPDATE spar_message SET attempts = 7")
        link = SparMapperLocal._link_fa

        def fail_for_one(mapper, call, requests):
            results = link(mapper, call, requests)
            if any("never" in request.id_value for request in requests):
                raise ZeroDivisionError
            return results

        with (
            patch.object(SparMapperLocal, "_link_fa", fail_for_one),
            mute_logger(MESSAGE_WORKER_LOGGER),
            self.enter_savepoints(),
        ):
            self.run_worker()
        header = self.get_answer(message)["header"]
        self.assertEqual(header["status"], "rjct")
        self.assertIn("had no effect", header["status_reason_message"])
        self.assertEqual(self.resolve_fa("next"), "account:next@BANK")

    def enter_savepoints(self):
        """Undo what was begun in a test too, whose cursor never rolls back."""
        answer = type(self.env["spar.message"])._answer_waiting

        def answer_or_nothing(messages, participant_id, waiting):
            with messages.env.cr.savepoint():
                answer(messages, participant_id, waiting)

        registry_class = type(self.env["spar.message"])
        return patch.object(registry_class, "_answer_waiting", answer_or_nothing)

    def test_nothing_is_given_up_while_the_keyring_is_unavailable(self):
        message = self.build("link", "keys")
        self.queue("link", message)
        self.env.cr.execute("UPDATE spar_message SET attempts = 7")

        def unavailable(*_words):
            raise ServiceUnavailable

        with (
            patch.object(SparMapperLocal, "_link_fa", unavailable),
            mute_logger(MESSAGE_WORKER_LOGGER),
        ):
            self.run_worker()
        (waiting,) = self.get_messages(state="waiting")
        self.assertEqual(waiting.attempts, 7)
        self.assertTrue(waiting.next_try)


class StatusCase(AsynchronousCase):
    def request_status(
        self, attribute, value, operation="link", participant=None, **words
    ):
        participant = participant or self.full
        message = build_message("txn-status", participant.sender_id, [], total_count=1)
        message["message"] = {
            "transaction_id": "question-1",
            "txnstatus_request": {
                "reference_id": "asked-1",
                "txn_type": operation,
                "attribute_type": attribute,
                "attribute_value": value,
                **words,
            },
        }
        return self.call(participant, "txn/status", message)

    def get_status(self, *words, **members):
        response = self.request_status(*words, **members)
        self.assertEqual(response.status_code, 200, response.text)
        document = response.json()
        self.assertEqual(document["header"]["action"], "txn-on-status")
        if document["header"]["status"] == "rjct":
            self.assertNotIn("message", document)
            return None
        reported = document["message"]
        self.assertEqual(reported["transaction_id"], "question-1")
        self.assertEqual(reported["txnstatus_response"]["reference_id"], "asked-1")
        return reported["txnstatus_response"]["txn_status"]


@tagged("post_install", "-at_install")
class TestStatus(StatusCase):
    def test_status_by_each_reference_waiting_and_done(self):
        message = self.build("link", "st1", "st2")
        message["message"]["transaction_id"] = "transaction-st"
        ack = self.queue("link", message)
        names = (
            ("transaction_id", "transaction-st"),
            ("correlation_id", ack["correlation_id"]),
            ("reference_id_list", ["ref-st1", "ref-st2"]),
        )
        for status in ("rcvd", "succ"):
            for attribute, value in names:
                reported = self.get_status(attribute, value)
                self.assertEqual(reported["transaction_id"], "transaction-st")
                self.assertEqual(reported["correlation_id"], ack["correlation_id"])
                items = reported["link_response"]
                self.assertEqual([i["status"] for i in items], [status] * 2)
                references = [i["reference_id"] for i in items]
                self.assertEqual(references, ["ref-st1", "ref-st2"])
            self.run_worker()

    def test_status_of_one_reference_has_only_its_item(self):
        self.link("one", "two")
        (item,) = self.get_status("reference_id_list", ["ref-two"])["link_response"]
        self.assertEqual(item["reference_id"], "ref-two")
        self.assertTrue(self.get_status("reference_id_list", "ref-one"))

    def test_messages_of_one_transaction_are_reported_together(self):
        for key in ("part1", "part2"):
            message = self.build("link", key)
            message["message"]["transaction_id"] = "transaction-parts"
            self.post("link", message)
        reported = self.get_status("transaction_id", "transaction-parts")
        references = [i["reference_id"] for i in reported["link_response"]]
        self.assertEqual(references, ["ref-part1", "ref-part2"])

    def test_messages_of_other_participants_are_not_found(self):
        self.link("private")
        asker = self.make_participant("asker.example", **EVERY_RIGHT)
        kept = self.get_messages(state="done")
        for attribute, value in (
            ("transaction_id", "transaction-1"),
            ("correlation_id", kept[0].correlation_id),
            ("reference_id_list", ["ref-private"]),
        ):
            self.assertIsNone(self.get_status(attribute, value, participant=asker))
            self.assertIsNone(self.get_status(attribute, f"{value}x"[:99]))

    def test_messages_of_other_operations_are_not_found(self):
        self.link("typed")
        self.assertIsNone(self.get_status("reference_id_list", "ref-typed", "update"))

    def test_status_requires_the_right_to_the_operation(self):
        response = self.request_status(
            "transaction_id", "t", "unlink", participant=self.bank
        )
        self.assertHttpError(response, 403, "err.request.forbidden")

    def test_bad_status_requests_name_the_member(self):
        for member, value in (
            ("txn_type", "pay"),
            ("txn_type", None),
            ("attribute_type", "name"),
            ("attribute_value", []),
            ("attribute_value", 7),
            ("attribute_value", ["x", 7]),
            ("attribute_value", ["x"] * 1001),
            ("reference_id", ""),
        ):
            with self.subTest(member=member, value=str(value)[:20]):
                words = {member: value}
                response = self.request_status("reference_id_list", ["x"], **words)
                path = f"message.txnstatus_request.{member}"
                self.assertHttpError(response, 400, "err.request.bad", path)

    def test_asynchronous_status_is_answered_by_callback(self):
        self.link("later")
        message = build_message("txn-status", "full.example", [], total_count=1)
        message["message"] = {
            "transaction_id": "question-2",
            "txnstatus_request": {
                "reference_id": "r",
                "txn_type": "link",
                "attribute_type": "reference_id_list",
                "attribute_value": ["ref-later"],
            },
        }
        self.assertAck(self.queue("txn/status", message), "ACK")
        self.run_worker()
        answer = self.get_answer(message)
        self.assertEqual(answer["header"]["action"], "txn-on-status")
        (callback,) = self.env["spar.callback"].search([])
        self.assertEqual(callback.url, f"{CALLBACK}/txn/on-status")

    def test_message_rejected_at_its_turn_has_no_items(self):
        message = self.build("link", "rejected")
        message["message"]["transaction_id"] = "transaction-rejected"
        self.queue("link", message)
        self.full.action_disable()
        self.run_worker()
        self.full.action_activate()
        reported = self.get_status("transaction_id", "transaction-rejected")
        self.assertEqual(reported["link_response"], [])


@tagged("post_install", "-at_install")
class TestHeld(StatusCase):
    """A change that waits for approval is not final until it is decided."""

    def hold(self, key):
        """Return a message whose change waits, and the change."""
        higher = self.make_participant(
            f"{key}.example", authority="programme", **EVERY_RIGHT
        )
        self.link(key, participant=higher)
        message = self.build("update", key, fa="account:new{}@BANK")
        message["message"]["transaction_id"] = f"transaction-{key}"
        self.queue("update", message)
        self.run_worker()
        self.assertEqual(self.get_item(key)["status"], "pdng")
        return message, self.env["spar.change"].search([("state", "=", "waiting")])

    def get_item(self, key):
        reported = self.get_status("transaction_id", f"transaction-{key}", "update")
        (item,) = reported["update_response"]
        return item

    def decide(self, change, name):
        group = "base.group_user,spar_fa_directory.group_supervisor"
        user = new_test_user(self.env, f"supervisor.{change.id}", groups=group)
        change = change.with_user(user)
        self.env["spar.change.look"].with_user(user)._record(change, "compared")
        arguments = ("wrong",) if name == "action_refuse" else ()
        getattr(change, name)(*arguments)
        self.env.flush_all()
        self.env.invalidate_all()

    def test_decision_goes_to_the_same_url_for_each_profile(self):
        for number, (profile, _label) in enumerate(profiles.selection()):
            with self.subTest(profile=profile):
                self.full.profile = profile
                message, change = self.hold(f"place{number}")
                self.decide(change, "action_approve")
                kept = self.get_messages(message_id=message["header"]["message_id"])
                urls = kept.callback_ids.mapped("url")
                self.assertEqual(urls, [f"{CALLBACK}/on-update"] * 2)

    def test_approval_is_reported_by_status_and_by_another_callback(self):
        message, change = self.hold("held1")
        first = self.get_answer(message)
        self.decide(change, "action_approve")
        item = self.get_item("held1")
        self.assertEqual(item["status"], "succ")
        self.assertNotIn("status_reason_message", item)
        kept = self.get_messages(message_id=message["header"]["message_id"])
        final, earlier = kept.callback_ids
        self.assertEqual((final.url, final.state), (earlier.url, "waiting"))
        document = self.env["spar.callback"]._get_document(final.id)
        (reported,) = document["message"]["update_response"]
        self.assertEqual(reported["status"], "succ")
        self.assertEqual(document["header"]["completed_count"], 1)
        self.assertNotEqual(
            document["header"]["message_id"], first["header"]["message_id"]
        )
        again = self.env["spar.callback"]._get_document(final.id)
        names = [d["header"]["message_id"] for d in (document, again)]
        self.assertEqual(names[0], names[1])
        self.assertEqual(
            document["message"]["correlation_id"], first["message"]["correlation_id"]
        )

    def test_refusal_is_reported(self):
        message, change = self.hold("held2")
        self.decide(change, "action_refuse")
        item = self.get_item("held2")
        self.assertEqual(item["status"], "rjct")
        self.assertIn("refused", item["status_reason_message"])
        document = self.get_answer(message)
        self.assertEqual(document["header"]["status"], "rjct")

    def test_altered_answer_raises_an_alarm_and_does_not_prevent_a_decision(self):
        message, change = self.hold("held7")
        kept = self.get_messages(message_id=message["header"]["message_id"])
        self.env.cr.execute(
            "UPDATE spar_message SET correlation_id = 'another' WHERE id = %s",
            [kept.id],
        )
        self.env.invalidate_all()
        with mute_logger(ALARM_LOGGER):
            self.decide(change, "action_approve")
        self.assertEqual(change.state, "applied")
        self.assertEqual(self.resolve_fa("held7"), "account:newheld7@BANK")
        self.assertEqual(self.count_callbacks(message), 1)
        alarms = self.env["spar.alarm"].search([("table_name", "=", "spar_message")])
        self.assertEqual(alarms.row_id, kept.id)

    def test_repeated_request_is_also_reported(self):
        first, change = self.hold("held5")
        again = self.build("update", "held5", fa="account:new{}@BANK")
        other = self.build("update", "held5", fa="account:other{}@BANK")
        self.queue("update", again)
        self.run_worker()
        self.decide(change, "action_approve")
        for message in (first, again):
            self.assertEqual(self.count_callbacks(message), 2)
            (item,) = self.get_answer(message)["message"]["update_response"]
            self.assertEqual(item["status"], "succ")
        # A later change of the same ID affects only its own message.
        higher = self.env["spar.participant"].search([("name", "=", "held5.example")])
        self.ask(higher, "update", build_items("held5", fa="account:third{}@BANK"))
        self.queue("update", other)
        self.run_worker()
        change = self.env["spar.change"].search([("state", "=", "waiting")])
        self.decide(change, "action_refuse")
        reported = map(self.count_callbacks, (first, again, other))
        self.assertEqual(list(reported), [2, 2, 2])

    def test_shared_message_id_identifies_no_message(self):
        first, change = self.hold("held6")
        self.decide(change, "action_approve")
        self.env.cr.execute("UPDATE spar_message SET claims_id = false")
        higher = self.env["spar.participant"].search([("name", "=", "held6.example")])
        self.ask(higher, "update", build_items("held6", fa="account:third{}@BANK"))
        other = self.build("update", "held6", fa="account:other{}@BANK")
        other["header"]["message_id"] = first["header"]["message_id"]
        self.queue("update", other)
        self.run_worker()
        change = self.env["spar.change"].search([("state", "=", "waiting")])
        self.decide(change, "action_refuse")
        kept = self.get_messages(message_id=first["header"]["message_id"])
        reported = sorted(len(message.callback_ids) for message in kept)
        self.assertEqual(reported, [2, 2])

    def count_callbacks(self, message):
        kept = self.get_messages(message_id=message["header"]["message_id"])
        return len(kept.callback_ids)

    def test_final_answer_is_sealed(self):
        _message, change = self.hold("held3")
        self.decide(change, "action_approve")
        self.env.cr.execute("SELECT string_agg(c::text, '') FROM spar_callback c")
        dump = self.env.cr.fetchone()[0]
        for value in ("held3", "newheld3"):
            self.assertNotIn(value, dump)
            self.assertNotIn(value.encode().hex(), dump)

    def test_synchronous_message_is_reported_by_status_only(self):
        higher = self.make_participant(
            "higher.example", authority="programme", **EVERY_RIGHT
        )
        self.link("held4", participant=higher)
        message = self.build("update", "held4", fa="account:new{}@BANK")
        message["message"]["transaction_id"] = "transaction-held4"
        self.post("update", message)
        change = self.env["spar.change"].search([("state", "=", "waiting")])
        self.decide(change, "action_approve")
        self.assertEqual(self.get_item("held4")["status"], "succ")
        self.assertFalse(self.env["spar.callback"].search([]))
