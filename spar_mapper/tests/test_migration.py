from odoo.modules.module import load_script
from odoo.tools import file_path, mute_logger

from odoo.addons.spar_mapper_connector.lib.contract import LinkRequest, Outcome

from ..lib import integrity
from .common import ALARM_LOGGER, FA, ID, OTHER_FA, OTHER_ID, StoreCase
from .proof_case import OwnerProofCase

MIGRATION = load_script(
    file_path("spar_mapper/migrations/19.0.2.1.0/pre-migration.py"),
    "spar_mapper_pre_migration_19_0_2_1_0",
)


class TestMigration(StoreCase):
    """The queue of checks at the end of a transaction, as of 19.0.2.0.0."""

    def test_the_queue_gets_its_columns(self):
        self.env.cr.execute(
            """DROP TABLE spar_store_tie;
               CREATE UNLOGGED TABLE spar_store_tie (
                   id bigserial PRIMARY KEY, kind varchar NOT NULL,
                   ids bigint[] NOT NULL)"""
        )
        MIGRATION.migrate(self.env.cr, "19.0.2.0.0")
        for name in ("spar.subject", "spar.mapping"):
            self.env[name].init()
        self.link(ID, FA)
        self.update(ID, OTHER_FA)
        self.env.cr.execute("SET CONSTRAINTS ALL IMMEDIATE")
        self.env.cr.execute("SELECT count(*) FROM spar_store_tie")
        self.assertEqual(self.env.cr.fetchone(), (0,))


class TestIndexes(StoreCase):
    """Indexes that are new in 19.0.2.12.0."""

    def test_an_upgrade_makes_the_index_of_merged_records(self):
        """Each complaint asks for the records that were merged into a person."""
        self.env.cr.execute("DROP INDEX spar_subject__merged_into_index")
        self.registry.check_indexes(self.env.cr, ["spar.subject"])
        self.env.cr.execute(
            """SET enable_seqscan = off;
               EXPLAIN SELECT id FROM spar_subject WHERE merged_into = 1"""
        )
        plan = " ".join(line for (line,) in self.env.cr.fetchall())
        self.assertIn("spar_subject__merged_into_index", plan)


class TestLimits(StoreCase):
    """Limits that were system parameters."""

    def migrate(self):
        path = file_path("spar_mapper/migrations/19.0.2.5.0/post-migration.py")
        load_script(path, "spar_mapper_limits").migrate(self.env.cr, "19.0.2.4.0")
        self.env.invalidate_all()

    def test_their_values_are_taken_over_where_they_could_be_used(self):
        parameters = self.env["ir.config_parameter"]
        for name, text in (
            ("lookup_budget", "150"),
            ("officer_changes", "0"),
            ("officer_people_to_account", "many"),
            ("officer_people_to_provider", "99999"),
            ("objection_link_stops_payments", "True"),
        ):
            parameters.set_param(f"spar_mapper.{name}", text)
        self.migrate()
        limits = self.env["spar.limit"]
        self.assertEqual(limits._get_number("lookup_budget"), 150)
        self.assertEqual(limits._get_number("officer_changes"), 100)
        self.assertEqual(limits._get_number("officer_people_to_account"), 3)
        self.assertEqual(limits._get_number("officer_people_to_provider"), 60)
        self.assertTrue(limits._is_yes("objection_link_stops_payments"))
        self.assertFalse(parameters.get_param("spar_mapper.lookup_budget"))
        self.migrate()
        self.assertEqual(limits._get_number("lookup_budget"), 150)


class TestNames(StoreCase):
    """Scheduled actions and limits with names of previous versions."""

    def setUp(self):
        super().setUp()
        path = file_path("spar_mapper/migrations/19.0.2.6.0/post-migration.py")
        self.migration = load_script(path, "spar_mapper_names")
        for xml_id, (previous, _name) in self.migration.JOBS.items():
            self.env.ref(f"spar_mapper.{xml_id}").name = previous
        for (xml_id, column), (previous, _text) in self.migration.LIMITS.items():
            self.env.ref(f"spar_mapper.{xml_id}")[column] = previous
        self.env.flush_all()

    def migrate(self):
        self.migration.migrate(self.env.cr, "19.0.2.5.0")
        self.env.invalidate_all()

    def test_jobs_and_limits_get_new_names(self):
        self.migrate()
        for xml_id, (_previous, name) in self.migration.JOBS.items():
            self.assertEqual(self.env.ref(f"spar_mapper.{xml_id}").name, name)
        for (xml_id, column), (_previous, text) in self.migration.LIMITS.items():
            self.assertEqual(self.env.ref(f"spar_mapper.{xml_id}")[column], text)

    def test_chosen_name_stays(self):
        job = self.env.ref("spar_mapper.ir_cron_forms")
        job.name = "Rewriting"
        self.env.flush_all()
        self.migrate()
        self.assertEqual(job.name, "Rewriting")

    def test_limits_stay_sealed(self):
        self.migrate()
        self.assertEqual(self.env["spar.limit"]._get_number("lookup_budget"), 200)


class TestOwnerProof(OwnerProofCase):
    """A store as of 19.0.2.7.0, which knew no proofs."""

    def migrate(self):
        path = file_path("spar_mapper/migrations/19.0.2.8.0/post-owner_proof.py")
        load_script(path, "spar_mapper_owner_proof").migrate(self.env.cr, "19.0.2.7.0")
        self.env.invalidate_all()

    def test_older_events_stay_as_they_are_and_new_ones_have_proofs(self):
        self.link(OTHER_ID, OTHER_FA)
        self.env.cr.execute("SET CONSTRAINTS ALL IMMEDIATE")
        guard = next(integrity.build_event_tie()).replace("NOT IN (2, 3)", "!= 2")
        self.assertIn("n.format != 2", guard)
        self.env.cr.execute(guard)
        self.env.cr.execute("ALTER TABLE spar_event DROP COLUMN commitment_proof")
        self.env.cr.execute("SELECT id, format, mac FROM spar_event ORDER BY id")
        before = self.env.cr.fetchall()
        self.env["spar.event"].init()
        self.env.cr.execute("SET CONSTRAINTS ALL DEFERRED")
        self.migrate()
        self.migrate()
        self.env.cr.execute("SELECT id, format, mac FROM spar_event ORDER BY id")
        self.assertEqual(self.env.cr.fetchall(), before)
        self.assertEqual(self.send(LinkRequest(ID, FA)).outcome, Outcome.LINKED)
        self.update(OTHER_ID, FA)
        with mute_logger(ALARM_LOGGER), self.enter_registry_test_mode():
            self.assertEqual(self.env["spar.audit"]._check_store(), [])

    def test_list_of_issuers_is_sealed_and_no_proof_is_required(self):
        limit = self.env.ref("spar_mapper.limit_owner_proof_required")
        limit.is_on = False
        self.migrate()
        seals = self.env["spar.settings.seal"]
        self.assertTrue(seals._find_newest("spar.proof.issuer"))
        self.assertFalse(self.env["spar.limit"]._is_yes("owner_proof_required"))
