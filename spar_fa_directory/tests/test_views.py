from odoo.tests import Form

from .common import ROLES, DirectoryCase

ACTIONS = ("spar_fsp", "spar_fsp_branch", "spar_fa_type", "spar_fa_strategy")


class TestViews(DirectoryCase):
    def test_every_role_opens_the_pages_of_the_directory(self):
        for role in ROLES:
            user = self._create_user(role)
            for name in ACTIONS:
                action = self.env.ref(f"spar_fa_directory.{name}_action")
                model = self.env[action.res_model].with_user(user)
                with self.subTest(role=role, action=name):
                    views = model.get_views([*action.views, (False, "search")])
                    expected = {"search", *(kind for _view, kind in action.views)}
                    self.assertEqual(set(views["views"]), expected)
                    self.assertLessEqual({"list", "form"}, expected)

    def test_number_kind_and_template_are_read_only_once_saved(self):
        strategy = self.strategies.search([("number", "=", 1)])
        with Form(strategy) as form:
            form.name = "Renamed"
            for name in ("number", "type_id", "template"):
                with self.subTest(name=name), self.assertRaises(AssertionError):
                    form[name] = form[name]
        self.assertEqual(strategy.name, "Renamed")

    def test_auditors_open_the_log_of_groups(self):
        auditor = self._create_user("auditor")
        log = self.env["spar.group.log"].with_user(auditor)
        self.assertIn("list", log.get_views([(False, "list")])["views"])
