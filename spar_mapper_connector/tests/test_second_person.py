import json

import psycopg2

from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user
from odoo.tools import mute_logger

from ..models.spar_second_person import APPROVED, to_kept
from .common import KeyringCase


class SecondPersonCase(KeyringCase):
    """Two administrators, and an ID type whose backend only both can change."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.first = cls.create_user("administrator", "first")
        cls.second = cls.create_user("administrator", "second")
        cls.backend = cls.env["spar.mapper.backend"].create(
            {"name": "Elsewhere", "implementation": cls.get_implementation()}
        )
        cls.id_type = cls.env.ref("spar_mapper_connector.id_type_national_id")
        cls.id_type.backend_id = False

    @classmethod
    def get_implementation(cls):
        return cls.env["spar.mapper.backend"]._selection_implementation()[0][0]

    def propose(self, record=None, user=None, **values):
        """Write ``values`` as a person; return the pending change."""
        record = self.id_type if record is None else record
        record.with_user(user or self.first).write(
            values or {"backend_id": self.backend.id}
        )
        self.env.invalidate_all()
        return record.setting_change_ids[:1]


class TestTwoPeople(SecondPersonCase):
    def test_a_change_waits_and_a_second_administrator_makes_it(self):
        change = self.propose()
        self.assertFalse(self.id_type.backend_id)
        self.assertEqual((change.state, change.proposer_id), ("waiting", self.first))
        change.with_user(self.second).action_approve()
        self.assertEqual(self.id_type.backend_id, self.backend)
        self.assertEqual((change.state, change.decider_id), ("applied", self.second))
        self.assertFalse(self.id_type.setting_change_ids)

    def test_sql_that_names_another_proposer_is_refused(self):
        """One administrator with SQL would approve in two names what one proposed."""
        change = self.propose()
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE spar_setting_change SET proposer_id = %s WHERE id = %s",
            [self.second.id, change.id],
        )
        self.env.invalidate_all()
        with self.assertRaisesRegex(UserError, "altered outside Odoo"):
            change.with_user(self.first).action_approve()
        self.assertFalse(self.id_type.backend_id)
        change.with_user(self.first).action_refuse()
        self.assertNotEqual(change.state, "waiting")

    def test_a_change_of_an_earlier_version_gets_its_proposer_sealed(self):
        change = self.propose()
        kept = json.loads(change._read_sealed())
        del kept["proposer"]
        change._write_sealed(json.dumps(kept))
        with self.assertRaisesRegex(UserError, "altered outside Odoo"):
            change.with_user(self.second).action_approve()
        change._state_proposers()
        change.with_user(self.second).action_approve()
        self.assertEqual(self.id_type.backend_id, self.backend)

    def test_the_proposer_cannot_approve_it(self):
        change = self.propose()
        with self.assertRaises(UserError):
            change.with_user(self.first).action_approve()
        self.assertFalse(self.id_type.backend_id)
        self.assertEqual(change.state, "waiting")

    @mute_logger("odoo.sql_db")
    def test_not_even_past_the_code(self):
        change = self.propose()
        with self.assertRaises(psycopg2.IntegrityError), self.env.cr.savepoint():
            change.write({"state": "applied", "decider_id": self.first.id})
            self.env.flush_all()

    def test_only_an_administrator_decides(self):
        change = self.propose()
        for role in ("viewer", "officer", "supervisor", "auditor"):
            user = self.create_user(role)
            for action in ("action_approve", "action_refuse"):
                with self.subTest(role=role), self.assertRaises(AccessError):
                    getattr(change.with_user(user), action)()
        system = new_test_user(
            self.env, "system", groups="base.group_user,base.group_system"
        )
        with self.assertRaises(AccessError):
            change.with_user(system).action_approve()
        self.assertFalse(self.id_type.backend_id)

    def test_changes_cannot_be_written_by_hand(self):
        change = self.propose()
        for user in (self.first, self.second):
            theirs = change.with_user(user)
            for name, arguments in (
                ("write", [{"state": "applied"}]),
                ("create", [{"res_model": "x"}]),
                ("unlink", []),
            ):
                with self.assertRaises(AccessError):
                    getattr(theirs, name)(*arguments)

    def test_a_refused_change_changes_nothing(self):
        change = self.propose()
        change.with_user(self.second).action_refuse()
        self.assertEqual((change.state, change.decider_id), ("refused", self.second))
        self.assertFalse(self.id_type.backend_id)
        with self.assertRaises(UserError):
            change.with_user(self.second).action_approve()

    def test_the_proposer_may_withdraw_it(self):
        change = self.propose()
        change.with_user(self.first).action_refuse()
        self.assertEqual(change.state, "withdrawn")

    def test_a_change_of_a_record_changed_meanwhile_is_overtaken(self):
        change = self.propose()
        self.id_type.backend_id = self.backend.copy({"is_default": False})
        action = change.with_user(self.second).action_approve()
        self.assertEqual(action["params"]["type"], "warning")
        self.assertEqual(change.state, "stale")
        self.assertNotEqual(self.id_type.backend_id, self.backend)

    def test_the_record_shows_that_its_newest_change_was_overtaken(self):
        mine = self.id_type.with_user(self.first)
        self.assertFalse(mine.is_overtaken)
        change = self.propose()
        self.assertFalse(mine.is_overtaken)
        change.sudo()._overtake()
        self.env.invalidate_all()
        self.assertTrue(mine.is_overtaken)
        self.propose()
        self.assertFalse(mine.is_overtaken)

    def test_a_change_of_a_deleted_record_is_overtaken(self):
        spare = self.id_type.copy({"code": "spare"})
        change = self.propose(spare)
        spare.unlink()
        change.with_user(self.second).action_approve()
        self.assertEqual(change.state, "stale")
        self.assertIn("deleted", change.subject)

    def test_a_pending_change_prevents_another_proposal(self):
        change = self.propose()
        other = self.backend.copy({"is_default": False})
        with self.assertRaises(UserError):
            self.id_type.with_user(self.second).backend_id = other
        change.with_user(self.second).action_approve()
        self.assertEqual(self.id_type.backend_id, self.backend)


class TestWhatWaits(SecondPersonCase):
    def test_other_fields_are_written_at_once(self):
        self.propose(name="New name", backend_id=self.backend.id)
        self.assertEqual(self.id_type.name, "New name")
        self.assertFalse(self.id_type.backend_id)
        self.assertEqual(len(self.id_type.setting_change_ids), 1)

    def test_an_unchanged_value_is_no_change(self):
        self.assertFalse(self.propose(backend_id=False))
        self.id_type.backend_id = self.backend
        self.assertFalse(self.propose(backend_id=self.backend.id))

    def test_values_that_take_effect_at_creation_wait(self):
        types = self.env["spar.id.type"].with_user(self.first)
        values = {"name": "T", "code": "t", "backend_id": self.backend.id}
        made = types.create(values)
        self.assertFalse(made.backend_id)
        made.setting_change_ids.with_user(self.second).action_approve()
        self.assertEqual(made.backend_id, self.backend)

    @mute_logger("odoo.sql_db")
    def test_a_value_that_cannot_be_written_is_refused_to_the_proposer(self):
        with self.assertRaises(psycopg2.IntegrityError), self.env.cr.savepoint():
            self.propose(backend_id=123456789)
        self.assertFalse(self.id_type.setting_change_ids)

    def test_a_user_who_cannot_write_cannot_propose(self):
        for role in ("viewer", "supervisor", "auditor"):
            with self.subTest(role), self.assertRaises(AccessError):
                self.propose(user=self.create_user(role))

    def test_no_context_that_comes_from_outside_is_an_approval(self):
        for value in (True, 1, "APPROVED", repr(APPROVED), {}):
            self.id_type.with_user(self.first).with_context(
                spar_second_person=value
            ).write({"backend_id": self.backend.id})
            self.env.invalidate_all()
            self.assertFalse(self.id_type.backend_id)
            self.id_type.setting_change_ids.with_user(self.first).action_refuse()

    def test_an_approval_is_of_one_record(self):
        other = self.id_type.copy({"code": "c", "backend_id": False})
        approved = self.id_type.with_user(self.first).with_context(
            spar_second_person=self.id_type._get_mark()
        )
        approved.browse(other.id).write({"backend_id": self.backend.id})
        self.env.invalidate_all()
        self.assertFalse(other.backend_id)
        self.assertTrue(other.setting_change_ids)
        approved.write({"backend_id": self.backend.id})
        self.assertTrue(self.id_type.backend_id)

    def test_the_stored_change_is_sealed_and_its_summary_readable(self):
        change = self.propose()
        self.assertEqual(change.summary.split("\n")[0], "Backend: – → Elsewhere")
        self.assertIn(self.id_type.name, change.subject)
        self.env.cr.execute(
            "SELECT sealed_values FROM spar_setting_change WHERE id = %s", [change.id]
        )
        self.assertNotIn(b"backend_id", bytes(self.env.cr.fetchone()[0]))

    def test_a_moved_change_does_not_open(self):
        change = self.propose()
        other = self.propose(self.id_type.copy({"code": "b", "backend_id": False}))
        self.env.cr.execute(
            """UPDATE spar_setting_change SET sealed_values = (
                   SELECT sealed_values FROM spar_setting_change WHERE id = %s)
                WHERE id = %s""",
            (change.id, other.id),
        )
        with self.assertRaisesRegex(UserError, "altered outside Odoo"):
            other.with_user(self.second).action_approve()
        self.env.invalidate_all()
        self.assertIn("cannot be opened", other.summary)

    def test_values_as_they_are_kept(self):
        self.assertEqual(to_kept([(6, 0, (1, 2))]), [[6, 0, [1, 2]]])
        self.assertEqual(
            to_kept({"a": self.backend}), {"a": [[6, 0, self.backend.ids]]}
        )
        with self.assertRaises(TypeError):
            to_kept(object())


class TestRightsOfTheField(SecondPersonCase):
    def test_others_read_the_record_without_its_changes(self):
        self.propose()
        for role in ("viewer", "supervisor"):
            record = self.id_type.with_user(self.create_user(role))
            self.assertTrue(record.read(["name"]))
            with self.assertRaises(AccessError):
                record.read(["setting_change_ids"])
        auditor = self.id_type.with_user(self.create_user("auditor"))
        self.assertTrue(auditor.setting_change_ids)
