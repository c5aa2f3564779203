from collections.abc import Callable, Iterator

from lxml import etree

from odoo.tests import TransactionCase, tagged


@tagged("post_install", "-at_install")
class TestButtons(TransactionCase):
    """What the buttons of our views call."""

    def get_buttons(self) -> Iterator[tuple[str, Callable]]:
        """Yield each button that calls a method, with this method."""
        views = self.env["ir.ui.view"].search([("type", "!=", "qweb")])
        for view in views.filtered(lambda view: (view.xml_id or "")[:5] == "spar_"):
            for button in etree.fromstring(view.arch_db).iter("button"):
                if button.get("type") == "object":
                    model = self.env[self.find_model(view.model, button)]
                    name = button.get("name")
                    yield f"{view.xml_id} {name}", getattr(type(model), name)

    def find_model(self, model: str, button) -> str:
        """Return the model of a button: that of the list of lines that it is in."""
        for element in reversed(list(button.iterancestors("field"))):
            field = self.env[model]._fields.get(element.get("name"))
            model = field.comodel_name if field and field.comodel_name else model
        return model

    def test_a_method_accepts_the_ids_that_a_button_sends(self):
        buttons = list(self.get_buttons())
        self.assertGreater(len(buttons), 20)
        without_ids = {
            name for name, method in buttons if getattr(method, "_api_model", False)
        }
        self.assertEqual(without_ids, set())
