import re
from collections.abc import Iterator

from lxml import etree

from odoo.models import MAGIC_COLUMNS
from odoo.tests import TransactionCase, tagged

#: Fields that Odoo adds to every model.
ODOOS = {*MAGIC_COLUMNS, "display_name"}
#: Names, and acronyms in the plural. Acronyms alone are recognised.
NAMES = {
    "Connect",
    "IBANs",
    "IDs",
    "OAuth",
    "Odoo",
    "OpenG2P",
    "OpenID",
    "SPARs",
    "URLs",
}
#: What a view shows of its own: labels, buttons, pages, filters.
SHOWN = ("string", "confirm-title", "confirm-label", "cancel-label")


def find_capitals(label: str) -> list[str]:
    """Return the words of a label that begin with a capital but should not.

    >>> find_capitals("Closed On"), find_capitals("JWKS URL of G2P Connect")
    (['On'], [])
    """
    words = [word.strip("()\u201c\u201d\"',.:;!?\u2026") for word in label.split()]
    return [
        word
        for word in words[1:]
        if word[:1].isupper() and word not in NAMES and re.search("[a-z]", word)
    ]


@tagged("post_install", "-at_install")
class TestLabels(TransactionCase):
    """Labels are in sentence case: "Closed on", not "Closed On"."""

    def get_field_labels(self) -> Iterator[tuple[str, str]]:
        """Yield the fields that our addons define, with their labels."""
        for model in self.env.registry.values():
            for name, field in model._fields.items():
                is_ours = all(module.startswith("spar_") for module in field._modules)
                if field._modules and is_ours and name not in ODOOS:
                    yield f"{model._name}.{name}", field.string

    def get_view_labels(self) -> Iterator[tuple[str, str]]:
        """Yield our views for staff, with each label in them."""
        views = self.env["ir.ui.view"].search([("type", "!=", "qweb")])
        for view in views.filtered(lambda view: (view.xml_id or "")[:5] == "spar_"):
            for element in etree.fromstring(view.arch_db).iter(etree.Element):
                for attribute in SHOWN:
                    yield view.xml_id, element.get(attribute, "")

    def check_labels(self, labels: Iterator[tuple[str, str]]) -> None:
        labels = list(labels)
        self.assertGreater(len(labels), 100)
        wrong = {pair for pair in labels if find_capitals(pair[1])}
        self.assertEqual(wrong, set())

    def test_field_labels_are_in_sentence_case(self):
        self.check_labels(self.get_field_labels())

    def test_labels_of_views_are_in_sentence_case(self):
        self.check_labels(self.get_view_labels())

    def test_names_of_menus_and_actions_are_in_sentence_case(self):
        names = []
        for model in ("ir.ui.menu", "ir.actions.act_window", "ir.actions.act_url"):
            for record in self.env[model].sudo().search([]):
                xml_id = record.get_external_id()[record.id]
                if xml_id.startswith("spar_"):
                    names.append((xml_id, record.name))
        self.check_labels(iter(names))

    def test_capitals_are_found(self):
        for label in ("Closed On", "Kept (Edited by staff)", "ID Type"):
            self.assertTrue(find_capitals(label), label)
        for label in ("Closed on", "Kept (edited by staff)", "Our ID at G2P Connect"):
            self.assertFalse(find_capitals(label), label)
