from odoo.exceptions import UserError

from .common import FA, OTHER_FA, OTHER_NUMBER, RegistryCase


class TestMerge(RegistryCase):
    """Contacts are merged: what belongs to people follows to the one that stays."""

    def merge(self, kept, *others):
        wizards = self.env["base.partner.merge.automatic.wizard"]
        people = kept.concat(*others)
        wizards._merge(people.ids, kept)
        self.env.invalidate_all()

    def get_tasks(self, person):
        return self.env["spar.registry.task"].search([("partner_id", "=", person.id)])

    def test_ids_and_accounts_follow_and_open(self):
        account = self.collect(self.ada, FA, queue=False)
        identity = self.ada.spar_identity_ids
        self.merge(self.grace, self.ada)
        self.assertFalse(self.ada.exists())
        self.assertEqual((account.partner_id, identity.partner_id), (self.grace,) * 2)
        self.assertEqual(account._read_sealed(), FA)
        self.assertTrue(identity.masked)

    def test_the_person_who_stays_is_paid_by_the_same_id(self):
        kept = self.grace.spar_identity_ids
        self.merge(self.grace, self.ada)
        (opened,) = self.grace._spar_identities()[self.grace.id]
        self.assertEqual(opened.row_id, kept.id)
        replaced = self.get_tasks(self.grace).filtered(
            lambda task: task.kind == "identity_replaced"
        )
        ids = self.env["spar.identity.move"]._get_ids(replaced)
        self.assertEqual(ids.new.row_id, kept.id)

    def test_the_person_who_stays_is_found_by_name(self):
        people = self.ada | self.grace
        people.write({"spar_birth_year": 1906})
        find = self.env["spar.person.name"]._find
        self.merge(self.grace, self.ada)
        found = find(self.grace.name, 1906, "", 10)
        self.assertEqual(found, self.grace.ids)

    def test_the_only_id_follows(self):
        nobody = self.create_person("Entered without an ID")
        identity = self.ada.spar_identity_ids
        self.merge(nobody, self.ada)
        (opened,) = nobody._spar_identities()[nobody.id]
        self.assertEqual(opened.row_id, identity.id)

    def test_archived_ids_follow_too(self):
        self.ada.spar_identity_ids.active = False
        self.merge(self.grace, self.ada)
        identities = self.env["spar.person.identity"].with_context(active_test=False)
        found = identities.search([("partner_id", "=", self.grace.id)])
        self.assertEqual(len(found._read_sealed_rows()), 2)

    def test_consents_entries_and_memberships_follow(self):
        self.programme.needs_consent = True
        consent = self.env["spar.consent"].create(
            {
                "partner_id": self.ada.id,
                "programme_id": self.programme.id,
                "given_how": "signed",
            }
        )
        member = self.env["spar.programme.member"].create(
            {"partner_id": self.ada.id, "programme_id": self.programme.id}
        )
        account = self.collect(self.ada, FA)
        self.merge(self.grace, self.ada)
        entry = account.entry_ids
        for row in (consent, member, account, entry):
            self.assertEqual(row.partner_id, self.grace, row._name)
        self.run_outbox()
        self.assertEqual(account.state, "confirmed")

    def test_members_of_the_same_programme_are_one_member(self):
        members = self.env["spar.programme.member"].create(
            [
                {"partner_id": self.ada.id, "programme_id": self.programme.id},
                {
                    "partner_id": self.grace.id,
                    "programme_id": self.programme.id,
                    "active": False,
                },
            ]
        )
        members[0].recipient_id = self.create_person("Recipient")
        self.merge(self.grace, self.ada)
        left = members.exists().with_context(active_test=False)
        self.assertEqual(left.partner_id, self.grace)
        self.assertEqual((left.active, left.recipient_id.name), (True, "Recipient"))

    def test_the_same_task_about_both_is_one_task(self):
        for person in (self.ada, self.grace):
            person._spar_propose("drift", self.programme)
        self.merge(self.grace, self.ada)
        tasks = self.get_tasks(self.grace).filtered(lambda task: task.kind == "drift")
        self.assertEqual(sorted(tasks.mapped("state")), ["done", "open"])

    def test_staff_are_asked_which_address_counts(self):
        self.collect(self.ada, FA, queue=False)
        self.merge(self.grace, self.ada)
        tasks = self.get_tasks(self.grace).filtered(lambda task: task.kind == "merged")
        self.assertEqual(tasks.user_id, self.manager)

    def test_contacts_without_ids_are_merged_as_ever(self):
        first, second = self.create_person("A"), self.create_person("B")
        self.merge(first, second)
        self.assertFalse(second.exists())
        self.assertFalse(self.get_tasks(first))

    def test_a_contact_without_an_id_is_no_question(self):
        nobody = self.create_person("Ada, entered twice")
        self.merge(self.ada, nobody)
        self.assertFalse(self.get_tasks(self.ada))

    def test_both_have_accounts_on_their_way(self):
        first, second = self.collect(self.ada, FA), self.collect(self.grace, OTHER_FA)
        with self.assertRaisesRegex(UserError, "outbox"):
            self.merge(self.grace, self.ada)
        self.run_outbox()
        self.merge(self.grace, self.ada)
        self.assertEqual((first + second).partner_id, self.grace)

    def test_a_move_that_waits_follows(self):
        self.collect(self.ada, FA)
        self.run_outbox()
        self.ada.spar_identity_ids.active = False
        task = self.get_tasks(self.ada)
        self.merge(self.grace, self.ada)
        self.assertEqual(task.partner_id, self.grace)
        ids = self.env["spar.identity.move"]._get_ids(task)
        self.assertIn(OTHER_NUMBER, ids.new.id_value)

    def test_a_row_that_was_moved_by_sql_does_not_open_after_it(self):
        identity = self.create_person("Mallory", "2007831891").spar_identity_ids
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE spar_person_identity SET partner_id = %s WHERE id = %s",
            (self.ada.id, identity.id),
        )
        self.env.invalidate_all()
        self.merge(self.grace, self.ada)
        self.assertFalse(identity._open_identities())
