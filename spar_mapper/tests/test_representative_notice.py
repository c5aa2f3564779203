"""The person hears of guardians and collectors, who follow a record that is merged."""

from contextlib import suppress
from unittest.mock import patch

from odoo.exceptions import UserError
from odoo.tests import tagged

from odoo.addons.spar_mapper_connector.exceptions import NoSuchNotice
from odoo.addons.spar_mapper_connector.lib.contract import (
    Authority,
    CallContext,
    Details,
    Remedy,
)

from .common import ID
from .test_provisional import ProvisionalCase
from .test_representative import NAME, NUMBER, PHONE, RepresentativeCase

CONTACT = "+9995550101"
LINK = CallContext("notice", "notice", Authority.OWNER, "link")


@tagged("post_install", "-at_install")
class TestRepresentativeNotice(RepresentativeCase):
    def setUp(self):
        super().setUp()
        self.update(ID, "account:777788889999@BR01.TESTBANK", details=Details("Ada"))
        details = Details("Ada", CONTACT)
        self.update(ID, "account:777788880000@BR01.TESTBANK", details=details)

    def get_notices(self):
        notices = self.env["spar.notice"].search([], order="id")
        return notices.filtered(lambda n: n.event_kind.startswith("representative"))

    def make_link(self):
        row = self.approve(self.propose())
        return row, self.get_notices()._make_link()

    def test_person_is_notified_of_what_takes_effect_and_of_its_end(self):
        self.answer(self.propose(), "supervisor")
        self.assertFalse(self.get_notices())
        row = self.approve(self.propose())
        self.answer(row, "officer")
        notices = self.get_notices()
        kinds = ["representative_approved", "representative_ended"]
        self.assertEqual(notices.mapped("event_kind"), kinds)
        self.assertEqual(set(notices.mapped("state")), {"queued"})
        contacts = notices._read_sealed_rows()
        self.assertEqual(set(contacts.values()), {CONTACT})
        for text in (NAME, NUMBER, PHONE):
            self.assertNotIn(text, str([notices.read(), contacts]))
        self.assertEqual(self.env["spar.audit"]._check_store(), [])

    def test_without_a_contact_it_goes_by_letter(self):
        self.unlink(ID)
        self.approve(self.propose())
        self.assertEqual(self.get_notices().state, "letter")

    def test_link_records_one_complaint_and_changes_nothing_else(self):
        row, token = self.make_link()
        info = self.mapper._read_notice(token)
        self.assertEqual((info.kind, info.answer), ("representative_approved", None))
        answer = self.mapper._object_to_notice(LINK, token)
        self.assertEqual((answer.remedy, answer.is_closed), (Remedy.NOTED, False))
        self.assertEqual(self.mapper._object_to_notice(LINK, token), answer)
        self.assertEqual(self.mapper._read_notice(token).answer, answer)
        complaint = self.person.complaint_ids
        self.assertEqual(complaint.reference, answer.reference)
        self.assertIn("Guardian or collector approved", complaint.disputed)
        self.assertEqual(complaint.owner_id, self.users["second"])
        self.assertEqual(row.standing, "active")
        self.assertEqual(self.person.change_lock, "none")
        self.assertEqual(self.env["spar.audit"]._check_store(), [])

    def test_nobody_who_entered_or_approved_it_closes_the_complaint(self):
        _row, token = self.make_link()
        self.mapper._object_to_notice(LINK, token)
        complaint = self.person.complaint_ids
        for name in ("officer", "supervisor", "viewer"):
            theirs = complaint.with_user(self.users[name])
            with self.subTest(name), self.assertRaises(UserError):
                theirs._close(True, "it was right", "We ended it.", "phone")
        second = complaint.with_user(self.users["second"])
        second._close(True, "it was wrong", "We ended it.", "phone")
        self.assertEqual(complaint.state, "upheld")
        self.assertTrue(self.mapper._read_notice(token).answer.is_closed)

    def test_link_ends_and_cannot_be_guessed(self):
        _row, token = self.make_link()
        self.let_pass(days=31)
        for text in (token, "", "x", "a" * 32):
            for ask in (
                self.mapper._read_notice,
                lambda text: self.mapper._object_to_notice(LINK, text),
            ):
                with self.subTest(text), self.assertRaises(NoSuchNotice):
                    ask(text)
        self.assertFalse(self.person.complaint_ids)

    def test_link_that_was_set_on_another_notice_is_refused(self):
        row, token = self.make_link()
        self.answer(row, "officer")
        first, other = self.get_notices()
        self.env.cr.execute(
            """SELECT link_digest, link_expires_at, link_mac FROM spar_notice
                WHERE id = %s""",
            (first.id,),
        )
        stolen = self.env.cr.fetchone()
        self.env.cr.execute(
            "UPDATE spar_notice SET link_digest = NULL WHERE id = %s", (first.id,)
        )
        self.env.cr.execute(
            """UPDATE spar_notice SET link_digest = %s, link_expires_at = %s,
                      link_mac = %s
                WHERE id = %s""",
            (*stolen, other.id),
        )
        # An alarm is raised in its own transaction, which a savepoint would undo.
        with self.catch_alarms() as alarms, suppress(NoSuchNotice):
            self.mapper._object_to_notice(LINK, token)
            self.fail("the link of another notice was accepted")
        self.assertTrue(alarms)
        self.assertFalse(self.person.complaint_ids)


@tagged("post_install", "-at_install")
class TestFollowingRepresentative(ProvisionalCase, RepresentativeCase):
    def setUp(self):
        super().setUp()
        self.target, self.guardians = self.person, self.env["spar.representative"]
        self.person = self.registered()

    def accept(self, row):
        return RepresentativeCase.approve(self, row)

    def join(self):
        self.decide(self.add_card(self.person, "Ada-1815"), "Ada-1815")
        self.assertEqual(self.person.merged_into, self.target)

    def test_guardians_of_both_records_stay_with_their_last_days(self):
        mine = self.accept(self.propose())
        waiting = self.propose()
        self.person, provisional = self.target, self.person
        other = self.accept(self.propose(until=self.today.replace(year=2028)))
        self.person = provisional
        last_days = (mine | waiting | other).mapped("until")
        self.join()
        rows = self.target.representative_ids
        self.assertEqual(set(rows), {waiting, mine, other})
        self.assertEqual((mine | waiting | other).mapped("until"), last_days)
        self.assertEqual((mine.standing, other.standing), ("active", "active"))
        self.assertEqual(waiting.standing, "waiting")
        said = self.target.representative_text
        self.assertIn("2 people count at the same time", said)
        taken = self.target.event_ids.filtered(
            lambda event: event.kind == "representative_taken_over"
        )
        self.assertEqual(len(taken), 2)
        self.assertRegex(taken[:1].reason, "^Guardian until .* of the same person$")
        self.assertFalse(self.person.representative_ids)
        self.assert_sound()
        self.accept(waiting)
        self.answer(mine, "officer")
        self.assertEqual((waiting.standing, mine.standing), ("active", "ended"))
        self.assert_sound()

    def test_who_waits_sees_what_the_merge_takes_along(self):
        self.accept(self.propose())
        joining = self.add_card(self.person, "Ada-1815")
        self.assertRegex(joining.effect, "Who may act or collect.*Guardian •+per")
        self.assertNotIn(NAME, joining.effect)

    def test_what_ended_stays_in_the_record_where_it_ended(self):
        row = self.accept(self.propose())
        self.answer(row, "officer")
        self.join()
        self.assertEqual((row.subject_id, row.standing), (self.person, "ended"))
        self.assertFalse(self.target.representative_ids)

    def test_job_finds_those_of_people_who_were_merged_before(self):
        row = self.accept(self.propose())
        with patch.object(type(self.guardians), "_follow_merged", lambda *_: None):
            self.join()
        self.assertEqual(row.subject_id, self.person)
        self.guardians._cron_remind()
        self.assertEqual((row.subject_id, row.standing), (self.target, "active"))
        self.guardians._cron_remind()
        self.assert_sound()

    def test_altered_one_is_left_behind_with_an_alarm(self):
        row = self.accept(self.propose())
        self.env.cr.execute(
            "UPDATE spar_representative SET until = until + 9 WHERE id = %s", (row.id,)
        )
        self.env.invalidate_all()
        with self.catch_alarms() as alarms:
            self.join()
            self.assertEqual(row.standing, "unreadable")
        self.assertTrue(alarms)
        self.assertEqual(row.subject_id, self.person)

    def test_one_set_back_to_another_record_by_sql_is_not_shown(self):
        row = self.accept(self.propose())
        self.join()
        other = self.subject_of("token:Grace-1906@nationalId") or self.person
        self.env.cr.execute(
            "UPDATE spar_representative SET subject_id = %s WHERE id = %s",
            (other.id, row.id),
        )
        self.env.invalidate_all()
        with self.catch_alarms():
            self.assertEqual(row.standing, "unreadable")
