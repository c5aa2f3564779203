import contextlib
import json
import os
from contextlib import ExitStack
from dataclasses import replace
from unittest.mock import patch

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form

from ..exceptions import (
    CertificateInvalid,
    NotPermitted,
    NotSupported,
    RemoteAnswerUnusable,
    RemoteMapperDown,
    RemoteMapperError,
    RemoteMapperRefuses,
    SealBroken,
)
from ..lib.contract import (
    PROCESSING,
    UNKNOWN_CODE,
    UNKNOWN_EFFECT,
    Capability,
    ChangeState,
    LinkRequest,
    Operation,
    Outcome,
    Reference,
    ResolveRequest,
    TransactionReference,
    UnlinkRequest,
    UpdateRequest,
)
from ..lib.g2p_connect.acks import build_err
from ..lib.g2p_connect.signing import (
    IN_HTTP_HEADER,
    IN_MESSAGE,
    KEY_USE,
    place_signature,
)
from ..lib.jose.keys import PrivateKey, read_public_key
from ..lib.jose.signatures import sign_detached
from ..lib.network_targets import ALLOW_VARIABLE
from ..lib.passing import build_mark
from ..lib.remote.exchange import TOKENS
from ..models.remote.spar_remote_settings import REMOTE_FIELDS
from .common import KeyringCase
from .remote_mapper import (
    KEY,
    RECEIVER,
    SENDER,
    TOKEN_PATH,
    build_document,
    build_header,
    refuse,
    running,
    send_raw,
    stay_silent,
)
from .test_settings_seal import SealCase
from .web_server import build_answer

ONE, TWO, THREE = (f"token:{number}@nationalId" for number in (1, 2, 3))
FA, OTHER = "account:1@A.B", "account:2@A.B"
LINK, UPDATE = Operation.LINK, Operation.UPDATE


class RemoteMapperCase(KeyringCase):
    """A backend whose other side is a stub of the tests."""

    def setUp(self):
        super().setUp()
        stack = ExitStack()
        self.addCleanup(stack.close)
        self.stub = stack.enter_context(running())
        stack.enter_context(patch.dict(os.environ, {ALLOW_VARIABLE: "127.0.0.0/8"}))
        self.backend = self.env["spar.mapper.backend"].create(
            {
                "name": "Elsewhere",
                "implementation": "spar.mapper.g2p_connect",
                "url": self.stub.url,
                "sender_id": SENDER,
                "receiver_id": RECEIVER,
                "token_url": f"{self.stub.url}{TOKEN_PATH}",
                "client_id": "us",
                "secret": "hidden",
                "answer_key": json.dumps(KEY.public.jwk),
                "timeout": 2,
                "chunk_size": 2,
            }
        )
        self.addCleanup(TOKENS.forget, self.backend._get_credentials())
        self.mapper = self.backend._bind()

    def link(self, *pairs):
        return self.mapper._link_fa(self.call, [LinkRequest(*pair) for pair in pairs])

    def update(self, *pairs):
        requests = [UpdateRequest(*pair) for pair in pairs]
        return self.mapper._update_fa(self.call, requests)

    def remove(self, *ids):
        return self.mapper._unlink_fa(self.call, [UnlinkRequest(one) for one in ids])

    def resolve(self, *ids):
        return self.mapper._resolve_fa(self.call, [ResolveRequest(one) for one in ids])

    def get_outcomes(self, results):
        return [(result.outcome, result.problem) for result in results]

    def assert_unknown(self, results):
        self.assertEqual(
            self.get_outcomes(results), [(Outcome.RETRY, UNKNOWN_EFFECT)] * len(results)
        )


class TestOperations(RemoteMapperCase):
    def test_an_address_is_linked_changed_read_and_removed(self):
        (linked,) = self.link((ONE, FA))
        self.assertEqual((linked.outcome, linked.fa), (Outcome.LINKED, FA))
        (found,) = self.resolve(ONE)
        self.assertEqual((found.outcome, found.fa), (Outcome.FOUND, FA))
        self.assertEqual(self.update((ONE, OTHER))[0].outcome, Outcome.UPDATED)
        self.assertEqual(self.resolve(ONE)[0].fa, OTHER)
        self.assertEqual(self.remove(ONE)[0].outcome, Outcome.UNLINKED)
        self.assertEqual(self.resolve(ONE)[0].outcome, Outcome.NOT_LINKED)

    def test_refusals_keep_their_reason(self):
        self.stub.addresses[ONE] = FA
        self.assertEqual(self.link((ONE, OTHER))[0].outcome, Outcome.ALREADY_LINKED)
        self.assertEqual(self.update((TWO, FA))[0].outcome, Outcome.NOT_LINKED)
        self.assertEqual(self.remove(TWO)[0].outcome, Outcome.NOT_LINKED)
        self.assertEqual(self.stub.addresses, {ONE: FA})

    def test_a_long_batch_is_sent_in_chunks_and_joined_in_order(self):
        self.stub.addresses[TWO] = OTHER
        results = self.link((ONE, FA), (TWO, FA), (THREE, FA))
        self.assertEqual(
            [(result.id_value, result.outcome) for result in results],
            [
                (ONE, Outcome.LINKED),
                (TWO, Outcome.ALREADY_LINKED),
                (THREE, Outcome.LINKED),
            ],
        )
        self.assertEqual(self.stub.paths, ["/mapper/sync/link"] * 2)

    def test_no_request_is_no_message(self):
        self.assertEqual(self.link(), [])
        self.assertEqual(self.stub.paths, [])

    def test_what_the_wire_cannot_say_is_refused_and_not_sent(self):
        requests = [
            UpdateRequest(ONE, FA, purpose="pension"),
            UpdateRequest(ONE, FA, expected_version=3),
        ]
        results = self.mapper._update_fa(self.call, requests)
        self.assertEqual(
            self.get_outcomes(results),
            [(Outcome.FORBIDDEN, "no_purposes"), (Outcome.FORBIDDEN, "no_versions")],
        )
        self.assertEqual(self.stub.paths, [])

    def test_refused_and_sent_requests_keep_their_places(self):
        requests = [
            LinkRequest(ONE, FA, purpose="pension"),
            LinkRequest(TWO, FA),
        ]
        results = self.mapper._link_fa(self.call, requests)
        self.assertEqual(
            [(result.id_value, result.outcome) for result in results],
            [(ONE, Outcome.FORBIDDEN), (TWO, Outcome.LINKED)],
        )

    def test_capabilities_are_those_of_the_dialect(self):
        abilities = self.mapper._capabilities()
        self.assertIn(Capability.RESOLVE_BY_FA, abilities)
        for ability in (Capability.HISTORY, Capability.VERSIONS, Capability.SUSPEND):
            self.assertNotIn(ability, abilities)
        with self.assertRaises(NotSupported):
            self.mapper._history(self.call, ONE)

    def test_an_unsuited_user_may_not_call_it(self):
        for role in (None, "viewer", "auditor"):
            user = self.create_user(role, f"remote_{role}")
            with self.subTest(role=role), self.assertRaises(NotPermitted):
                self.mapper.with_user(user)._resolve_fa(
                    self.call, [ResolveRequest(ONE)]
                )
        self.assertEqual(self.stub.messages, [])

    def test_a_channel_may(self):
        mapper = self.mapper.with_user(self.create_channel())
        self.assertTrue(mapper._resolve_fa(self.call, [ResolveRequest(ONE)]))

    def test_the_status_of_a_transaction(self):
        self.link((ONE, FA))
        transaction_id = self.stub.messages[0][1]["message"]["transaction_id"]
        reference = TransactionReference(LINK, Reference.TRANSACTION, (transaction_id,))
        status = self.mapper._transaction_status(self.call, reference)
        self.assertTrue(status.is_done)
        self.assertEqual(len(status.items), 1)
        other = TransactionReference(LINK, Reference.TRANSACTION, ("other",))
        self.assertIsNone(self.mapper._transaction_status(self.call, other))


class TestProofs(RemoteMapperCase):
    def test_a_token_is_used_until_it_is_refused(self):
        self.link((ONE, FA))
        self.link((TWO, FA))
        self.assertEqual(len(self.stub.token_forms), 1)
        self.stub.bearer = "revoked"
        self.assertEqual(self.link((THREE, FA))[0].outcome, Outcome.LINKED)
        self.assertEqual(len(self.stub.token_forms), 2)
        self.assertEqual(self.stub.token_forms[0]["client_secret"], "hidden")

    def test_a_token_that_is_refused_twice_is_an_error(self):
        self.link((ONE, FA))
        self.stub.tokens = ["again"]
        self.stub.bearer = "revoked"
        with patch.object(self.stub, "grant", lambda body: build_answer(TOKEN)):
            error = self.assert_refused(RemoteMapperRefuses, self.link, (TWO, FA))
        self.assertEqual(error.reason, "err.request.unauthorized")
        self.assertNotIn(TWO, self.stub.addresses)

    def test_no_token_is_an_error_and_nothing_is_sent(self):
        self.stub.tokens = []
        error = self.assert_refused(RemoteMapperRefuses, self.link, (ONE, FA))
        self.assertEqual(error.reason, "token_http_401")
        self.assertEqual(self.stub.messages, [])

    def test_a_signed_assertion_obtains_a_token(self):
        self.backend.authentication = "private_key_jwt"
        self.backend.action_make_key()
        self.link((ONE, FA))
        (form,) = self.stub.token_forms
        self.assertNotIn("client_secret", form)
        self.assertEqual(form["client_assertion"].count("."), 2)

    def test_a_fixed_token_is_sent(self):
        self.backend.write({"authentication": "static", "secret": "fixed"})
        self.stub.bearer = "fixed"
        self.assertEqual(self.link((ONE, FA))[0].outcome, Outcome.LINKED)
        self.assertEqual(self.stub.token_forms, [])

    def test_our_messages_are_signed_at_both_places(self):
        self.backend.action_make_key()
        self.stub.verify_with = read_public_key(self.backend.our_public_key)
        self.assertEqual(self.link((ONE, FA))[0].outcome, Outcome.LINKED)
        self.stub.place = IN_HTTP_HEADER
        self.backend.write(
            {"signature_place": IN_HTTP_HEADER, "answer_place": IN_HTTP_HEADER}
        )
        self.assertEqual(self.link((TWO, FA))[0].outcome, Outcome.LINKED)

    def test_an_unsigned_answer_is_refused_where_a_signature_is_agreed(self):
        self.stub.addresses[ONE] = FA
        self.stub.place = ""
        error = self.assert_refused(RemoteAnswerUnusable, self.resolve, ONE)
        self.assertEqual(error.reason, "not_signed")
        self.backend.answer_place = False
        self.assertEqual(self.resolve(ONE)[0].fa, FA)

    def test_an_answer_signed_by_another_key_is_refused(self):
        other = PrivateKey.generate("ES256")

        def sign(answer):
            payload = b'{"header":{},"message":{}}'
            return build_answer(
                json.dumps(
                    {"signature": sign_detached(payload, other), **answer}
                ).encode()
            )

        with patch.object(self.stub, "build_http", sign):
            error = self.assert_refused(RemoteAnswerUnusable, self.resolve, ONE)
        self.assertEqual(error.reason, "bad_signature")

    def test_an_answer_that_was_altered_is_refused(self):
        self.stub.addresses[ONE] = FA
        write = self.stub.build_http
        with patch.object(
            self.stub,
            "build_http",
            lambda answer: write(answer).replace(b"A.B", b"A.C"),
        ):
            error = self.assert_refused(RemoteAnswerUnusable, self.resolve, ONE)
        self.assertEqual(error.reason, "bad_signature")

    def test_an_older_answer_is_refused_although_it_is_signed(self):
        self.stub.addresses[ONE] = FA
        self.resolve(ONE)
        (old,) = self.stub.transactions.values()
        with patch.object(self.stub, "serve", lambda path, document: old):
            error = self.assert_refused(RemoteAnswerUnusable, self.resolve, ONE)
        self.assertEqual(error.reason, "not_ours")

    def test_an_answer_of_another_sender_is_refused(self):
        self.backend.receiver_id = "another.example"
        serve = self.stub.serve

        def answer(path, document):
            document["header"]["receiver_id"] = RECEIVER
            return serve(path, document)

        with patch.object(self.stub, "serve", answer):
            error = self.assert_refused(RemoteAnswerUnusable, self.resolve, ONE)
        self.assertEqual(error.reason, "not_ours")

    def test_an_answer_to_another_operation_is_refused(self):
        self.stub.addresses[ONE] = FA
        serve = self.stub.serve

        def answer(path, document):
            answered = serve(path, document)
            answered["header"]["action"] = "on-unlink"
            return answered

        with patch.object(self.stub, "serve", answer):
            error = self.assert_refused(RemoteAnswerUnusable, self.resolve, ONE)
        self.assertEqual(error.reason, "not_ours")

    def test_without_their_key_nothing_is_believed(self):
        self.backend.answer_key = False
        error = self.assert_refused(RemoteAnswerUnusable, self.resolve, ONE)
        self.assertEqual(error.reason, "unknown_key")


TOKEN = b'{"access_token": "stale", "expires_in": 300}'


class TestBadAnswers(RemoteMapperCase):
    """Clear errors, nothing lost, nothing sent twice."""

    def change_items(self, change):
        """Make the stub's next answer one whose items are changed."""

        def fault(connection, answer):
            message = answer["message"]
            name = next(name for name in message if name.endswith("_response"))
            changed = {**answer, "message": {**message, name: change(message[name])}}
            connection.sendall(self.stub.build_http(changed))

        self.stub.faults.append(fault)

    def test_a_mapper_that_is_down(self):
        closed = "http://127.0.0.1:9"
        self.backend.write({"url": closed, "token_url": closed})
        error = self.assert_refused(RemoteMapperDown, self.link, (ONE, FA))
        self.assertEqual(error.reason, "token_unreachable")
        self.assertFalse(error.was_sent)

    def test_refusals_by_http(self):
        for status, code, reason in (
            ("403 Forbidden", "err.request.forbidden", "err.request.forbidden"),
            ("400 Bad Request", "x", "http_400"),
            ("404 Not Found", "err.request.not_found", "err.request.not_found"),
            ("429 Too Many Requests", "err.request.too_many_requests", "http_429"),
            ("302 Found", "x", "redirected"),
        ):
            with self.subTest(status=status):
                self.stub.faults = [send_raw(refuse(status, code), comes_first=True)]
                error = self.assert_refused(RemoteMapperError, self.link, (ONE, FA))
                self.assertEqual((error.reason, error.was_sent), (reason, False))
                self.assertNotIn("token:", str(error))
        self.assertEqual(self.stub.addresses, {})

    def test_an_error_of_the_server_after_which_nothing_was_done(self):
        failure = refuse("500 Internal Server Error", "err.service.unavailable")
        self.stub.faults = [send_raw(failure, comes_first=True)]
        self.assertEqual(self.link((ONE, FA))[0].outcome, Outcome.LINKED)
        sent = [d["header"]["message_id"] for p, d in self.stub.messages if "link" in p]
        self.assertEqual(len(sent), 2)
        self.assertEqual(len(set(sent)), 1)

    def test_an_error_of_the_server_after_which_it_was_done(self):
        failure = refuse("500 Internal Server Error", "err.service.unavailable")
        self.stub.faults = [send_raw(failure)]
        self.assertEqual(self.link((ONE, FA))[0].outcome, Outcome.LINKED)
        self.assertEqual(
            self.stub.paths, ["/mapper/sync/link", "/mapper/sync/txn/status"]
        )

    def test_a_web_page_half_a_document_and_no_document(self):
        for body in (b"<html>Login</html>", b'{"header": {', b"[]", b""):
            with self.subTest(body=body):
                self.stub.addresses = {ONE: FA}
                self.stub.faults = [send_raw(build_answer(body))] * 2
                error = self.assert_refused(RemoteAnswerUnusable, self.resolve, ONE)
                self.assertEqual(error.reason, "not_json")
                self.stub.faults = [send_raw(build_answer(body))]
                (result,) = self.update((ONE, OTHER))
                self.assertEqual(result.outcome, Outcome.UPDATED)

    def test_an_answer_that_breaks_off(self):
        self.stub.faults = [
            send_raw(b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n{")
        ]
        self.assertEqual(self.link((ONE, FA))[0].outcome, Outcome.LINKED)
        self.assertEqual(self.stub.paths.count("/mapper/sync/link"), 1)

    def test_half_an_answer(self):
        self.stub.addresses = {ONE: FA, TWO: FA}
        self.change_items(lambda items: items[:1])
        results = self.update((ONE, OTHER), (TWO, OTHER))
        self.assertEqual(
            [result.outcome for result in results], [Outcome.UPDATED, Outcome.UPDATED]
        )
        self.assertEqual(
            self.stub.paths, ["/mapper/sync/update", "/mapper/sync/resolve"]
        )

    def test_another_order(self):
        self.stub.addresses = {ONE: FA, TWO: OTHER}
        self.change_items(lambda items: items[::-1])
        self.assertEqual([result.fa for result in self.resolve(ONE, TWO)], [FA, OTHER])

    def test_other_ids(self):
        self.stub.addresses = {ONE: FA, TWO: OTHER}
        self.change_items(
            lambda items: [
                {**item, "id": other["id"]}
                for item, other in zip(items, items[::-1], strict=True)
            ]
        )
        results = self.resolve(ONE, TWO)
        self.assertEqual(
            [(result.outcome, result.fa) for result in results],
            [(Outcome.RETRY, None)] * 2,
        )

    def test_other_references(self):
        self.stub.addresses = {ONE: FA}
        self.change_items(lambda items: [{**items[0], "reference_id": "other"}])
        self.assertEqual(self.resolve(ONE)[0].outcome, Outcome.RETRY)

    def test_without_references_the_id_counts(self):
        self.stub.addresses = {ONE: FA, TWO: OTHER}

        def drop(items):
            return [
                {name: value for name, value in item.items() if name != "reference_id"}
                for item in items[::-1]
            ]

        self.change_items(drop)
        self.assertEqual([result.fa for result in self.resolve(ONE, TWO)], [FA, OTHER])

    def test_an_item_twice(self):
        self.stub.addresses = {ONE: FA, TWO: FA}
        self.change_items(lambda items: [items[0], {**items[0], "fa": OTHER}, items[1]])
        results = self.resolve(ONE, TWO)
        self.assertEqual(
            [result.outcome for result in results], [Outcome.RETRY, Outcome.FOUND]
        )

    def test_codes_that_are_not_in_the_list(self):
        self.stub.addresses = {ONE: FA}
        for words, problem in (
            ({"status": "succ", "status_reason_code": "succ.new"}, UNKNOWN_EFFECT),
            ({"status": "fine"}, UNKNOWN_EFFECT),
            ({"status": None}, UNKNOWN_EFFECT),
            ({"status": "rjct", "status_reason_code": "rjct.new"}, UNKNOWN_CODE),
        ):
            with self.subTest(words=words):
                self.change_items(lambda items, words=words: [{**items[0], **words}])
                (result,) = self.update((ONE, FA))
                self.assertEqual(
                    (result.outcome, result.problem), (Outcome.RETRY, problem)
                )
                self.change_items(lambda items, words=words: [{**items[0], **words}])
                if words.get("status_reason_code"):
                    self.assertEqual(self.resolve(ONE)[0].outcome, Outcome.RETRY)
                self.stub.faults = []

    def test_a_success_that_contradicts_the_request_is_none(self):
        """The address in force is asked for instead; here it is another one."""
        self.stub.serve_item = lambda _operation, item: {
            "reference_id": item["reference_id"],
            "id": item["id"],
            "status": "succ",
            "status_reason_code": "succ.id.active",
            "fa": OTHER,
        }
        for words in ({"fa": OTHER}, {"fa": {"account": "1"}}, {"fa": [FA]}):
            with self.subTest(words=words):
                self.change_items(
                    lambda items, words=words: [
                        {"reference_id": items[0]["reference_id"], "status": "succ"}
                        | words
                    ]
                )
                self.assert_unknown(self.update((ONE, FA)))

    def test_a_person_without_the_address_that_was_requested_is_not_found(self):
        self.stub.addresses = {ONE: FA}
        for words in ({"fa": None}, {"fa": ""}, {"fa": {"account": "1"}}, {"fa": 7}):
            with self.subTest(words=words):
                self.change_items(lambda items, words=words: [{**items[0], **words}])
                (result,) = self.resolve(ONE)
                self.assertEqual((result.outcome, result.fa), (Outcome.RETRY, None))

    def test_an_answer_whose_header_contradicts_it_is_no_success(self):
        self.stub.addresses = {ONE: OTHER}

        def build_fault(members):
            def fault(connection, answer):
                changed = {**answer, "header": {**answer["header"], **members}}
                connection.sendall(self.stub.build_http(changed))

            return fault

        for members in (
            {"status": "rjct", "status_reason_code": "rjct.version.invalid"},
            {"action": "on-unlink"},
            {"action": "txn-on-status"},
        ):
            fault = build_fault(members)
            with self.subTest(members=members):
                self.stub.faults = [fault, fault]
                with contextlib.suppress(RemoteAnswerUnusable):
                    (result,) = self.resolve(ONE)
                    self.assertEqual(result.outcome, Outcome.RETRY)

    def test_a_message_that_is_rejected_as_a_whole(self):
        def fault(connection, answer):
            header = {
                **answer["header"],
                "status": "rjct",
                "status_reason_code": "rjct.total_count.limit_exceeded",
            }
            connection.sendall(self.stub.build_http({"header": header}))

        self.stub.faults = [fault]
        error = self.assert_refused(RemoteMapperRefuses, self.update, (ONE, FA))
        self.assertEqual(error.reason, "rjct.total_count.limit_exceeded")

    def test_after_a_failure_the_other_chunks_are_not_sent(self):
        failure = refuse("403 Forbidden", "err.request.forbidden")
        self.stub.faults = [
            lambda connection, answer: connection.sendall(self.stub.build_http(answer)),
            send_raw(failure, comes_first=True),
        ]
        ids = [f"token:{number}@nationalId" for number in range(6)]
        results = self.link(*((one, FA) for one in ids))
        self.assertEqual(
            [result.outcome for result in results],
            [Outcome.LINKED] * 2 + [Outcome.RETRY] * 4,
        )
        self.assertFalse(any(result.is_uncertain for result in results))
        self.assertEqual(len(self.stub.messages), 2)


class TestTimeOuts(RemoteMapperCase):
    """After a time-out it is asked first, and sent again only if nothing was done."""

    def setUp(self):
        super().setUp()
        self.backend.timeout = 1

    def test_what_was_done_is_not_sent_again(self):
        self.stub.faults = [stay_silent(1.3)]
        self.assertEqual(self.link((ONE, FA))[0].outcome, Outcome.LINKED)
        self.assertEqual(
            self.stub.paths, ["/mapper/sync/link", "/mapper/sync/txn/status"]
        )

    def test_what_never_arrived_is_sent_again_with_its_message_id(self):
        self.stub.faults = [stay_silent(1.1, comes_first=True)]
        self.assertEqual(self.link((ONE, FA))[0].outcome, Outcome.LINKED)
        first, _asked, again = self.stub.messages
        self.assertEqual(first[1]["message"], again[1]["message"])
        self.assertEqual(
            first[1]["header"]["message_id"], again[1]["header"]["message_id"]
        )

    def test_another_address_is_unknown_and_never_sent_again(self):
        """Where the status is not known, what is in force has to say it."""
        self.stub.addresses = {ONE: FA}
        forbidden = refuse("403 Forbidden", "err.request.forbidden")
        self.stub.faults = [
            stay_silent(1.1, comes_first=True),
            send_raw(forbidden, comes_first=True),
        ]
        self.assert_unknown(self.update((ONE, OTHER)))
        self.assertEqual(self.stub.paths.count("/mapper/sync/update"), 1)
        self.assertEqual(self.stub.addresses, {ONE: FA})

    def test_without_a_status_the_address_in_force_says_that_it_was_done(self):
        self.stub.addresses = {ONE: FA}
        forbidden = refuse("403 Forbidden", "err.request.forbidden")
        self.stub.faults = [stay_silent(1.1), send_raw(forbidden, comes_first=True)]
        self.assertEqual(self.update((ONE, OTHER))[0].outcome, Outcome.UPDATED)
        self.assertEqual(self.stub.paths.count("/mapper/sync/update"), 1)

    def test_without_a_status_a_link_that_was_not_made_is_sent_again(self):
        forbidden = refuse("403 Forbidden", "err.request.forbidden")
        self.stub.faults = [
            stay_silent(1.1, comes_first=True),
            send_raw(forbidden, comes_first=True),
        ]
        self.assertEqual(self.link((ONE, FA))[0].outcome, Outcome.LINKED)
        self.assertEqual(self.stub.paths.count("/mapper/sync/link"), 2)

    def test_a_mapper_that_stays_silent_leaves_it_unknown(self):
        self.stub.faults = [stay_silent(1.1, comes_first=True)] * 5
        self.assert_unknown(self.link((ONE, FA)))
        self.assertEqual(self.stub.paths.count("/mapper/sync/link"), 1)

    def test_a_question_is_simply_an_error(self):
        self.stub.faults = [stay_silent(1.1, comes_first=True)] * 2
        error = self.assert_refused(RemoteMapperDown, self.resolve, ONE)
        self.assertEqual(error.reason, "too_slow")


class TestChangesThatWait(RemoteMapperCase):
    def hold(self, status="pdng", **words):
        """Make the next change wait; return its reference."""
        item = {"status": status, **words}
        with patch.object(self.stub, "link", lambda *_: item):
            (result,) = self.link((ONE, FA))
        self.assertEqual(result.outcome, Outcome.HELD)
        return result.reference

    def decide(self, **words):
        """Decide the changes that wait at the stub."""
        for answer in self.stub.transactions.values():
            for item in answer["message"]["link_response"]:
                item.update(words)

    def ask(self, *references):
        found = self.mapper._change_status(self.call, list(references))
        self.assertEqual([status.reference for status in found], list(references))
        return [status.state.value for status in found]

    def test_what_became_of_it_is_asked_by_its_reference(self):
        for status in ("pdng", "rcvd"):
            reference = self.hold(status)
            self.assertNotIn(ONE, reference)
            self.assertEqual(self.ask(reference), ["waiting"])
        self.decide(status="succ")
        self.assertEqual(self.ask(reference), ["applied"])

    def test_the_reasons_of_an_end(self):
        for text, state in (
            ("The change was refused.", "refused"),
            ("The change was withdrawn.", "cancelled"),
            ("The change was not approved in time.", "expired"),
            ("Because.", "refused"),
        ):
            reference = self.hold()
            self.decide(
                status="rjct",
                status_reason_code="rjct.other.error",
                status_reason_message=text,
            )
            self.assertEqual(self.ask(reference), [state])

    def test_words_that_say_nothing_are_unknown(self):
        reference = self.hold()
        self.decide(status="fine")
        self.assertEqual(self.ask(reference), ["unknown"])
        self.stub.transactions.clear()
        others = ["", "7", "grant:a:b", "link:a:b"]
        self.assertEqual(self.ask(reference, *others), ["unknown"] * 5)

    def test_no_answer_is_an_error(self):
        reference = self.hold()
        self.stub.faults = [
            send_raw(refuse("403 Forbidden", "err.request.forbidden"), comes_first=True)
        ]
        self.assert_refused(RemoteMapperRefuses, self.ask, reference)


class TestAnswersThatComeLater(RemoteMapperCase):
    """A mapper that only acknowledges messages."""

    def setUp(self):
        super().setUp()
        # Without a signature of its own nothing is believed that comes by callback.
        self.backend.write({"is_asynchronous": True, "answer_place": False})
        self.stub.place = ""

    def test_its_answers_are_asked_for(self):
        self.stub.late = 2
        (linked,) = self.link((ONE, FA))
        self.assertEqual(linked.outcome, Outcome.LINKED)
        self.assertEqual(self.stub.paths[0], "/mapper/link")
        self.assertEqual(self.stub.paths[1:], ["/mapper/sync/txn/status"] * 3)
        self.assertEqual(self.resolve(ONE)[0].fa, FA)
        self.assertEqual(self.update((TWO, FA))[0].outcome, Outcome.NOT_LINKED)

    def test_a_change_without_an_answer_in_time_is_held(self):
        self.backend.timeout = 1
        self.stub.late = 99
        (result,) = self.link((ONE, FA))
        self.assertEqual((result.outcome, result.problem), (Outcome.HELD, PROCESSING))
        (status,) = self.mapper._change_status(self.call, [result.reference])
        self.assertEqual(status.state, ChangeState.WAITING)
        self.stub.late = 0
        (status,) = self.mapper._change_status(self.call, [result.reference])
        self.assertEqual(status.state, ChangeState.APPLIED)
        self.assertEqual(self.stub.paths.count("/mapper/link"), 1)

    def test_a_question_without_an_answer_in_time_is_to_be_asked_again(self):
        self.backend.timeout = 1
        self.stub.late = 99
        (result,) = self.resolve(ONE)
        self.assertEqual((result.outcome, result.problem), (Outcome.RETRY, "no_answer"))

    def test_a_message_that_is_not_acknowledged(self):
        refused = build_err("err.request.forbidden", "no")
        page = build_answer(b'{"message": "thanks"}')
        raw = build_answer(json.dumps(refused).encode())
        self.stub.faults = [send_raw(raw, comes_first=True)]
        error = self.assert_refused(RemoteMapperRefuses, self.link, (ONE, FA))
        self.assertEqual(error.reason, "err.request.forbidden")
        self.assertEqual(self.stub.paths, ["/mapper/link"])
        self.stub.faults = [send_raw(page)]
        self.assertEqual(self.link((ONE, FA))[0].outcome, Outcome.LINKED)
        self.assertEqual(self.stub.paths.count("/mapper/link"), 2)

    def test_a_dialect_without_such_messages(self):
        with self.assertRaises(ValidationError):
            self.backend.dialect = "openg2p-2.x"


class TestCallbacks(RemoteMapperCase):
    """Answers that another mapper posts to us."""

    def setUp(self):
        super().setUp()
        self.backend.is_asynchronous = True
        self.answers = self.env["spar.remote.answer"]
        self.enterContext(self.enter_registry_test_mode())

    def expect(self, transaction_id="t", operation="link"):
        self.answers._expect(
            self.backend.id, operation, transaction_id, {"r": ONE, "s": TWO}
        )

    def build(
        self,
        status="succ",
        transaction_id="t",
        key=KEY,
        operation="link",
        header=None,
        **members,
    ):
        items = [{"reference_id": "r", "status": status, **members}]
        parties = {"sender_id": SENDER, "receiver_id": RECEIVER}
        answer = build_document(
            parties, f"on-{operation}", transaction_id, operation, items
        )
        answer["header"].update(header or {})
        signed, _headers = place_signature(
            IN_MESSAGE, answer, lambda payload: sign_detached(payload, key)
        )
        return signed

    def receive(self, document, action="on-link", backend=None):
        raw = document if isinstance(document, bytes) else json.dumps(document).encode()
        backend_id = (backend or self.backend).id
        status, ack = self.answers._receive(backend_id, action, raw, "")
        self.assertEqual(ack["message"]["ack_status"] == "ACK", status == 200)
        return status

    def ask(self):
        (found,) = self.mapper._change_status(self.call, ["link:t:r"])
        return found.state.value

    def test_an_expected_answer_is_kept_sealed(self):
        self.expect()
        self.assertIsNone(self.answers._fetch(self.backend.id, "t"))
        self.assertEqual(self.receive(self.build()), 200)
        found = self.answers._fetch(self.backend.id, "t")
        self.assertEqual(found["message"]["transaction_id"], "t")
        self.env.cr.execute("SELECT sealed FROM spar_remote_answer")
        self.assertNotIn(b"transaction_id", bytes(self.env.cr.fetchone()[0]))
        self.assertEqual(self.ask(), "applied")

    def test_a_call_takes_the_answer_from_there(self):
        """The mapper has no status: only the callback brings the answer."""
        send = self.stub.serve

        def serve(path, document):
            if path.endswith("status"):
                return {"header": build_header(document["header"], "x", "rjct")}
            return send(path, document)

        fetched = []

        def fetch(_answers, _backend_id, transaction_id):
            fetched.append(transaction_id)
            ready = len(fetched) > 2
            return self.stub.transactions[transaction_id] if ready else None

        with (
            patch.object(self.stub, "serve", serve),
            patch.object(type(self.answers), "_fetch", fetch),
        ):
            (result,) = self.link((ONE, FA))
        self.assertEqual(result.outcome, Outcome.LINKED)
        sent = self.stub.messages[0][1]
        self.assertEqual(sent["header"]["sender_uri"], self.backend.callback_url)
        self.assertEqual(fetched, [sent["message"]["transaction_id"]] * 3)

    def test_a_later_answer_ends_what_was_waiting(self):
        self.expect()
        self.receive(self.build("pdng"))
        self.assertEqual(self.ask(), "waiting")
        self.receive(self.build("succ"))
        self.assertEqual(self.ask(), "applied")
        self.assertEqual(self.receive(self.build("rjct")), 200)
        self.assertEqual(self.ask(), "applied")

    def test_what_was_not_expected_is_refused(self):
        self.assertEqual(self.receive(self.build()), 401)
        self.expect()
        for document, action in (
            (self.build(transaction_id="other"), "on-link"),
            (self.build(operation="update"), "on-update"),
            (self.build(header={"sender_id": "someone.else"}), "on-link"),
            (self.build(), "on-status"),
            (self.build(), "link"),
        ):
            self.assertEqual(self.receive(document, action), 401)
        other = self.backend.copy({"is_default": False})
        self.assertEqual(self.receive(self.build(), backend=other), 401)
        self.assertIsNone(self.answers._fetch(self.backend.id, "t"))

    def test_an_answer_about_somebody_else_is_refused(self):
        self.expect()
        for document in (
            self.build(id=TWO),
            self.build(id=7),
            self.build(header={"sender_id": "someone.else"}),
            self.build(header={"receiver_id": "someone.else"}),
            self.build(header={"action": "on-unlink"}),
        ):
            self.assertEqual(self.receive(document), 401)
        self.assertIsNone(self.answers._fetch(self.backend.id, "t"))
        self.assertEqual(self.receive(self.build(id=ONE)), 200)
        self.assertEqual(self.ask(), "applied")

    def test_a_row_of_the_version_before_takes_its_answer(self):
        self.expect()
        self.env.cr.execute("UPDATE spar_remote_answer SET sealed = NULL")
        self.assertIsNone(self.answers._fetch(self.backend.id, "t"))
        row = self.answers.search([("transaction_id", "=", "t")])
        row._write_sealed(json.dumps(self.build("pdng")))
        self.assertEqual(self.ask(), "waiting")
        self.assertEqual(self.receive(self.build("succ")), 200)
        self.assertEqual(self.ask(), "applied")

    def test_what_is_not_proved_is_refused(self):
        self.expect()
        signed = self.build()
        for document in (
            self.build(key=PrivateKey.generate("ES256")),
            {**signed, "signature": ""},
            {**signed, "message": {**signed["message"], "link_response": []}},
            b"<html>",
            b"[]",
            b"",
        ):
            self.assertEqual(self.receive(document), 401)
        self.assertIsNone(self.answers._fetch(self.backend.id, "t"))

    def test_a_backend_that_answers_at_once_or_unsigned_has_no_callbacks(self):
        self.expect()
        for values in ({"is_asynchronous": False}, {"active": False}):
            self.backend.write(values)
            self.assertEqual(self.receive(self.build()), 401)
        self.backend.write(
            {"active": True, "is_asynchronous": True, "answer_place": False}
        )
        self.assertEqual(self.receive(self.build()), 401)

    def test_old_answers_are_deleted(self):
        self.expect()
        self.env.cr.execute(
            "UPDATE spar_remote_answer SET since = since - interval '31 days'"
        )
        self.answers._gc_answers()
        self.assertEqual(self.receive(self.build()), 401)


class TestPassing(RemoteMapperCase):
    def test_the_marks_of_servers_travel_with_a_message(self):
        before = build_mark("another server")
        call = replace(self.call, passed=(before,))
        self.mapper._resolve_fa(call, [ResolveRequest(ONE)])
        header = self.stub.messages[0][1]["header"]
        own = self.backend._get_own_mark()
        self.assertEqual(header["meta"]["spar_passed"], [before, own])


class TestConnection(RemoteMapperCase):
    """*Test connection* says in one sentence what is wrong."""

    def test_connection(self):
        action = self.backend.action_test_connection()
        self.assertEqual(action["params"]["type"], "success")
        self.assertEqual(self.stub.paths, ["/mapper/sync/resolve"])

    def fail(self, expected):
        with self.assertRaises(UserError) as caught:
            self.backend.action_test_connection()
        text = str(caught.exception)
        self.assertIn(expected, text)
        self.assertNotIn("\n", text)
        self.assertEqual(text[-1], ".")

    def answer_by(self, status, code, **headers):
        document = json.dumps({"errors": [{"code": code}]}).encode()
        raw = build_answer(document, status, **headers)
        self.stub.faults = [send_raw(raw, comes_first=True)] * 2

    def test_name(self):
        self.backend.write({"url": "https://nowhere.invalid/spar/v1"})
        self.backend.authentication = "none"
        self.fail("host name in the URL was not found")

    def test_address(self):
        with patch.dict(os.environ, {ALLOW_VARIABLE: ""}):
            self.fail("are not allowed")
        self.backend.url = False
        self.backend.authentication = "none"
        self.fail("Enter the URL")

    def test_tls(self):
        error = CertificateInvalid("x")
        with patch("odoo.addons.spar_mapper_connector.lib.outgoing.send") as send:
            send.side_effect = error
            self.backend.authentication = "none"
            self.fail("certificate of the host is not valid")

    def test_token(self):
        self.stub.tokens = []
        self.fail("refuses our client ID")
        self.backend.token_url = "http://127.0.0.1:9/token"
        self.fail("Token endpoint: There is no connection")

    def test_clock(self):
        long_ago = "Thu, 01 Jan 2026 00:00:00 GMT"
        raw = build_answer(b"{}", "401 Unauthorized", Date=long_ago)
        with patch.object(self.stub, "grant", lambda body: raw):
            self.fail("clocks of the two servers differ")

        def fault(connection, answer):
            code = "rjct.message_ts.invalid"
            header = {**answer["header"], "status": "rjct", "status_reason_code": code}
            connection.sendall(self.stub.build_http({"header": header}))

        self.stub.faults = [fault]
        self.fail("clocks of the two servers differ")

    def test_token_that_is_not_accepted(self):
        self.answer_by("401 Unauthorized", "err.request.unauthorized")
        self.fail("does not accept our token")

    def test_our_signature(self):
        self.answer_by("401 Unauthorized", "err.signature.invalid")
        self.fail("register our public key")

    def test_names_of_the_parties(self):
        self.answer_by("403 Forbidden", "err.sender_id.invalid")
        self.fail("sender ID")
        self.answer_by("403 Forbidden", "err.receiver_id.invalid")
        self.fail("receiver ID")

    def test_right(self):
        self.answer_by("403 Forbidden", "err.request.forbidden")
        self.fail("does not permit us to resolve")

    def test_details(self):
        refused = {
            "status": "rjct",
            "status_reason_code": "rjct.resolve_type.not_supported",
        }
        with patch(
            "odoo.addons.spar_mapper_connector.tests.remote_mapper.resolve",
            lambda known, item: refused,
        ):
            self.fail("does not disclose addresses")

    def test_its_signature(self):
        self.stub.place = ""
        self.fail("is not signed")
        self.backend.answer_key = json.dumps(PrivateKey.generate("ES256").public.jwk)
        self.stub.place = self.backend.answer_place
        self.fail("signature of the answer is not valid")
        self.backend.answer_key = False
        self.fail("a key that is not the mapper's")

    def test_something_else(self):
        for status, expected in (
            ("404 Not Found", "no mapper at this URL"),
            ("429 Too Many Requests", "our limit"),
            ("500 Error", "the error 500"),
            ("302 Found", "redirects"),
            ("418 Teapot", "the error 418"),
        ):
            self.answer_by(status, "x")
            self.fail(expected)
        self.stub.faults = [send_raw(build_answer(b"<html>"))] * 2
        self.fail("not one of this protocol")

    def test_every_reason_has_a_sentence(self):
        for reason in ("rjct.version.invalid", "token_strange", "anything"):
            text = self.backend._get_connection_problem(reason)
            self.assertTrue(text.endswith("."))

    def test_others_may_not_test_it(self):
        for role in ("viewer", "supervisor", "auditor"):
            user = self.create_user(role, f"testing_{role}")
            with self.assertRaises(AccessError):
                self.backend.with_user(user).action_test_connection()
        self.assertEqual(self.stub.messages, [])


class TestSettings(RemoteMapperCase):
    def propose(self, **values):
        self.backend.with_user(self.create_user("administrator", "first")).write(values)
        self.env.invalidate_all()
        return self.backend.setting_change_ids

    def use(self):
        """Put the backend to use for a type of ID."""
        id_type = self.env.ref("spar_mapper_connector.id_type_national_id")
        id_type.backend_id = self.backend

    def test_the_form_of_an_administrator(self):
        user = self.create_user("administrator", "form")
        with Form(self.env["spar.mapper.backend"].with_user(user)) as form:
            form.name = "By the form"
            form.implementation = "spar.mapper.g2p_connect"
            form.url = self.stub.url
            form.sender_id = SENDER
            form.token_url = f"{self.stub.url}{TOKEN_PATH}"
            form.client_id = "form"
            form.secret = "typed"
            form.answer_key = json.dumps(KEY.public.jwk)
        made = form.record.with_user(user)
        self.addCleanup(TOKENS.forget, made.sudo()._get_credentials())
        self.env.invalidate_all()
        self.assertTrue(made.has_secret)
        self.assertFalse(made.secret)
        made.action_make_key()
        self.assertIn('"kty"', made.our_public_key)
        self.assertNotIn('"d"', made.our_public_key)
        action = made.action_test_connection()
        self.assertEqual(action["params"]["type"], "success")
        self.assertEqual(self.stub.token_forms[-1]["client_secret"], "typed")

    def test_others_see_it_without_its_secret_and_change_nothing(self):
        for role in ("viewer", "supervisor", "auditor", "officer"):
            user = self.create_user(role, f"seeing_{role}")
            theirs = self.backend.with_user(user)
            for function in (
                lambda one=theirs: one.write({"url": "https://evil.example"}),
                lambda one=theirs: one.action_make_key(),
                lambda one=theirs: one.read(["secret"]),
            ):
                with self.subTest(role=role), self.assertRaises(AccessError):
                    function()

    def test_where_requests_go_is_changed_by_two_people(self):
        self.use()
        values = {
            "url": "https://elsewhere.example/spar/v1",
            "answer_place": False,
            "secret": "stolen",
            "answer_key": False,
        }
        change = self.propose(**values)
        self.assertEqual(self.backend.url, self.stub.url)
        self.assertTrue(self.backend.answer_place)
        self.assertEqual(
            self.env["spar.backend.secret"]._get(self.backend.id), "hidden"
        )
        self.assertNotIn("stolen", change.summary)
        self.approve_waiting()
        self.assertEqual(self.backend.url, values["url"])
        self.assertEqual(
            self.env["spar.backend.secret"]._get(self.backend.id), "stolen"
        )

    def test_every_field_of_the_connection_is_guarded(self):
        self.use()
        for name in REMOTE_FIELDS:
            self.assertTrue(self.backend._is_guarded(name, "x"), name)
        names = self.env["spar.remote.settings"]._fields
        stored = {name for name in names if self.backend._fields[name].store}
        self.assertEqual(stored - {"id"}, {*REMOTE_FIELDS} - {"secret"})

    def test_invalid_settings_are_refused(self):
        for values in (
            {"url": "ftp://registry.example"},
            {"url": "https://user:word@registry.example"},
            {"url": "https://registry.example/?x=1"},
            {"token_url": "registry.example"},
            {"timeout": 0},
            {"timeout": 600},
            {"chunk_size": 0},
            {"answer_key": "no key"},
            {"answer_key": json.dumps(KEY.to_jwk())},
        ):
            with self.subTest(values=values), self.assertRaises(ValidationError):
                self.backend.write(values)

    def test_the_secret_is_sealed_and_never_shown(self):
        self.env.invalidate_all()
        self.assertFalse(self.backend.secret)
        self.assertTrue(self.backend.has_secret)
        self.env.cr.execute("SELECT sealed FROM spar_backend_secret")
        for (sealed,) in self.env.cr.fetchall():
            self.assertNotIn(b"hidden", bytes(sealed))
        row = self.env["spar.backend.secret"].search(
            [("backend_id", "=", self.backend.id)]
        )
        self.assertEqual(row._read_sealed(), "hidden")

    def test_keys_are_used_only_by_their_use(self):
        self.backend.action_make_key()
        key = self.env["spar.signing.key"]._search_key(KEY_USE, "ES256", "current")
        self.assertEqual(self.backend.our_public_key, key.public_jwk)


class TestSealedBackend(RemoteMapperCase, SealCase):
    """What plain SQL changed is not used."""

    def test_a_url(self):
        self.backend._bind()
        self.run_sql("UPDATE spar_mapper_backend SET url = 'https://evil.example'")
        self.assert_altered(self.backend._bind)

    def test_an_earlier_secret_that_was_put_back(self):
        self.env.cr.execute("SELECT uuid, sealed FROM spar_backend_secret")
        before = self.env.cr.fetchone()
        self.backend.write({"secret": "newer"})
        self.backend._check_settings()
        self.run_sql("UPDATE spar_backend_secret SET uuid = %s, sealed = %s", *before)
        self.assert_altered(self.backend._check_settings)

    def test_a_secret_that_was_moved_does_not_open(self):
        other = self.backend.copy({"is_default": False, "secret": "other"})
        self.run_sql(
            """UPDATE spar_backend_secret s SET sealed = o.sealed
                 FROM spar_backend_secret o WHERE o.backend_id = %s
                  AND s.backend_id = %s""",
            other.id,
            self.backend.id,
        )
        secrets = self.env["spar.backend.secret"]
        self.assert_refused(SealBroken, secrets._get, self.backend.id)
