"""The effect of a directory change on stored addresses is seen before it is saved."""

import base64
from unittest.mock import patch

from odoo.exceptions import AccessError, RedirectWarning, UserError
from odoo.fields import Command
from odoo.tools import mute_logger

from odoo.addons.spar_mapper_connector.lib.contract import Outcome

from ..lib.rule_changes import RuleChanges
from ..models.directory import spar_directory_trial
from ..models.directory.spar_directory_trial import CHANGES, Effect
from .common import FA, ID, OTHER_ID
from .test_spar_address_forms import AddressFormCase

FREE = "account:7778888@BR09.NEWBANK"


class TrialCase(AddressFormCase):
    def setUp(self):
        super().setUp()
        # Exact figures; how they are shown is tested with the questions.
        blur = lambda _self, _text, _whole, **counts: counts  # noqa: E731
        self.patch(type(self.env["spar.question"]), "_blur", blur)
        self.trials = self.env["spar.directory.trial"]
        self.admin = self.create_member("administrator")
        self.providers = self.env["spar.fsp"].with_user(self.admin)
        branch = {"name": "Ninth", "code": "BR09"}
        self.values = {
            "name": "New Bank",
            "code": "NEWBANK",
            "branch_ids": [Command.create(branch)],
        }

    def attempt(self, function):
        """Attempt a change that is then undone; return the pending trial."""
        kept = []

        def keep(trials, *values):
            kept.append(values)
            return 1

        with (
            patch.object(type(self.trials), "_store_change", keep),
            self.assertRaisesRegex(RedirectWarning, "Nothing is saved yet"),
            self.env.cr.savepoint(),
        ):
            function()
        self.env.invalidate_all()
        ((model, ids, values, effect),) = kept
        trial = self.trials._add(model, ids, values, self.admin.id)
        trial._record_effect(effect)
        return trial.with_user(self.admin)

    def get_figures(self, trial):
        return (trial.state, trial.changing, trial.coinciding)


class TestDirectoryTrial(TrialCase):
    def test_a_provider_that_makes_addresses_readable_waits(self):
        self.link(ID, FREE)
        trial = self.attempt(lambda: self.providers.create(self.values))
        self.assertFalse(self.providers.search([("code", "=", "NEWBANK")]))
        self.assertEqual(self.get_figures(trial), ("ready", 1, 0))
        self.assertIn("New Bank", trial.display_name)
        trial.action_save()
        provider = self.providers.search([("code", "=", "NEWBANK")])
        self.assertEqual(provider.branch_ids.code, "BR09")
        self.assertEqual(trial.state, "saved")
        self.go_on()
        self.env.invalidate_all()
        self.assertEqual(self.mapping_of(ID).provider_id, provider)
        with self.assertRaises(UserError):
            trial.action_save()

    def test_number_of_coinciding_addresses_is_stated(self):
        self.link(ID, "account:7778888@.NEWBANK")
        self.link(OTHER_ID, "account_no:777-8888@NEWBDEFF")
        values = {"name": "New", "code": "NEWBANK", "bic": "NEWBDEFFXXX"}
        trial = self.attempt(lambda: self.providers.create(values))
        self.assertEqual(self.get_figures(trial), ("ready", 2, 2))

    def test_change_that_concerns_no_address_is_saved_at_once(self):
        self.link(ID, FREE)
        self.link(OTHER_ID, FA)
        other = self.providers.create({**self.values, "code": "OTHERBANK"})
        other.write({"bic": "OTHBDEFFXXX"})
        other.branch_ids.write({"code": "BR10"})
        other.branch_ids.unlink()
        self.assertFalse(self.trials.search([]))

    def test_a_branch_and_a_code_wait_as_well(self):
        self.link(ID, FREE)
        bank = self.providers.create({"name": "New", "code": "NEWBANK2"})
        trial = self.attempt(lambda: bank.write({"code": "NEWBANK"}))
        self.assertEqual(bank.code, "NEWBANK2")
        self.assertEqual(self.get_figures(trial), ("ready", 1, 0))
        trial.action_save()
        self.assertEqual(bank.code, "NEWBANK")

    def test_an_edited_bic_waits(self):
        self.link(ID, "account_no:7778888@NEWBDEFFXXX")
        bank = self.providers.create({"name": "New", "code": "NEWBANK2"})
        trial = self.attempt(lambda: bank.write({"bic": "NEWBDEFF"}))
        self.assertEqual(trial.changing, 1)

    def test_a_new_strategy_and_an_edited_part_wait(self):
        self.link(ID, "acc:7778888@TESTBANK")
        strategies = self.env["spar.fa.strategy"].with_user(self.admin)
        kind = self.env.ref("spar_fa_directory.type_bank_account")
        values = {"name": "S", "type_id": kind.id}
        template = {"template": "acc:{account_number}@{bank_code}"}
        trial = self.attempt(lambda: strategies.create({**values, **template}))
        self.assertEqual(trial.changing, 1)
        part = self.env.ref("spar_fa_directory.part_bank_account_number")
        part.write({"gaps_do_not_count": False, "check_parameter": "[0-9-]{4,34}"})
        self.runs.search([("kind", "=", "addresses")])._end("overtaken")
        self.link(OTHER_ID, "account:777-8888@BR01.TESTBANK")
        part = part.with_user(self.admin)
        trial = self.attempt(lambda: part.write({"gaps_do_not_count": True}))
        self.assertEqual(trial.changing, 1)

    def test_a_kind_waits_with_all_that_comes_with_it(self):
        self.link(ID, "coupon:7778888@TESTBANK")
        parts = [
            {"key": "scheme", "label": "Scheme", "kind": "provider"},
            {"key": "serial", "label": "Serial"},
        ]
        strategy = {"name": "C", "template": "coupon:{serial}@{scheme}"}
        values = {
            "name": "Coupon",
            "code": "coupon",
            "part_ids": [Command.create(part) for part in parts],
            "strategy_ids": [Command.create({**strategy, "is_default": True})],
        }
        kinds = self.env["spar.fa.type"].with_user(self.admin)
        trial = self.attempt(lambda: kinds.create(values))
        self.assertEqual(self.get_figures(trial), ("ready", 1, 0))
        self.assertEqual(trial.model, "spar.fa.type")
        trial.action_save()
        kind = kinds.with_context(active_test=False).search([("code", "=", "coupon")])
        self.assertEqual(kind.strategy_ids.template, strategy["template"])

    def test_proposer_sees_the_effect_of_an_approved_rule(self):
        wallet = self.env["spar.fsp"].create(
            {
                "name": "Peso",
                "code": "PESO",
                "kind": "wallet",
                "country_id": self.env.ref("base.ph").id,
            }
        )
        effect = Effect(looked_at=1, changing=1)
        self.patch(type(self.trials), "_survey", lambda _self, *_values: effect)
        mine = wallet.with_user(self.admin)
        trial = self.attempt(lambda: mine.write({"phone_prefixes": "0800"}))
        self.assertFalse(wallet.setting_change_ids)
        trial.action_save()
        change = wallet.setting_change_ids
        self.assertEqual((change.state, wallet.phone_prefixes), ("waiting", False))
        other = self.create_member("administrator")
        change.with_user(other).action_approve()
        self.env.invalidate_all()
        self.assertEqual(wallet.phone_prefixes, "0800")

    def test_client_context_does_not_skip_the_trial(self):
        self.link(ID, FREE)
        for value in (True, {}, {"has_any": False}, "RuleChanges()"):
            providers = self.providers.with_context(**{CHANGES: value})
            trial = self.attempt(lambda model=providers: model.create(self.values))
            self.assertEqual(trial.changing, 1)
        self.assertEqual(len(self.trials.search([])), 1, "the same change waits once")

    def test_nothing_is_closed_or_archived_that_way(self):
        self.link(ID, FA)
        self.link(OTHER_ID, FREE)
        bank = self.bank.with_user(self.admin)
        bank.write({"closed_on": "2026-01-01", "close_reason": "Merged"})
        bank.write({"active": False})
        bank.write({"name": "Another"})
        self.assertFalse(self.trials.search([]))

    def test_a_change_that_was_given_up_is_not_saved(self):
        self.link(ID, FREE)
        trial = self.attempt(lambda: self.providers.create(self.values))
        trial.action_discard()
        with self.assertRaises(UserError):
            trial.action_save()
        self.assertFalse(self.providers.search([("code", "=", "NEWBANK")]))

    def test_only_directory_editors_save_a_trial(self):
        self.link(ID, FREE)
        trial = self.attempt(lambda: self.providers.create(self.values))
        for role in ("officer", "auditor"):
            person = self.create_member(role)
            with self.assertRaises(AccessError):
                trial.with_user(person).action_save()
        with self.assertRaises(AccessError):
            trial.write({"state": "saved"})

    def test_a_change_is_noted_by_scope_once(self):
        changes = RuleChanges()
        self.providers.with_context(**{CHANGES: changes}).create(self.values)
        provider = self.env["spar.fsp"].search([("code", "=", "NEWBANK")])
        self.assertEqual(changes.to_scope()["providers"], [provider.id])


class TestManyAddresses(TrialCase):
    """More addresses than can be checked while a user waits."""

    def setUp(self):
        super().setUp()
        self.patch(spar_directory_trial, "MAX_CHECKED", 1)
        self.link(ID, FREE)
        self.link(OTHER_ID, "free text")

    def run_check(self):
        with self.enter_registry_test_mode(), self.registry.cursor() as cr:
            self.env(cr=cr)["spar.directory.trial"]._cron_look()
        self.env.invalidate_all()

    def test_large_change_is_first_checked_in_the_background(self):
        trial = self.attempt(lambda: self.providers.create(self.values))
        self.assertEqual((trial.state, trial.looked_at), ("looking", 2))
        self.run_check()
        self.assertEqual(self.get_figures(trial), ("ready", 1, 0))
        self.assertFalse(self.providers.search([("code", "=", "NEWBANK")]))
        trial.action_save()
        self.assertTrue(self.providers.search([("code", "=", "NEWBANK")]))

    def test_change_without_effect_is_saved_by_the_job(self):
        values = {**self.values, "code": "OTHERBANK"}
        trial = self.attempt(lambda: self.providers.create(values))
        self.run_check()
        self.assertEqual(trial.state, "saved")
        provider = self.providers.search([("code", "=", "OTHERBANK")])
        self.assertEqual(provider.create_uid, self.admin)

    def test_failed_trial_states_the_reason(self):
        values = {**self.values, "code": "OTHERBANK"}
        trial = self.attempt(lambda: self.providers.create(values))
        self.env["spar.fsp"].create({"name": "First", "code": "OTHERBANK"})
        with mute_logger("odoo.sql_db"):
            self.run_check()
        self.assertEqual(trial.state, "failed")
        self.assertTrue(trial.problem)
        # Words for people, not PostgreSQL's.
        self.assertNotIn("constraint", trial.problem)
        self.assertNotIn("DETAIL", trial.problem)

    def test_one_that_breaks_keeps_no_other_waiting(self):
        values = {**self.values, "code": "OTHERBANK"}
        trial = self.attempt(lambda: self.providers.create(values))
        logger = "odoo.addons.spar_mapper.models.directory.spar_directory_trial"
        broken = patch.object(type(trial), "_survey", side_effect=KeyError("x"))
        with broken, mute_logger(logger):
            self.run_check()
        self.assertEqual(trial.state, "failed")
        self.assertNotIn("KeyError", trial.problem)

    def test_trial_of_a_deleted_record_is_not_saved(self):
        trial = self.attempt(lambda: self.providers.create(self.values))
        self.run_check()
        trial.with_user(self.admin).action_discard()
        for act in (trial.action_save, trial.action_discard):
            with self.subTest(act.__name__), self.assertRaises(UserError):
                act()

    def test_kind_with_parts_is_checked_once(self):
        looked_at = []
        runs = type(self.env["spar.form.run"])
        self.patch(
            runs, "_begin_addresses", lambda _run, scope: looked_at.append(scope)
        )
        self.env["spar.fa.type"].create(
            {
                "name": "Card",
                "code": "card",
                "part_ids": [
                    Command.create({"label": name, "key": name, "kind": "text"})
                    for name in ("number", "holder")
                ],
            }
        )
        self.assertEqual(len(looked_at), 1)


class TestFiles(TrialCase):
    def setUp(self):
        super().setUp()
        self.link(ID, FREE)

    def load(self, text):
        jobs = self.env["spar.directory.import"].with_user(self.admin)
        data = base64.b64encode(text.encode())
        job = jobs.create({"kind": "provider", "file": data, "filename": "a.csv"})
        job.action_load()
        self.run_files()
        return job

    def run_files(self):
        with self.enter_registry_test_mode(), self.registry.cursor() as cr:
            self.env(cr=cr)["spar.directory.import"]._cron_load()
        self.env.invalidate_all()

    def test_import_stops_and_reports_its_effect(self):
        job = self.load("code,name\nOTHERBANK,Other\nNEWBANK,New\n")
        self.assertEqual((job.state, job.touches_addresses), ("stopped", True))
        self.assertIn("Stored addresses checked: 1", job.problem)
        self.assertFalse(self.providers.search([("code", "=", "NEWBANK")]))
        job.action_load()
        self.run_files()
        self.assertEqual(job.state, "stopped")
        job.action_load_seen()
        self.run_files()
        self.assertEqual((job.state, job.added_count), ("done", 2))

    def test_another_file_is_loaded_at_once(self):
        job = self.load("code,name\nOTHERBANK,Other\n")
        self.assertEqual((job.state, job.added_count), ("done", 1))

    def test_addresses_seen_cannot_be_set_by_a_user(self):
        jobs = self.env["spar.directory.import"].with_user(self.admin)
        data = base64.b64encode(b"code,name\nNEWBANK,New\n")
        job = jobs.create({"file": data, "addresses_seen": True})
        self.assertFalse(job.addresses_seen)
        job.write({"addresses_seen": True, "touches_addresses": True})
        self.assertFalse(job.addresses_seen)
        job.action_load_seen()
        self.assertFalse(job.addresses_seen)

    def test_addresses_are_paid_as_before(self):
        self.load("code,name\nNEWBANK,New\n")
        self.assertEqual(self.resolve(fa=FREE).outcome, Outcome.FOUND)
