"""A page of a website ends, however its blocks are put into each other."""

from types import SimpleNamespace
from unittest.mock import patch

from odoo.tests import TransactionCase, tagged

from ..exceptions import PageTooLarge
from ..models import ir_qweb


@tagged("post_install", "-at_install")
class TestLargePages(TransactionCase):
    def add_levels(self, levels, times=9):
        """Add templates that each call the next one; return the key of the first."""
        views = self.env["ir.ui.view"]
        for level in range(levels):
            key = f"test_large.{level}"
            inner = f'<t t-call="test_large.{level + 1}"/>' * times
            if level == levels - 1:
                inner = "<b>x</b>"
            views.create(
                {
                    "name": key,
                    "key": key,
                    "type": "qweb",
                    "arch": f'<t t-name="{key}">{inner}</t>',
                }
            )
        return "test_large.0"

    def render(self, key, **request):
        """Render a template as in a request."""
        served = SimpleNamespace(**request) if request else None
        with patch.object(ir_qweb, "request", served):
            return self.env["ir.qweb"]._render(key)

    def test_blocks_within_blocks_end(self):
        key = self.add_levels(7)
        with self.assertRaises(PageTooLarge):
            self.render(key, is_frontend=True)

    def test_a_large_page_is_shown(self):
        key = self.add_levels(5)
        self.assertEqual(self.render(key, is_frontend=True).count("x"), 9**4)

    def test_a_long_text_many_times_ends(self):
        key = self.add_levels(3)
        last = self.env["ir.ui.view"].search([("key", "=", "test_large.2")])
        last.arch = f"<t><b>{'x' * 1000}</b></t>"
        self.assertEqual(self.render(key, is_frontend=True).count("x"), 81_000)
        with patch.object(ir_qweb, "_MAX_CHARACTERS", 50_000):
            with self.assertRaises(PageTooLarge):
                self.render(key, is_frontend=True)

    def test_the_page_that_reports_the_error_is_shown(self):
        key = self.add_levels(5)
        served = SimpleNamespace(is_frontend=True)
        with patch.object(ir_qweb, "request", served):
            with patch.object(ir_qweb, "_MAX_TEMPLATES", 100):
                with self.assertRaises(PageTooLarge):
                    self.env["ir.qweb"]._render(key)
            self.assertTrue(self.env["ir.qweb"]._render(key))

    def test_staff_print_more(self):
        key = self.add_levels(6, times=8)
        self.assertTrue(self.render(key, is_frontend=False))
        self.assertTrue(self.render(key))
