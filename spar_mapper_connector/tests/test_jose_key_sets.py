import json
import os
import threading
from unittest.mock import patch

from odoo.tests import BaseCase

from ..exceptions import OutgoingFailed, OutgoingRefused
from ..lib.jose import key_sets
from ..lib.jose.exceptions import KeyRefused, KeySetUnavailable
from ..lib.jose.key_sets import KeySetCache, choose_key, fetch_key_set, read_key_set
from ..lib.jose.keys import ENCRYPTION_ALGORITHM, PrivateKey
from ..lib.network_targets import ALLOW_VARIABLE
from .web_server import answer_with, build_answer, serving

ADDRESS = "https://payer.example/jwks.json"


class Publisher:
    """A publisher of keys that counts requests, and can be unavailable."""

    def __init__(self, *private):
        self.private = list(private)
        self.fetches = 0
        self.away = False

    def fetch(self, address):
        self.fetches += 1
        if self.away:
            raise OutgoingFailed("away")
        return json.dumps({"keys": [p.public.jwk for p in self.private]}).encode()


class TestCache(BaseCase):
    def setUp(self):
        super().setUp()
        self.first, self.second = (PrivateKey.generate("ES256") for _ in range(2))
        self.publisher = Publisher(self.first)
        self.now = 1000.0
        self.cache = KeySetCache(self.publisher.fetch, lambda: self.now)

    def find(self, private, algorithm="ES256"):
        return self.cache.find(ADDRESS, private.public.kid, algorithm)

    def test_a_set_is_fetched_once_in_its_lifetime(self):
        for _call in range(5):
            self.assertEqual(self.find(self.first).kid, self.first.public.kid)
        self.assertEqual(self.publisher.fetches, 1)
        self.now += key_sets.LIFETIME + 1
        self.find(self.first)
        self.assertEqual(self.publisher.fetches, 2)

    def test_a_new_key_is_found_at_once(self):
        self.find(self.first)
        self.now += key_sets.COOLDOWN
        self.publisher.private.append(self.second)
        self.assertEqual(self.find(self.second).kid, self.second.public.kid)

    def test_made_up_key_ids_cost_the_publisher_nothing(self):
        for number in range(100):
            self.assertIsNone(self.cache.find(ADDRESS, f"made-up-{number}", "ES256"))
        self.assertEqual(self.publisher.fetches, 1)
        self.now += key_sets.COOLDOWN
        for number in range(100):
            self.assertIsNone(self.cache.find(ADDRESS, f"made-up-{number}", "ES256"))
        self.assertEqual(self.publisher.fetches, 2)

    def test_an_old_set_is_used_while_its_publisher_is_away_but_not_for_ever(self):
        self.find(self.first)
        self.publisher.away = True
        self.now += key_sets.LIFETIME + 1
        self.assertTrue(self.find(self.first))
        self.now += key_sets.GRACE
        with self.assertRaises(KeySetUnavailable):
            self.find(self.first)

    def test_a_publisher_that_was_never_there(self):
        self.publisher.away = True
        for _call in range(50):
            with self.assertRaises(KeySetUnavailable):
                self.find(self.first)
        self.assertEqual(self.publisher.fetches, 1)
        self.publisher.away = False
        self.now += key_sets.COOLDOWN
        self.assertTrue(self.find(self.first))

    def test_a_key_that_is_published_no_longer(self):
        self.find(self.first)
        self.publisher.private = []
        self.now += key_sets.LIFETIME + 1
        self.assertIsNone(self.find(self.first))

    def test_all_keys_of_a_set_are_read(self):
        self.publisher.private.append(self.second)
        kids = {key.kid for key in self.cache.get_keys(ADDRESS)}
        self.assertEqual(kids, {self.first.public.kid, self.second.public.kid})
        self.cache.get_keys(ADDRESS)
        self.assertEqual(self.publisher.fetches, 1)

    def test_keys_of_a_publisher_that_is_away_cannot_be_read(self):
        self.publisher.away = True
        with self.assertRaises(KeySetUnavailable):
            self.cache.get_keys(ADDRESS)

    def test_certificates_of_a_key_are_kept_and_never_trusted(self):
        jwk = self.first.public.jwk
        for chain, kept in (
            (["MIIB", "MIIC=="], ("MIIB", "MIIC==")),
            (["not base64!"], ()),
            (["MIIB", 7], ()),
            (["MIIB"] * 9, ()),
            ({"a": 1}, ()),
        ):
            with self.subTest(chain):
                document = json.dumps({"keys": [{**jwk, "x5c": chain}]})
                (key,) = read_key_set(document.encode())
                self.assertEqual(key.certificates, kept)
                self.assertEqual(key, self.first.public)

    def test_a_malformed_key_set_changes_nothing(self):
        self.find(self.first)
        self.cache._fetch = lambda address: b"<html>"
        self.now += key_sets.LIFETIME + 1
        self.assertTrue(self.find(self.first))

    def test_the_number_of_sets_is_bounded(self):
        with patch.object(key_sets, "MAX_SETS", 3):
            for number in range(10):
                self.cache.find(f"https://{number}.example/", "x", "ES256")
        self.assertEqual(len(self.cache._kept), 3)

    def test_one_thread_asks_and_the_others_wait(self):
        started = threading.Barrier(8)

        def ask():
            started.wait()
            found.append(self.find(self.first))

        found = []
        threads = [threading.Thread(target=ask) for _number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(self.publisher.fetches, 1)
        self.assertEqual(len(list(filter(None, found))), 8)

    def test_a_forgotten_key_set_is_fetched_again(self):
        self.find(self.first)
        self.cache.forget(ADDRESS)
        self.find(self.first)
        self.assertEqual(self.publisher.fetches, 2)


class TestReading(BaseCase):
    def test_keys_for_other_uses_are_left_out(self):
        usable = PrivateKey.generate("PS256").public.jwk
        for_encryption = PrivateKey.generate(ENCRYPTION_ALGORITHM).public.jwk
        keys = [usable, for_encryption, {"kty": "oct", "k": "AAAA"}, {}, "x", None]
        found = read_key_set(json.dumps({"keys": keys}).encode())
        self.assertEqual([key.kid for key in found], [usable["kid"]])

    def test_malformed_key_sets_are_refused(self):
        for raw in (b"", b"[]", b"{}", b'{"keys": 1}', b'{"keys": {}}', b"\xff"):
            with self.subTest(raw), self.assertRaises(KeyRefused):
                read_key_set(raw)
        many = json.dumps({"keys": [{}] * (key_sets.MAX_KEYS + 1)}).encode()
        with self.assertRaises(KeyRefused):
            read_key_set(many)

    def test_key_is_chosen_only_if_unambiguous(self):
        first, second = (PrivateKey.generate("ES256").public for _ in range(2))
        other = PrivateKey.generate("PS256").public
        keys = [first, second, other]
        self.assertIs(choose_key(keys, second.kid, "ES256"), second)
        self.assertIs(choose_key(keys, "", "PS256"), other)
        self.assertIsNone(choose_key(keys, "", "ES256"))
        self.assertIsNone(choose_key(keys, second.kid, "PS256"))
        self.assertIsNone(choose_key([first, first], first.kid, "ES256"))


class TestFetching(BaseCase):
    def fetch(self, answer, allowed=True):
        with serving(answer_with(answer)) as server:
            allow = f"127.0.0.1:{server.port}" if allowed else ""
            with patch.dict(os.environ, {ALLOW_VARIABLE: allow}):
                return fetch_key_set(server.url)

    def test_what_is_there(self):
        self.assertEqual(self.fetch(build_answer(b"{}")), b"{}")

    def test_errors_and_redirects_are_not_key_sets(self):
        for status in ("404 Not Found", "302 Found", "500 Error", "204 No Content"):
            with self.subTest(status), self.assertRaises(OutgoingFailed):
                self.fetch(build_answer(b"{}", status))

    def test_a_response_that_is_too_large(self):
        with self.assertRaises(OutgoingFailed):
            self.fetch(build_answer(b"x" * (key_sets.MAX_BYTES + 1)))

    def test_our_own_network_is_not_called(self):
        with self.assertRaises(OutgoingRefused):
            self.fetch(build_answer(b"{}"), allowed=False)
