from odoo.tests import BaseCase

from ..lib.contract import UNKNOWN_CODE, UNKNOWN_EFFECT, Operation, Outcome
from ..lib.g2p_connect.codes import BY_BOTH, BY_FA, BY_ID, iterate_lines
from ..lib.g2p_connect.readings import read_codes

OPERATIONS = (Operation.LINK, Operation.UPDATE, Operation.UNLINK, Operation.RESOLVE)
LOOKUPS = (BY_ID, BY_FA, BY_BOTH, "")
#: What is deliberately answered alike: read as the first of them.
ALIKE = {Outcome.FORBIDDEN, Outcome.FA_MISMATCH, Outcome.NOT_LINKED}
DONE = {Outcome.LINKED, Outcome.UPDATED, Outcome.UNLINKED}


class TestReadings(BaseCase):
    def test_what_our_server_says_is_read_as_it_was_written(self):
        count = 0
        for operation in OPERATIONS:
            for outcome, word, answer in iterate_lines(operation, "g2p-connect"):
                text = answer.text % dict.fromkeys(("successor", "part", "check"), "x")
                read = read_codes(operation, answer.status, answer.code, text)
                problem = "" if word in LOOKUPS else word
                if read.outcome is outcome:
                    self.assertIn(read.problem, (problem, ""), (operation, answer))
                else:
                    alike = {read.outcome, outcome}
                    self.assertLessEqual(alike, ALIKE, (operation, answer))
                count += 1
        self.assertGreater(count, 100)

    def test_a_placeholder_gives_its_value(self):
        text = "fa: this provider has closed; New Bank has taken over."
        read = read_codes(Operation.LINK, "rjct", "rjct.fa.invalid", text)
        self.assertEqual(read.problem, "provider_replaced")
        self.assertEqual(read.values, {"successor": "New Bank"})

    def test_nothing_unknown_is_a_success(self):
        words = ("", "succ", "SUCC", "ok", "rjct", "pdng ", "200", "succ.id.active")
        for operation in OPERATIONS:
            for status in words:
                for code in ("succ.new", "rjct.new", "x", "succ.fa.active "):
                    read = read_codes(operation, status, code)
                    self.assertEqual(read.outcome, Outcome.RETRY)
                    self.assertIn(read.problem, (UNKNOWN_CODE, UNKNOWN_EFFECT))
            for status in ("", "SUCC", "ok"):
                self.assertEqual(
                    read_codes(operation, status, "").outcome.value, "retry"
                )

    def test_no_rejection_is_a_success(self):
        codes = ("", "succ.id.active", "succ.fa.active", "rjct.id.invalid")
        for operation in OPERATIONS:
            for code in codes:
                outcome = read_codes(operation, "rjct", code).outcome
                self.assertNotIn(outcome, {*DONE, Outcome.FOUND})

    def test_only_a_change_that_was_not_rejected_may_have_had_an_effect(self):
        self.assertEqual(
            read_codes(Operation.LINK, "succ", "new").problem, UNKNOWN_EFFECT
        )
        self.assertEqual(
            read_codes(Operation.LINK, "rjct", "new").problem, UNKNOWN_CODE
        )
        self.assertEqual(
            read_codes(Operation.RESOLVE, "succ", "new").problem, UNKNOWN_CODE
        )

    def test_openg2p(self):
        def read(operation, status, code, text=""):
            return read_codes(operation, status, code, text, "openg2p-1.x").outcome

        gone = "ID doesn't exist, please link first"
        for operation, status, code, text, outcome in (
            ("link", "rjct", "rjct.reference_id.duplicate", "", "already_linked"),
            ("update", "rjct", "rjct.reference_id.duplicate", gone, "not_linked"),
            ("unlink", "rjct", "rjct.id.invalid", gone, "not_linked"),
            ("unlink", "rjct", "rjct.id.invalid", "ID is null", "invalid_id"),
            ("resolve", "succ", "succ.fa.not_linked_to_id", gone, "not_linked"),
            ("resolve", "succ", "", "", "found"),
            ("link", "succ", "", "", "linked"),
        ):
            found = read(Operation(operation), status, code, text)
            self.assertEqual(found.value, outcome, (operation, code, text))
        strict = read_codes(Operation.LINK, "rjct", "rjct.reference_id.duplicate")
        self.assertEqual(strict.problem, UNKNOWN_EFFECT)
