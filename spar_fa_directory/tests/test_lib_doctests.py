import doctest

from odoo.tests import BaseCase

from ..lib import (
    bank_registry,
    csv_file,
    directory_page,
    directory_query,
    directory_rows,
    fa_checks,
    fa_keys,
    fa_mask,
    fa_reader,
    fa_syntax,
    json_schema,
)

MODULES = (
    bank_registry,
    csv_file,
    directory_page,
    directory_query,
    directory_rows,
    fa_checks,
    fa_keys,
    fa_mask,
    fa_reader,
    fa_syntax,
    json_schema,
)


class TestLibDoctests(BaseCase):
    def test_the_examples_of_the_pure_modules_are_true(self):
        for module in MODULES:
            with self.subTest(module=module.__name__):
                failed, attempted = doctest.testmod(module)
                self.assertGreater(attempted, 0)
                self.assertEqual(failed, 0)
