"""The one-time link of a notice."""

from odoo.tests import new_test_user

from odoo.addons.spar_mapper_connector.exceptions import (
    NoSuchEvent,
    NoSuchNotice,
    NotPermitted,
)
from odoo.addons.spar_mapper_connector.lib.contract import ObjectionRequest, Remedy

from .common import FA, ID, OTHER_FA
from .test_spar_objection import ObjectionCase


class TestSparNoticeLink(ObjectionCase):
    def setUp(self):
        super().setUp()
        self.link(ID, FA)
        self.update(ID, OTHER_FA)

    def get_notice(self, kind):
        event = self.find_event(ID, kind)
        return self.env["spar.notice"].search([("event_id", "=", event.id)])

    def make_link(self, kind="updated"):
        return self.get_notice(kind)._make_link()

    def test_link_shows_the_event_and_changes_nothing(self):
        token = self.make_link()
        events = self.events_of(ID)
        for _again in range(2):
            info = self.mapper._read_notice(token)
            self.assertEqual((info.kind, info.answer), ("updated", None))
        self.assertEqual(self.events_of(ID), events)

    def test_the_link_freezes_once_and_undoes_nothing(self):
        token = self.make_link()
        answer = self.mapper._object_to_notice(self.link_holder, token)
        self.assertEqual(answer.remedy, Remedy.FROZEN)
        events = self.events_of(ID)
        again = self.mapper._object_to_notice(self.link_holder, token)
        self.assertEqual((again, self.events_of(ID)), (answer, events))
        self.assertEqual(self.mapper._read_notice(token).answer, answer)
        self.assertEqual(self.get_fa(ID), OTHER_FA)

    def test_the_token_is_not_in_the_database(self):
        token = self.make_link()
        self.assertEqual(self.find_clear(token), [])

    def test_a_link_ends(self):
        token = self.make_link()
        self.let_pass(days=31)
        for call in (
            lambda: self.mapper._read_notice(token),
            lambda: self.mapper._object_to_notice(self.link_holder, token),
        ):
            with self.assertRaises(NoSuchNotice):
                call()
        self.assertEqual(self.get_fa(ID), OTHER_FA)

    def test_a_guessed_link_is_none(self):
        self.make_link()
        for token in ("", "x", "a" * 32, "%", "\u0000"):
            with self.subTest(token=token), self.assertRaises(NoSuchNotice):
                self.mapper._read_notice(token)

    def test_a_new_link_ends_the_older_one(self):
        old = self.make_link()
        new = self.make_link()
        with self.assertRaises(NoSuchNotice):
            self.mapper._read_notice(old)
        self.assertEqual(self.mapper._read_notice(new).kind, "updated")

    def test_indisputable_event_has_no_link(self):
        self.object_to(ID, "updated")
        self.assertEqual(self.make_link("objected"), "")

    def test_a_view_has_no_link_because_nothing_can_be_undone(self):
        self.mapper._log_reveal(self.staff, self.mapping_of(ID).id)
        self.assertEqual(self.make_link("revealed"), "")
        period = self.mapper._history(self.person, ID)[0]
        events = {event.kind: event for event in period.events}
        self.assertFalse(events["revealed"].is_disputable)
        self.assertTrue(events["updated"].is_disputable)
        request = ObjectionRequest(ID, period.uuid, events["revealed"].seq)
        with self.assertRaises(NoSuchEvent):
            self.mapper._object_to(self.person, request)

    def test_a_tokenised_id_is_found_again(self):
        id_type = self.env["spar.id.type"].search([("strategy", "!=", False)], limit=1)
        id_type.tokeniser = "openg2p-sha3-256"
        id_value = id_type._write_id("4711")
        self.link(id_value, FA)
        event = self.mappings_of(id_value).event_ids
        notice = self.env["spar.notice"].search([("event_id", "=", event.id)])
        token = notice._make_link()
        answer = self.mapper._object_to_notice(self.link_holder, token)
        self.assertEqual(answer.remedy, Remedy.FROZEN)

    def test_only_a_channel_reads_notices(self):
        token = self.make_link()
        for groups in ("base.group_portal", "spar_fa_directory.group_officer"):
            user = new_test_user(self.env, f"user.{groups}", groups=groups)
            with self.subTest(groups), self.assertRaises(NotPermitted):
                self.mapper.with_user(user)._read_notice(token)
