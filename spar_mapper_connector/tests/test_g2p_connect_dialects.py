from odoo.tests import BaseCase

from ..lib.contract import Operation, Outcome, Result
from ..lib.g2p_connect import codes
from ..lib.g2p_connect.answers import build_items
from ..lib.g2p_connect.codes import BY_BOTH, BY_FA, BY_ID, find_answer, rephrase
from ..lib.g2p_connect.envelope import RequestMessage, build_answer
from ..lib.g2p_connect.exceptions import MalformedMessage
from ..lib.g2p_connect.headers import RequestHeader
from ..lib.g2p_connect.items import read_items
from ..lib.g2p_connect.profiles import (
    OPENG2P_1,
    OPENG2P_2,
    STRICT,
    get_profile,
    selection,
)

TO_LINK = "ID doesnt exist please link first"
MAPPED = "ID and FA are already mapped"

#: (operation, outcome, problem, query) -> status, code, text (openg2p-spar.md 1.4).
EXPECTED = {
    ("link", "already_linked", "", ""): (
        "rjct",
        "rjct.reference_id.duplicate",
        MAPPED,
    ),
    ("link", "already_linked", "same_fa", ""): (
        "rjct",
        "rjct.reference_id.duplicate",
        MAPPED,
    ),
    ("link", "already_linked", "other_fa", ""): (
        "rjct",
        "rjct.reference_id.duplicate",
        MAPPED,
    ),
    ("update", "not_linked", "", ""): ("rjct", "rjct.reference_id.duplicate", TO_LINK),
    ("update", "forbidden", "", ""): ("rjct", "rjct.reference_id.duplicate", TO_LINK),
    ("unlink", "not_linked", "", ""): ("rjct", "rjct.id.invalid", TO_LINK),
    ("unlink", "fa_mismatch", "", ""): ("rjct", "rjct.id.invalid", TO_LINK),
    ("unlink", "forbidden", "", ""): ("rjct", "rjct.id.invalid", TO_LINK),
    **{
        ("resolve", outcome, "", lookup): ("succ", "succ.fa.not_linked_to_id", TO_LINK)
        for outcome in ("not_linked", "forbidden")
        for lookup in (BY_ID, BY_FA, BY_BOTH)
    },
    ("resolve", "found", "", BY_ID): ("succ", "succ.id.active", ""),
}


class TestTable(BaseCase):
    """The words of OpenG2P 1.x that differ; the rest come from the common table."""

    def test_every_line_of_its_own(self):
        for (operation, outcome, *words), expected in EXPECTED.items():
            with self.subTest(operation=operation, outcome=outcome, words=words):
                answer = find_answer(
                    Operation(operation), Outcome(outcome), *words, "openg2p-1.x"
                )
                found = (answer.status, answer.code, answer.text)
                self.assertEqual(found, expected)

    def test_refusals_with_a_reason_are_common_to_both_dialects(self):
        for operation, outcome, problem in (
            (Operation.RESOLVE, Outcome.FORBIDDEN, "no_details"),
            (Operation.RESOLVE, Outcome.FORBIDDEN, "several_ids"),
            (Operation.LINK, Outcome.FORBIDDEN, "foreign_provider"),
            (Operation.UPDATE, Outcome.CONFLICT, "older_than_current"),
            (Operation.UNLINK, Outcome.HELD, ""),
        ):
            common = find_answer(operation, outcome, problem)
            own = find_answer(operation, outcome, problem, table="openg2p-1.x")
            self.assertEqual(own, common)

    def test_foreign_provider_has_words_on_link_and_update(self):
        for operation in (Operation.LINK, Operation.UPDATE):
            answer = find_answer(operation, Outcome.FORBIDDEN, "foreign_provider")
            self.assertEqual(answer.code, "rjct.fa.invalid")

    def test_only_its_own_problems_are_rephrased(self):
        problem = codes.rejected("rjct.id.invalid", codes.MISSING, member="id")
        self.assertEqual(rephrase(problem, "openg2p-1.x").text, "ID is null")
        self.assertEqual(rephrase(problem, "g2p-connect"), problem)
        other = codes.rejected("rjct.name.invalid", codes.TOO_LONG, member="name")
        self.assertEqual(rephrase(other, "openg2p-1.x"), other)

    def test_no_table_of_another_name(self):
        with self.assertRaises(KeyError):
            find_answer(Operation.LINK, Outcome.LINKED, table="openg2p-9")


class TestEnvelopes(BaseCase):
    def build_header(self, profile, count=0):
        wire = {"message_id": "m", "message_ts": "t", "action": "link"}
        header = {**wire, "sender_id": "s", "total_count": count}
        return RequestHeader.from_wire({"header": header}, profile)

    def answer(self, profile, *statuses):
        items = [{"status": status} for status in statuses]
        answer = build_answer(self.build_header(profile), profile, "t", items)
        return answer["header"]

    def test_strict_header_reports_that_all_failed(self):
        header = self.answer(STRICT, "rjct", "rjct")
        self.assertEqual(header["status"], "rjct")
        self.assertEqual(header["status_reason_code"], "rjct.errors.too_many")
        self.assertEqual(header["completed_count"], 2)
        self.assertEqual(self.answer(STRICT, "succ", "pdng")["completed_count"], 1)

    def test_openg2p_header_is_a_success_and_counts_successes(self):
        header = self.answer(OPENG2P_1, "rjct", "succ", "pdng")
        self.assertEqual((header["status"], header["completed_count"]), ("succ", 1))
        self.assertEqual(self.answer(OPENG2P_1, "rjct")["status"], "succ")
        self.assertEqual(self.answer(OPENG2P_1)["total_count"], 0)

    def test_correlation_is_the_one_that_is_given(self):
        header = self.build_header(STRICT)
        answer = build_answer(header, STRICT, "t", [{"status": "succ"}], "given")
        self.assertEqual(answer["message"]["correlation_id"], "given")
        answer = build_answer(header, STRICT, "t", [{"status": "succ"}])
        self.assertTrue(answer["message"]["correlation_id"])

    def test_empty_list_is_a_message_to_openg2p_only(self):
        document = {"message": {"transaction_id": "t", "link_request": []}}
        header = self.build_header(OPENG2P_1)
        message = RequestMessage.from_wire(document, header, OPENG2P_1, 10)
        self.assertEqual(message.items, [])
        with self.assertRaises(MalformedMessage):
            RequestMessage.from_wire(document, self.build_header(STRICT), STRICT, 10)

    def test_items_are_answered_in_the_words_of_the_profile(self):
        wire = {"reference_id": "r", "timestamp": "2026-01-01T00:00:00Z", "fa": "x"}
        texts = {}
        for profile in (STRICT, OPENG2P_1, OPENG2P_2):
            items = read_items(
                Operation.LINK, [{**wire, "id": "a"}, {**wire, "id": ""}], profile
            )
            found = build_items(
                items,
                [Result(Outcome.ALREADY_LINKED)],
                "now",
                profile,
                lambda text, _locale: text,
            )
            texts[profile.code] = [item["status_reason_message"] for item in found]
        self.assertEqual(texts["openg2p-1.x"], [MAPPED, "ID is null"])
        self.assertEqual(texts["openg2p-2.x"], texts["openg2p-1.x"])
        self.assertNotEqual(texts["g2p-connect-1.0-strict"][0], MAPPED)

    def test_profiles_are_found_by_their_codes(self):
        known = [code for code, _label in selection()]
        self.assertEqual(
            known[:3], ["g2p-connect-1.0-strict", "openg2p-1.x", "openg2p-2.x"]
        )
        self.assertTrue(get_profile("openg2p-2.x").speaks_openg2p_2)
        self.assertFalse(STRICT.speaks_openg2p_2)
        self.assertTrue(STRICT.message_ids_are_unique)
        self.assertFalse(OPENG2P_1.message_ids_are_unique)
