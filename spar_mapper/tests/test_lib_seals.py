"""The context in which each value is sealed, and what the chain of events covers."""

from dataclasses import replace
from datetime import timedelta

from odoo.tests import BaseCase

from odoo.addons.spar_mapper_connector.exceptions import SealBroken
from odoo.addons.spar_mapper_connector.lib.contract import (
    NO_DETAILS,
    Details,
)
from odoo.addons.spar_mapper_connector.tests.common import build_open_keyring

from ..lib import seals
from ..lib.chain import (
    commit_to,
    describe,
    mac_event,
    mac_head,
    mac_subject,
    read_marks,
    write_marks,
)
from ..lib.details import pack_details
from ..lib.ledger import Ledger
from ..lib.records import Holding, Subject
from .common import CALL, NOW, build_address, build_head


class TestSeals(BaseCase):
    DETAILS = (
        NO_DETAILS,
        Details("Ada"),
        Details("", "+1555"),
        Details("A\x00da", '"', ({"a": [1, {"b": None}], "\x00": "\x00"}, "x", 7)),
        Details("漢字 🙂", "", ()),
    )

    def test_packed_values_are_unpacked(self):
        for details in self.DETAILS:
            for fa in ("account:1@b", "x", "ünï 漢字", "[]", '{"a": 1}'):
                with self.subTest(details=details, fa=fa):
                    packed = seals.pack(fa, details)
                    self.assertEqual(seals.unpack(packed), (fa, details))

    def test_without_details_only_the_address_is_sealed(self):
        self.assertEqual(seals.pack("account:1@b", NO_DETAILS), "account:1@b")
        self.assertEqual(pack_details(NO_DETAILS), "")

    def test_details_are_written_in_one_way(self):
        one = Details(additional_info=({"b": 1, "a": 2},))
        other = Details(additional_info=({"a": 2, "b": 1},))
        self.assertEqual(pack_details(one), pack_details(other))

    def test_address_opens_only_in_its_context(self):
        keyring = build_open_keyring()
        place = ("u1", "s1", 1)
        sealed = keyring.seal("fa", "account:1@b", seals.address_context(*place))
        opened = keyring.unseal("fa", sealed, seals.address_context(*place))
        self.assertEqual(opened, "account:1@b")
        for number, other in enumerate(("u2", "s2", 2)):
            moved = (*place[:number], other, *place[number + 1 :])
            with self.subTest(moved=moved), self.assertRaises(SealBroken):
                keyring.unseal("fa", sealed, seals.address_context(*moved))

    def test_no_context_of_one_kind_is_that_of_another(self):
        terms = seals.ChangeTerms("link", 1, False, None, None, "x", "", "rest", 20)
        contexts = {
            seals.id_context("u", "s", True, 0),
            seals.id_context("u", "s", False, 0),
            seals.id_context("u", "s", True, 1),
            seals.address_context("u", "s", 1),
            seals.change_context("u", "s", "h", terms),
            seals.change_context("u", "s", "h", terms._replace(authority=40)),
            seals.change_context("u", "s", "h", terms._replace(effective_at=NOW)),
            seals.contact_context("u"),
        }
        self.assertEqual(len(contexts), 8)

    def test_rows_that_do_not_open_are_left_out(self):
        keyring = build_open_keyring()
        rows = [(n, keyring.seal("id", f"id {n}", b"c")) for n in range(3)]
        contexts = {0: ("id", b"c"), 1: ("id", b"other")}
        self.assertEqual(seals.unseal_all(keyring, rows, contexts), {0: "id 0"})


class TestChain(BaseCase):
    def setUp(self):
        super().setUp()
        self.keyring = build_open_keyring()

    def test_description_covers_every_value_of_a_place(self):
        head = build_head()
        descriptions = {describe("s1", head)}
        changes = {
            "uuid": "h2",
            "purpose": "school",
            "rank": 2,
            "state": "suspended",
            "version": 2,
            "state_since": NOW + timedelta(microseconds=1),
            "address_uuid": "u2",
            "address": None,
        }
        for name, value in changes.items():
            descriptions.add(describe("s1", replace(head, **{name: value})))
        of_address = {
            "version": 2,
            "fa": "account:2@b",
            "details": Details("Ada"),
            "authority": 30,
            "channel": "staff",
            "origin": "user:1",
            "proof": "document",
            "valid_from": NOW + timedelta(microseconds=1),
            "asserted_at": NOW - timedelta(days=1),
            "strategy_number": 1,
            "fa_type_id": 1,
            "provider_id": 1,
            "branch_id": 1,
        }
        for name, value in of_address.items():
            address = build_address(**{name: value})
            descriptions.add(describe("s1", replace(head, address=address)))
        descriptions.add(describe("s2", head))
        self.assertEqual(len(descriptions), len(changes) + len(of_address) + 2)

    def test_commitments_and_macs_need_the_key_and_are_not_one_another(self):
        text, other = describe("s1", build_head()), build_open_keyring()
        macs = {
            commit_to(self.keyring, text),
            commit_to(other, text),
            mac_head(self.keyring, text, 1),
            mac_head(self.keyring, text, 2),
            mac_head(other, text, 1),
        }
        self.assertEqual(len(macs), 5)

    def test_mac_of_a_subject_covers_every_value(self):
        subject = Subject("s1", 1, last_seq=3, last_mac=b"x", marks={"h1": 3, "i1": 0})
        macs = {mac_subject(self.keyring, subject)}
        changes = {
            "uuid": "s2",
            "change_lock": "owner",
            "pay_stop": True,
            "merged_into": 2,
            "last_seq": 4,
            "last_mac": b"y",
            "marks": {"h1": 2, "i1": 0},
        }
        for name, value in changes.items():
            macs.add(mac_subject(self.keyring, replace(subject, **{name: value})))
        self.assertEqual(len(macs), len(changes) + 1)

    def test_marks_are_read_as_they_were_written(self):
        for marks in ({}, {"h1": 2}, {"h12": 0, "h2": 7, "i3": 1}):
            self.assertEqual(read_marks(write_marks(marks)), marks)
        for text in (None, "", "h1", "h1:x", "a:b:c"):
            self.assertEqual(read_marks(text), {})

    def test_mac_of_an_event_covers_every_value(self):
        ledger = Ledger(CALL, self.keyring, NOW)
        holding = Holding("id", 1, Subject("s1", 1))
        ledger.begin(holding, "", build_address(), "linked")
        event = ledger.events[0]
        macs = {mac_event(self.keyring, event)}
        self.assertIn(event.mac, macs)
        changes = {
            "uuid": "other",
            "seq": 2,
            "kind": "updated",
            "actor": "user:1",
            "on_behalf_of": "user:2",
            "channel": "staff",
            "authenticated_by": "nobody",
            "message_reference": "m",
            "reason": "because",
            "happened_at": NOW + timedelta(microseconds=1),
            "commitment_before": b"x",
            "commitment_after": b"x",
            "previous_mac": b"x",
            "subject_uuid": "s2",
            "head_uuid": "h2",
            "address_uuid": "u2",
        }
        for name, value in changes.items():
            macs.add(mac_event(self.keyring, replace(event, **{name: value})))
        self.assertEqual(len(macs), len(changes) + 1)
