import os
from unittest.mock import patch

from odoo.tests import tagged

from odoo.addons.spar_g2p_connect.models.participant.spar_participant import (
    DEMO_VARIABLE,
)

from .common import EVERY_RIGHT, RestCase, build_items, build_message

NOT_SUPPORTED = "rjct.resolve_type.not_supported"
OPERATIONS = ("link", "update", "unlink", "resolve")


@tagged("post_install", "-at_install")
class TestParticipantRights(RestCase):
    """Every right, and the answer without it."""

    def assertForbidden(self, participant, operation):
        message = build_message(operation, participant.sender_id, build_items("f"))
        response = self.call(participant, operation, message)
        self.assertHttpError(response, 403, "err.request.forbidden")

    def test_operation_without_its_right(self):
        for operation in OPERATIONS:
            with self.subTest(operation):
                rights = {**EVERY_RIGHT, f"may_{operation}": False}
                participant = self.make_participant(f"no-{operation}.example", **rights)
                self.assertForbidden(participant, operation)
                for other in set(OPERATIONS) - {operation}:
                    self.ask(participant, other, build_items("f", fa="account:1@BANK"))

    def test_right_is_read_on_each_call(self):
        participant = self.make_participant("changing.example", **EVERY_RIGHT)
        self.ask(participant, "resolve", build_items("x"))
        participant.may_resolve = False
        self.assertForbidden(participant, "resolve")
        participant.may_resolve = True
        self.ask(participant, "resolve", build_items("x"))

    def test_disabled_participant_is_refused_with_a_valid_token(self):
        participant = self.make_participant("leaving.example", **EVERY_RIGHT)
        self.ask(participant, "resolve", build_items("x"))
        participant.action_disable()
        message = build_message("resolve", "leaving.example", build_items("x"))
        response = self.call(participant, "resolve", message)
        self.assertHttpError(response, 401, "err.request.unauthorized")

    def test_sender_of_another_participant(self):
        for sender_id in ("full.example", "nobody.example", "BANK.EXAMPLE"):
            with self.subTest(sender_id):
                message = build_message("link", sender_id, build_items("s"))
                response = self.call(self.bank, "link", message)
                self.assertHttpError(
                    response, 403, "err.sender_id.invalid", "sender_id"
                )

    def test_yes_no_participant_gets_yes_or_no(self):
        self.link("y")
        answers = self.ask(self.bank, "resolve", build_items("y", "n"))
        self.assertCodes(answers, "succ.id.active", "succ.id.not_found")
        for answer in answers:
            self.assertNotIn("fa", answer)
            self.assertNotIn("account_provider_info", answer)

    def test_details_without_the_right(self):
        self.link("d")
        answers = self.ask(
            self.bank, "resolve", build_items("d", "unknown", scope="details")
        )
        self.assertCodes(answers, NOT_SUPPORTED, NOT_SUPPORTED)
        self.assertIn("scope", answers[0]["status_reason_message"])

    def test_address_alone_without_the_right(self):
        self.link("fa")
        items = build_items("fa", "unknown", fa="account:{}@BANK")
        for item in items:
            del item["id"]
        answers = self.ask(self.bank, "resolve", items)
        self.assertCodes(answers, NOT_SUPPORTED, NOT_SUPPORTED)

    def test_refused_items_do_not_affect_the_others(self):
        self.link("mix")
        items = build_items("mix", "no-one", "nobody")
        items[0]["scope"] = "details"
        answers = self.ask(self.bank, "resolve", items)
        self.assertCodes(
            answers, NOT_SUPPORTED, "succ.id.not_found", "succ.id.not_found"
        )

    def test_comparison_is_answered_the_same_for_every_outcome(self):
        self.link("cmp")
        items = [
            *build_items("cmp", fa="account:cmp@BANK"),
            *build_items("cmp", fa="account:other@BANK"),
            *build_items("unknown", fa="account:cmp@BANK"),
        ]
        for number, item in enumerate(items):
            item["reference_id"] = str(number)
        answers = self.ask(self.bank, "resolve", items)
        self.assertCodes(answers, NOT_SUPPORTED, NOT_SUPPORTED, NOT_SUPPORTED)
        self.assertEqual(len({a["status_reason_message"] for a in answers}), 1)

    def test_origin_of_an_address_may_compare(self):
        self.link("mine", participant=self.bank)
        items = [
            *build_items("mine", fa="account:mine@BANK"),
            *build_items("mine", fa="account:other@BANK"),
        ]
        items[1]["reference_id"] = "other"
        answers = self.ask(self.bank, "resolve", items)
        self.assertCodes(answers, "succ.id.active", "succ.fa.not_linked_to_id")

    def test_link_discloses_only_that_there_is_an_address(self):
        self.link("li")
        items = [
            *build_items("li", fa="account:li@BANK"),
            *build_items("li", fa="account:other@BANK"),
        ]
        items[1]["reference_id"] = "other"
        answers = self.ask(self.bank, "link", items)
        self.assertCodes(answers, "rjct.id.invalid", "rjct.id.invalid")
        texts = {answer["status_reason_message"] for answer in answers}
        self.assertEqual(texts, {"The ID is already linked."})

    def test_unlink_discloses_nothing_to_a_stranger(self):
        self.link("un")
        stranger = self.make_participant("unlinker.example", may_unlink=True)
        items = build_items("un", "stranger", fa="account:wrong@BANK")
        answers = self.ask(stranger, "unlink", items)
        self.assertCodes(answers, "rjct.id.invalid", "rjct.id.invalid")
        self.assertEqual(len({a["status_reason_message"] for a in answers}), 1)

    def test_own_limit_of_items(self):
        small = self.make_participant("small.example", max_items=2)
        self.ask(small, "resolve", build_items("1", "2"))
        header = self.send(small, "resolve", build_items("1", "2", "3"))["header"]
        self.assertEqual(
            header["status_reason_code"], "rjct.total_count.limit_exceeded"
        )

    def test_institution_does_not_overwrite_a_programme(self):
        programme = self.make_participant(
            "programme.example", authority="programme", **EVERY_RIGHT
        )
        self.link("held", participant=programme)
        items = build_items("held", fa="account:bank-says@BANK")
        document = self.send(self.bank, "update", items)
        (answer,) = document["message"]["update_response"]
        self.assertEqual(answer["status"], "pdng")
        self.assertEqual(document["header"]["completed_count"], 0)
        self.assertEqual(document["header"]["status"], "succ")
        (found,) = self.ask(self.full, "resolve", build_items("held", scope="details"))
        self.assertEqual(found["fa"], "account:held@BANK")

    def test_demo_participant_works_only_in_a_demo(self):
        demo = self.make_participant("demo.example", demo_only=True, **EVERY_RIGHT)
        self.ask(demo, "resolve", build_items("x"))
        self.startPatcher(patch.dict(os.environ))
        del os.environ[DEMO_VARIABLE]
        self.assertEqual(self.request_token(demo).status_code, 401)
        message = build_message("resolve", "demo.example", build_items("x"))
        response = self.call(demo, "resolve", message)
        self.assertHttpError(response, 401, "err.request.unauthorized")

    def test_history_names_the_participant(self):
        items = build_items("hist", fa="account:{}@BANK")
        self.ask(self.bank, "link", items, message_id="message-1")
        (period,) = self.env["spar.mapper.local"]._history(
            None, "token:hist@nationalId"
        )
        self.assertEqual(period.actor, "participant:bank.example")
        self.assertEqual(period.channel, "rest")
        self.assertEqual(period.events[0].message_reference, "message-1")
