from odoo.tests import BaseCase

from ..lib import fa_reader
from ..lib.fa_examination import KnownKind, KnownPart, Problem, examine
from ..lib.fa_reader import Holder

BANK = fa_reader.build_known_strategy(
    1, 10, "bank", "account:{number}@{branch}.{bank}", "bank", "branch"
)
BY_BIC = fa_reader.build_known_strategy(
    41, 10, "bank", "account_no:{number}@{bank_bic}", "bank", "branch"
)
BY_SCHEME = fa_reader.group_by_scheme([BANK, BY_BIC])
PARTS = (
    KnownPart("bank", "provider"),
    KnownPart("branch", "branch"),
    KnownPart("number", "text", "regex", "[0-9]{4,}"),
)
KINDS = {10: KnownKind("bank", PARTS)}
GOOD = Holder(1, 2, "bank", "FR", True, True)
TEXT = "account:12345678@north.demo"

#: What the directory knows of a provider, and the problem then.
HOLDERS = [
    (GOOD, None),
    (Holder(), Problem("provider_unknown")),
    (GOOD._replace(provider_is_active=False), Problem("provider_archived")),
    (GOOD._replace(kind="wallet"), Problem("provider_kind")),
    (GOOD._replace(branch_id=None), Problem("branch_unknown")),
    (GOOD._replace(branch_is_active=False), Problem("branch_archived")),
]


class TestExamination(BaseCase):
    def _examine(self, text, holder=GOOD, kinds=None):
        readings = fa_reader.read_text(BY_SCHEME, text)
        return examine(readings[0] if readings else None, holder, kinds or KINDS)

    def test_every_problem_of_provider_and_branch_is_found(self):
        for holder, problem in HOLDERS:
            with self.subTest(problem):
                self.assertEqual(self._examine(TEXT, holder), problem)

    def test_a_text_that_does_not_pass_its_check_is_named_without_its_value(self):
        problem = self._examine("account:12@north.demo")
        self.assertEqual(problem, Problem("part", "number", "regex"))

    def test_an_empty_text_is_missing(self):
        problem = self._examine("account:@north.demo")
        self.assertEqual(problem, Problem("part", "number", "empty"))

    def test_text_without_a_strategy_is_unread(self):
        self.assertEqual(self._examine("12345678"), Problem("unread"))

    def test_a_branch_that_the_strategy_does_not_write_is_not_missed(self):
        holder = GOOD._replace(branch_id=None, branch_is_active=False)
        self.assertIsNone(self._examine("account_no:12345678@DEMOFRPP", holder))

    def test_a_kind_of_any_provider_takes_any(self):
        kinds = {10: KnownKind("", PARTS)}
        self.assertIsNone(self._examine(TEXT, GOOD._replace(kind="wallet"), kinds))

    def test_check_of_a_text_gets_the_country(self):
        parts = (KnownPart("bank", "provider"), KnownPart("number", "text", "phone"))
        kinds = {10: KnownKind("bank", parts)}
        text = "account:0612345678@north.demo"
        self.assertIsNone(self._examine(text, GOOD, kinds))
        self.assertEqual(
            self._examine(text, GOOD._replace(country="US"), kinds),
            Problem("part", "number", "phone"),
        )
