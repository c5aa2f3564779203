"""Stored addresses that no longer pass their checks."""

from contextlib import nullcontext
from unittest.mock import patch

from odoo.exceptions import AccessError, UserError
from odoo.tools import mute_logger

from ..models.mapping import spar_recheck
from .common import ALARM_LOGGER, FA, ID, OTHER_FA, OTHER_ID, THIRD_FA, StoreCase


class TestRecheck(StoreCase):
    def setUp(self):
        super().setUp()
        self.link(ID, FA)
        self.link(OTHER_ID, OTHER_FA)
        self.link("third", THIRD_FA)
        self.runs = self.env["spar.recheck"]

    def run_cron(self, size=500, turns=None):
        """Run the scheduled job; ``turns`` times, if given, with one piece each."""
        cron = type(self.env["ir.cron"])
        left = {} if turns is None else {"return_value": 0}
        for _turn in range(turns or 1):
            with (
                patch.object(spar_recheck, "PIECE", size),
                patch.object(cron, "_commit_progress", **left)
                if left
                else nullcontext(),
                mute_logger(ALARM_LOGGER),
                self.enter_registry_test_mode(),
                self.registry.cursor() as cr,
            ):
                self.env(cr=cr)["spar.recheck"]._cron_check()
        self.env.invalidate_all()

    def check(self, **values):
        self.runs.action_start()
        self.run_cron(**values)
        return self.runs.search([], limit=1)

    def get_found(self, run):
        mine = (
            self.mappings_of(ID)
            | self.mappings_of(OTHER_ID)
            | self.mappings_of("third")
        )
        return {
            (f.mapping_id.id, f.code, f.check or "")
            for f in run.finding_ids
            if f.mapping_id in mine
        }

    def test_passing_address_is_not_listed(self):
        run = self.check()
        self.assertTrue(run.finished_at)
        self.assertEqual(self.get_found(run), set())
        self.assertEqual(run.checked_count, run.total)

    def test_failing_address_is_listed_by_provider(self):
        self.bank.account_pattern = "[0-2]+"
        run = self.check()
        place = self.mapping_of("third").id
        self.assertEqual(self.get_found(run), {(place, "part", "account_pattern")})
        groups = self.env["spar.recheck.finding"]._read_group(
            [("provider_id", "=", self.bank.id)], ["provider_id"], ["__count"]
        )
        self.assertEqual(groups, [(self.bank, 1)])
        finding = run.finding_ids.filtered(lambda f: f.mapping_id.id == place)
        self.assertIn("look different", finding.why)
        self.assertNotIn("333300003333", finding.fa_masked)

    def test_archived_places_are_listed(self):
        self.south.action_archive()
        place = self.mapping_of(OTHER_ID).id
        self.assertEqual(self.get_found(self.check()), {(place, "branch_archived", "")})

    def test_nothing_is_changed(self):
        self.bank.account_pattern = "[0-2]+"
        self.check()
        self.assertEqual(self.events_of("third"), ["linked"])
        self.assertEqual(self.get_fa("third"), THIRD_FA)

    def test_broken_address_is_listed(self):
        place = self.mapping_of(ID).id
        self.tamper("UPDATE spar_mapping SET origin = 'x' WHERE id = %s", place)
        self.assertIn((place, "broken", ""), self.get_found(self.check()))

    def test_it_goes_on_where_time_ended(self):
        self.bank.account_pattern = "[0-2]+"
        self.runs.action_start()
        self.run_cron(size=1, turns=2)
        run = self.runs.search([], limit=1)
        self.assertEqual(run.checked_count, 2)
        self.assertFalse(run.finished_at)
        self.run_cron()
        self.assertTrue(run.finished_at)
        self.assertEqual(run.checked_count, run.total)
        self.assertEqual(len(self.get_found(run)), 1)

    def test_the_list_is_of_the_newest_run(self):
        self.bank.account_pattern = "[0-2]+"
        first = self.check()
        self.bank.account_pattern = False
        self.check()
        self.assertFalse(first.finding_ids)

    # === REFUSALS === #

    def test_one_at_a_time(self):
        self.runs.action_start()
        with self.assertRaises(UserError):
            self.runs.action_start()

    def test_roles_that_start_and_read_a_check(self):
        for role in ("supervisor", "administrator"):
            person = self.create_user(role, f"recheck-{role}")
            self.runs.with_user(person).action_start()
            self.run_cron()
        run = self.runs.search([], limit=1)
        auditor = self.create_user("auditor", "recheck-auditor")
        self.assertTrue(run.with_user(auditor).started_at)
        with self.assertRaises(AccessError):
            self.runs.with_user(auditor).action_start()
        for role in ("viewer", "officer"):
            person = self.create_user(role, f"recheck-{role}")
            with self.assertRaises(AccessError):
                self.runs.with_user(person).action_start()
            with self.assertRaises(AccessError):
                run.with_user(person).read(["found_count"])
        administrator = self.create_user("administrator", "recheck-writer")
        with self.assertRaises(AccessError):
            run.with_user(administrator).write({"found_count": 0})
