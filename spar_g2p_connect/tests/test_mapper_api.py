from datetime import datetime
from unittest.mock import patch

from odoo.tests import tagged
from odoo.tools.translate import code_translations

from odoo.addons.spar_mapper_connector.lib.contract import (
    Authority,
    CallContext,
    SuspendRequest,
)

from .common import RestCase, build_items, build_message


@tagged("post_install", "-at_install")
class TestMapperApi(RestCase):
    """The four operations, as a payer or a programme uses them."""

    def test_link_then_resolve_returns_the_address(self):
        self.link("a", "b")
        found, other, missing = self.ask(
            self.full, "resolve", build_items("a", "b", "c", scope="details")
        )
        self.assertEqual(found["fa"], "account:a@BANK")
        self.assertEqual(other["fa"], "account:b@BANK")
        self.assertNotIn("fa", missing)
        self.assertCodes(
            [found, other, missing],
            "succ.id.active",
            "succ.id.active",
            "succ.id.not_found",
        )

    def test_answers_keep_order_reference_and_id_as_written(self):
        self.link("one")
        items = build_items("zz", "one", "aa")
        items[1]["id"] = "TOKEN:one@NATIONALID"
        answers = self.ask(self.full, "resolve", items)
        for item, answer in zip(items, answers, strict=True):
            self.assertEqual(answer["reference_id"], item["reference_id"])
            self.assertEqual(answer["id"], item["id"])
        self.assertCodes(
            answers, "succ.id.not_found", "succ.id.active", "succ.id.not_found"
        )

    def test_header_of_an_answer(self):
        document = self.send(self.full, "link", build_items("h", fa="account:{}@BANK"))
        header = document["header"]
        self.assertEqual(header["version"], "1.0.0")
        self.assertEqual(header["action"], "on-link")
        self.assertEqual(header["status"], "succ")
        self.assertEqual((header["total_count"], header["completed_count"]), (1, 1))
        self.assertEqual(header["sender_id"], "spar.example")
        self.assertEqual(header["receiver_id"], "full.example")
        self.assertNotEqual(header["message_id"], "message-1")
        self.assertTrue(datetime.fromisoformat(header["message_ts"]).tzinfo)
        message = document["message"]
        self.assertEqual(message["transaction_id"], "transaction-1")
        self.assertTrue(message["correlation_id"])

    def test_update_replaces_and_unlink_ends(self):
        self.link("u")
        (updated,) = self.ask(
            self.full, "update", build_items("u", fa="account:9@BANK")
        )
        self.assertEqual(updated["status"], "succ")
        self.assertEqual(updated["fa"], "account:9@BANK")
        (found,) = self.ask(self.full, "resolve", build_items("u", scope="details"))
        self.assertEqual(found["fa"], "account:9@BANK")
        (ended,) = self.ask(self.full, "unlink", build_items("u", fa="account:9@BANK"))
        self.assertEqual(ended["status"], "succ")
        answers = self.ask(self.full, "resolve", build_items("u"))
        self.assertCodes(answers, "succ.id.not_found")

    def test_resolve_by_address_returns_the_id(self):
        self.link("fa1")
        items = build_items("x", "y", scope="details")
        items[0].update(fa="account:fa1@BANK")
        items[1].update(fa="account:nobody@BANK")
        for item in items:
            del item["id"]
        found, missing = self.ask(self.full, "resolve", items)
        self.assertCodes([found, missing], "succ.fa.active", "succ.fa.not_found")
        self.assertEqual(found["id"], "token:fa1@nationalid")
        self.assertNotIn("id", missing)

    def test_address_of_several_ids_is_never_guessed(self):
        items = build_items("s1", "s2", fa="account:shared@BANK")
        self.ask(self.full, "link", items)
        asked = build_items("d", "y", fa="account:shared@BANK")
        for item in asked:
            del item["id"]
        asked[0]["scope"] = "details"
        details, yes = self.ask(self.full, "resolve", asked)
        self.assertCodes(
            [details, yes], "rjct.resolve_type.not_supported", "succ.fa.active"
        )
        self.assertNotIn("id", details)
        self.assertNotIn("id", yes)

    def test_details_contain_the_linked_attributes(self):
        info = [{"name": "batch", "value": 7}]
        items = build_items("i", fa="account:{}@BANK", additional_info=info, name="A B")
        self.ask(self.full, "link", items)
        (found,) = self.ask(self.full, "resolve", build_items("i", scope="details"))
        self.assertEqual(found["additional_info"], info)
        (short,) = self.ask(self.full, "resolve", build_items("i"))
        self.assertNotIn("additional_info", short)
        self.assertNotIn("fa", short)

    def test_suspended_address_is_not_returned(self):
        self.link("sus", "stop")
        self.env["spar.mapper.local"]._suspend_fa(*self.prepare_suspension("sus"))
        (answer,) = self.ask(
            self.full,
            "resolve",
            build_items("sus", scope="details", fa="account:sus@BANK"),
        )
        self.assertCodes([answer], "succ.fa.inactive")
        self.assertNotIn("fa", answer)

    def prepare_suspension(self, key):
        call = CallContext("system", "rest", Authority.PROGRAMME, reason="test")
        return call, [SuspendRequest(f"token:{key}@nationalId")]

    def test_link_of_a_linked_id(self):
        self.link("dup")
        same = build_items("dup", fa="account:dup@BANK")
        other = build_items("dup", fa="account:other@BANK")
        (answer,) = self.ask(self.full, "link", same)
        self.assertCodes([answer], "rjct.id.invalid")
        self.assertIn("already linked to this address", answer["status_reason_message"])
        (answer,) = self.ask(self.full, "link", other)
        self.assertCodes([answer], "rjct.id.invalid")
        self.assertIn("another address", answer["status_reason_message"])
        (found,) = self.ask(self.full, "resolve", build_items("dup", scope="details"))
        self.assertEqual(found["fa"], "account:dup@BANK")

    def test_update_and_unlink_of_an_unknown_id(self):
        items = build_items("nobody", fa="account:1@BANK")
        (update,) = self.ask(self.full, "update", items)
        (unlink,) = self.ask(self.full, "unlink", items)
        self.assertCodes([update, unlink], "rjct.id.invalid", "rjct.id.invalid")
        self.assertEqual(update["fa"], "account:1@BANK")

    def test_unlink_with_the_wrong_address_changes_nothing(self):
        self.link("w")
        answers = self.ask(self.full, "unlink", build_items("w", fa="account:1@BANK"))
        self.assertCodes(answers, "rjct.fa.invalid")
        self.assertCodes(
            self.ask(self.full, "resolve", build_items("w")), "succ.id.active"
        )

    def test_older_claim_does_not_replace_a_newer_one(self):
        self.link("old")
        items = build_items("old", fa="account:9@BANK")
        items[0]["timestamp"] = "2020-01-01T00:00:00Z"
        (answer,) = self.ask(self.full, "update", items)
        self.assertCodes([answer], "rjct.timestamp.invalid")

    def test_same_id_twice_in_a_batch_is_linked_once(self):
        items = build_items("twice", "twice", "once", fa="account:{}@BANK")
        items[1]["reference_id"] = "another"
        answers = self.ask(self.full, "link", items)
        self.assertCodes(answers, None, "rjct.id.invalid", None)

    def test_reference_id_twice_rejects_the_second(self):
        items = build_items("r1", "r2", fa="account:{}@BANK")
        items[1]["reference_id"] = items[0]["reference_id"]
        answers = self.ask(self.full, "link", items)
        self.assertCodes(answers, None, "rjct.reference_id.duplicate")

    def test_whole_answer_is_rejected_only_where_every_item_is(self):
        self.link("all")
        items = build_items("all", fa="account:{}@BANK")
        header = self.send(self.full, "link", items)["header"]
        self.assertEqual(header["status"], "rjct")
        self.assertEqual(header["status_reason_code"], "rjct.errors.too_many")
        items += build_items("new", fa="account:{}@BANK")
        header = self.send(self.full, "link", items)["header"]
        self.assertEqual(header["status"], "succ")
        self.assertNotIn("status_reason_code", header)

    def test_thousand_items_are_accepted_and_one_more_is_refused(self):
        items = build_items(*range(1000), fa="account:{}@BANK")
        answers = self.ask(self.full, "link", items)
        self.assertEqual({answer["status"] for answer in answers}, {"succ"})
        document = self.send(self.full, "link", items + build_items("1000"))
        self.assertEqual(
            document["header"]["status_reason_code"], "rjct.total_count.limit_exceeded"
        )
        self.assertNotIn("message", document)

    def test_texts_are_in_the_language_of_the_item(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        texts = {"%(member)s: is missing.": "%(member)s : manque."}
        items = build_items("a", "b", "c")
        for item, locale in zip(items, ("fra", "eng", "deu"), strict=True):
            item["locale"] = locale
        with patch.object(
            type(code_translations), "get_python_translations", return_value=texts
        ):
            answers = self.ask(self.full, "link", items)
        self.assertEqual(
            [answer["status_reason_message"] for answer in answers],
            ["fa : manque.", "fa: is missing.", "fa: is missing."],
        )
        self.assertEqual([a["locale"] for a in answers], ["fra", "eng", "deu"])

    def test_repeated_resolve_is_answered_again(self):
        self.link("again")
        message = build_message("resolve", "full.example", build_items("again"))
        first = self.call(self.full, "resolve", message).json()
        self.ask(self.full, "unlink", build_items("again"))
        second = self.call(self.full, "resolve", message).json()
        self.assertCodes(first["message"]["resolve_response"], "succ.id.active")
        self.assertCodes(second["message"]["resolve_response"], "succ.id.not_found")
