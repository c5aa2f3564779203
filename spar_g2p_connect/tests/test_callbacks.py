import os
import socket
from unittest.mock import patch

from odoo.exceptions import AccessError, ValidationError
from odoo.tests import TransactionCase, new_test_user, tagged
from odoo.tools import mute_logger

from odoo.addons.spar_g2p_connect.lib import delivery
from odoo.addons.spar_g2p_connect.lib.bindings import MessageBinding
from odoo.addons.spar_mapper.tests.common import ALARM_LOGGER
from odoo.addons.spar_mapper_connector.exceptions import TargetUnreachable
from odoo.addons.spar_mapper_connector.lib import access_tokens
from odoo.addons.spar_mapper_connector.lib.g2p_connect import profiles
from odoo.addons.spar_mapper_connector.lib.outgoing import HttpResponse

from .common import CALLBACK_WORKER_LOGGER, EVERY_RIGHT, KeyringMixin, seal_settings
from .test_asynchronous import CALLBACK, AsynchronousCase

ACK = b'{"message": {"ack_status": "ACK"}}'
ADDRESSES = {"full.example": "93.184.216.34", "inside.example": "10.0.0.1"}


def look_up(host, port, *_words, **_named):
    if host not in ADDRESSES:
        raise socket.gaierror
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ADDRESSES[host], port))]


@tagged("post_install", "-at_install")
class TestCallbacks(AsynchronousCase):
    """The life cycle of a callback; ``tests/`` covers the real HTTP transport."""

    def send(self, *answers):
        """Run the worker; the target gives one of ``answers`` to each call."""
        left, self.sent = list(answers), []

        def answer(method, url, **words):
            self.sent.append((url, words))
            outcome = left.pop(0) if len(left) > 1 else left[0]
            if isinstance(outcome, Exception):
                raise outcome
            return HttpResponse(outcome[0], {}, outcome[1])

        with patch.object(delivery.outgoing, "send", answer):
            self.run_schedule("spar.callback", "_cron_send")

    def prepare(self, key="cb"):
        self.queue("link", self.build("link", key))
        self.run_worker()
        return self.env["spar.callback"].search([], limit=1)

    def set_up(self, callback, **values):
        with patch("socket.getaddrinfo", look_up):
            callback.participant_id.write(values)
        self.env.flush_all()

    def make_due(self):
        self.env.cr.execute("UPDATE spar_callback SET next_try = since")

    def test_callback_arrives_once(self):
        callback = self.prepare()
        self.send((200, ACK))
        self.assertEqual((callback.state, callback.attempts), ("delivered", 1))
        self.assertTrue(callback.delivered_at)
        self.send((200, ACK))
        self.assertEqual(self.sent, [])

    def test_callback_url_is_the_same_for_each_profile(self):
        for number, (profile, _label) in enumerate(profiles.selection()):
            self.full.profile = profile
            for operation in ("link", "update", "resolve", "unlink"):
                with self.subTest(profile=profile, operation=operation):
                    self.queue(operation, self.build(operation, f"place{number}"))
                    self.run_worker()
                    callback = self.env["spar.callback"].search([], limit=1)
                    self.assertEqual(callback.message_id.action, operation)
                    self.assertEqual(callback.url, f"{CALLBACK}/on-{operation}")

    def test_retry_has_the_same_message_id(self):
        callback = self.prepare()
        problems = []
        for answer in (
            TargetUnreachable("full.example: no connection"),
            (503, b""),
            (302, b""),
            (200, b"<html>welcome"),
            (200, b'{"message": {"ack_status": "NACK"}}'),
            (200, ACK),
        ):
            self.send(answer)
            problems.append(callback.problem)
            self.make_due()
        self.assertEqual(
            problems,
            ["unreachable", "http_503", "redirected"]
            + ["no_acknowledgement", "not_accepted", False],
        )
        self.assertEqual((callback.state, callback.attempts), ("delivered", 6))

    def test_retry_differs_only_in_its_timestamp(self):
        self.prepare()
        bodies = []
        for _attempt in range(2):
            self.send((500, b""))
            bodies.append(self.sent[0][1]["body"])
            self.make_due()
        first, second = (access_tokens.parse_json(body) for body in bodies)
        self.assertNotEqual(
            first["header"].pop("message_ts"), second["header"].pop("message_ts")
        )
        self.assertEqual(first, second)

    def test_replaced_url_receives_nothing_more(self):
        callback = self.prepare()
        self.send((500, b""))
        self.set_up(callback, callback_url="https://full.example/new")
        self.make_due()
        self.send((200, ACK))
        ((url, _words),) = self.sent
        self.assertEqual(url, "https://full.example/new/on-link")
        self.assertEqual(callback.state, "delivered")

    def test_disabled_participant_receives_no_callbacks(self):
        callback = self.prepare()
        for values in ({"state": "disabled"}, {"state": "active", "callback_url": ""}):
            self.set_up(callback, **values)
            self.send((200, ACK))
            self.assertEqual(self.sent, [])
        self.set_up(callback, callback_url=CALLBACK)
        self.send((200, ACK))
        self.assertEqual(callback.state, "delivered")

    def test_callback_is_not_retried_too_early(self):
        callback = self.prepare()
        self.send((500, b""))
        self.assertGreater(callback.next_try, callback.since)
        self.send((200, ACK))
        self.assertEqual(self.sent, [])

    def test_callback_is_given_up_after_a_day_and_can_be_sent_again(self):
        callback = self.prepare()
        self.env.cr.execute(
            """UPDATE spar_callback SET since = since - interval '25 hours',
                      next_try = since"""
        )
        self.send((500, b""))
        self.assertEqual((callback.state, callback.problem), ("failed", "http_500"))
        self.make_due()
        self.send((200, ACK))
        self.assertEqual(self.sent, [])
        group = "base.group_user,spar_fa_directory.group_{}"
        for role in ("auditor", "supervisor"):
            user = new_test_user(self.env, f"{role}.cb", groups=group.format(role))
            with self.assertRaises(AccessError):
                callback.with_user(user).action_send_again()
        role = group.format("administrator")
        administrator = new_test_user(self.env, "administrator.cb", groups=role)
        callback.with_user(administrator).action_send_again()
        self.send((200, ACK))
        self.assertEqual((callback.state, callback.attempts), ("delivered", 1))

    def test_claim_of_a_killed_worker_expires(self):
        self.prepare()
        self.assertEqual(len(self.env["spar.callback"]._claim(8)), 1)
        self.send((200, ACK))
        self.assertEqual(self.sent, [])
        self.env.cr.execute("UPDATE spar_callback SET claimed_until = since")
        self.send((200, ACK))
        self.assertEqual(len(self.sent), 1)

    def test_new_key_reseals_stored_bodies(self):
        callback = self.prepare()
        message = callback.message_id
        values = message.read(MessageBinding._fields, load=None)[0]
        del values["id"]
        self.env["spar.callback"]._queue(
            message.id,
            MessageBinding(**values),
            "on-link",
            document={"header": {"message_id": "later"}},
        )
        keyring = self.env["spar.keyring"]
        keyring._start_rotation()
        list(keyring._reseal_steps())
        self.assertEqual(keyring._finish_rotation(), 0)
        later = self.env["spar.callback"].search([], limit=1)
        document = self.env["spar.callback"]._get_document(later.id)
        self.assertEqual(document["header"]["message_id"], "later")

    def test_unreadable_callback_delays_no_other(self):
        other = self.make_participant("cb-other.example", **EVERY_RIGHT)
        self.env.cr.execute(
            "UPDATE spar_participant SET callback_url = %s", (CALLBACK,)
        )
        seal_settings(self.env, "spar.participant")
        broken = self.prepare("broken-seal")
        self.env.cr.execute("UPDATE spar_message SET sealed_answer = 'x'")
        self.queue("link", self.build("link", "whole", participant=other), other)
        self.run_worker()
        with (
            self.assertLogs(CALLBACK_WORKER_LOGGER, "WARNING"),
            mute_logger(ALARM_LOGGER),
        ):
            self.send((200, ACK))
        self.assertEqual((broken.state, broken.problem), ("failed", "unreadable"))
        self.assertEqual(len(self.sent), 1)
        self.assertIn("no longer be unsealed", broken.problem_text)

    def test_thread_error_is_recorded_as_a_problem(self):
        callback = self.prepare()
        with self.assertLogs(CALLBACK_WORKER_LOGGER, "WARNING") as logs:
            self.send(ZeroDivisionError("values in it"))
        self.assertEqual(callback.problem, "internal_error")
        self.assertNotIn("values in it", "".join(logs.output))

    def test_unavailable_target_is_not_tried_for_each_callback(self):
        first = self.prepare("away1")
        self.prepare("away2")
        self.send(TargetUnreachable("full.example: no connection"))
        self.assertEqual(len(self.sent), 1)
        waiting = self.env["spar.callback"].search([("state", "=", "waiting")])
        self.assertEqual(len(waiting), 2)
        self.assertTrue(all(c.next_try > c.since for c in waiting))
        self.make_due()
        self.send((500, b""))
        self.assertEqual(len(self.sent), 2)
        self.assertEqual(first.problem, "http_500")

    def test_problems_have_texts(self):
        callback = self.prepare()
        self.send((302, b""))
        self.assertIn("not followed", callback.problem_text)
        self.make_due()
        self.send((418, b""))
        self.assertEqual(callback.problem_text, "The callback URL answered HTTP 418.")

    def test_participant_receives_one_callback_at_a_time(self):
        self.prepare("a")
        self.prepare("b")
        self.assertEqual(len(self.env["spar.callback"]._claim(8)), 1)
        self.assertEqual(self.env["spar.callback"]._claim(8), [])

    def test_lenient_profile_accepts_any_success_status(self):
        self.env.cr.execute("UPDATE spar_participant SET profile = 'openg2p-1.x'")
        seal_settings(self.env, "spar.participant")
        callback = self.prepare()
        self.send((200, b"thanks"))
        self.assertEqual(callback.state, "delivered")

    def test_target_token_is_cached_and_renewed(self):
        self.full.write({"callback_client_id": "us", "callback_secret": "hidden"})
        with patch("socket.getaddrinfo", look_up):
            self.full.write(
                {
                    "callback_auth": "oauth2",
                    "callback_token_url": "https://full.example/token",
                }
            )
        callback = self.prepare("t1")
        token = b'{"access_token": "tok", "expires_in": "300"}'
        self.send((200, token), (401, b""))
        urls = [url for url, _words in self.sent]
        self.assertEqual(urls[0], "https://full.example/token")
        self.assertIn(b"client_secret=hidden", self.sent[0][1]["body"])
        self.assertEqual(self.sent[1][1]["headers"]["Authorization"], "Bearer tok")
        self.assertEqual(callback.problem, "http_401")
        self.make_due()
        self.send((200, token), (200, ACK))
        self.assertEqual(len(self.sent), 2)
        self.prepare("t2")
        self.send((200, ACK))
        self.assertEqual(len(self.sent), 1)

    def test_token_with_an_invalid_lifetime(self):
        for life in (b"1%0400d" % 0, b'"inf"', b"1e999", b"[]"):
            tokens, body = (
                access_tokens.AccessTokens(),
                b'{"access_token": "t", "expires_in": %s}' % life,
            )
            answers = [HttpResponse(200, {}, body)] * 2
            with patch.object(delivery.outgoing, "send", side_effect=answers) as send:
                for _time in range(2):
                    credentials = access_tokens.RemoteCredentials(
                        "oauth2", "s", "https://full.example"
                    )
                    found = tokens.get_headers(credentials)
                    self.assertEqual(found, {"Authorization": "Bearer t"})
            self.assertEqual(send.call_count, 2, life)

    def test_token_endpoint_without_a_token_is_a_problem(self):
        with patch("socket.getaddrinfo", look_up):
            self.full.write(
                {
                    "callback_auth": "oauth2",
                    "callback_token_url": "https://full.example/none",
                    "callback_client_id": "us",
                }
            )
        callback = self.prepare("t3")
        for answer, problem in (
            ((403, b""), "token_http_403"),
            ((200, b"<html>"), "token_http_200"),
            ((200, b'{"access_token": 7}'), "token_missing"),
            ((200, rb'{"access_token": "a\r\nHost: x"}'), "token_missing"),
            ((200, rb'{"access_token": "\ud800"}'), "token_missing"),
        ):
            self.send(answer)
            self.assertEqual(callback.problem, problem)
            self.assertIn("The token endpoint", callback.problem_text)
            self.make_due()


@tagged("post_install", "-at_install")
class TestCallbackSettings(KeyringMixin, TransactionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.set_up_keyring()
        os.environ.pop("SPAR_OUTGOING_ALLOW", None)
        cls.participant = cls.env["spar.participant"].create(
            {"name": "Set", "sender_id": "set.example"}
        )

    def setUp(self):
        super().setUp()
        patcher = patch("socket.getaddrinfo", look_up)
        patcher.start()
        self.addCleanup(patcher.stop)

    def test_acceptable_callback_urls(self):
        self.participant.callback_url = "https://full.example/spar"
        self.assertEqual(self.participant.callback_url, "https://full.example/spar")

    def test_refused_callback_urls(self):
        for url in (
            "http://full.example/x",
            "https://127.0.0.1/",
            "https://[::1]/",
            "https://inside.example/",
            "https://nowhere.example/",
            "ftp://x",
            "https://user:word@full.example/",
            "nothing",
            "https://10.1.2.3/x",
            "https://full.example/?x=1",
            "https://full.example/#x",
        ):
            for name in ("callback_url", "callback_token_url"):
                with (
                    self.subTest(url=url, name=name),
                    self.assertRaises(ValidationError),
                ):
                    self.participant.write({name: url})

    def test_token_endpoint_needs_its_settings(self):
        with self.assertRaises(ValidationError):
            self.participant.callback_auth = "oauth2"

    def test_secret_is_sealed_and_never_shown(self):
        self.participant.write({"callback_auth": "static", "callback_secret": "hid7en"})
        self.env.flush_all()
        self.env.invalidate_all()
        self.assertFalse(self.participant.callback_secret)
        self.assertTrue(self.participant.has_callback_secret)
        credentials = self.participant._get_callback_credentials()
        self.assertEqual(credentials.secret, "hid7en")
        self.assertNotIn("hid7en", repr(credentials))
        for table in ("spar_participant", "spar_callback_secret"):
            self.env.cr.execute(f"SELECT string_agg(t::text, '') FROM {table} t")
            dump = self.env.cr.fetchone()[0]
            self.assertNotIn("hid7en", dump)
            self.assertNotIn(b"hid7en".hex(), dump)

    def test_secret_is_replaced_only_when_written(self):
        self.participant.write({"callback_auth": "static", "callback_secret": "one"})
        self.participant.write({"callback_secret": "two"})
        self.participant.write({"name": "Renamed", "callback_secret": False})
        credentials = self.participant._get_callback_credentials()
        self.assertEqual(credentials.secret, "two")

    def test_only_an_administrator_sees_the_secret_field(self):
        group = "base.group_user,spar_fa_directory.group_auditor"
        user = new_test_user(self.env, "auditor.secret", groups=group)
        with self.assertRaises(AccessError):
            self.participant.with_user(user).read(["callback_secret"])
