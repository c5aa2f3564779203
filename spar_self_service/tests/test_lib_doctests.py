import doctest

from odoo.tests import BaseCase

from ..lib import access_log, beneficiary, contrast, paths, steps, typing


class TestLibDoctests(BaseCase):
    def test_the_examples_of_the_pure_modules_are_true(self):
        modules = (access_log, beneficiary, contrast, paths, steps, typing)
        for module in modules:
            with self.subTest(module=module.__name__):
                failed, attempted = doctest.testmod(module)
                self.assertGreater(attempted, 0)
                self.assertEqual(failed, 0)
