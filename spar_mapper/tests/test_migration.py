from odoo.modules.module import load_script
from odoo.tools import file_path

from .common import FA, ID, OTHER_FA, StoreCase

MIGRATION = load_script(
    file_path("spar_mapper/migrations/19.0.2.1.0/pre-migration.py"),
    "spar_mapper_pre_migration_19_0_2_1_0",
)


class TestMigration(StoreCase):
    """The queue of what is checked at the end of a transaction, as of 19.0.2.0.0."""

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
