from odoo.modules.module import load_script
from odoo.tests import TransactionCase
from odoo.tools import SQL, file_path
from odoo.tools.sql import column_exists, rename_column

from odoo.addons.spar_mapper_connector.tests.loading_case import loading_addon

PATH = "spar_self_service/migrations/19.0.1.2.0/pre-migration.py"
MIGRATION = load_script(file_path(PATH), "spar_self_service_pre_migration_19_0_1_2_0")


class TestLoginPageMigration(TransactionCase):
    """Fields and views from before the login page had its name."""

    def setUp(self):
        super().setUp()
        self.provider = self.env["auth.oauth.provider"].create(
            {
                "name": "Hidden",
                "body": "Hidden",
                "auth_endpoint": "https://id.example/auth",
                "validation_endpoint": "https://id.example/userinfo",
                "is_offered": False,
            }
        )
        self.views = {
            name: self.env.ref(f"spar_self_service.{name}")
            for name in MIGRATION.VIEWS.values()
        }
        self.field = self.env.ref(
            "spar_self_service.field_auth_oauth_provider__is_offered"
        )
        self.env.flush_all()

    def _restore_old_names(self):
        cr = self.env.cr
        rename_column(cr, "auth_oauth_provider", "is_offered", "on_door")
        cr.execute(
            "UPDATE ir_model_fields SET name = 'on_door' WHERE id = %s",
            (self.field.id,),
        )
        self._rename_xml_id(
            "field_auth_oauth_provider__is_offered",
            "field_auth_oauth_provider__on_door",
        )
        for old, new in MIGRATION.VIEWS.items():
            self._rename_xml_id(new, old)
            cr.execute(
                "UPDATE ir_ui_view SET key = %s WHERE id = %s",
                (f"spar_self_service.{old}", self.views[new].id),
            )

    def _rename_xml_id(self, before, after):
        self.env.cr.execute(
            """UPDATE ir_model_data SET name = %s
                WHERE module = 'spar_self_service' AND name = %s""",
            (after, before),
        )

    def _migrate(self):
        MIGRATION.migrate(self.env.cr, "19.0.1.1.0")
        self.env.invalidate_all()
        self.env.registry.clear_cache()

    def test_field_keeps_its_values(self):
        self._restore_old_names()
        self._migrate()
        self.assertFalse(column_exists(self.env.cr, "auth_oauth_provider", "on_door"))
        self.assertFalse(self.provider.is_offered)
        self.assertEqual(self.field.name, "is_offered")
        self.assertEqual(
            self.env.ref("spar_self_service.field_auth_oauth_provider__is_offered"),
            self.field,
        )

    def test_views_are_the_same_records(self):
        self._restore_old_names()
        self._migrate()
        for name, view in self.views.items():
            self.assertEqual(self.env.ref(f"spar_self_service.{name}"), view)
            self.assertEqual(view.key, f"spar_self_service.{name}")

    def _edit_for_website(self, text):
        """Return a website's own copy of the view on Odoo's login page, edited."""
        view = self.views[MIGRATION.LOGIN_VIEW]
        website = self.env["website"].create({"name": "Second"})
        edited = view.arch_db.replace("Do you receive payments?", text)
        # Such a copy is older than the check that prevents it today.
        with loading_addon(self.registry, "spar_self_service"):
            view.with_context(website_id=website.id).arch_db = edited
        copy = self.env["ir.ui.view"].search(
            [("key", "=", view.key), ("website_id", "=", website.id)]
        )
        self.env.flush_all()
        return copy

    def _restore_old_variable(self, views):
        for column, cast in (("arch_db", "jsonb"), ("arch_prev", "text")):
            self.env.cr.execute(
                SQL(
                    "UPDATE ir_ui_view SET %(column)s = replace("
                    "%(column)s::text, 'spar_is_offered', 'spar_door')::%(cast)s "
                    "WHERE id = ANY(%(ids)s)",
                    column=SQL.identifier(column),
                    cast=SQL.identifier(cast),
                    ids=views.ids,
                )
            )
        self.env.invalidate_all()

    def test_website_shows_its_own_copy_as_before(self):
        copy = self._edit_for_website("Are you paid?")
        views = copy | self.views[MIGRATION.LOGIN_VIEW]
        self.assertEqual(len(views), 2)
        self._restore_old_names()
        self.env.cr.execute(
            "UPDATE ir_ui_view SET key = 'spar_self_service.web_login_door'"
            " WHERE id = %s",
            (copy.id,),
        )
        self._restore_old_variable(views)
        self.assertIn("spar_door", copy.arch_db)
        self._migrate()
        self.assertEqual(copy.key, "spar_self_service.web_login_beneficiaries")
        for view in views:
            self.assertIn('t-if="spar_is_offered"', view.arch_db)
            self.assertNotIn("spar_door", view.arch_db)
        self.assertIn("Are you paid?", copy.arch_db)
        page = self.env.ref("web.login").with_context(website_id=copy.website_id.id)
        shown = page._get_combined_arch().xpath("//div[@t-if='spar_is_offered']/p")
        self.assertEqual([text.text.split("?")[0] for text in shown], ["Are you paid"])

    def test_second_run_changes_nothing(self):
        self._migrate()
        self.assertFalse(self.provider.is_offered)
        for name, view in self.views.items():
            self.assertEqual(self.env.ref(f"spar_self_service.{name}"), view)
