from odoo.tests import BaseCase

from odoo.addons.spar_g2p_connect.lib.disclosure import (
    Rights,
    disclose,
    get_refusal,
    refuse_items,
)
from odoo.addons.spar_mapper_connector.exceptions import InvalidIdentifier
from odoo.addons.spar_mapper_connector.lib.contract import (
    Details,
    Operation,
    Outcome,
    ProviderInfo,
    ResolveRequest,
    Result,
)
from odoo.addons.spar_mapper_connector.lib.g2p_connect.items import Item

YES_NO = Rights()
DETAILS = Rights(sees_details=True, resolves_by_fa=True)


def make_found(**values):
    return Result(
        Outcome.FOUND,
        "token:1@id",
        "account:1@BANK",
        provider=ProviderInfo("Bank", "B"),
        details=Details(name="A B", additional_info=({"name": "a", "value": 1},)),
        **values,
    )


class TestDisclosure(BaseCase):
    def make_item(self, wants_details=False, **asked):
        asked = asked or {"id_value": "token:1@id"}
        return Item(Operation.RESOLVE, wants_details=wants_details, **asked)

    def test_yes_no_removes_all_details(self):
        for rights in (YES_NO, DETAILS):
            disclosed = disclose(rights, self.make_item(), make_found())
            self.assertEqual(disclosed, Result(Outcome.FOUND))

    def test_details_are_disclosed_only_if_permitted_and_requested(self):
        item = self.make_item(wants_details=True)
        self.assertEqual(get_refusal(DETAILS, item), "")
        disclosed = disclose(DETAILS, item, make_found())
        self.assertEqual(disclosed.fa, "account:1@BANK")
        self.assertEqual(disclosed.provider.code, "B")

    def test_details_are_refused_before_any_lookup(self):
        self.assertEqual(
            get_refusal(YES_NO, self.make_item(wants_details=True)), "no_details"
        )
        self.assertEqual(
            get_refusal(YES_NO, self.make_item(fa="account:1@b")), "not_by_fa"
        )

    def test_items_are_refused_by_rights_and_by_type_of_id(self):
        types = {"token:1@tax": 1, "token:1@health": 2}

        def find_type(id_value):
            if id_value not in types:
                raise InvalidIdentifier("type")
            return types[id_value]

        def refuse(id_type_ids, *id_values, **values):
            items = [
                Item(
                    Operation.RESOLVE,
                    id_value=id_value,
                    request=ResolveRequest(id_value),
                    **values,
                )
                for id_value in id_values
            ]
            refuse_items(YES_NO, id_type_ids, items, find_type)
            return [item.problem and item.problem.code for item in items]

        both = ("token:1@tax", "token:1@health")
        self.assertEqual(refuse(None, *both), [None, None])
        self.assertEqual(refuse(frozenset({1}), *both), [None, "rjct.id.invalid"])
        self.assertEqual(refuse(frozenset({1}), "unreadable"), [None])
        code = "rjct.resolve_type.not_supported"
        self.assertEqual(refuse(frozenset(), *both, wants_details=True), [code] * 2)

    def test_other_operations_are_not_refused_here(self):
        for operation in (Operation.LINK, Operation.UPDATE, Operation.UNLINK):
            item = Item(operation, fa="account:1@b", wants_details=True)
            self.assertEqual(get_refusal(YES_NO, item), "")

    def test_address_not_in_force_is_never_disclosed(self):
        item = self.make_item(wants_details=True)
        for outcome in (Outcome.SUSPENDED, Outcome.FA_MISMATCH, Outcome.LOCKED):
            result = make_found()
            result.outcome = outcome
            disclosed = disclose(DETAILS, item, result)
            self.assertEqual((disclosed.fa, disclosed.provider), (None, None))
            self.assertFalse(disclosed.details)

    def test_comparison_answers_a_stranger_the_same_for_every_outcome(self):
        item = self.make_item(id_value="token:1@id", fa="account:1@BANK")
        disclosed = [disclose(YES_NO, item, Result(outcome)) for outcome in Outcome]
        expected = Result(Outcome.FORBIDDEN, problem="not_comparable")
        self.assertEqual(disclosed, [expected] * len(disclosed))

    def test_origin_may_compare(self):
        item = self.make_item(id_value="token:1@id", fa="account:1@BANK")
        for outcome in (Outcome.FOUND, Outcome.FA_MISMATCH, Outcome.SUSPENDED):
            result = Result(outcome, is_origin=True)
            self.assertEqual(disclose(YES_NO, item, result).outcome, outcome)

    def test_several_ids_are_confirmed_without_details(self):
        result = make_found(problem="several_ids")
        item = self.make_item(fa="account:1@BANK")
        self.assertEqual(disclose(DETAILS, item, result), Result(Outcome.FOUND))
        item.wants_details = True
        disclosed = disclose(DETAILS, item, result)
        self.assertEqual(
            (disclosed.outcome, disclosed.problem), (Outcome.FORBIDDEN, "several_ids")
        )

    def test_closed_provider_is_disclosed_to_every_caller(self):
        for problem in ("provider_replaced", "branch_replaced"):
            result = make_found(problem=problem)
            disclosed = disclose(YES_NO, self.make_item(fa="account:1@BANK"), result)
            self.assertEqual(disclosed, Result(Outcome.FOUND, problem=problem))

    def test_link_and_unlink_compare_only_if_permitted(self):
        cases = [
            (YES_NO, False, "", Outcome.NOT_LINKED),
            (YES_NO, True, "other_fa", Outcome.FA_MISMATCH),
            (DETAILS, False, "other_fa", Outcome.FA_MISMATCH),
        ]
        for rights, is_origin, problem, outcome in cases:
            with self.subTest(rights=rights, is_origin=is_origin):
                linked = Result(
                    Outcome.ALREADY_LINKED, same_fa=False, is_origin=is_origin
                )
                disclosed = disclose(rights, Item(Operation.LINK), linked)
                self.assertEqual(disclosed.problem, problem)
                wrong = Result(Outcome.FA_MISMATCH, is_origin=is_origin)
                disclosed = disclose(rights, Item(Operation.UNLINK), wrong)
                self.assertEqual(disclosed.outcome, outcome)
