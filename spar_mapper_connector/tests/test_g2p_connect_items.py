from datetime import datetime, timezone

from odoo.tests import BaseCase

from odoo.addons.spar_mapper_connector.lib.contract import (
    NO_DETAILS,
    Details,
    LinkRequest,
    Operation,
    Outcome,
    ProviderInfo,
    ResolveRequest,
    Result,
    UnlinkRequest,
    UpdateRequest,
)
from odoo.addons.spar_mapper_connector.lib.g2p_connect import codes
from odoo.addons.spar_mapper_connector.lib.g2p_connect.answers import build_items
from odoo.addons.spar_mapper_connector.lib.g2p_connect.items import (
    MAX_ATTRIBUTES,
    Item,
    read_items,
)
from odoo.addons.spar_mapper_connector.lib.g2p_connect.profiles import (
    OPENG2P_1,
    STRICT,
    get_profile,
    selection,
)

NOW = "2026-03-01T11:00:00.000+00:00"
MOMENT = datetime(2026, 3, 1, 10, tzinfo=timezone.utc)
ITEM = {
    "reference_id": "r-1",
    "timestamp": "2026-03-01T10:00:00Z",
    "id": "token:1@id",
    "fa": "account:1@bank",
}
CHANGES = (Operation.LINK, Operation.UPDATE, Operation.UNLINK)


def read(operation, profile=STRICT, **members):
    """Return one item; a member whose value is ``...`` is left out."""
    wire = {n: v for n, v in {**ITEM, **members}.items() if v is not ...}
    (item,) = read_items(operation, [wire], profile)
    return item


def answer(item, result, profile=STRICT, translate=lambda text, locale: text):
    results = [result] if result else []
    (wire,) = build_items([item], results, NOW, profile, translate)
    return wire


class TestReadItems(BaseCase):
    def assertRejected(self, code, operation, profile=STRICT, **members):
        item = read(operation, profile, **members)
        self.assertIsNone(item.request)
        self.assertEqual((item.problem.status, item.problem.code), ("rjct", code))
        (member,) = members
        wire = answer(item, None, profile)
        self.assertIn(member, wire["status_reason_message"])

    def test_requests(self):
        details = Details("A B", "+1 604 555", ({"name": "n", "value": 1},))
        given = {
            "name": "A B",
            "phone_number": "+1 604 555",
            "additional_info": [{"name": "n", "value": 1}],
        }
        fa = "account:1@bank"
        for operation, members, request in (
            (
                Operation.LINK,
                given,
                LinkRequest("token:1@id", fa, details, asserted_at=MOMENT),
            ),
            (
                Operation.UPDATE,
                given,
                UpdateRequest("token:1@id", fa, details, asserted_at=MOMENT),
            ),
            (
                Operation.UNLINK,
                {},
                UnlinkRequest("token:1@id", fa, asserted_at=MOMENT),
            ),
            (
                Operation.UNLINK,
                {"fa": ...},
                UnlinkRequest("token:1@id", asserted_at=MOMENT),
            ),
            (Operation.RESOLVE, {}, ResolveRequest("token:1@id", fa)),
            (Operation.RESOLVE, {"fa": ...}, ResolveRequest("token:1@id")),
            (Operation.RESOLVE, {"id": ...}, ResolveRequest(fa=fa)),
        ):
            with self.subTest(operation, members=members):
                self.assertEqual(read(operation, **members).request, request)

    def test_empty_details_are_none(self):
        for members in ({}, {"name": "", "phone_number": ""}, {"additional_info": []}):
            with self.subTest(members):
                self.assertIs(
                    read(Operation.LINK, **members).request.details, NO_DETAILS
                )

    def test_members_that_every_change_needs(self):
        for operation in CHANGES:
            for value in (..., None, "", 7, [], "x\x00", "x\x9f", "y" * 256):
                with self.subTest(operation, value=str(value)[:9]):
                    self.assertRejected("rjct.id.invalid", operation, id=value)
                    self.assertRejected(
                        "rjct.reference_id.invalid", operation, reference_id=value
                    )
            for value in (..., None, "", 7, "2026-03-01", "z" * 100_000):
                with self.subTest(operation, timestamp=str(value)[:9]):
                    self.assertRejected(
                        "rjct.timestamp.invalid", operation, timestamp=value
                    )

    def test_address_of_a_change(self):
        for operation in (Operation.LINK, Operation.UPDATE):
            for value in (..., None, "", {}, "a\nb", "f" * 1001):
                with self.subTest(operation, value=str(value)[:9]):
                    self.assertRejected("rjct.fa.invalid", operation, fa=value)
            self.assertTrue(read(operation, fa="f" * 1000).request)
        for value in (None, "", 0, False, "a\x7f"):
            with self.subTest(value):
                self.assertRejected("rjct.fa.invalid", Operation.UNLINK, fa=value)

    def test_name_has_the_code_of_its_operation(self):
        self.assertRejected("rjct.name.invalid", Operation.LINK, name=[])
        self.assertRejected("rjct.beneficiary_name.invalid", Operation.UPDATE, name=[])
        self.assertIsNone(read(Operation.UNLINK, name=[]).problem)
        self.assertIsNone(read(Operation.RESOLVE, name=[]).problem)

    def test_additional_info(self):
        for value in (
            None,
            {},
            "x",
            [None],
            [{"name": "n"}],
            [{"name": 1, "value": 1}],
            [{"name": "n", "value": None}],
            [{"name": "n", "value": []}],
            [{"name": "n", "value": "x" * MAX_ATTRIBUTES}],
        ):
            with self.subTest(str(value)[:20]):
                self.assertRejected(
                    "rjct.other.error", Operation.LINK, additional_info=value
                )
        for value in ("x", 1, 1.5, True, {"a": 1}):
            info = [{"name": "n", "value": value}]
            item = read(Operation.LINK, additional_info=info)
            self.assertEqual(item.request.details.additional_info, tuple(info))

    def test_attributes_of_any_shape_for_openg2p(self):
        for given, kept in (
            ({"strategy_id": 3}, ({"strategy_id": 3},)),
            ([{"strategy_id": 3}, "x"], ({"strategy_id": 3}, "x")),
            ("x", ("x",)),
            (None, ()),
        ):
            with self.subTest(given):
                item = read(Operation.LINK, OPENG2P_1, additional_info=given)
                self.assertEqual(item.request.details.additional_info, kept)
        self.assertRejected(
            "rjct.other.error",
            Operation.LINK,
            OPENG2P_1,
            additional_info="x" * MAX_ATTRIBUTES,
        )

    def test_scope(self):
        self.assertFalse(read(Operation.RESOLVE).wants_details)
        self.assertFalse(read(Operation.RESOLVE, scope="yes_no").wants_details)
        self.assertTrue(read(Operation.RESOLVE, scope="details").wants_details)
        self.assertFalse(read(Operation.RESOLVE, OPENG2P_1, scope=None).wants_details)
        for value in (None, "", "all", 1, {}):
            with self.subTest(value):
                self.assertRejected(
                    "rjct.resolve_type.not_supported", Operation.RESOLVE, scope=value
                )

    def test_resolve_asks_by_something(self):
        item = read(Operation.RESOLVE, id=..., fa=...)
        self.assertEqual(item.problem.code, "rjct.id.invalid")
        item = read(Operation.RESOLVE, OPENG2P_1, id="", fa=None)
        self.assertEqual(item.problem.code, "rjct.id.invalid")

    def test_openg2p_resolves_by_the_id_if_there_is_one(self):
        for scope, echoed in (("yes_no", ITEM["fa"]), ("details", None)):
            with self.subTest(scope):
                item = read(Operation.RESOLVE, OPENG2P_1, scope=scope)
                self.assertEqual(item.request, ResolveRequest(ITEM["id"]))
                self.assertEqual(item.fa, echoed)
        item = read(Operation.RESOLVE, OPENG2P_1, id=...)
        self.assertEqual(item.request, ResolveRequest(None, ITEM["fa"]))

    def test_a_resolve_that_is_refused_asks_nothing(self):
        for profile in (STRICT, OPENG2P_1):
            for members in ({"id": 1}, {"fa": 1}, {"id": "x" * 256}, {"fa": "\x00"}):
                with self.subTest(profile=profile.label, members=members):
                    item = read(Operation.RESOLVE, profile, **members)
                    self.assertIsNone(item.request)
                    self.assertEqual(item.problem.status, "rjct")

    def test_times_that_only_openg2p_may_write(self):
        for text in ("2024-08-08 12:34:56.789", "yesterday", ""):
            with self.subTest(text):
                item = read(Operation.UPDATE, OPENG2P_1, timestamp=text)
                self.assertIsNone(item.request.asserted_at)
        item = read(Operation.UPDATE, OPENG2P_1)
        self.assertEqual(item.request.asserted_at, MOMENT)
        self.assertRejected(
            "rjct.timestamp.invalid", Operation.UPDATE, OPENG2P_1, timestamp=...
        )

    def test_reference_ids(self):
        for profile, codes_expected in (
            (STRICT, [None, "rjct.reference_id.duplicate", None]),
            (OPENG2P_1, [None, None, None]),
        ):
            with self.subTest(profile.code):
                items = read_items(
                    Operation.RESOLVE,
                    [ITEM, {**ITEM, "id": "other"}, {**ITEM, "reference_id": "r-2"}],
                    profile,
                )
                found = [item.problem and item.problem.code for item in items]
                self.assertEqual(found, codes_expected)

    def test_unreadable_reference_ids_are_no_duplicates(self):
        items = read_items(Operation.RESOLVE, [{}, {}, None], STRICT)
        self.assertEqual(
            {item.problem.code for item in items}, {"rjct.reference_id.invalid"}
        )

    def test_first_problem_stays_and_everything_readable_is_kept(self):
        item = read(Operation.LINK, reference_id=1, fa=2, timestamp="x")
        self.assertEqual(item.problem.code, "rjct.reference_id.invalid")
        self.assertEqual((item.id_value, item.fa), ("token:1@id", None))

    def test_writing_systems_of_the_world(self):
        name = "María José\u00a0Ñandú مريم 李雷"
        item = read(Operation.LINK, name=name)
        self.assertEqual(item.request.details.name, name)


class TestBuildItems(BaseCase):
    def test_order_and_matching_of_results(self):
        wires = [ITEM, {**ITEM, "reference_id": "bad", "id": 1}]
        wires.append({**ITEM, "reference_id": "r-3", "id": "token:3@id"})
        items = read_items(Operation.RESOLVE, wires, STRICT)
        results = [Result(Outcome.FOUND), Result(Outcome.NOT_LINKED)]
        answers = build_items(items, results, NOW, STRICT, lambda text, locale: text)
        self.assertEqual(
            [a["status_reason_code"] for a in answers],
            ["succ.id.active", "rjct.id.invalid", "succ.id.not_found"],
        )
        self.assertEqual([a["reference_id"] for a in answers], ["r-1", "bad", "r-3"])

    def test_update_always_has_an_address(self):
        wire = answer(read(Operation.UPDATE), Result(Outcome.UPDATED))
        self.assertEqual(wire["fa"], ITEM["fa"])
        wire = answer(read(Operation.UPDATE), Result(Outcome.NOT_LINKED))
        self.assertEqual(wire["fa"], ITEM["fa"])
        wire = answer(read(Operation.UPDATE, fa=7), None)
        self.assertEqual(wire["fa"], "")

    def test_details_of_a_resolve(self):
        result = Result(
            Outcome.FOUND,
            "token:1@id",
            "account:1@bank",
            provider=ProviderInfo("Bank", "B", "001"),
            details=Details("A", "1", ({"name": "n", "value": 1}, {"strategy_id": 3})),
        )
        wire = answer(read(Operation.RESOLVE, fa=..., scope="details"), result)
        self.assertEqual(wire["fa"], "account:1@bank")
        self.assertEqual(
            wire["account_provider_info"],
            {"name": "Bank", "code": "B", "subcode": "001"},
        )
        self.assertEqual(wire["additional_info"], [{"name": "n", "value": 1}])
        self.assertNotIn("name", wire)
        item = read(Operation.RESOLVE, OPENG2P_1, fa=..., scope="details")
        self.assertEqual(len(answer(item, result, OPENG2P_1)["additional_info"]), 2)

    def test_resolve_that_is_not_a_hit_gives_nothing_of_the_store(self):
        for outcome in (Outcome.SUSPENDED, Outcome.NOT_LINKED, Outcome.LOCKED):
            with self.subTest(outcome):
                result = Result(outcome, "other id", "other fa")
                wire = answer(read(Operation.RESOLVE, fa=...), result)
                self.assertNotIn("fa", wire)
                self.assertEqual(wire["id"], ITEM["id"])

    def test_suspended_address_is_not_even_echoed(self):
        wire = answer(read(Operation.RESOLVE), Result(Outcome.SUSPENDED))
        self.assertNotIn("fa", wire)

    def test_held_change_is_pending(self):
        wire = answer(read(Operation.UPDATE), Result(Outcome.HELD))
        self.assertEqual(wire["status"], "pdng")
        self.assertNotIn("status_reason_code", wire)
        self.assertTrue(wire["status_reason_message"])

    def test_the_part_that_does_not_pass_its_check_is_named(self):
        values = {"part": "account_number", "check": "iban"}
        result = Result(Outcome.INVALID_FA, problem="part", problem_values=values)
        wire = answer(read(Operation.LINK), result)
        self.assertEqual(wire["status_reason_code"], "rjct.fa.invalid")
        self.assertEqual(
            wire["status_reason_message"],
            "fa: the part account_number does not pass its check (iban).",
        )

    def test_one_answer_of_an_outcome_leaves_the_next_as_it_is(self):
        """Answers of the table are shared: values are filled in on a copy."""
        for part in ("account_number", "phone_number"):
            values = {"part": part, "check": "regex"}
            result = Result(Outcome.INVALID_FA, problem="part", problem_values=values)
            wire = answer(read(Operation.UPDATE), result)
            self.assertIn(part, wire["status_reason_message"])

    def test_texts_are_translated_for_the_locale(self):
        def translate(text, locale):
            return f"[{locale}] {text}"

        item = read(Operation.LINK, id=..., locale="fra")
        wire = answer(item, None, translate=translate)
        self.assertEqual(wire["status_reason_message"], "[fra] id: is missing.")
        self.assertEqual(wire["locale"], "fra")
        for locale in (None, "", "Fr", "french", "12", ["fr"]):
            self.assertEqual(read(Operation.LINK, locale=locale).locale, "eng")
        self.assertEqual(read(Operation.LINK, locale="en").locale, "en")

    def test_nothing_is_null(self):
        for operation in (*CHANGES, Operation.RESOLVE):
            wire = answer(read(operation, id=None), None)
            self.assertNotIn(None, wire.values())


class TestMissingResults(BaseCase):
    def test_an_item_that_asks_needs_a_result(self):
        item = Item(Operation.LINK, "1", "id", "fa")
        with self.assertRaises(ValueError):
            build_items([item], [], NOW, STRICT, lambda text, locale: text)


class TestCodes(BaseCase):
    def test_every_outcome_of_an_operation_has_its_line(self):
        common = {
            Outcome.INVALID_ID,
            Outcome.INVALID_FA,
            Outcome.LOCKED,
            Outcome.FORBIDDEN,
            Outcome.RETRY,
        }
        own = {
            Operation.LINK: {Outcome.LINKED, Outcome.ALREADY_LINKED, Outcome.HELD},
            Operation.UPDATE: {Outcome.UPDATED, Outcome.NOT_LINKED, Outcome.HELD},
            Operation.UNLINK: {
                Outcome.UNLINKED,
                Outcome.NOT_LINKED,
                Outcome.FA_MISMATCH,
                Outcome.CONFLICT,
            },
            Operation.RESOLVE: {
                Outcome.FOUND,
                Outcome.NOT_LINKED,
                Outcome.FA_MISMATCH,
                Outcome.SUSPENDED,
            },
        }
        for operation, outcomes in own.items():
            for outcome in outcomes | common:
                for lookup in (codes.BY_ID, codes.BY_FA, codes.BY_BOTH):
                    with self.subTest(operation, outcome=outcome, lookup=lookup):
                        answer = codes.find_answer(
                            operation, outcome, "unheard", lookup
                        )
                        self.assertIn(answer.status, ("succ", "rjct", "pdng"))

    def test_outcomes_that_an_operation_cannot_have(self):
        for operation, outcome in (
            (Operation.LINK, Outcome.FOUND),
            (Operation.RESOLVE, Outcome.LINKED),
            (Operation.UPDATE, Outcome.RESUMED),
        ):
            with self.subTest(operation), self.assertRaises(KeyError):
                codes.find_answer(operation, outcome)

    def test_resolve_codes(self):
        for outcome, problem, lookup, code in (
            (Outcome.FOUND, "", codes.BY_ID, "succ.id.active"),
            (Outcome.FOUND, "", codes.BY_BOTH, "succ.id.active"),
            (Outcome.FOUND, "", codes.BY_FA, "succ.fa.active"),
            (Outcome.FA_MISMATCH, "", codes.BY_BOTH, "succ.fa.not_linked_to_id"),
            (Outcome.NOT_LINKED, "", codes.BY_ID, "succ.id.not_found"),
            (Outcome.NOT_LINKED, "", codes.BY_BOTH, "succ.id.not_found"),
            (Outcome.NOT_LINKED, "", codes.BY_FA, "succ.fa.not_found"),
            (Outcome.SUSPENDED, "", codes.BY_ID, "succ.fa.inactive"),
            (Outcome.SUSPENDED, "payments_stopped", codes.BY_ID, "succ.id.inactive"),
            (Outcome.FORBIDDEN, "", codes.BY_ID, "succ.id.not_found"),
            (Outcome.LOCKED, "integrity", codes.BY_ID, "rjct.id.invalid"),
        ):
            with self.subTest(outcome, problem=problem, lookup=lookup):
                answer = codes.find_answer(Operation.RESOLVE, outcome, problem, lookup)
                self.assertEqual(answer.code, code)

    def test_codes_are_words_of_the_protocol(self):
        for answer in codes._ANSWERS.values():
            self.assertTrue(answer.code.startswith(answer.status) or not answer.code)
            self.assertLessEqual(len(answer.text), 999)

    def test_only_the_strict_profile_wants_addresses_of_the_directory(self):
        self.assertTrue(STRICT.checks_addresses)
        self.assertFalse(OPENG2P_1.checks_addresses)

    def test_every_problem_of_an_address_has_a_text_of_its_own(self):
        words = "unread provider_unknown provider_archived provider_kind branch_unknown"
        texts = [
            codes.find_answer(Operation.LINK, Outcome.INVALID_FA, word).text
            for word in (*words.split(), "branch_archived", "part", "")
        ]
        self.assertEqual(len(set(texts)), len(texts))

    def test_profiles_are_found_by_code(self):
        self.assertIs(get_profile("openg2p-1.x"), OPENG2P_1)
        self.assertIn(("g2p-connect-1.0-strict", STRICT.label), selection())
        with self.assertRaises(KeyError):
            get_profile("")
