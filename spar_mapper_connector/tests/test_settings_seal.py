"""Settings that plain SQL changed are not used, and are named."""

from contextlib import contextmanager
from unittest.mock import patch

import psycopg2

from odoo.exceptions import AccessError
from odoo.modules.module import load_script
from odoo.tools import file_path, mute_logger

from ..exceptions import SettingsAltered
from ..lib import settings_seal
from .test_kept_rows import KeptRowsCase

SEAL_LOGGER = "odoo.addons.spar_mapper_connector.models.spar_settings_seal"
ALARM_LOGGER = "odoo.addons.spar_mapper.models.audit.spar_alarm"
SHARED_PHONE = load_script(
    file_path("spar_mapper_connector/migrations/19.0.1.8.0/post-shared_phone.py"),
    "spar_mapper_connector_shared_phone",
)
MIGRATION = load_script(
    file_path("spar_mapper_connector/migrations/19.0.1.2.0/post-migration.py"),
    "spar_mapper_connector_seal_migration",
)


class SealCase(KeptRowsCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.seals = cls.env["spar.settings.seal"]
        cls.seals._seal_all()

    @contextmanager
    def alarms(self):
        with mute_logger(SEAL_LOGGER, ALARM_LOGGER), self.enter_registry_test_mode():
            yield

    def run_sql(self, query, *values, replica=False):
        """Run SQL as a superuser of PostgreSQL: in replica mode no trigger runs."""
        if replica:
            self.execute("SET LOCAL session_replication_role = replica")
        self.execute(query, *values)
        if replica:
            self.execute("SET LOCAL session_replication_role = origin")
        self.begin_call()

    def find_problems(self, table):
        with self.alarms():
            return [
                (row, problem)
                for name, row, problem in self.seals._check_all()
                if name == table
            ]

    def assert_altered(self, function, *arguments):
        with self.alarms():
            self.assert_refused(SettingsAltered, function, *arguments)


class TestWhatSqlChanged(SealCase):
    def setUp(self):
        super().setUp()
        self.types = self.env["spar.id.type"]
        self.tax = self.types.create(
            {"name": "Tax number", "code": "tax", "sequence": 1, "strategy": "tax:{x}"}
        )
        self.types._identify("tax:1")

    def identify(self):
        return self.types._identify("tax:1").type_id

    def test_settings_written_by_the_registry_are_used(self):
        self.assertFalse(self.find_problems("spar_id_type"))
        self.tax.write({"check": "regex", "check_parameter": "[0-9]+"})
        self.assertEqual(self.identify(), self.tax.id)
        self.assertFalse(self.find_problems("spar_id_type"))
        self.tax.unlink()
        self.assertFalse(self.find_problems("spar_id_type"))

    def test_an_altered_row(self):
        for replica in (False, True):
            with self.subTest(replica=replica), self.env.cr.savepoint() as savepoint:
                self.run_sql(
                    "UPDATE spar_id_type SET strategy = 'vat:{x}' WHERE id = %s",
                    self.tax.id,
                    replica=replica,
                )
                self.assert_altered(self.identify)
                expected = [(self.tax.id, settings_seal.ALTERED)]
                self.assertEqual(self.find_problems("spar_id_type"), expected)
                savepoint.rollback()
            self.begin_call()

    def test_an_added_row(self):
        self.run_sql(
            """INSERT INTO spar_id_type
                      (name, code, sequence, active, tokeniser, strategy)
               VALUES ('{"en_US": "x"}', 'x', 0, true, 'none', 'tax:{y}')"""
        )
        self.assert_altered(self.identify)
        ((_row, problem),) = self.find_problems("spar_id_type")
        self.assertEqual(problem, settings_seal.ADDED)

    def test_a_deleted_row(self):
        self.run_sql("DELETE FROM spar_id_type WHERE id = %s", self.tax.id)
        self.assert_altered(self.identify)
        expected = [(self.tax.id, settings_seal.MISSING)]
        self.assertEqual(self.find_problems("spar_id_type"), expected)

    def test_an_older_row_that_was_true_then(self):
        self.tax.strategy = "vat:{x}"
        self.run_sql(
            "UPDATE spar_id_type SET strategy = 'tax:{x}' WHERE id = %s", self.tax.id
        )
        self.assert_altered(self.identify)

    def test_another_write_does_not_launder_it(self):
        self.run_sql(
            "UPDATE spar_id_type SET strategy = 'vat:{x}' WHERE id = %s", self.tax.id
        )
        other = self.env.ref("spar_mapper_connector.id_type_other")
        for record in (other, self.tax):
            record.write({"name": "Another name"})
            record.write({"sequence": 7})
            self.begin_call()
            self.assert_altered(self.identify)

    def test_a_restored_setting_is_used_again(self):
        query = "UPDATE spar_id_type SET strategy = %s WHERE id = %s"
        self.run_sql(query, "vat:{x}", self.tax.id)
        self.assert_altered(self.identify)
        self.run_sql(query, "tax:{x}", self.tax.id)
        self.assertEqual(self.identify(), self.tax.id)

    def test_an_alarm_names_it(self):
        self.run_sql("UPDATE spar_id_type SET sequence = 3 WHERE id = %s", self.tax.id)
        with (
            mute_logger(ALARM_LOGGER),
            self.assertLogs(SEAL_LOGGER) as logs,
            self.enter_registry_test_mode(),
        ):
            self.assert_refused(SettingsAltered, self.identify)
        self.assertIn(f"SPAR ALARM spar_id_type, row {self.tax.id}", logs.output[0])

    def test_a_kind_of_address_its_parts_and_its_strategies(self):
        strategies = self.env["spar.fa.strategy"]
        attacks = (
            "UPDATE spar_fa_type SET active = NOT active",
            "UPDATE spar_fa_type_part SET gaps_do_not_count = NOT gaps_do_not_count",
            "UPDATE spar_fa_strategy SET template = 'a' || template WHERE number = 1",
            """DELETE FROM spar_fa_strategy WHERE id = (
                   SELECT max(id) FROM spar_fa_strategy
                    WHERE is_default IS NOT TRUE)""",
        )
        for attack in attacks:
            with self.subTest(attack), self.env.cr.savepoint() as savepoint:
                strategies._get_known_strategies()
                self.run_sql(attack, replica=True)
                self.assert_altered(strategies._get_known_strategies)
                savepoint.rollback()
            self.begin_call()

    def test_the_default_backend(self):
        backends = self.env["spar.mapper.backend"]
        names = [name for name, _label in backends._selection_implementation()]
        backends.search([("is_default", "=", True)]).is_default = False
        first, second = (
            backends.create({"name": n, "implementation": names[0], "is_default": d})
            for n, d in (("One", True), ("Two", False))
        )
        self.assertEqual(backends._get_mapper()._name, names[0])
        self.run_sql(
            "UPDATE spar_mapper_backend SET is_default = id = %s WHERE id = ANY(%s)",
            second.id,
            (first + second).ids,
            replica=True,
        )
        self.assert_altered(backends._get_mapper)

    def test_a_public_key_of_ours(self):
        keys = self.env["spar.signing.key"]
        first, second = keys._generate("test"), keys._generate("test", "EdDSA")
        query = "UPDATE spar_signing_key SET public_jwk = %s WHERE id = %s"
        self.assertEqual(len(keys._get_key_set("test")["keys"]), 2)
        self.run_sql(query, second.public_jwk, first.id)
        with self.alarms():
            self.assertEqual(len(keys._get_key_set("test")["keys"]), 1)
        # Even if a seal could be forged: the published half is derived.
        self.seal_settings("spar.signing.key")
        published = keys._get_key_set("test")["keys"]
        self.assertEqual(len({key["kid"] for key in published}), 2)


class TestChain(SealCase):
    @mute_logger("odoo.sql_db")
    def test_no_seal_is_rewritten(self):
        self.env.flush_all()
        for query in (
            "UPDATE spar_settings_seal SET number = number + 1",
            "DELETE FROM spar_settings_seal",
            "TRUNCATE spar_settings_seal",
        ):
            with self.subTest(query), self.assertRaises(psycopg2.Error):
                with self.env.cr.savepoint():
                    self.env.cr.execute(query)
        seal = self.seals.search([], limit=1)
        for method, arguments in (("write", [{"number": 2}]), ("unlink", [])):
            with self.assertRaises(AccessError):
                getattr(seal, method)(*arguments)
        with self.assertRaises(AccessError):
            self.seals.create([{}])

    def test_a_seal_that_is_altered_or_removed_is_noticed(self):
        self.env.ref("spar_mapper_connector.id_type_other").sequence = 77
        own = "WHERE model = 'spar.id.type' AND number = (SELECT max(number) {}) "
        newest = own.format("FROM spar_settings_seal WHERE model = 'spar.id.type'")
        attacks = (
            f"UPDATE spar_settings_seal SET rows = '{{}}' {newest}",
            "DELETE FROM spar_settings_seal WHERE model = 'spar.id.type'",
        )
        for attack in attacks:
            with self.subTest(attack), self.env.cr.savepoint() as savepoint:
                self.run_sql(attack, replica=True)
                self.env["spar.id.type"]._forget_versions()
                self.assert_altered(self.env["spar.id.type"]._build_rules)
                self.assertTrue(self.find_problems("spar_id_type"))
                savepoint.rollback()
            self.begin_call()

    def test_a_line_that_is_missing_in_the_chain_is_named(self):
        self.run_sql(
            """DELETE FROM spar_settings_seal WHERE seq = (
                   SELECT max(seq) - 1 FROM spar_settings_seal)""",
            replica=True,
        )
        problems = {
            problem for _row, problem in self.find_problems("spar_settings_seal")
        }
        self.assertEqual(problems, {settings_seal.SEAL_GAP})


class TestNewKeys(SealCase):
    def test_shipped_rows_are_sealed_with_the_keys(self):
        self.run_sql("DELETE FROM spar_settings_seal", replica=True)
        self.use_new_keyring()
        self.assertTrue(self.env["spar.id.type"]._build_rules())
        self.assertFalse(self.seals._check_all())


class TestFirstSeal(SealCase):
    """Existing rows are sealed when keys are made, and once in an older database."""

    def remove_seals(self):
        self.run_sql("DELETE FROM spar_settings_seal", replica=True)
        self.env["spar.id.type"]._forget_versions()

    def identify(self):
        return self.env["spar.id.type"]._build_rules()

    def test_settings_never_sealed_are_not_used(self):
        self.remove_seals()
        self.assert_altered(self.identify)

    def test_an_upgrade_seals_existing_rows_once(self):
        self.remove_seals()
        MIGRATION.migrate(self.env.cr, "19.0.1.1.0")
        self.env.invalidate_all()
        self.assertTrue(self.identify())
        self.run_sql("UPDATE spar_id_type SET sequence = sequence + 1")
        MIGRATION.migrate(self.env.cr, "19.0.1.1.0")
        self.assert_altered(self.identify)

    def test_an_upgrade_seals_no_setting_that_lost_its_seal(self):
        self.run_sql(
            "DELETE FROM spar_settings_seal WHERE model = 'spar.id.type'", replica=True
        )
        with self.alarms():
            MIGRATION.migrate(self.env.cr, "19.0.1.1.0")
        self.assert_altered(self.identify)

    def test_a_column_that_an_addon_brings_is_taken_in(self):
        types = self.env["spar.id.type"]
        columns = types._get_sealed_columns()
        older = tuple(name for name in columns if name != "ignores_case")
        self.patch(type(types), "_get_sealed_columns", lambda self: older)
        self.seal_settings("spar.id.type")
        self.patch(type(types), "_get_sealed_columns", lambda self: columns)
        self.assertTrue(self.identify())
        self.env.ref("spar_mapper_connector.id_type_other").sequence = 78
        self.assertEqual(self.seals._find_newest("spar.id.type").columns, columns)
        self.assertTrue(self.identify())


class TestSharedPhone(SealCase):
    """Kinds of address that were sealed before people could share one."""

    def setUp(self):
        super().setUp()
        self.kinds = self.env["spar.fa.type"]
        names = ("code", "active", "provider_kind")
        with patch.object(type(self.kinds), "_guarded_fields", names):
            self.seals._seal_rows(self.kinds, [])

    def migrate(self):
        SHARED_PHONE.migrate(self.env.cr, "19.0.1.7.0")
        self.begin_call()

    def share(self):
        self.run_sql("UPDATE spar_fa_type SET people_per_address = 19")

    def test_the_number_is_sealed_with_the_rest(self):
        self.migrate()
        self.assertEqual(self.find_problems("spar_fa_type"), [])
        self.share()
        problems = {problem for _row, problem in self.find_problems("spar_fa_type")}
        self.assertEqual(problems, {settings_seal.ALTERED})

    def test_a_row_that_sql_changed_before_is_not_sealed(self):
        kind = self.env.ref("spar_fa_directory.type_voucher")
        self.run_sql("UPDATE spar_fa_type SET code = 'altered' WHERE id = %s", kind.id)
        with self.alarms():
            self.migrate()
        self.assertIn(kind.id, dict(self.find_problems("spar_fa_type")))
