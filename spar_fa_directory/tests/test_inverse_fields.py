from odoo.tests import TransactionCase, tagged


@tagged("post_install", "-at_install")
class TestInverseFields(TransactionCase):
    """No typed value is lost because another field is written."""

    def test_no_two_fields_with_an_inverse_share_a_compute(self):
        """Check that fields with an inverse do not share a compute method.

        While one of them is written, the ORM protects all of them, and reads each that
        is not in its cache as empty: an inverse would store that.
        """
        shared = {}
        for field, group in self.env.registry.field_computed.items():
            typed = sorted(str(other) for other in group if other.inverse)
            is_ours = any(name.startswith("spar.") for name in typed)
            if is_ours and not field.related and len(typed) > 1:
                shared[str(field)] = typed
        self.assertEqual(shared, {})
