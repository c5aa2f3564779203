import psycopg2
from lxml import etree

from odoo.exceptions import AccessError, UserError
from odoo.tests import TransactionCase, new_test_user, tagged
from odoo.tools import mute_logger

ADMINISTRATOR = "spar_fa_directory.group_administrator"
READERS = ("spar_fa_directory.group_supervisor", "spar_fa_directory.group_auditor")
OTHERS = (
    "spar_fa_directory.group_viewer",
    "spar_fa_directory.group_officer",
    "base.group_user",
    "base.group_portal",
    "base.group_system",
)


@tagged("post_install", "-at_install")
class TestParticipant(TransactionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.participant = cls.env["spar.participant"].create(
            {"name": "Payer", "sender_id": "payer.test"}
        )

    def make_user(self, group):
        groups = "base.group_user," + group
        if group in ("base.group_user", "base.group_portal"):
            groups = group
        return new_test_user(self.env, f"user-{group}", groups=groups)

    def as_member(self, group):
        return self.participant.with_user(self.make_user(group))

    def test_defaults_are_minimal(self):
        self.assertRecordValues(
            self.participant,
            [
                {
                    "state": "draft",
                    "scope": "yes_no",
                    "profile": "g2p-connect-1.0-strict",
                    "authority": "institution",
                    "may_link": False,
                    "may_update": False,
                    "may_unlink": False,
                    "may_resolve": True,
                    "may_resolve_by_fa": False,
                    "max_items": 1000,
                    "daily_item_limit": 10000,
                    "demo_only": False,
                }
            ],
        )
        self.assertRegex(self.participant.client_id, r"^spar-[0-9a-f]{16}$")

    def test_copy_has_its_own_identity(self):
        self.participant.action_activate()
        copy = self.participant.copy({"sender_id": "copy.test"})
        self.assertEqual(copy.state, "draft")
        self.assertNotEqual(copy.client_id, self.participant.client_id)

    def test_states(self):
        self.participant.action_activate()
        self.assertEqual(self.participant.state, "active")
        self.participant.action_activate()
        self.participant.action_disable()
        self.assertEqual(self.participant.state, "disabled")
        self.participant.action_activate()
        self.assertEqual(self.participant.state, "active")

    def test_unreachable_state_is_refused(self):
        self.participant.action_disable()
        with self.assertRaises(UserError):
            self.participant._set_state("active", {"draft"})
        self.assertEqual(self.participant.state, "disabled")

    def test_only_a_draft_can_be_deleted(self):
        self.participant.action_activate()
        with self.assertRaises(UserError):
            self.participant.unlink()
        draft = self.env["spar.participant"].create({"name": "D", "sender_id": "d"})
        self.assertTrue(draft.unlink())

    @mute_logger("odoo.sql_db")
    def test_refused_values(self):
        for values in (
            {"sender_id": "payer.test"},
            {"sender_id": "has space"},
            {"sender_id": "é.test"},
            {"sender_id": "x" * 256},
            {"sender_id": "n", "max_items": 0},
            {"sender_id": "n", "max_items": 10001},
            {"sender_id": "n", "daily_item_limit": -1},
        ):
            with self.subTest(values), self.assertRaises(psycopg2.IntegrityError):
                with self.env.cr.savepoint():
                    self.env["spar.participant"].create({"name": "N", **values})

    def test_administrator_has_full_access(self):
        participants = self.env["spar.participant"].with_user(
            self.make_user(ADMINISTRATOR)
        )
        participant = participants.create({"name": "New", "sender_id": "new.test"})
        participant.write({"may_link": True})
        participant.action_activate()
        participant.action_disable()
        self.assertEqual(participant.state, "disabled")

    def test_supervisor_and_auditor_only_read(self):
        for group in READERS:
            with self.subTest(group):
                participant = self.as_member(group)
                self.assertEqual(participant.name, "Payer")
                with self.assertRaises(AccessError):
                    participant.write({"may_link": True})
                with self.assertRaises(AccessError):
                    participant.action_activate()
                with self.assertRaises(AccessError):
                    participant.create({"name": "x", "sender_id": "x"})
                with self.assertRaises(AccessError):
                    participant.unlink()

    def test_other_users_see_no_participants(self):
        for group in OTHERS:
            with self.subTest(group):
                participant = self.as_member(group)
                with self.assertRaises(AccessError):
                    participant.read(["name"])
                with self.assertRaises(AccessError):
                    participant.search([])
                with self.assertRaises(AccessError):
                    participant.write({"name": "x"})

    def test_service_user_cannot_log_in_and_only_reads(self):
        user = self.env.ref("spar_g2p_connect.user_service")
        self.assertFalse(user._is_internal())
        self.assertEqual(user.group_ids, self.env.ref("spar_g2p_connect.group_server"))
        self.env.cr.execute("SELECT password FROM res_users WHERE id = %s", [user.id])
        self.assertFalse(self.env.cr.fetchone()[0])
        participant = self.participant.with_user(user)
        self.assertEqual(participant.sender_id, "payer.test")
        for refused in (
            lambda: participant.write({"may_link": True}),
            lambda: participant.create({"name": "x", "sender_id": "x"}),
            participant.unlink,
            participant.action_activate,
            participant._set_new_client_secret,
            lambda: participant.usage_ids.search([]),
            lambda: participant.env["spar.mapping"].search([]),
            lambda: participant.env["res.partner"].create({"name": "x"}),
        ):
            with self.assertRaises(AccessError):
                refused()

    def test_usage_cannot_be_edited(self):
        usage = self.env["spar.participant.usage"]
        values = {"participant_id": self.participant.id, "day": "2026-01-01"}
        for group in (ADMINISTRATOR, *READERS):
            with self.subTest(group), self.assertRaises(AccessError):
                usage.with_user(self.make_user(group)).create(values)


@tagged("post_install", "-at_install")
class TestForm(TransactionCase):
    def test_form_shows_no_value_that_saving_replaces(self):
        """A default that differs each time, and that a form does not send back."""
        models = [name for name in self.env if name.startswith("spar.")]
        for name in models:
            model = self.env[name]
            if model._abstract or not model.env["ir.ui.view"].search_count(
                [("model", "=", name), ("type", "=", "form")]
            ):
                continue
            fresh = self.get_fresh_defaults(model)
            tree = etree.fromstring(model.get_view(view_type="form")["arch"])
            for field in tree.xpath("//field[not(ancestor::field)]"):
                with self.subTest(model=name, field=field.get("name")):
                    is_hidden = field.get("invisible") in ("1", "True", "not id")
                    is_sent = field.get("force_save") or not self.is_readonly(
                        model, field
                    )
                    self.assertTrue(
                        field.get("name") not in fresh or is_hidden or is_sent
                    )

    def get_fresh_defaults(self, model) -> set[str]:
        """Return the fields whose default differs each time."""
        names = [name for name, field in model._fields.items() if field.type == "char"]
        first, second = model.default_get(names), model.default_get(names)
        return {name for name in first if first[name] != second.get(name)}

    def is_readonly(self, model, field) -> bool:
        return bool(model._fields[field.get("name")].readonly or field.get("readonly"))
