from odoo.tests import TransactionCase, tagged


@tagged("post_install", "-at_install")
class TestInverseFields(TransactionCase):
    """Nothing that was typed is lost because something else is written."""

    def test_a_field_with_an_inverse_is_computed_alone(self):
        """While a field is written, the ORM protects every field of its compute, and
        reads each that is not in its cache as empty: an inverse would keep that."""
        shared = {
            field: sorted(other.name for other in group)
            for field, group in self.env.registry.field_computed.items()
            if field.inverse and not field.related and len(group) > 1
            if (field._module or "").startswith("spar_")
        }
        self.assertEqual(shared, {})
