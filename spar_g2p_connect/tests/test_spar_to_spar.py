"""One SPAR calls another over HTTP: here both are this server, in one database."""

import json
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from unittest.mock import patch

from odoo.tests import tagged

from odoo.addons.spar_g2p_connect.const import BASE_PATH
from odoo.addons.spar_mapper_connector.exceptions import (
    NoSuchEvent,
    NoSuchNotice,
    NotPermitted,
    NotSupported,
    RemoteAnswerUnusable,
    RemoteMapperDown,
    RemoteMapperError,
    RemoteMapperRefuses,
)
from odoo.addons.spar_mapper_connector.lib import outgoing
from odoo.addons.spar_mapper_connector.lib.contract import (
    UNKNOWN_EFFECT,
    Authority,
    CallContext,
    Capability,
    ChangeState,
    Details,
    LinkRequest,
    ObjectionRequest,
    Outcome,
    PaymentState,
    Remedy,
    ResolveRequest,
    ResumeRequest,
    SuspendRequest,
    UnlinkRequest,
    UpdateRequest,
)
from odoo.addons.spar_mapper_connector.lib.g2p_connect.signing import (
    IN_MESSAGE,
    KEY_USE,
)
from odoo.addons.spar_mapper_connector.lib.jose.key_sets import CACHE
from odoo.addons.spar_mapper_connector.models.remote import spar_mapper_spar

from .common import EVERY_RIGHT, LoopbackMixin, seal_settings
from .test_extension import EVERY_EXTENSION, ExtensionCase, account, key

STAFF = CallContext(
    "registry",
    "registry",
    Authority.STAFF,
    authenticated_by="document",
    on_behalf_of="user:7",
    reason="Asked at the desk",
    checks_addresses=True,
)


class SparToSparCase(LoopbackMixin, ExtensionCase):
    """``self.mapper`` is bound to a backend whose URL is this server's own."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.mapper = cls.make_mapper(cls.spar)

    def setUp(self):
        super().setUp()
        spar_mapper_spar._KNOWN.clear()

    @classmethod
    def make_mapper(cls, participant, **values):
        """Return the mapper that calls this server as ``participant``."""
        url = f"{cls.base_url()}{BASE_PATH}"
        backend = cls.env["spar.mapper.backend"].create(
            {
                "name": participant.sender_id,
                "implementation": "spar.mapper.spar",
                "url": url,
                "sender_id": participant.sender_id,
                "receiver_id": "spar.example",
                "authentication": "oauth2",
                "token_url": f"{url}/oauth2/client/token",
                "client_id": participant.client_id,
                "signature_place": False,
                "answer_place": False,
                **values,
            }
        )
        secret = cls.secrets[participant]
        cls.env["spar.backend.secret"]._store(backend.id, secret)
        seal_settings(cls.env, "spar.mapper.backend")
        return backend._bind()

    def give_remotely(self, number, **more):
        request = LinkRequest(key(number), account(number), **more)
        (result,) = self.mapper._link_fa(STAFF, [request])
        self.assertEqual(result.outcome, Outcome.LINKED)
        return result

    @contextmanager
    def losing_answers(self, times=1, path="/extension/"):
        """Process requests to ``path`` as ever, but lose their answers."""
        send, left, sent = outgoing.send, [times], []

        def lose(method, url, **more):
            answer = send(method, url, **more)
            if path in url:
                sent.append(more["body"])
                left[0] -= 1
                if left[0] >= 0:
                    raise outgoing.AnswerLost("the response is incomplete")
            return answer

        with patch.object(outgoing, "send", lose):
            yield sent


@tagged("post_install", "-at_install")
class TestRoundTrip(SparToSparCase):
    def test_it_can_be_chosen(self):
        names = dict(self.env["spar.mapper.backend"]._selection_implementation())
        self.assertEqual(names["spar.mapper.spar"], "Another SPAR")
        self.assertNotIn("spar.mapper", names)

    def test_it_can_do_what_the_other_side_grants(self):
        everything = set(Capability) - {
            Capability.DIRECTORY,
            Capability.CONFIRMATION,
            Capability.CHANGE_LOCK,
            Capability.OWN_ADDRESS,
            Capability.VISIT,
        }
        self.assertLessEqual(everything, self.mapper._capabilities())
        narrow = self.make_mapper(self.blind)._capabilities()
        self.assertNotIn(Capability.HISTORY, narrow)
        self.assertIn(Capability.STANDING, narrow)
        with self.assertRaises(RemoteMapperRefuses):
            self.make_mapper(self.full)._capabilities()

    def test_capabilities_are_asked_once_in_a_while(self):
        self.mapper._capabilities()
        lost = outgoing.AnswerLost("x")
        with patch.object(outgoing, "send", side_effect=lost) as send:
            self.assertIn(Capability.HISTORY, self.mapper._capabilities())
            send.assert_not_called()
            later = spar_mapper_spar.time.monotonic() + spar_mapper_spar.LIFETIME + 1
            clock = patch.object(spar_mapper_spar.time, "monotonic", lambda: later)
            with clock:
                for _repeat in range(2):
                    self.assertIn(Capability.HISTORY, self.mapper._capabilities())
            send.assert_called_once()
            spar_mapper_spar._KNOWN.clear()
            with self.assertRaises(RemoteMapperDown):
                self.mapper._capabilities()

    def test_connection_takes_the_right_of_another_spar(self):
        self.mapper._check_connection()
        with self.assertRaises(RemoteMapperRefuses) as caught:
            self.make_mapper(self.full)._check_connection()
        self.assertEqual(caught.exception.reason, "err.request.forbidden")

    def test_changes_with_versions_and_purposes(self):
        self.assertEqual(self.give_remotely(1).version, 1)
        details = Details("A name", "", ({"name": "crvs", "value": 1},))
        update = UpdateRequest(key(1), account(2), details, expected_version=1)
        (result,) = self.mapper._update_fa(STAFF, [update])
        self.assertEqual((result.outcome, result.version), (Outcome.UPDATED, 2))
        (result,) = self.mapper._update_fa(STAFF, [update])
        self.assertEqual(result.outcome, Outcome.CONFLICT)
        self.give_remotely(1, purpose="school")
        requests = [ResolveRequest(key(1)), ResolveRequest(key(1), purpose="school")]
        general, school = self.mapper._resolve_fa(STAFF, requests)
        self.assertEqual((general.fa, general.version), (account(2), 2))
        self.assertEqual(general.details, details)
        self.assertEqual((school.fa, school.version), (account(1), 1))
        unlink = UnlinkRequest(key(1), account(9))
        (result,) = self.mapper._unlink_fa(STAFF, [unlink])
        self.assertEqual(result.outcome, Outcome.FA_MISMATCH)
        (result,) = self.mapper._unlink_fa(STAFF, [UnlinkRequest(key(1))])
        self.assertEqual(result.outcome, Outcome.UNLINKED)

    def test_results_are_those_of_the_store(self):
        """The wire adds nothing and loses nothing that this participant may see."""
        self.give_remotely(1)
        requests = [
            ResolveRequest(key(1)),
            ResolveRequest(key(404)),
            ResolveRequest("null"),
            ResolveRequest(fa=account(1)),
        ]
        local = self.env["spar.mapper.local"]._resolve_fa(STAFF, requests)
        for mine, theirs in zip(
            self.mapper._resolve_fa(STAFF, requests), local, strict=True
        ):
            self.assertEqual(
                (mine.outcome, mine.fa, mine.version, mine.provider),
                (theirs.outcome, theirs.fa, theirs.version, theirs.provider),
            )

    def test_batches_go_in_chunks_and_come_back_in_order(self):
        self.mapper._get_backend().chunk_size = 3
        seal_settings(self.env, "spar.mapper.backend")
        requests = [LinkRequest(key(n), account(n)) for n in range(100, 108)]
        with self.losing_answers(0) as sent:
            results = self.mapper._link_fa(STAFF, requests)
        self.assertEqual(len(sent), 3 + 1)  # one to ask what it can do
        self.assertEqual({each.outcome for each in results}, {Outcome.LINKED})
        self.assertEqual(
            [each.id_value for each in results], [key(n) for n in range(100, 108)]
        )
        asked = [ResolveRequest(each.id_value) for each in reversed(requests)]
        found = self.mapper._resolve_fa(STAFF, asked)
        self.assertEqual(
            [each.fa for each in found], [account(n) for n in range(107, 99, -1)]
        )

    def test_suspend_and_resume(self):
        self.give_remotely(1)
        (result,) = self.mapper._suspend_fa(STAFF, [SuspendRequest(key(1))])
        self.assertEqual(result.outcome, Outcome.SUSPENDED)
        (standing,) = self.mapper._standing(STAFF, [key(1)])
        self.assertEqual(standing.state, PaymentState.STOPPED)
        (result,) = self.mapper._resume_fa(STAFF, [ResumeRequest(key(1))])
        self.assertEqual(result.outcome, Outcome.RESUMED)

    def test_standing_is_that_of_the_store(self):
        self.give_remotely(1)
        self.give_remotely(2)
        ids = [key(2), key(404), key(1), "null"]
        local = self.env["spar.mapper.local"]._standing(STAFF, ids)
        self.assertEqual(self.mapper._standing(STAFF, ids), local)

    def test_standing_without_that_right_follows_from_resolving(self):
        rights = {**EVERY_RIGHT, **EVERY_EXTENSION, "may_read_standing": False}
        resolver = self.make_participant("resolver.example", **rights)
        self.give_remotely(1)
        (standing,) = self.make_mapper(resolver)._standing(STAFF, [key(1)])
        self.assertEqual(standing.state, PaymentState.PAYABLE)
        self.assertIsNone(standing.is_disputed)

    def test_history_is_that_of_the_store(self):
        self.give_remotely(1)
        self.mapper._update_fa(STAFF, [UpdateRequest(key(1), account(2))])
        self.mapper._suspend_fa(STAFF, [SuspendRequest(key(1))])
        local = self.env["spar.mapper.local"]._history(STAFF, key(1))
        self.assertEqual(self.mapper._history(STAFF, key(1)), local)
        self.assertEqual(len(local), 2)
        moment = local[1].valid_from
        period = self.mapper._address_at(STAFF, key(1), moment)
        self.assertEqual((period.fa, period.state), (account(1), "active"))
        long_ago = datetime(2020, 1, 1)
        self.assertIsNone(self.mapper._address_at(STAFF, key(1), long_ago))
        later = datetime.now() + timedelta(days=1)
        period = self.mapper._address_at(STAFF, key(1), later)
        self.assertEqual(period.state, "suspended")

    def test_staff_arrive_with_the_participants_authority(self):
        self.give_remotely(1)
        self.assertEqual(self.get_newest_authority(), Authority.PROGRAMME)
        event = self.mapper._history(STAFF, key(1))[0].events[0]
        self.assertEqual(event.actor, "participant:spar2.example")
        self.assertEqual(event.on_behalf_of, "registry/user:7")

    def test_waiting_change_and_its_status(self):
        self.give_remotely(1)
        request = UpdateRequest(key(1), account(2))
        lower = CallContext("registry", "registry", Authority.INSTITUTION)
        (result,) = self.mapper._update_fa(lower, [request])
        self.assertEqual(result.outcome, Outcome.HELD)
        (waiting,) = self.mapper._waiting_changes(STAFF, key(1))
        self.assertEqual(waiting.fa, account(2))
        self.assertEqual(
            [waiting], self.env["spar.mapper.local"]._waiting_changes(STAFF, key(1))
        )
        found = self.mapper._change_status(STAFF, [result.reference, "none"])
        states = [each.state for each in found]
        self.assertEqual(states, [ChangeState.WAITING, ChangeState.UNKNOWN])

    def test_objection_freezes(self):
        self.give_remotely(1)
        (period,) = self.mapper._history(STAFF, key(1))
        request = ObjectionRequest(key(1), period.uuid, period.events[0].seq)
        answer = self.mapper._object_to(STAFF, request)
        self.assertEqual(answer.remedy, Remedy.FROZEN)
        (standing,) = self.mapper._standing(STAFF, [key(1)])
        self.assertTrue(standing.is_disputed)

    def test_errors_of_the_store_arrive(self):
        with self.assertRaises(NoSuchEvent):
            self.mapper._object_to(STAFF, ObjectionRequest(key(1), "none", 1))
        with self.assertRaises(NoSuchNotice):
            self.mapper._read_notice("none")
        with self.assertRaises(NoSuchNotice):
            self.mapper._object_to_notice(STAFF, "none")

    def test_what_the_other_side_does_not_grant_is_not_supported(self):
        mapper = self.make_mapper(self.blind)
        with self.assertRaises(NotSupported):
            mapper._history(STAFF, key(1))
        with self.assertRaises(NotSupported):
            mapper._address_at(STAFF, key(1), datetime(2026, 1, 1))
        with self.assertRaises(NotSupported):
            mapper._waiting_changes(STAFF, key(1))

    def test_only_channels_and_staff_call_it(self):
        nobody = self.env["res.users"].create({"name": "N", "login": "nobody.spar"})
        mapper = self.mapper.with_user(nobody)
        for call in (
            lambda: mapper._resolve_fa(STAFF, [ResolveRequest(key(1))]),
            lambda: mapper._standing(STAFF, [key(1)]),
            lambda: mapper._history(STAFF, key(1)),
            lambda: mapper._object_to(STAFF, ObjectionRequest(key(1), "x", 1)),
            lambda: mapper._read_notice("x"),
        ):
            with self.assertRaises(NotPermitted):
                call()


@tagged("post_install", "-at_install")
class TestLostAnswers(SparToSparCase):
    def setUp(self):
        super().setUp()
        self.mapper._capabilities()

    def test_lost_answer_is_asked_for_with_the_same_message(self):
        with self.losing_answers(1) as sent:
            result = self.give_remotely(1)
        self.assertEqual(result.version, 1)
        self.assertEqual(len(sent), 2)
        self.assertEqual(len(self.mapper._history(STAFF, key(1))), 1)
        messages = self.env["spar.message"].search([("action", "=", "spar-link")])
        self.assertEqual(len(messages), 1)

    def test_effect_is_unknown_after_two_lost_answers(self):
        requests = [LinkRequest(key(n), account(n)) for n in (1, 2)]
        with self.losing_answers(2):
            results = self.mapper._link_fa(STAFF, requests)
        for result in results:
            self.assertEqual(
                (result.outcome, result.problem), (Outcome.RETRY, UNKNOWN_EFFECT)
            )
            self.assertTrue(result.is_uncertain)

    def test_lost_chunk_leaves_the_first_and_stops(self):
        self.mapper._get_backend().chunk_size = 1
        seal_settings(self.env, "spar.mapper.backend")
        requests = [LinkRequest(key(n), account(n)) for n in (1, 2, 3)]
        send, count = outgoing.send, iter(range(9))

        def break_second(method, url, **more):
            answer = send(method, url, **more)
            if "/extension/" in url and next(count) > 0:
                raise outgoing.AnswerLost("the response is incomplete")
            return answer

        with patch.object(outgoing, "send", break_second):
            first, second, third = self.mapper._link_fa(STAFF, requests)
        self.assertEqual(first.outcome, Outcome.LINKED)
        self.assertTrue(second.is_uncertain)
        self.assertEqual((third.outcome, third.problem), (Outcome.RETRY, ""))
        found = self.mapper._resolve_fa(STAFF, [ResolveRequest(key(3))])
        self.assertEqual(found[0].outcome, Outcome.NOT_LINKED)

    def test_nothing_was_sent(self):
        error = outgoing.TargetUnreachable("no connection")
        with patch.object(outgoing, "send", side_effect=error):
            for call in (
                lambda: self.mapper._link_fa(STAFF, [LinkRequest(key(1), account(1))]),
                lambda: self.mapper._standing(STAFF, [key(1)]),
                lambda: self.mapper._history(STAFF, key(1)),
                lambda: self.mapper._change_status(STAFF, ["x"]),
            ):
                with self.assertRaises(RemoteMapperDown) as caught:
                    call()
                self.assertFalse(caught.exception.was_sent)

    def test_answers_that_are_none(self):
        request = [LinkRequest(key(1), account(1))]
        for status, body in (
            (200, b"<html>"),
            (200, b"[]"),
            (200, b'{"header": {}}'),
            (200, b""),
            (500, b"{}"),
            (502, b"<html>"),
        ):
            answer = outgoing.HttpResponse(status, {}, body)
            send = patch.object(outgoing, "send", return_value=answer)
            with self.subTest(status=status, body=body), send:
                (result,) = self.mapper._link_fa(STAFF, request)
                self.assertTrue(result.is_uncertain)
                with self.assertRaises(RemoteMapperError):
                    self.mapper._history(STAFF, key(1))

    def test_refused_as_a_whole(self):
        request = [LinkRequest(key(1), account(1))]
        for status in (401, 403, 404):
            answer = outgoing.HttpResponse(status, {}, b"{}")
            send = patch.object(outgoing, "send", return_value=answer)
            with self.subTest(status), send, self.assertRaises(RemoteMapperRefuses):
                self.mapper._link_fa(STAFF, request)

    def test_answer_about_somebody_else_proves_nothing(self):
        """Nor does an outcome that the operation cannot have, or nobody knows."""
        send = outgoing.send
        self.give_remotely(1)

        def build_spoiled(name, members):
            def spoil(method, url, **more):
                answer = send(method, url, **more)
                if not url.endswith(f"/extension/{name}"):
                    return answer
                document = json.loads(answer.body)
                for item in document["message"]["answers"]:
                    item["answer"].update(members)
                return replace(answer, body=json.dumps(document).encode())

            return spoil

        for name, members in (
            ("update", {"id": key(2)}),
            ("update", {"outcome": "great"}),
            ("update", {"outcome": "found"}),
            ("update", {"outcome": "linked"}),
            ("resolve", {"id": key(2)}),
            ("resolve", {"outcome": "great"}),
            ("resolve", {"outcome": "updated"}),
        ):
            spoil = build_spoiled(name, members)
            calls = {
                "update": lambda: self.mapper._update_fa(
                    STAFF, [UpdateRequest(key(1), account(3))]
                ),
                "resolve": lambda: self.mapper._resolve_fa(
                    STAFF, [ResolveRequest(key(1))]
                ),
            }
            with self.subTest(name, **members), patch.object(outgoing, "send", spoil):
                (result,) = calls[name]()
                self.assertEqual(result.outcome, Outcome.RETRY)
                self.assertEqual(result.is_uncertain, name == "update")

    def test_answer_to_another_message_proves_nothing(self):
        send, kept = outgoing.send, []

        def replay(method, url, **more):
            answer = send(method, url, **more)
            if "/extension/resolve" in url:
                kept.append(answer)
                return kept[0]
            return answer

        self.give_remotely(1)
        with patch.object(outgoing, "send", replay):
            self.mapper._resolve_fa(STAFF, [ResolveRequest(key(1))])
            with self.assertRaises(RemoteAnswerUnusable):
                self.mapper._resolve_fa(STAFF, [ResolveRequest(key(2))])


@tagged("post_install", "-at_install")
class TestSigned(SparToSparCase):
    """Both sides sign, as outside of demos."""

    def make_signer(self, **values):
        rights = {**EVERY_RIGHT, **EVERY_EXTENSION, "authority": "programme"}
        signer = self.make_participant(
            "signer2.example",
            proof="token_and_signature",
            demo_only=False,
            **rights,
        )
        self.env["spar.signing.key"]._generate(KEY_USE, "ES256")
        jwks = f"{self.base_url()}{BASE_PATH}/.well-known/jwks.json"
        CACHE.forget(jwks)
        mapper = self.make_mapper(
            signer,
            signature_place=IN_MESSAGE,
            answer_place=IN_MESSAGE,
            answer_keys_url=jwks,
            **values,
        )
        self.env["spar.participant.key"].create(
            {
                "participant_id": signer.id,
                "key_text": mapper._get_backend().our_public_key,
            }
        )
        self.env.flush_all()
        seal_settings(self.env, "spar.participant", "spar.participant.key")
        return mapper

    def test_signed_both_ways(self):
        mapper = self.make_signer()
        request = LinkRequest(key(1), account(1))
        (result,) = mapper._link_fa(STAFF, [request])
        self.assertEqual(result.outcome, Outcome.LINKED)
        event = mapper._history(STAFF, key(1))[0].events[0]
        self.assertEqual(event.actor, "participant:signer2.example")

    def test_unsigned_message_is_refused(self):
        mapper = self.make_signer()
        mapper._capabilities()
        mapper._get_backend().signature_place = False
        seal_settings(self.env, "spar.mapper.backend")
        with self.assertRaises(RemoteMapperRefuses) as caught:
            mapper._link_fa(STAFF, [LinkRequest(key(1), account(1))])
        self.assertEqual(caught.exception.reason, "err.signature.missing")

    def test_unsigned_answer_is_not_believed(self):
        mapper = self.make_mapper(self.spar, answer_place=IN_MESSAGE)
        with self.assertRaises(RemoteAnswerUnusable) as caught:
            mapper._capabilities()
        self.assertEqual(caught.exception.reason, "not_signed")
