from odoo.tests import BaseCase

from ..lib.contract import Operation, Outcome
from ..lib.g2p_connect.codes import BY_BOTH, BY_FA, BY_ID, find_answer

#: operation, outcome, problem, query -> status, reason code (g2p-connect.md 6.1).
EXPECTED = {
    ("link", "linked", "", ""): ("succ", ""),
    ("link", "already_linked", "", ""): ("rjct", "rjct.id.invalid"),
    ("link", "already_linked", "same_fa", ""): ("rjct", "rjct.id.invalid"),
    ("link", "already_linked", "other_fa", ""): ("rjct", "rjct.id.invalid"),
    ("link", "invalid_id", "characters", ""): ("rjct", "rjct.id.invalid"),
    ("link", "invalid_fa", "empty", ""): ("rjct", "rjct.fa.invalid"),
    ("link", "invalid_fa", "unread", ""): ("rjct", "rjct.fa.invalid"),
    ("link", "invalid_fa", "provider_unknown", ""): ("rjct", "rjct.fa.invalid"),
    ("link", "invalid_fa", "provider_archived", ""): ("rjct", "rjct.fa.invalid"),
    ("link", "invalid_fa", "provider_kind", ""): ("rjct", "rjct.fa.invalid"),
    ("update", "invalid_fa", "branch_unknown", ""): ("rjct", "rjct.fa.invalid"),
    ("update", "invalid_fa", "branch_archived", ""): ("rjct", "rjct.fa.invalid"),
    ("update", "invalid_fa", "part", ""): ("rjct", "rjct.fa.invalid"),
    ("link", "held", "", ""): ("pdng", ""),
    ("link", "conflict", "change_waiting", ""): ("rjct", "rjct.unknown.retry"),
    ("link", "forbidden", "rule:3", ""): ("rjct", "rjct.other.error"),
    ("update", "updated", "", ""): ("succ", ""),
    ("update", "not_linked", "", ""): ("rjct", "rjct.id.invalid"),
    ("update", "held", "", ""): ("pdng", ""),
    ("update", "locked", "integrity", ""): ("rjct", "rjct.other.error"),
    ("update", "locked", "change_lock", ""): ("rjct", "rjct.other.error"),
    ("update", "conflict", "version", ""): ("rjct", "rjct.other.error"),
    ("update", "conflict", "older_than_current", ""): (
        "rjct",
        "rjct.timestamp.invalid",
    ),
    ("unlink", "unlinked", "", ""): ("succ", ""),
    ("unlink", "not_linked", "", ""): ("rjct", "rjct.id.invalid"),
    ("unlink", "fa_mismatch", "", ""): ("rjct", "rjct.fa.invalid"),
    ("unlink", "held", "", ""): ("pdng", ""),
    ("resolve", "found", "", BY_ID): ("succ", "succ.id.active"),
    ("resolve", "found", "", BY_FA): ("succ", "succ.fa.active"),
    ("resolve", "found", "", BY_BOTH): ("succ", "succ.id.active"),
    ("resolve", "fa_mismatch", "", BY_BOTH): ("succ", "succ.fa.not_linked_to_id"),
    ("resolve", "not_linked", "", BY_ID): ("succ", "succ.id.not_found"),
    ("resolve", "not_linked", "", BY_FA): ("succ", "succ.fa.not_found"),
    ("resolve", "not_linked", "", BY_BOTH): ("succ", "succ.id.not_found"),
    ("resolve", "suspended", "", BY_ID): ("succ", "succ.fa.inactive"),
    ("resolve", "found", "provider_replaced", BY_FA): ("succ", "succ.fa.inactive"),
    ("resolve", "found", "branch_replaced", BY_BOTH): ("succ", "succ.fa.inactive"),
    ("resolve", "suspended", "payments_stopped", BY_ID): ("succ", "succ.id.inactive"),
    ("resolve", "locked", "integrity", BY_ID): ("rjct", "rjct.id.invalid"),
    ("resolve", "invalid_id", "too_long", BY_ID): ("rjct", "rjct.id.invalid"),
    ("resolve", "forbidden", "several_ids", BY_FA): (
        "rjct",
        "rjct.resolve_type.not_supported",
    ),
    ("resolve", "forbidden", "no_details", BY_ID): (
        "rjct",
        "rjct.resolve_type.not_supported",
    ),
    ("resolve", "forbidden", "not_by_fa", BY_FA): (
        "rjct",
        "rjct.resolve_type.not_supported",
    ),
    ("resolve", "forbidden", "not_comparable", BY_BOTH): (
        "rjct",
        "rjct.resolve_type.not_supported",
    ),
    ("resolve", "retry", "", BY_ID): ("rjct", "rjct.unknown.retry"),
}


class TestCodes(BaseCase):
    def test_each_outcome_has_the_code_that_the_reference_suggests(self):
        for (operation, outcome, problem, lookup), expected in EXPECTED.items():
            with self.subTest(operation=operation, outcome=outcome, problem=problem):
                answer = find_answer(
                    Operation(operation), Outcome(outcome), problem, lookup
                )
                self.assertEqual((answer.status, answer.code), expected)

    def test_an_outcome_that_an_operation_cannot_have_is_a_fault(self):
        with self.assertRaises(KeyError):
            find_answer(Operation.LINK, Outcome.UNLINKED)
        with self.assertRaises(KeyError):
            find_answer(Operation.RESOLVE, Outcome.LINKED)

    def test_every_rejection_has_a_reason(self):
        for (operation, outcome, problem, lookup), (status, _code) in EXPECTED.items():
            if status != "rjct":
                continue
            with self.subTest(operation=operation, outcome=outcome, problem=problem):
                answer = find_answer(
                    Operation(operation), Outcome(outcome), problem, lookup
                )
                self.assertTrue(answer.text)
                self.assertLess(len(answer.text), 999)

    def test_every_operation_can_answer_that_it_waits_or_must_be_tried_again(self):
        for operation in (Operation.LINK, Operation.UPDATE, Operation.UNLINK):
            self.assertEqual(find_answer(operation, Outcome.HELD).status, "pdng")
        for operation in Operation:
            answer = find_answer(operation, Outcome.HELD, "contested")
            self.assertEqual(answer.status, "pdng")
            self.assertIn("different spellings", answer.text)
            answer = find_answer(operation, Outcome.RETRY)
            self.assertEqual(answer.code, "rjct.unknown.retry")
