import ipaddress

from odoo.tests import BaseCase

from ..exceptions import OutgoingRefused
from ..lib.jose.canonical import canonicalise
from ..lib.network_targets import MAX_URL, AllowList, NetworkTarget, is_public

PUBLIC = ("1.1.1.1", "2606:4700:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101")
#: Addresses of RFC 6890, and those that wrap them in IPv6.
PRIVATE = (
    "0.0.0.0",
    "10.1.2.3",
    "100.64.0.1",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "172.16.0.1",
    "192.168.1.1",
    "192.0.0.8",
    "192.0.2.1",
    "192.88.99.1",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",
    "::ffff:10.0.0.1",
    "64:ff9b::a00:1",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "fc00::1",
    "fe80::1",
    "fec0::1",
    "ff02::1",
)
MALFORMED = (
    "",
    "payer.example",
    "//payer.example/",
    "ftp://payer.example",
    "file:///x",
    "https://",
    "https://:443/",
    "https://payer.example:0/",
    "https://a:b:c/",
    "https://payer.example:99999/",
    "https://[::1/",
    "javascript:alert(1)",
    "https://name@payer.example/",
    "https://name:word@payer.example/",
    "https://payer.example/a b",
    "https://payer.example/\r\nHost: x",
    "https://pаyer.example/",
    "https://payer.example/" + "x" * MAX_URL,
)


def read(*texts):
    return tuple(map(ipaddress.ip_address, texts))


class TestAddresses(BaseCase):
    def test_public_ones_in_whatever_form(self):
        for address in read(*PUBLIC):
            with self.subTest(address=address):
                self.assertTrue(is_public(address))

    def test_our_own_network_is_refused_in_whatever_form(self):
        for address in read(*PRIVATE):
            with self.subTest(address=address):
                self.assertFalse(is_public(address))


class TestTargets(BaseCase):
    def test_what_is_no_address_of_a_web_server_is_refused(self):
        for url in MALFORMED:
            with self.subTest(url=url[:60]), self.assertRaises(OutgoingRefused):
                NetworkTarget.parse(url)

    def test_fragment_is_not_sent_and_a_missing_path_is_the_root(self):
        for url, path in (
            ("https://payer.example", "/"),
            ("https://payer.example?x=1", "/?x=1"),
            ("https://payer.example/a/../b#part", "/a/../b"),
        ):
            with self.subTest(url=url):
                self.assertEqual(NetworkTarget.parse(url).path, path)

    def test_one_private_address_among_public_ones_refuses_the_target(self):
        target = NetworkTarget.parse("https://payer.example/callback")
        target.check(read(*PUBLIC), AllowList())
        with self.assertRaises(OutgoingRefused):
            target.check(read("1.1.1.1", "10.0.0.1"), AllowList())

    def test_without_tls_only_where_it_is_allowed(self):
        target = NetworkTarget.parse("http://payer.example/callback")
        with self.assertRaises(OutgoingRefused):
            target.check(read("1.1.1.1"), AllowList())
        target.check(read("10.0.0.1"), AllowList.parse("payer.example:80"))

    def test_a_refusal_contains_no_path(self):
        """A path may contain data that identifies a person."""
        target = NetworkTarget.parse("https://payer.example/secret-path")
        with self.assertRaises(OutgoingRefused) as refused:
            target.check(read("10.0.0.1"), AllowList())
        self.assertNotIn("secret", str(refused.exception))


class TestAllowList(BaseCase):
    def test_all_addresses_must_be_in_an_allowed_network(self):
        allowed = AllowList.parse("10.1.0.0/16,fd00::/8")
        self.assertTrue(allowed.has("x", 443, read("10.1.2.3", "fd00::1")))
        self.assertTrue(allowed.has("x", 443, read("::ffff:10.1.2.3")))
        self.assertFalse(allowed.has("x", 443, read("10.1.2.3", "10.2.0.1")))
        self.assertFalse(allowed.has("x", 443, ()))

    def test_a_name_is_allowed_with_its_port_only(self):
        allowed = AllowList.parse(" IDP.intern:8443 , [::1]:9000,")
        self.assertTrue(allowed.has("idp.INTERN", 8443, read("10.0.0.1")))
        self.assertTrue(allowed.has("::1", 9000, read("::1")))
        self.assertFalse(allowed.has("idp.intern", 443, read("10.0.0.1")))
        self.assertFalse(allowed.has("a.idp.intern", 8443, read("10.0.0.1")))

    def test_an_entry_that_says_nothing_is_refused(self):
        for text in ("intern", "10.1.0.0/99", "*:80", "https://intern:1", "a b:1"):
            with self.subTest(text=text), self.assertRaises(OutgoingRefused):
                AllowList.parse(f"10.0.0.0/8,{text}")


class TestCanonicalForm(BaseCase):
    def test_ambiguous_json_is_refused(self):
        for value in (float("nan"), float("inf"), "\ud800", {"\udfff": 1}):
            with self.subTest(value=repr(value)), self.assertRaises(ValueError):
                canonicalise({"header": value})

    def test_deeper_members_are_sorted_too_and_lists_are_not(self):
        one = {"a": [{"d": 1, "c": 2}, "é"]}
        self.assertEqual(canonicalise(one), '{"a":[{"c":2,"d":1},"é"]}'.encode())
        self.assertNotEqual(canonicalise([1, 2]), canonicalise([2, 1]))
