from datetime import datetime, timedelta

from odoo.addons.spar_mapper_connector.lib.contract import (
    Details,
    ResumeRequest,
    SuspendRequest,
    UnlinkRequest,
)

from .common import FA, ID, OTHER_FA, OTHER_ID, THIRD_FA, StoreCase

REQUESTS = {
    "suspend": SuspendRequest,
    "resume": ResumeRequest,
    "unlink": UnlinkRequest,
}


class TestHistory(StoreCase):
    def test_history_lists_periods_newest_first(self):
        self.link(ID, FA)
        self.update(ID, OTHER_FA, self.staff)
        self.suspend(ID)
        self.unlink(ID, call=self.staff)
        self.link(ID, THIRD_FA)
        periods = self.mapper._history(self.call, ID)
        self.assertEqual([p.fa for p in periods], [THIRD_FA, OTHER_FA, FA])
        self.assertEqual([p.state for p in periods], ["active", "ended", "ended"])
        self.assertEqual(periods[2].valid_to, periods[1].valid_from)
        self.assertIsNone(periods[0].valid_to)

    def test_period_lists_its_events_in_order(self):
        self.link(ID, FA)
        self.suspend(ID, self.staff)
        self.resume(ID, self.owner)
        (period,) = self.mapper._history(self.call, ID)
        self.assertEqual(
            [(event.seq, event.kind, event.channel) for event in period.events],
            [
                (1, "linked", "rest"),
                (2, "suspended", "staff"),
                (3, "resumed", "portal"),
            ],
        )
        self.assertEqual(period.events[1].actor, self.staff.actor)

    def test_where_the_money_went_on_a_day(self):
        start = datetime(2026, 3, 1)
        for days, fa in ((0, FA), (31, OTHER_FA)):
            moment = start + timedelta(days=days)
            self.patch(type(self.mapper), "_get_now", lambda _s, moment=moment: moment)
            self.link(ID, fa) if not days else self.update(ID, fa)
        for day, expected in (
            (datetime(2026, 2, 28), None),
            (datetime(2026, 3, 15), FA),
            (datetime(2026, 4, 1), OTHER_FA),
        ):
            period = self.mapper._address_at(self.call, ID, day)
            with self.subTest(day=day):
                self.assertEqual(period and period.fa, expected)

    def test_unknown_id_has_no_history(self):
        for id_value in (OTHER_ID, "", "a\x00", "x" * 300):
            with self.subTest(repr(id_value)):
                self.assertEqual(self.mapper._history(self.call, id_value), [])


class TestNotices(StoreCase):
    def get_notices(self, id_value):
        events = self.mappings_of(id_value).event_ids
        return self.env["spar.notice"].search([("event_id", "in", events.ids)])

    def unseal(self, notice):
        context = notice._get_seal_contexts(self.keyring, notice.ids)[notice.id]
        self.env.cr.execute("SELECT sealed FROM spar_notice WHERE id = %s", notice.ids)
        sealed = self.env.cr.fetchone()[0]
        return sealed and self.keyring.unseal(context[0], bytes(sealed), context[1])

    def test_first_link_is_notified_by_letter(self):
        self.link(ID, FA, details=Details(phone_number="+15551815"))
        notice = self.get_notices(ID)
        self.assertEqual(notice.state, "letter")
        self.assertIsNone(self.unseal(notice))

    def test_change_is_notified_to_the_previous_contact(self):
        self.link(ID, FA, details=Details(phone_number="+1555old"))
        first = self.get_notices(ID)
        for channel, fa in (("call", OTHER_FA), ("staff", THIRD_FA)):
            new = Details(phone_number=f"+1555{channel}")
            self.update(ID, fa, getattr(self, channel), details=new)
        contacts = [self.unseal(n) for n in (self.get_notices(ID) - first).sorted("id")]
        self.assertEqual(contacts, ["+1555old", "+1555call"])

    def test_every_operation_is_notified(self):
        self.link(ID, FA, details=Details(phone_number="+15551815"))
        self.suspend(ID)
        self.resume(ID)
        self.unlink(ID)
        states = self.get_notices(ID).sorted("id").mapped("state")
        self.assertEqual(states, ["letter", "queued", "queued", "queued"])

    def test_refused_request_is_not_notified(self):
        self.link(ID, FA)
        self.link(ID, OTHER_FA)
        self.unlink(ID, OTHER_FA)
        self.assertEqual(len(self.get_notices(ID)), 1)
