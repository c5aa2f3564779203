from odoo.modules.module import load_script
from odoo.tests import TransactionCase
from odoo.tools import file_path


def load_migration(version, name="migration"):
    path = f"spar_fa_directory/migrations/{version}/pre-{name}.py"
    return load_script(file_path(path), f"spar_fa_directory_pre_{name}_{version}")


MIGRATION = load_migration("19.0.1.1.0")
FORMS = load_migration("19.0.1.2.0")
SHARED_PHONE = load_migration("19.0.1.5.0", "shared_phone")


class TestMigration(TransactionCase):
    """The shipped parts of addresses from before examples existed."""

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

    def test_existing_example_is_kept(self):
        part = self.env.ref("spar_fa_directory.part_bank_account_number")
        part.example = "0000"
        self._migrate()
        self.assertEqual(part.example, "0000")


class TestFormsMigration(TransactionCase):
    """The shipped parts of addresses from before their values had one form."""

    FIELDS = "check_parameter", "gaps_do_not_count", "is_account_number"

    def setUp(self):
        super().setUp()
        self.parts = self.env["spar.fa.type.part"].browse(
            self.env.ref(f"spar_fa_directory.{name}").id for name in FORMS.PARAMETERS
        )
        self.shipped = self._get_values()
        for part, (_check, old, _new) in zip(
            self.parts, FORMS.PARAMETERS.values(), strict=True
        ):
            part.check_parameter = old or False

    def _get_values(self):
        return [tuple(part[name] for name in self.FIELDS) for part in self.parts]

    def _migrate(self):
        self.env.flush_all()
        self.env.cr.execute(
            """ALTER TABLE spar_fa_type_part DROP COLUMN gaps_do_not_count,
                                             DROP COLUMN is_account_number"""
        )
        FORMS.migrate(self.env.cr, "19.0.1.1.0")
        self.env.invalidate_all()

    def test_shipped_parts_get_the_values_of_new_databases(self):
        self._migrate()
        self.assertEqual(self._get_values(), self.shipped)

    def test_changed_check_keeps_its_gaps(self):
        account, phone, _voucher = self.parts
        account.check_parameter = "[0-9]{3}-[0-9]{5}"
        phone.write({"check_code": False})
        self._migrate()
        self.assertEqual(
            self._get_values()[:2],
            [("[0-9]{3}-[0-9]{5}", False, True), (False, False, False)],
        )

    def test_a_bic_that_was_typed_with_blanks_is_found(self):
        provider = self.env["spar.fsp"].create({"name": "B", "code": "TB-BIC"})
        self.env.cr.execute(
            "UPDATE spar_fsp SET bic = 'test de 22' WHERE id = %s", (provider.id,)
        )
        self._migrate()
        self.assertEqual(provider.bic, "TESTDE22")

    def test_a_second_time_changes_nothing(self):
        self.parts.gaps_do_not_count = False
        self.env.flush_all()
        FORMS.migrate(self.env.cr, "19.0.1.1.0")
        self.env.invalidate_all()
        self.assertFalse(any(self.parts.mapped("gaps_do_not_count")))


class TestSharedPhone(TransactionCase):
    """Kinds of address from before a phone could be shared without a reason."""

    def migrate(self):
        self.env.flush_all()
        SHARED_PHONE.migrate(self.env.cr, "19.0.1.4.0")
        self.env.invalidate_all()

    def test_only_the_shipped_wallet_is_shared(self):
        self.env.flush_all()
        self.env.cr.execute("ALTER TABLE spar_fa_type DROP COLUMN people_per_address")
        self.migrate()
        kinds = self.env["spar.fa.type"].with_context(active_test=False).search([])
        wallet = self.env.ref("spar_fa_directory.type_mobile_wallet")
        self.assertEqual(wallet.people_per_address, 4)
        self.assertEqual({kind.people_per_address for kind in kinds - wallet}, {1})

    def test_number_that_was_chosen_is_kept(self):
        wallet = self.env.ref("spar_fa_directory.type_mobile_wallet")
        wallet.people_per_address = 2
        self.migrate()
        self.assertEqual(wallet.people_per_address, 2)
