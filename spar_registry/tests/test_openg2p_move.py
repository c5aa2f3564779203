import csv
from base64 import b64encode
from pathlib import Path
from unittest.mock import patch

from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user

from odoo.addons.spar_mapper_connector.exceptions import MapperError
from odoo.addons.spar_mapper_connector.lib.contract import (
    Authority,
    Outcome,
    Result,
)
from odoo.addons.spar_mapper_connector.tests.common import add_model

from .common import FA, NUMBER, OTHER_FA, RegistryCase

SAMPLES = Path(__file__).parent / "openg2p"
FILES_1 = {
    "file": "id_fa_mappings",
    "strategy_file": "strategy",
    "level_file": "dfsp_levels",
    "value_file": "dfsp_level_values",
}
FILES_2 = {
    "file": "id_fa_mappings",
    "strategy_file": "strategy",
    "bank_file": "banks",
    "branch_file": "branches",
    "wallet_file": "wallet_service_providers",
}


class MoveInCase(RegistryCase):
    """A manager who is also an administrator moves in."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.mover = new_test_user(
            cls.env,
            "mover",
            groups="base.group_user,base.group_partner_manager,"
            "spar_registry.group_programme_manager,"
            "spar_fa_directory.group_administrator",
        )
        cls.moves = cls.env["spar.openg2p.move"].with_user(cls.mover)

    def upload(self, version="v1", files=None, **values):
        """Return a move with the sample tables of a version."""
        names = files or (FILES_1 if version == "v1" else FILES_2)
        uploaded = {
            field: b64encode((SAMPLES / version / f"{name}.csv").read_bytes())
            for field, name in names.items()
        }
        move = self.moves.create({**uploaded, "filename": "mappings.csv", **values})
        move.action_confirm()
        return move

    def load_directory(self, move):
        """Load the directory, and let a second administrator approve strategies."""
        move.action_load_directory()
        waiting = self.env["spar.fa.strategy"].search([("is_approved", "=", False)])
        waiting.sudo().write({"is_approved": True})
        move.action_load_directory()

    def work(self) -> None:
        with self.enter_registry_test_mode(), self.registry.cursor() as cr:
            self.env(cr=cr)["spar.openg2p.move"]._cron_load()
        self.env.invalidate_all()

    def check(self, move):
        move.action_try()
        self.work()
        return self.get_counts(move)

    def move_in(self, move):
        self.load_directory(move)
        self.check(move)
        move.action_load()
        self.work()
        return self.get_counts(move)

    def get_counts(self, move) -> dict[str, int]:
        names = ("row", "accepted", "unchanged", "held", "coinciding", "refused")
        return {name: move[f"{name}_count"] for name in names}

    def get_listed(self, move) -> dict[str, str]:
        """Return the reason of each listed row, by its ID."""
        lines = "".join(move._iter_refused()).removeprefix("\ufeff").splitlines()
        return {row["id_value"]: row["reason"] for row in csv.DictReader(lines)}


class TestOpeng2pMove(MoveInCase):
    def test_totals_agree(self):
        move = self.upload()
        self.load_directory(move)
        checked = self.check(move)
        self.assertEqual(
            checked,
            {
                "row": 12,
                "accepted": 5,
                "unchanged": 0,
                "held": 0,
                "coinciding": 3,
                "refused": 4,
            },
        )
        self.assertFalse(self.store.places)
        move.action_load()
        self.work()
        self.assertEqual(move.state, "done")
        self.assertEqual(self.get_counts(move), checked)
        self.assertEqual(len(self.store.places), 5)

    def test_resolve_gives_their_address_in_canonical_form(self):
        self.move_in(self.upload())
        strategies = self.env["spar.fa.strategy"]
        rows = csv.DictReader((SAMPLES / "v1/id_fa_mappings.csv").open())
        theirs = {row["id_value"]: row["fa_value"] for row in rows}
        for id_value, place in self.store.places.items():
            with self.subTest(id_value):
                self.assertTrue(strategies._is_same_address(place.fa, theirs[id_value]))

    def test_refused_and_coinciding_rows_are_listed_with_reasons(self):
        move = self.upload()
        self.move_in(move)
        listed = self.get_listed(move)
        self.assertEqual(len(listed), 7)
        for id_value, words in {
            "token:2007816087@nationalId": "Strategy 7: neither its template",
            "token:2007816095@nationalId": "no provider with this code",
            "TOKEN:2007 816103@NATIONALID": "the same address. See row 8",
            "token:2007816111@nationalId": "different addresses",
            "token:2007-816-111@nationalId": "different addresses",
            "mobile:2007816129": "another type",
            "token:null@nationalId": "placeholder",
        }.items():
            with self.subTest(id_value):
                self.assertIn(words, listed[id_value])

    def test_repeated_run_changes_nothing(self):
        first = self.move_in(self.upload())
        places = dict(self.store.places)
        strategies = self.env["spar.fa.strategy"].search_count([])
        again = self.upload()
        counts = self.move_in(again)
        self.assertEqual(
            counts, {**first, "accepted": 0, "unchanged": first["accepted"]}
        )
        self.assertEqual(self.store.places, places)
        self.assertEqual(self.env["spar.fa.strategy"].search_count([]), strategies)

    def test_link_says_who_and_when(self):
        self.move_in(self.upload(authority=str(int(Authority.INSTITUTION))))
        calls = [call for word, call, _ids in self.store.calls if word == "link"]
        self.assertEqual({call.authority for call in calls}, {Authority.INSTITUTION})
        self.assertEqual(calls[0].on_behalf_of, f"user:{self.mover.id}")

    def test_version_2_bare_ids_and_tables(self):
        move = self.upload("v2")
        counts = self.move_in(move)
        self.assertEqual((counts["accepted"], counts["refused"]), (2, 1))
        self.assertIn(f"token:{NUMBER}@nationalid", self.store.places)
        text = str(move.directory_text)
        self.assertIn("refused", text)
        self.assertTrue(self.env["spar.fsp"].search([("code", "=", "PAYPAL")]))
        self.assertFalse(
            self.env["spar.fsp.branch"].search([("code", "=", "LOST0001")])
        )

    def test_what_would_be_added_to_the_directory(self):
        move = self.upload()
        providers = self.env["spar.fsp"].search_count([])
        move.action_compare_directory()
        self.assertIn("4 would be added", str(move.directory_text))
        self.assertIn("Strategy 7", str(move.directory_text))
        self.assertEqual(self.env["spar.fsp"].search_count([]), providers)
        move.action_load_directory()
        self.assertEqual(self.env["spar.fsp"].search_count([]), providers + 4)

    def test_addresses_of_a_directory_that_was_not_loaded_are_refused(self):
        move = self.upload()
        self.assertEqual(self.check(move)["accepted"], 0)

    def test_moving_in_needs_a_check(self):
        move = self.upload()
        with self.assertRaisesRegex(UserError, "Check the file first"):
            move.action_load()
        self.load_directory(move)
        self.check(move)
        move.purpose = "pension"
        self.assertEqual(move.state, "draft")

    def test_comparison_lists_differences(self):
        self.move_in(self.upload())
        self.store.set("token:2007816053@nationalId", "account:999@X.Y")
        move = self.upload()
        move.action_compare()
        self.work()
        counts = self.get_counts(move)
        self.assertEqual((counts["unchanged"], counts["accepted"]), (4, 0))
        self.assertEqual(counts["refused"], 8)
        listed = self.get_listed(move)
        self.assertEqual(
            listed["token:2007816053@nationalId"], "Another address is in force here."
        )
        self.assertIn("No address", listed["token:2007816111@nationalId"])
        with self.assertRaisesRegex(UserError, "Check the file first"):
            move.action_load()

    def compare_addresses(self, *addresses):
        """Return the comparison of a list of addresses of one ID."""
        rows = [f"token:2007816053@nationalId,{address}" for address in addresses]
        content = "\n".join(["id_value,fa_value", *rows]).encode()
        move = self.moves.create({"file": b64encode(content), "filename": "rows.csv"})
        move.action_confirm()
        move.action_compare()
        self.work()
        return move

    def test_comparison_answers_no_list_of_guesses(self):
        self.store.set("token:2007816053@nationalId", FA)
        move = self.compare_addresses(OTHER_FA, FA, OTHER_FA)
        counts = self.get_counts(move)
        self.assertEqual((counts["unchanged"], counts["refused"]), (0, 3))
        self.assertIn("Only that was compared", move.reasons)
        limit = self.env.ref("spar_registry.setting_unknown_ids")
        limit.least = limit.value = 1
        seals = type(self.env["spar.settings.seal"])
        alarms = []
        self.patch(seals, "_raise_alarms", lambda _self, found: alarms.extend(found))
        move = self.compare_addresses(FA)
        self.assertIn("unknown IDs checked by files", str(alarms))
        self.assertEqual(self.get_counts(move)["unchanged"], 0)
        self.assertIn("not compared", move.reasons)
        move = self.compare_addresses(OTHER_FA)
        self.assertIn("Another address", move.reasons)

    def test_unavailable_mapper_stops_and_continues(self):
        move = self.upload()
        self.load_directory(move)
        self.check(move)
        self.store.failing = MapperError("down")
        move.action_load()
        self.work()
        self.assertEqual(move.state, "stopped")
        self.assertFalse(self.store.places)
        self.store.failing = None
        move.action_load()
        self.work()
        self.assertEqual((move.state, move.accepted_count), ("done", 5))

    def test_both_groups_are_needed(self):
        move = self.upload()
        for user in (self.user, self.manager):
            with self.subTest(user.login), self.assertRaises(AccessError):
                move.with_user(user).check_access("read")
            with self.subTest(user.login), self.assertRaises(AccessError):
                self.moves.with_user(user).create({"file": b64encode(b"id_value\n")})


class TestTwoBackends(MoveInCase):
    """The same IDs are resolved here and at another backend."""

    NUMBERS = [f"20078160{number}" for number in range(10, 19)]

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        from .stand_in import SecondStandIn

        name = SecondStandIn._name
        add_model(cls, SecondStandIn)
        backends = cls.env["spar.mapper.backend"]
        offered = [(cls.stand_in._name, "Stand-in"), (name, "Second")]
        cls.classPatch(
            type(backends), "_selection_implementation", lambda _self: offered
        )
        cls.other = backends.create({"name": "OpenG2P", "implementation": name})

    def setUp(self):
        super().setUp()
        from .stand_in import StandInStore

        self.there = StandInStore()
        self.registry["spar.mapper.second.stand.in"].store = self.there

    def write_id(self, number: str) -> str:
        return f"token:{number}@nationalid"

    def link(self, store, number: str, fa: str) -> None:
        store.set(self.write_id(number), fa)

    def compare(self, *numbers, **values):
        """Return a comparison of IDs, as a list without addresses."""
        content = "\n".join(["id_value", *numbers]).encode()
        move = self.moves.create(
            {
                "file": b64encode(content),
                "filename": "ids.csv",
                "compared_backend_id": self.other.id,
                **values,
            }
        )
        move.action_confirm()
        move.action_compare()
        self.work()
        return move

    def get_reasons(self, move) -> list[str]:
        lines = "".join(move._iter_refused()).removeprefix("\ufeff").splitlines()
        return [row["reason"] for row in csv.DictReader(lines)]

    def get_totals(self, move) -> tuple[int, ...]:
        names = ("row", "unchanged", "refused", "unknown")
        return tuple(move[f"{name}_count"] for name in names)

    def test_differences_of_two_backends_are_listed(self):
        same, spelt, another, here, there, neither, stopped, bad = self.NUMBERS[:8]
        self.link(self.store, same, FA)
        self.link(self.there, same, FA)
        self.link(self.store, spelt, FA)
        self.link(self.there, spelt, FA.lower())
        self.link(self.store, another, FA)
        self.link(self.there, another, OTHER_FA)
        self.link(self.store, here, FA)
        self.link(self.there, there, FA)
        for store in (self.store, self.there):
            self.link(store, stopped, FA)
        self.there.stopped.add(self.write_id(stopped))
        move = self.compare(
            same, spelt, another, here, there, neither, stopped, f"mobile:{bad}"
        )
        self.assertEqual(move.state, "checked")
        self.assertEqual(self.get_totals(move), (8, 3, 5, 0))
        self.assertEqual(
            self.get_reasons(move),
            [
                "Another address is in force at OpenG2P.",
                "OpenG2P has no address.",
                "Stand-in has no address.",
                "Payments are stopped at OpenG2P.",
                "ID: it is an ID of another type than the chosen one.",
            ],
        )

    def test_nothing_is_changed_and_no_address_is_shown(self):
        self.link(self.store, self.NUMBERS[0], FA)
        self.link(self.there, self.NUMBERS[0], OTHER_FA)
        move = self.compare(self.NUMBERS[0])
        words = {word for store in (self.store, self.there) for word, *_ in store.calls}
        self.assertEqual(words, {"resolve"})
        text = f"{move.reasons} {self.get_reasons(move)}"
        self.assertIn("Another address", text)
        self.assertNotIn("222200002222", text)
        self.assertNotIn("111100001111", text)
        with self.assertRaisesRegex(UserError, "Check the file first"):
            move.action_load()

    def test_answer_that_is_missing_is_never_the_same(self):
        first, second = self.NUMBERS[:2]
        for number in (first, second):
            self.link(self.store, number, FA)
            self.link(self.there, number, FA)
        self.there.distort = lambda results: results[:1]
        move = self.compare(first, second)
        self.assertEqual(self.get_totals(move), (2, 1, 0, 1))
        self.assertEqual(
            self.get_reasons(move),
            ["OpenG2P did not answer for this ID. Compare again."],
        )

    def test_id_that_one_backend_does_not_accept_is_not_compared(self):
        number = self.NUMBERS[0]
        self.link(self.store, number, FA)
        self.there.distort = lambda results: [
            Result(Outcome.LOCKED, one.id_value) for one in results
        ]
        move = self.compare(number)
        self.assertEqual(self.get_totals(move), (1, 0, 0, 1))
        self.assertIn("OpenG2P does not accept the ID.", self.get_reasons(move)[0])

    def test_id_that_occurs_twice_is_asked_for_once(self):
        number = self.NUMBERS[0]
        self.link(self.store, number, FA)
        move = self.compare(number, number)
        self.assertEqual(self.get_totals(move), (2, 0, 2, 0))
        (call,) = self.there.calls
        self.assertEqual(call[2], [self.write_id(number)])

    def test_purpose_is_that_of_the_move(self):
        asked = []
        with patch.object(
            self.registry["spar.mapper.second.stand.in"],
            "_resolve_fa",
            lambda _self, _call, requests: asked.extend(requests) or [],
        ):
            self.compare(self.NUMBERS[0], purpose="pension")
        self.assertEqual([one.purpose for one in asked], ["pension"])

    def test_unavailable_backend_stops_and_continues(self):
        def fail(*_arguments):
            raise MapperError("down")

        second = self.registry["spar.mapper.second.stand.in"]
        with patch.object(second, "_resolve_fa", fail):
            move = self.compare(self.NUMBERS[0])
        self.assertEqual(move.state, "stopped")
        self.assertTrue(move.problem.startswith("OpenG2P: "))
        move.action_compare()
        self.work()
        self.assertEqual(move.state, "checked")

    def test_backend_is_not_compared_with_itself(self):
        with self.assertRaisesRegex(UserError, "Choose another backend"):
            self.compare(self.NUMBERS[0], compared_backend_id=self.backend.id)

    def test_list_of_ids_cannot_be_moved_in(self):
        move = self.compare(self.NUMBERS[0])
        with self.assertRaisesRegex(UserError, "fa_value"):
            move.action_try()
        move.compared_backend_id = False
        with self.assertRaisesRegex(UserError, "fa_value"):
            move.action_compare()

    def test_another_choice_needs_another_comparison(self):
        move = self.compare(self.NUMBERS[0])
        move.compared_backend_id = False
        self.assertEqual(move.state, "draft")
