"""The name of this registry, for which participants sign their calls."""

from unittest.mock import patch

from odoo.exceptions import UserError
from odoo.tests import TransactionCase, new_test_user, tagged
from odoo.tools import mute_logger, safe_eval

from odoo.addons.spar_mapper_connector.expressions import scheduled

from ..models.spar_row_versions import RECEIVER_PARAMETER


@tagged("-at_install", "post_install")
class TestOurName(TransactionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        admin = new_test_user(
            cls.env, "test_name", groups="base.group_user,base.group_system"
        )
        cls.parameters = cls.env["ir.config_parameter"].with_user(admin)
        cls.parameters.sudo().set_param(RECEIVER_PARAMETER, "registry.example")
        cls.ours = cls.parameters.search([("key", "=", RECEIVER_PARAMETER)])
        # A test is no command of the operator.
        cls.enterClassContext(scheduled())

    def set_up(self, is_set_up=True):
        log = type(self.env["spar.group.log"])
        return patch.object(log, "_is_set_up", lambda log: is_set_up)

    def test_an_administrator_of_odoo_does_not_change_it(self):
        other = self.parameters.create({"key": "x.y", "value": "1"})
        ways = (
            lambda: self.ours.write({"value": "other.example"}),
            lambda: self.ours.write({"key": "x"}),
            lambda: self.ours.unlink(),
            lambda: self.parameters.set_param(RECEIVER_PARAMETER, "other.example"),
            lambda: other.write({"key": RECEIVER_PARAMETER}),
        )
        with self.set_up():
            for number, way in enumerate(ways):
                with self.subTest(number), self.assertRaises(UserError):
                    with self.env.cr.savepoint():
                        way()
            other.write({"value": "2"})
        found = self.parameters.get_param(RECEIVER_PARAMETER)
        self.assertEqual(found, "registry.example")

    def test_no_expression_changes_it(self):
        values = {"parameters": self.parameters.sudo(), "key": RECEIVER_PARAMETER}
        with (
            self.set_up(is_set_up=False),
            mute_logger("odoo.addons.spar_mapper_connector.expressions"),
            self.assertRaises(Exception),  # noqa: B017  (wrapped by safe_eval)
        ):
            safe_eval.safe_eval("parameters.set_param(key, 'x')", values)

    def test_it_is_chosen_while_a_database_is_set_up(self):
        with self.set_up(is_set_up=False):
            self.ours.write({"value": "other.example"})
        self.assertEqual(self.ours.value, "other.example")
