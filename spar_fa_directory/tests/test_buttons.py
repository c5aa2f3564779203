from collections.abc import Callable, Iterator

from lxml import etree

from odoo.tests import TransactionCase, tagged

from .buttons import iter_buttons


@tagged("post_install", "-at_install")
class TestButtons(TransactionCase):
    """What the buttons of our views call."""

    def get_buttons(self) -> Iterator[tuple[str, Callable]]:
        """Yield each button that calls a method, with this method."""
        views = self.env["ir.ui.view"].search([("type", "!=", "qweb")])
        for view in views.filtered(lambda view: (view.xml_id or "")[:5] == "spar_"):
            arch = etree.fromstring(view.arch_db)
            for model, name in iter_buttons(self.env, arch, view.model):
                yield f"{view.xml_id} {name}", getattr(type(self.env[model]), name)

    def test_a_method_accepts_the_ids_that_a_button_sends(self):
        buttons = list(self.get_buttons())
        self.assertGreater(len(buttons), 20)
        without_ids = {
            name for name, method in buttons if getattr(method, "_api_model", False)
        }
        self.assertEqual(without_ids, set())
