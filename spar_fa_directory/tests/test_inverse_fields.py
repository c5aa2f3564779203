from odoo.tests import TransactionCase, tagged


@tagged("post_install", "-at_install")
class TestInverseFields(TransactionCase):
    """Nothing that was typed is lost because something else is written."""

    def test_no_two_fields_with_an_inverse_share_a_compute(self):
        """While one of them is written the ORM protects all of them, and reads each
        that is not in its cache as empty: an inverse would keep that."""
        shared = {}
        for field, group in self.env.registry.field_computed.items():
            typed = sorted(str(other) for other in group if other.inverse)
            is_ours = any(name.startswith("spar.") for name in typed)
            if is_ours and not field.related and len(typed) > 1:
                shared[str(field)] = typed
        self.assertEqual(shared, {})
