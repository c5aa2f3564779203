from datetime import datetime, timedelta, timezone

from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged

from odoo.addons.spar_g2p_connect.models.message.spar_message import RETENTION_PARAMETER
from odoo.addons.spar_mapper_connector.lib.g2p_connect.timestamps import (
    format_timestamp,
)

from .common import RestCase, build_items, build_message


def ago(**words):
    return format_timestamp(datetime.now(timezone.utc) - timedelta(**words))


class MessageCase(RestCase):
    def build(self, operation, *keys, participant=None, fa="account:{}@BANK", **header):
        """Return a message for ``keys``, to be sent unchanged as often as wanted."""
        sender = (participant or self.full).sender_id
        return build_message(operation, sender, build_items(*keys, fa=fa), **header)

    def post(self, operation, message, participant=None):
        """Return the document that answers ``message``."""
        response = self.call(participant or self.full, operation, message)
        self.assertEqual(response.status_code, 200, response.text)
        return response.json()

    def get_messages(self, **values):
        self.env.invalidate_all()
        domain = [(name, "=", value) for name, value in values.items()]
        return self.env["spar.message"].search(domain)

    def assertRejected(self, document, code, text=""):
        header = document["header"]
        self.assertEqual(header["status"], "rjct", header)
        self.assertEqual(header["status_reason_code"], code)
        self.assertIn(text, header["status_reason_message"])

    def resolve_fa(self, key):
        (item,) = self.ask(self.full, "resolve", build_items(key, scope="details"))
        return item.get("fa")


@tagged("post_install", "-at_install")
class TestMessages(MessageCase):
    """A repeated message is recognised."""

    def test_repeat_returns_the_stored_answer_without_effect(self):
        message = self.build("link", "rep1", "rep2")
        first = self.post("link", message)
        self.ask(self.full, "unlink", build_items("rep1"))
        again = self.post("link", message)
        self.assertEqual(again, first)
        self.assertIsNone(self.resolve_fa("rep1"))
        stored = self.get_messages(message_id=message["header"]["message_id"])
        self.assertRecordValues(
            stored,
            [{"state": "done", "action": "link", "mode": "sync", "item_count": 2}],
        )

    def test_reformatted_later_repeat_is_the_same_message(self):
        message = self.build("update", "late", message_ts=ago(seconds=200))
        first = self.post("update", message)
        message["header"] = dict(reversed(message["header"].items()))
        message["header"]["message_ts"] = ago(days=30)
        message["signature"] = "another"
        self.assertEqual(self.post("update", message), first)

    def test_different_body_under_a_used_id_is_refused(self):
        message = self.build("link", "dup")
        self.post("link", message)
        message["message"]["link_request"][0]["fa"] = "account:other@BANK"
        code = "rjct.message_id.duplicate"
        self.assertRejected(self.post("link", message), code, "header.message_id")
        self.assertEqual(self.resolve_fa("dup"), "account:dup@BANK")

    def test_used_id_for_another_operation_is_refused(self):
        message = self.build("link", "cross")
        self.post("link", message)
        update = self.build("update", "cross")
        update["header"]["message_id"] = message["header"]["message_id"]
        rejected = self.post("update", update)
        self.assertRejected(rejected, "rjct.message_id.duplicate")

    def test_participants_do_not_share_message_ids(self):
        message = self.build("link", "mine")
        self.post("link", message)
        other = self.build("link", "theirs", participant=self.bank)
        other["header"]["message_id"] = message["header"]["message_id"]
        answer = self.post("link", other, self.bank)
        self.assertEqual(answer["header"]["status"], "succ")

    def test_withdrawn_right_refuses_repeats(self):
        maker = self.make_participant("maker.example", may_link=True)
        message = self.build("link", "right", participant=maker)
        self.post("link", message, maker)
        maker.may_link = False
        response = self.call(maker, "link", message)
        self.assertHttpError(response, 403, "err.request.forbidden")

    def test_only_new_messages_must_be_fresh(self):
        for moment, text in ((ago(seconds=400), "old"), (ago(minutes=-10), "future")):
            message = self.build("link", "fresh", message_ts=moment)
            rejected = self.post("link", message)
            self.assertRejected(rejected, "rjct.message_ts.invalid", text)
            message["header"]["message_ts"] = ago()
            known = self.post("link", message)
            self.assertIn("message", known)

    def test_stale_resolve_is_refused(self):
        message = self.build("resolve", "x", message_ts=ago(hours=1))
        self.assertRejected(self.post("resolve", message), "rjct.message_ts.invalid")

    def test_resolve_is_executed_again_and_not_stored(self):
        self.link("anew")
        message = self.build("resolve", "anew")
        self.post("resolve", message)
        self.ask(self.full, "unlink", build_items("anew"))
        item = self.post("resolve", message)["message"]["resolve_response"][0]
        self.assertEqual(item["status_reason_code"], "succ.id.not_found")
        name = message["header"]["message_id"]
        self.assertFalse(self.get_messages(message_id=name))

    def test_message_for_another_receiver_is_refused(self):
        message = self.build("link", "else", receiver_id="other.example")
        response = self.call(self.full, "link", message)
        self.assertHttpError(response, 403, "err.receiver_id.invalid", "receiver_id")
        self.assertIsNone(self.resolve_fa("else"))
        del message["header"]["receiver_id"]
        self.assertEqual(self.post("link", message)["header"]["status"], "succ")


@tagged("post_install", "-at_install")
class TestRefusals(MessageCase):
    """A refused message is stored without its body, with the reason."""

    def test_reason_is_stored_without_values(self):
        message = self.build("link", "secret9", total_count=7)
        self.post("link", message)
        (refused,) = self.get_messages(state="refused")
        self.assertEqual(refused.reason_code, "rjct.total_count.invalid")
        self.assertIn("header.total_count", refused.reason)
        self.assertEqual(refused.message_id, message["header"]["message_id"])
        self.assertEqual(refused.participant_id, self.full)
        self.env.cr.execute("SELECT string_agg(m::text, '') FROM spar_message m")
        self.assertNotIn("secret9", self.env.cr.fetchone()[0])

    def test_refused_id_may_be_used_again(self):
        message = self.build("link", "corrected", total_count=2)
        self.post("link", message)
        message["header"]["total_count"] = 1
        self.assertEqual(self.post("link", message)["header"]["status"], "succ")

    def test_refusals_are_counted_and_limited(self):
        few = self.make_participant(
            "few-calls.example", calls_per_minute=3, may_link=True
        )
        message = self.build("link", "few", participant=few, total_count=2)
        for _number in range(3):
            self.assertRejected(
                self.post("link", message, few), "rjct.total_count.invalid"
            )
        response = self.call(few, "link", message)
        self.assertHttpError(response, 429, "err.request.too_many_requests")
        self.assertEqual(len(self.get_messages(participant_id=few.id)), 3)
        self.assertEqual(few.usage_ids.refused, 3)


@tagged("post_install", "-at_install")
class TestKeeping(MessageCase):
    def test_no_body_is_stored_in_clear(self):
        items = build_items("dark7", fa="account:55281@BANK", name="Ada Dark7")
        self.ask(self.full, "link", items)
        self.env.cr.execute("SELECT string_agg(m::text, '') FROM spar_message m")
        dump = self.env.cr.fetchone()[0]
        for value in ("dark7", "55281", "Ada", "ref-", "transaction-1"):
            self.assertNotIn(value, dump)
            self.assertNotIn(value.encode().hex(), dump)

    def test_answer_moved_to_another_row_is_not_returned(self):
        one, two = self.build("link", "seal1"), self.build("link", "seal2")
        self.post("link", one)
        self.post("link", two)
        names = [m["header"]["message_id"] for m in (one, two)]
        self.env.cr.execute(
            """UPDATE spar_message SET sealed_answer =
                  (SELECT sealed_answer FROM spar_message WHERE message_id = %s)
                WHERE message_id = %s""",
            names,
        )
        with self.assertLogs("odoo.addons.spar_g2p_connect.dispatcher", "ERROR"):
            response = self.call(self.full, "link", two)
        self.assertEqual(response.status_code, 500)
        self.assertNotIn("seal1", response.text)

    def test_new_key_reseals_stored_bodies(self):
        message = self.build("link", "reseal")
        first = self.post("link", message)
        keyring = self.env["spar.keyring"]
        keyring._start_rotation()
        list(keyring._reseal_steps())
        self.assertEqual(keyring._finish_rotation(), 0)
        self.assertEqual(self.post("link", message), first)

    def test_old_messages_are_deleted_but_never_waiting_ones(self):
        self.post("link", self.build("link", "old"))
        kept = self.get_messages(state="done")
        past = datetime.now() - timedelta(days=91)
        self.env.cr.execute("UPDATE spar_message SET received_at = %s", (past,))
        self.env.cr.execute("UPDATE spar_message SET state = 'waiting'")
        self.env["spar.message"]._gc_messages()
        self.assertTrue(kept.exists())
        self.env.cr.execute("UPDATE spar_message SET state = 'done'")
        self.env["spar.message"]._gc_messages()
        self.assertFalse(kept.exists())

    def test_id_is_stored_longer_than_any_message_is_fresh(self):
        parameters = self.env["ir.config_parameter"]
        for text, days in (("0", 2), ("1", 2), ("x", 90), ("30", 30)):
            parameters.set_param(RETENTION_PARAMETER, text)
            self.assertEqual(self.env["spar.message"]._get_retention(), days)

    def test_staff_read_but_never_write(self):
        self.post("link", self.build("link", "staff"))
        message = self.get_messages(state="done")
        for role in ("administrator", "supervisor", "auditor"):
            group = f"base.group_user,spar_fa_directory.group_{role}"
            user = new_test_user(self.env, f"{role}.messages", groups=group)
            seen = message.with_user(user)
            self.assertEqual(seen.state, "done")
            for act in (lambda m: m.write({"state": "refused"}), lambda m: m.unlink()):
                with self.assertRaises(AccessError):
                    act(seen)

    def test_other_users_see_no_messages(self):
        self.post("link", self.build("link", "others"))
        for role in ("viewer", "officer"):
            group = f"base.group_user,spar_fa_directory.group_{role}"
            user = new_test_user(self.env, f"{role}.messages", groups=group)
            with self.assertRaises(AccessError):
                self.env["spar.message"].with_user(user).search([])
