"""What is sealed in which context, and what the chain of events covers."""

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
from ..lib.chain import commit_to, mac_event
from ..lib.details import pack_details
from ..lib.ledger import Ledger
from ..lib.records import Holding
from .common import CALL, NOW, build_row


class TestSeals(BaseCase):
    DETAILS = (
        NO_DETAILS,
        Details("Ada"),
        Details("", "+1555"),
        Details("A\x00da", '"', ({"a": [1, {"b": None}], "\x00": "\x00"}, "x", 7)),
        Details("漢字 🙂", "", ()),
    )

    def test_what_was_packed_is_unpacked(self):
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

    def test_an_address_opens_only_as_what_it_was_sealed(self):
        keyring = build_open_keyring()
        place = ("u1", "s1", 1, "active", "id")
        sealed = keyring.seal("fa", "account:1@b", seals.address_context(*place))
        opened = seals.unseal_address(keyring, sealed, *place)
        self.assertEqual(opened, ("account:1@b", NO_DETAILS))
        for number, other in enumerate(("u2", "s2", 2, "suspended", "ID")):
            moved = (*place[:number], other, *place[number + 1 :])
            with self.subTest(moved=moved), self.assertRaises(SealBroken):
                seals.unseal_address(keyring, sealed, *moved)

    def test_no_context_of_one_kind_is_that_of_another(self):
        terms = seals.ChangeTerms("link", 1, False, None, None, "x", "", "rest", 20)
        contexts = {
            seals.id_context("u", "s", "none", False),
            seals.id_context("u", "s", "none", True),
            seals.id_context("u", "s", "owner", False),
            seals.address_context("u", "s", 1, "active", "id"),
            seals.change_context("u", "id", terms),
            seals.change_context("u", "id", terms._replace(authority=40)),
            seals.change_context("u", "id", terms._replace(effective_at=NOW)),
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

    def test_a_commitment_covers_everything_that_a_row_says(self):
        row = build_row()
        commitments = {commit_to(self.keyring, "id", row)}
        changes = {
            "uuid": "u2",
            "fa": "account:2@b",
            "details": Details("Ada"),
            "purpose": "school",
            "rank": 2,
            "state": "suspended",
            "version": 2,
            "authority": 30,
            "channel": "staff",
            "origin": "user:1",
            "proof": "document",
            "valid_from": NOW + timedelta(microseconds=1),
            "valid_to": NOW,
            "asserted_at": NOW - timedelta(days=1),
            "strategy_number": 1,
            "fa_type_id": 1,
            "provider_id": 1,
            "branch_id": 1,
        }
        for name, value in changes.items():
            altered = replace(row, **{name: value})
            commitments.add(commit_to(self.keyring, "id", altered))
        commitments.add(commit_to(self.keyring, "other id", row))
        commitments.add(commit_to(build_open_keyring(), "id", row))
        self.assertEqual(len(commitments), len(changes) + 3)

    def test_a_mac_covers_everything_that_an_event_says(self):
        ledger = Ledger(self.keyring, CALL, NOW)
        holding = Holding("id", 1, 1, "s1")
        ledger.open_period(holding, build_row(state="new"), "linked")
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
            "mapping": build_row(uuid="u2"),
        }
        for name, value in changes.items():
            macs.add(mac_event(self.keyring, replace(event, **{name: value})))
        self.assertEqual(len(macs), len(changes) + 1)
