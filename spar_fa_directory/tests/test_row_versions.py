from odoo.api import SUPERUSER_ID
from odoo.tests import TransactionCase


class TestRowVersions(TransactionCase):
    """Values derived from rows are reused only as long as the rows are the same."""

    def setUp(self):
        super().setUp()
        self.versions = self.env["spar.row.versions"]
        self.kind = self.env["spar.fa.type"].create({"name": "New", "code": "new"})

    def get_made(self):
        """Return the derived kinds; the same object while it is cached."""
        return self.env["spar.fa.strategy"]._get_known_kinds()

    def change(self, statement):
        """Change a row as another session would: past the ORM."""
        self.env.cr.execute(statement, [self.kind.id])
        self.versions._forget()

    def test_unchanged_rows_stay_cached(self):
        self.assertIs(self.get_made(), self.get_made())
        self.versions._forget()
        made = self.get_made()
        self.versions._forget()
        self.assertIs(self.get_made(), made)

    def test_versions_are_read_once_by_one_statement(self):
        self.get_made()
        self.versions._forget()
        for count in (1, 0):
            with self.assertQueryCount(count):
                self.get_made()

    def seal(self):
        """Seal settings, if sealed, as if two people had approved the SQL change."""
        if "spar.settings.seal" in self.env:
            self.env["spar.settings.seal"]._seal_all()

    def test_nothing_of_a_caller_decides_about_what_is_cached(self):
        seen = []

        kinds = self.env["spar.fa.strategy"]
        original = type(kinds)._build_known_kinds

        def build(kinds):
            seen.append((kinds.env.uid, dict(kinds.env.context)))
            return original(kinds)

        self.patch(type(kinds), "_build_known_kinds", build)
        caller = kinds.with_user(self.env.ref("base.user_admin"))
        caller = caller.with_context(active_test=False, lang="fr_FR")
        self.versions._reuse_version(("new",), caller, "_build_known_kinds")
        self.assertEqual(seen, [(SUPERUSER_ID, {})])

    def test_every_change_by_sql_is_seen(self):
        for statement in (
            "UPDATE spar_fa_type SET provider_kind = 'bank' WHERE id = %s",
            "UPDATE spar_fa_type SET provider_kind = 'bank' WHERE id = %s",
            "INSERT INTO spar_fa_type_part (type_id, key, label, kind) "
            "VALUES (%s, 'x', '{}', 'text')",
            "DELETE FROM spar_fa_type_part WHERE type_id = %s",
            "DELETE FROM spar_fa_type WHERE id = %s",
        ):
            with self.subTest(statement):
                made = self.get_made()
                self.change(statement)
                self.seal()
                self.assertIsNot(self.get_made(), made)

    def test_a_change_by_the_orm_is_seen_in_its_own_transaction(self):
        self.get_made()
        self.kind.provider_kind = "bank"
        self.assertEqual(self.get_made()[self.kind.id].provider_kind, "bank")
        self.kind.unlink()
        self.assertNotIn(self.kind.id, self.get_made())

    def test_rolled_back_change_is_not_cached(self):
        with self.env.cr.savepoint() as savepoint:
            self.kind.provider_kind = "bank"
            self.assertEqual(self.get_made()[self.kind.id].provider_kind, "bank")
            savepoint.rollback()
            self.assertEqual(self.get_made()[self.kind.id].provider_kind, "")
