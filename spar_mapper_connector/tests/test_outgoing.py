import datetime
import ipaddress
import os
import socket
import ssl
import tempfile
import time
from pathlib import Path
from unittest.mock import patch

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from odoo.tests import BaseCase

from ..exceptions import (
    AnswerLost,
    AnswerTooLarge,
    OutgoingFailed,
    OutgoingRefused,
    TargetTooSlow,
    TargetUnknown,
    TargetUnreachable,
)
from ..lib import outgoing
from ..lib.network_targets import ALLOW_VARIABLE, AllowList
from .web_server import answer_with, build_answer, serving

LOOPBACK = AllowList.parse("127.0.0.0/8, ::1")


def ask(server, **words):
    return outgoing.send("GET", server.url, **{"allowed": LOOPBACK, **words})


class OutgoingCase(BaseCase):
    def setUp(self):
        super().setUp()
        # Demos and tests send to loopback; here only the test itself allows it.
        patcher = patch.dict(os.environ)
        patcher.start()
        self.addCleanup(patcher.stop)
        os.environ.pop(ALLOW_VARIABLE, None)

    def assert_fails(self, exception, function, *arguments, **words):
        with self.assertRaises(exception) as caught:
            function(*arguments, **words)
        return caught.exception


class TestSending(OutgoingCase):
    def test_a_request_arrives_and_its_response_is_returned(self):
        answer = build_answer(b"hello", "201 Created", X_Kind="test")
        with serving(answer_with(answer)) as server:
            got = outgoing.send(
                "POST",
                server.url + "?q=1",
                headers={"X-Token": "t"},
                body=b"question",
                allowed=LOOPBACK,
            )
        self.assertEqual((got.status, got.body), (201, b"hello"))
        self.assertEqual(got.headers["x-kind"], "test")
        (request,) = server.requests
        self.assertIn(b"POST /path?q=1 HTTP/1.1\r\n", request)
        self.assertIn(f"Host: 127.0.0.1:{server.port}\r\n".encode(), request)
        self.assertIn(b"X-Token: t\r\n", request)
        self.assertTrue(request.endswith(b"\r\n\r\nquestion"))

    def test_chunked_answers_are_put_together(self):
        head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        with serving(answer_with(head, b"2\r\nab\r\n1\r\nc\r\n0\r\n\r\n")) as server:
            self.assertEqual(ask(server).body, b"abc")

    def test_a_redirect_is_an_answer_and_is_not_followed(self):
        with serving(answer_with(build_answer(b"secret"))) as inner:
            redirect = build_answer(b"", "302 Found", Location=inner.url)
            with serving(answer_with(redirect)) as server:
                self.assertEqual(ask(server).status, 302)
            self.assertEqual(inner.requests, [])

    def test_no_proxy_of_the_environment_is_used(self):
        with serving(answer_with(build_answer(b"x"))) as proxy:
            with serving(answer_with(build_answer(b"direct"))) as server:
                names = ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy")
                with patch.dict(os.environ, dict.fromkeys(names, proxy.url)):
                    self.assertEqual(ask(server).body, b"direct")
            self.assertEqual(proxy.requests, [])

    def test_an_answer_shows_neither_headers_nor_body(self):
        answer = outgoing.HttpResponse(200, {"set-cookie": "secret"}, b"secret")
        self.assertNotIn("secret", repr(answer))

    def test_a_header_that_would_begin_another_is_refused_and_not_repeated(self):
        with serving(answer_with(build_answer())) as server:
            headers = {"Authorization": "Bearer s3cret\r\nX-Other: 1"}
            error = self.assert_fails(OutgoingRefused, ask, server, headers=headers)
        self.assertNotIn("s3cret", str(error))


class TestLimits(OutgoingCase):
    def test_an_answer_of_the_allowed_size_and_one_byte_more(self):
        with serving(answer_with(build_answer(b"x" * 100))) as server:
            self.assertEqual(len(ask(server, max_bytes=100).body), 100)
            error = self.assert_fails(AnswerTooLarge, ask, server, max_bytes=99)
        self.assertTrue(error.was_sent)

    def test_an_endless_answer_is_not_read_to_its_end(self):
        def behave(connection, request):
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            while True:
                connection.sendall(b"x" * 65536)

        with serving(behave) as server:
            self.assert_fails(AnswerTooLarge, ask, server, max_bytes=1000)

    def test_a_compressed_answer_is_refused(self):
        bomb = build_answer(b"\x1f\x8b", Content_Encoding="gzip")
        with serving(answer_with(bomb)) as server:
            self.assert_fails(AnswerTooLarge, ask, server)

    def assert_too_slow(self, behave):
        with serving(behave) as server:
            started = time.monotonic()
            error = self.assert_fails(TargetTooSlow, ask, server, timeout=0.6)
        self.assertLess(time.monotonic() - started, 2)
        self.assertTrue(error.was_sent)

    def test_silence_ends_at_the_deadline(self):
        self.assert_too_slow(lambda connection, request: time.sleep(3))

    def test_a_slow_drip_of_headers_ends_at_the_deadline(self):
        def behave(connection, request):
            connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
            for _second in range(30):
                connection.sendall(b"x")
                time.sleep(0.1)

        self.assert_too_slow(behave)

    def test_a_slow_drip_of_a_body_ends_at_the_deadline(self):
        def behave(connection, request):
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n")
            for _second in range(30):
                connection.sendall(b"x")
                time.sleep(0.1)

        self.assert_too_slow(behave)

    def test_a_slow_look_up_ends_at_the_deadline(self):
        with patch.object(socket, "getaddrinfo", lambda *a, **k: time.sleep(2) or []):
            url = "https://slow.example/"
            error = self.assert_fails(
                TargetTooSlow, outgoing.send, "GET", url, timeout=0.3
            )
        self.assertFalse(error.was_sent)

    def test_a_truncated_response_is_refused(self):
        for answer in (
            b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
            b"",
            b"this is not HTTP\r\n\r\n",
            b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n",
        ):
            with self.subTest(answer[:40]), serving(answer_with(answer)) as server:
                error = self.assert_fails(AnswerLost, ask, server)
                self.assertTrue(error.was_sent)


class TestRetries(OutgoingCase):
    def behave_at(self, good_attempt):
        def behave(connection, request):
            if len(server.requests) >= good_attempt:
                connection.sendall(build_answer(b"ok"))

        server = self.enterContext(serving(behave))
        return server

    def test_nothing_is_sent_twice_unless_requested(self):
        server = self.behave_at(2)
        self.assert_fails(AnswerLost, ask, server)
        self.assertEqual(len(server.requests), 1)

    def test_as_many_attempts_as_requested(self):
        server = self.behave_at(3)
        self.assertEqual(ask(server, attempts=3).body, b"ok")
        self.assertEqual(len(server.requests), 3)

    def test_retries_end_with_the_deadline(self):
        server = self.behave_at(100)
        started = time.monotonic()
        self.assert_fails(OutgoingFailed, ask, server, attempts=100, timeout=1)
        self.assertLess(time.monotonic() - started, 2)

    def test_a_refused_request_is_not_retried(self):
        with patch.object(time, "sleep") as sleep:
            url = "http://127.0.0.1:1/"
            self.assert_fails(OutgoingRefused, outgoing.send, "GET", url, attempts=5)
        sleep.assert_not_called()


class TestTargets(OutgoingCase):
    """Targets that must never be reached, in every form they can be written in."""

    def assert_refused(self, url, allowed=None):
        error = self.assert_fails(
            OutgoingRefused,
            outgoing.send,
            "GET",
            url,
            allowed=allowed or AllowList(),
            timeout=5,
        )
        self.assertFalse(error.was_sent)
        return error

    def test_urls_that_are_no_target(self):
        for url in (
            "",
            "payer.example",
            "/path",
            "//payer.example/",
            "ftp://payer.example/",
            "file:///etc/passwd",
            "gopher://127.0.0.1:70/",
            "https://",
            "https:///path",
            "https://name:password@payer.example/",
            "https://name@payer.example/",
            "https://payer.example:0/",
            "https://payer.example:99999/",
            "https://payer.example:x/",
            "https://payer.example/a b",
            "https://payer.example/\r\nX: y",
            "https://pay\u00e9r.example/",
            "https://[::1/",
            "https://payer.example/" + "x" * 2048,
        ):
            with self.subTest(url[:60]):
                self.assert_refused(url)

    def test_plain_http_is_refused_unless_allowed(self):
        with patch.object(outgoing, "look_up") as look_up:
            look_up.return_value = (ipaddress.ip_address("93.184.216.34"),)
            error = self.assert_refused("http://payer.example/")
        self.assertIn("https", str(error))

    def test_addresses_that_are_not_public(self):
        for host in (
            "127.0.0.1",
            "127.1",
            "2130706433",
            "0x7f000001",
            "0177.0.0.1",
            "localhost",
            "0.0.0.0",
            "10.0.0.1",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "192.0.0.192",
            "192.0.2.1",
            "192.88.99.1",
            "198.18.0.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "[::1]",
            "[::]",
            "[::ffff:127.0.0.1]",
            "[::ffff:a00:1]",
            "[::127.0.0.1]",
            "[64:ff9b::10.0.0.1]",
            "[64:ff9b:1::1]",
            "[2002:7f00:1::]",
            "[2001:0:53aa::1]",
            "[2001:db8::1]",
            "[fe80::1]",
            "[fec0::1]",
            "[fc00::1]",
            "[fd12:3456::1]",
            "[ff02::1]",
            "[100::1]",
        ):
            with self.subTest(host):
                self.assert_refused(f"https://{host}/")

    def test_public_addresses_may_be_reached(self):
        for text in ("1.1.1.1", "2606:4700::1111", "64:ff9b::101:101"):
            with self.subTest(text), patch.object(outgoing, "look_up") as look_up:
                look_up.return_value = (ipaddress.ip_address(text),)
                outgoing.check_url("https://payer.example/callback")

    def test_one_private_address_among_public_ones_is_enough_to_refuse(self):
        with patch.object(outgoing, "look_up") as look_up:
            look_up.return_value = tuple(
                map(ipaddress.ip_address, ("1.1.1.1", "10.0.0.1"))
            )
            self.assert_refused("https://payer.example/")

    def test_the_name_is_looked_up_once_and_the_checked_address_is_called(self):
        with serving(answer_with(build_answer(b"ok"))) as server:
            inner = ipaddress.ip_address("127.0.0.1")
            with patch.object(outgoing, "look_up", return_value=(inner,)) as look_up:
                # The name is never resolved a second time, whatever it would return.
                url = f"http://payer.invalid:{server.port}/"
                answer = outgoing.send("GET", url, allowed=LOOPBACK)
            self.assertEqual(answer.body, b"ok")
            look_up.assert_called_once()
            host = f"Host: payer.invalid:{server.port}\r\n".encode()
            self.assertIn(host, server.requests[0])

    def test_a_name_without_address(self):
        error = self.assert_fails(
            TargetUnknown, outgoing.check_url, "https://nobody.invalid/"
        )
        self.assertIn("nobody.invalid", str(error))

    def test_a_refused_connection(self):
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        error = self.assert_fails(
            TargetUnreachable,
            outgoing.send,
            "GET",
            f"http://127.0.0.1:{port}/",
            allowed=LOOPBACK,
        )
        self.assertFalse(error.was_sent)


class TestAllowList(OutgoingCase):
    def test_the_environment_sets_the_allowed_targets(self):
        with serving(answer_with(build_answer(b"ok"))) as server:
            self.assert_fails(OutgoingRefused, outgoing.send, "GET", server.url)
            text = f"other.example:1, 127.0.0.1:{server.port}"
            with patch.dict(os.environ, {ALLOW_VARIABLE: text}):
                self.assertEqual(outgoing.send("GET", server.url).body, b"ok")

    def test_another_port_of_an_allowed_host_is_not_allowed(self):
        allowed = AllowList.parse("127.0.0.1:1")
        url = "http://127.0.0.1:2/"
        self.assert_fails(OutgoingRefused, outgoing.send, "GET", url, allowed=allowed)

    def test_a_malformed_entry_is_refused(self):
        for text in ("localhost", "10.0.0.0/33", "*", "10.0.0.1:http", "a b:1"):
            with self.subTest(text):
                self.assert_fails(OutgoingRefused, AllowList.parse, text)


class TestTls(OutgoingCase):
    """TLS is verified against the name in the URL, not the connected address."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.file = Path(folder.name, "server.pem")
        cls.file.write_bytes(build_certificate("payer.invalid"))
        outgoing._get_tls_context.cache_clear()
        cls.addClassCleanup(outgoing._get_tls_context.cache_clear)
        variables = {"SSL_CERT_FILE": str(cls.file)}
        cls.startClassPatcher(patch.dict(os.environ, variables))

    def call(self, host):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.file)
        loopback = ipaddress.ip_address("127.0.0.1")
        with serving(answer_with(build_answer(b"safe")), context) as server:
            with patch.object(outgoing, "look_up", return_value=(loopback,)):
                url = f"https://{host}:{server.port}/"
                return outgoing.send("GET", url, allowed=LOOPBACK)

    def test_the_name_of_the_certificate(self):
        self.assertEqual(self.call("payer.invalid").body, b"safe")

    def test_another_name(self):
        error = self.assert_fails(TargetUnreachable, self.call, "other.invalid")
        self.assertFalse(error.was_sent)

    def test_an_untrusted_certificate_authority(self):
        outgoing._get_tls_context.cache_clear()
        with patch.dict(os.environ, {"SSL_CERT_FILE": os.devnull}):
            self.assert_fails(TargetUnreachable, self.call, "payer.invalid")
        outgoing._get_tls_context.cache_clear()

    def test_a_server_without_tls(self):
        loopback = ipaddress.ip_address("127.0.0.1")
        with serving(answer_with(build_answer(b"plain"))) as server:
            with patch.object(outgoing, "look_up", return_value=(loopback,)):
                url = f"https://payer.invalid:{server.port}/"
                self.assert_fails(
                    (TargetUnreachable, TargetTooSlow),
                    outgoing.send,
                    "GET",
                    url,
                    allowed=LOOPBACK,
                    timeout=2,
                )


def build_certificate(host: str) -> bytes:
    """Return a key and a self-signed certificate for ``host``, in PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.datetime.now(datetime.timezone.utc)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return private + certificate.public_bytes(serialization.Encoding.PEM)


class TestManyAddresses(OutgoingCase):
    def test_the_next_address_is_tried_after_a_refused_connection(self):
        addresses = tuple(map(ipaddress.ip_address, ("127.0.0.3", "127.0.0.1")))
        with serving(answer_with(build_answer(b"second"))) as server:
            with patch.object(outgoing, "look_up", return_value=addresses):
                url = f"http://payer.invalid:{server.port}/"
                answer = outgoing.send("GET", url, allowed=LOOPBACK)
        self.assertEqual(answer.body, b"second")

    def test_an_ipv6_target_is_named_in_brackets(self):
        with patch.object(outgoing, "_connect", side_effect=TargetUnreachable("x")):
            with self.assertRaises(TargetUnreachable):
                outgoing.send("GET", "http://[::1]:9/", allowed=LOOPBACK)
