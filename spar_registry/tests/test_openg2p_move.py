import csv
from base64 import b64encode
from pathlib import Path

from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user

from odoo.addons.spar_mapper_connector.exceptions import MapperError
from odoo.addons.spar_mapper_connector.lib.contract import Authority

from .common import NUMBER, RegistryCase

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


class TestOpeng2pMove(RegistryCase):
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
