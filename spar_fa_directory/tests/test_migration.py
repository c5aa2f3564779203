from odoo.modules.module import load_script
from odoo.tests import TransactionCase
from odoo.tools import file_path

MIGRATION = load_script(
    file_path("spar_fa_directory/migrations/19.0.1.1.0/pre-migration.py"),
    "spar_fa_directory_pre_migration",
)


class TestMigration(TransactionCase):
    """The shipped parts of addresses from before there were examples."""

    def _migrate(self):
        self.env.flush_all()
        MIGRATION.migrate(self.env.cr, "19.0.1.0.0")
        self.env.invalidate_all()

    def test_shipped_parts_get_the_examples_of_new_databases(self):
        parts = {
            name: self.env.ref(f"spar_fa_directory.{name}")
            for name in MIGRATION.EXAMPLES
        }
        shipped = {name: part.example for name, part in parts.items()}
        self.assertEqual(shipped, MIGRATION.EXAMPLES)
        self.env.cr.execute("ALTER TABLE spar_fa_type_part DROP COLUMN example")
        self._migrate()
        self.assertEqual({n: p.example for n, p in parts.items()}, shipped)
        others = self.env["spar.fa.type.part"].search([]) - sum(
            parts.values(), self.env["spar.fa.type.part"]
        )
        self.assertTrue(others)
        self.assertFalse(any(others.mapped("example")))

    def test_an_example_that_is_there_stays(self):
        part = self.env.ref("spar_fa_directory.part_bank_account_number")
        part.example = "0000"
        self._migrate()
        self.assertEqual(part.example, "0000")
