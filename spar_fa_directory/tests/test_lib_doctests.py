import doctest

from odoo.tests import BaseCase

from ..lib import fa_checks, fa_mask, fa_reader, fa_syntax


class TestLibDoctests(BaseCase):
    def test_the_examples_of_the_pure_modules_are_true(self):
        for module in (fa_checks, fa_mask, fa_reader, fa_syntax):
            with self.subTest(module=module.__name__):
                failed, attempted = doctest.testmod(module)
                self.assertGreater(attempted, 0)
                self.assertEqual(failed, 0)
