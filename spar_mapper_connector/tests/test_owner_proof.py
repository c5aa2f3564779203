"""What a person confirms, and the nonce that binds a login to it: no database."""

from dataclasses import FrozenInstanceError, fields, replace
from datetime import datetime, timedelta, timezone

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from odoo.tests import BaseCase

from ..lib.confirmed_change import Binding, build_change, get_binding
from ..lib.contract import (
    Authority,
    CallContext,
    Details,
    LinkRequest,
    ObjectionRequest,
    ResumeRequest,
    SuspendRequest,
    UnlinkRequest,
    UpdateRequest,
)
from ..lib.owner_proof import (
    AddressItem,
    ConfirmedChange,
    ConfirmedOperation,
    EventItem,
    OwnerProof,
    PersonItem,
    ProofUnreadable,
    build_nonce,
    make_salt,
    read_proof,
    write_change,
    write_proof,
)

WORDS = st.text(max_size=20)
JSON = WORDS | st.integers() | st.booleans() | st.dictionaries(WORDS, WORDS, max_size=2)
ADDRESSES = st.builds(
    AddressItem,
    id_value=WORDS,
    fa=WORDS,
    name=WORDS,
    phone_number=WORDS,
    additional_info=st.lists(JSON, max_size=2).map(tuple),
    asserted_at=WORDS,
)
ITEMS = (
    ADDRESSES
    | st.builds(EventItem, id_value=WORDS, period=WORDS, seq=st.integers())
    | st.builds(PersonItem, id_value=WORDS)
)
CHANGES = st.builds(
    ConfirmedChange,
    receiver=WORDS,
    operation=st.sampled_from(ConfirmedOperation),
    item=ITEMS,
    draft_id=WORDS,
    salt=st.binary(min_size=32, max_size=32),
    purpose=WORDS,
    rank=st.integers(1, 9),
    base_version=st.none() | st.integers(0, 9),
    version=st.just(1),
)
BINDING = Binding("spar.example", "d1", bytes(range(32)))
PROOF = OwnerProof("https://id", "a.b.c", "d1", bytes(32), "spar.example", 7, "d.e.f")


#: The machine may be busy with other tests.
UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


class TestNonce(BaseCase):
    @UNHURRIED
    @given(CHANGES, CHANGES)
    def test_another_change_has_another_nonce(self, one, other):
        assume(write_change(one) != write_change(other))
        self.assertNotEqual(build_nonce(one), build_nonce(other))

    @UNHURRIED
    @given(CHANGES, CHANGES)
    def test_any_altered_field_gives_another_nonce(self, change, other):
        for name in (field.name for field in fields(change)):
            value = getattr(other, name)
            if value == getattr(change, name):
                continue
            if name == "item" and _is_written_alike(value, change.item):
                continue
            altered = replace(change, **{name: value})
            self.assertNotEqual(build_nonce(altered), build_nonce(change), name)

    @UNHURRIED
    @given(CHANGES, ADDRESSES, ADDRESSES)
    def test_any_altered_part_of_the_item_gives_another_nonce(
        self, change, item, other
    ):
        change = replace(change, item=item)
        for name in (field.name for field in fields(item)):
            altered = replace(item, **{name: getattr(other, name)})
            if _is_written_alike(altered, item):
                continue
            nonce = build_nonce(replace(change, item=altered))
            self.assertNotEqual(nonce, build_nonce(change), name)

    @UNHURRIED
    @given(CHANGES)
    def test_nonce_is_the_same_whenever_it_is_made(self, change):
        self.assertEqual(build_nonce(change), build_nonce(replace(change)))
        self.assertRegex(build_nonce(change), r"\A[A-Za-z0-9_-]{43}\Z")

    def test_change_of_another_version_is_refused(self):
        change = build_change(UnlinkRequest("1"), BINDING)
        with self.assertRaises(ValueError):
            build_nonce(replace(change, version=2))

    def test_salt_of_another_length_is_refused(self):
        change = build_change(UnlinkRequest("1"), BINDING)
        for salt in (b"", bytes(31), bytes(33)):
            with self.subTest(len(salt)), self.assertRaises(ValueError):
                build_nonce(replace(change, salt=salt))

    def test_value_that_is_not_json_is_refused(self):
        for info in (float("nan"), "\ud800"):
            request = LinkRequest("1", "a", Details(additional_info=(info,)))
            with self.subTest(info), self.assertRaises(ValueError):
                build_nonce(build_change(request, BINDING))

    def test_what_was_confirmed_cannot_be_altered(self):
        change = build_change(UnlinkRequest("1"), BINDING)
        with self.assertRaises(FrozenInstanceError):
            change.receiver = "other"


def _is_written_alike(one, other) -> bool:
    """Return whether two items are the same JSON (as True and 1 are not)."""
    change = build_change(UnlinkRequest("1"), BINDING)
    written = [write_change(replace(change, item=item)) for item in (one, other)]
    return written[0] == written[1]


class TestRequests(BaseCase):
    """Each request becomes the change that its owner is shown."""

    def test_each_request_has_its_operation(self):
        requests = {
            LinkRequest("1", "a"): ConfirmedOperation.LINK,
            UpdateRequest("1", "a"): ConfirmedOperation.UPDATE,
            UnlinkRequest("1"): ConfirmedOperation.UNLINK,
            ObjectionRequest("1", "p", 2): ConfirmedOperation.UNDO,
        }
        for request, operation in requests.items():
            with self.subTest(operation):
                change = build_change(request, BINDING)
                self.assertIs(change.operation, operation)
                self.assertEqual(change.item.id_value, "1")

    def test_all_that_is_sent_is_confirmed(self):
        moment = datetime(2026, 3, 1, 12, tzinfo=timezone(timedelta(hours=2)))
        details = Details("Ada", "+1555", ({"a": 1},))
        request = UpdateRequest("1", "account:2", details, "cash", moment, 4)
        change = build_change(request, BINDING)
        item = ("1", "account:2", "Ada", "+1555", ({"a": 1},))
        self.assertEqual(change.item, AddressItem(*item, "2026-03-01T10:00:00+00:00"))
        self.assertEqual((change.purpose, change.base_version), ("cash", 4))

    def test_link_and_update_of_the_same_address_differ(self):
        nonces = {
            build_nonce(build_change(kind("1", "a"), BINDING))
            for kind in (LinkRequest, UpdateRequest)
        }
        self.assertEqual(len(nonces), 2)

    def test_requests_that_owners_do_not_send_are_refused(self):
        for request in (SuspendRequest("1"), ResumeRequest("1")):
            with self.subTest(request), self.assertRaises(ValueError):
                build_change(request, BINDING)


class TestProof(BaseCase):
    @UNHURRIED
    @given(
        st.builds(OwnerProof, WORDS, WORDS, WORDS, st.binary(), WORDS, st.integers())
    )
    def test_written_proof_is_read(self, proof):
        self.assertEqual(read_proof(write_proof(proof)), proof)

    @UNHURRIED
    @given(st.binary(max_size=200) | WORDS.map(str.encode))
    def test_anything_else_is_refused(self, data):
        with self.assertRaises(ProofUnreadable):
            read_proof(data)

    def test_altered_members_are_refused(self):
        document = write_proof(PROOF)
        for old, new in (
            (b'"salt":"AAAA', b'"salt":"!AAA'),
            (b'"salt":"', b'"salt":" '),
            (b'"shown_at":7', b'"shown_at":true'),
            (b'"shown_at":7', b'"shown_at":"7"'),
            (b'"issuer":"https://id"', b'"issuer":null'),
            (b'"issuer"', b'"issuers"'),
            (b'"version":1', b'"version":1,"more":1'),
        ):
            with self.subTest(new), self.assertRaises(ProofUnreadable):
                read_proof(document.replace(old, new))

    def test_proof_is_shown_without_its_secrets(self):
        proof = replace(
            PROOF, id_token="secret-1", userinfo="secret-2", salt=b"secret-3"
        )
        call = CallContext("person:1", "portal", Authority.OWNER, owner_proof=proof)
        request = UpdateRequest("secret-4", "secret-5", Details("secret-6"))
        change = build_change(request, get_binding(proof))
        for shown in (proof, call, change):
            with self.subTest(type(shown)):
                self.assertNotIn("secret", repr(shown))

    def test_binding_is_that_of_the_proof(self):
        self.assertEqual(
            get_binding(PROOF), Binding("spar.example", "d1", bytes(32), 1)
        )

    def test_salts_are_never_the_same(self):
        self.assertEqual(len({make_salt() for _ in range(100)}), 100)
