import os
from unittest.mock import patch

from odoo.modules.module import load_script
from odoo.tests import TransactionCase, tagged
from odoo.tools import file_path, mute_logger

from odoo.addons.spar_mapper.tests.common import ALARM_LOGGER
from odoo.addons.spar_mapper_connector.exceptions import KeyringUnavailable
from odoo.addons.spar_mapper_connector.lib.keyring import bind
from odoo.addons.spar_mapper_connector.tests.test_settings_seal import SEAL_LOGGER

from ..lib.packing import pack
from ..models.participant.spar_participant_rights import EXTENSION_RIGHTS
from .common import MESSAGE_WORKER_LOGGER, RestCase, seal_settings
from .test_asynchronous import AsynchronousCase

SEALING = load_script(
    file_path("spar_g2p_connect/migrations/19.0.1.5.0/post-migration.py"),
    "spar_g2p_connect_post_migration_1_5",
)
RENAMING = load_script(
    file_path("spar_g2p_connect/migrations/19.0.1.4.0/post-migration.py"),
    "spar_g2p_connect_post_migration_1_4",
)
EXTENSION = load_script(
    file_path("spar_g2p_connect/migrations/19.0.1.7.0/post-extension-rights.py"),
    "spar_g2p_connect_post_extension_rights",
)


class TestRenamedSchedules(TransactionCase):
    """The names of the queues' scheduled actions, which the data file keeps."""

    def _get_cron(self, xml_id):
        return self.env.ref(f"spar_g2p_connect.{xml_id}")

    def _migrate(self):
        self.env.flush_all()
        RENAMING.migrate(self.env.cr, "19.0.1.3.0")
        self.env.invalidate_all()

    def test_previous_names_are_replaced(self):
        for xml_id, (previous, _name) in RENAMING.NAMES.items():
            self._get_cron(xml_id).sudo().name = previous
        self._migrate()
        for xml_id, (_previous, name) in RENAMING.NAMES.items():
            self.assertEqual(self._get_cron(xml_id).name, name)
            self.assertEqual(self._get_cron(xml_id).cron_name, name)

    def test_chosen_name_is_kept(self):
        cron = self._get_cron("ir_cron_messages_1")
        cron.sudo().name = "Messages of payers"
        self._migrate()
        self.assertEqual(cron.name, "Messages of payers")
        self.assertEqual(cron.cron_name, "Messages of payers")


@tagged("post_install", "-at_install")
class TestSealedAnew(AsynchronousCase):
    """Messages and callbacks as they were before their seals bound their columns."""

    def setUp(self):
        super().setUp()
        self.done = self.prepare("done")
        self.request = self.build("link", "request")
        self.run_worker()
        self.callback = self.done.callback_ids
        self.answer = self.env["spar.callback"]._get_document(self.callback.id)
        self.rejected = self.prepare("rejected")
        self.full.action_disable()
        self.run_worker()
        self.full.action_activate()
        self.waiting = self.prepare("waiting")
        self.age()

    def prepare(self, key):
        message = self.build("link", key)
        self.queue("link", message)
        return self.get_messages(message_id=message["header"]["message_id"])

    def age(self):
        """Seal the stored rows as they were sealed before."""
        messages = self.env["spar.message"]
        keyring = self.env["spar.keyring"]._open(for_write=True)

        def seal(prefix, uuid, document):
            return keyring.seal("message", pack(document), bind(prefix, uuid))

        for row in self.done | self.rejected | self.waiting:
            _seal, context = messages._get_seal_contexts(keyring, row.ids)[row.id]
            query = "SELECT sealed_request, sealed_answer FROM spar_message"
            self.env.cr.execute(f"{query} WHERE id = %s", [row.id])
            request, answer = (
                sealed and messages._unseal(keyring, context, sealed)
                for sealed in self.env.cr.fetchone()
            )
            request = self.request if row == self.done else request
            self.env.cr.execute(
                """UPDATE spar_message SET sealed_request = %s, sealed_answer = %s
                    WHERE id = %s""",
                [
                    request and seal("spar.message", row.uuid, request),
                    answer and seal("spar.message", row.uuid, answer),
                    row.id,
                ],
            )
        self.env.cr.execute("UPDATE spar_callback SET sealed = NULL")
        self.later = {"header": {"message_id": "later"}}
        rejected = self.rejected.callback_ids
        self.env.cr.execute(
            "UPDATE spar_callback SET sealed = %s WHERE id = %s",
            [seal("spar.callback", rejected.uuid, self.later), rejected.id],
        )
        self.env.invalidate_all()

    def migrate(self):
        self.env.flush_all()
        SEALING.migrate(self.env.cr, "19.0.1.4.0")
        self.env.invalidate_all()

    def fetch(self):
        self.env.cr.execute(
            "SELECT id, sealed_request, sealed_answer FROM spar_message ORDER BY id"
        )
        rows = self.env.cr.fetchall()
        self.env.cr.execute("SELECT id, sealed FROM spar_callback ORDER BY id")
        return rows, self.env.cr.fetchall()

    def get_document(self, message):
        document = self.env["spar.callback"]._get_document(message.callback_ids.id)
        document["header"].pop("message_ts")
        return document

    def assertWaitingEnds(self):
        with mute_logger(MESSAGE_WORKER_LOGGER, ALARM_LOGGER):
            self.run_worker()
        self.assertIn("can no longer be read", self.waiting.reason)
        self.assertIsNone(self.resolve_fa("waiting"))

    def test_waiting_message_runs(self):
        self.migrate()
        self.run_worker()
        self.assertEqual(self.resolve_fa("waiting"), "account:waiting@BANK")
        self.assertFalse(self.waiting.reason)

    def test_answers_can_be_sent(self):
        self.migrate()
        self.answer["header"].pop("message_ts")
        self.assertEqual(self.get_document(self.done), self.answer)
        self.assertEqual(self.get_document(self.rejected), self.later)

    def test_answered_message_keeps_no_request(self):
        self.migrate()
        rows = {row_id: request for row_id, request, _answer in self.fetch()[0]}
        self.assertIsNone(rows[self.done.id])
        keyring, messages = self.env["spar.keyring"]._open(), self.env["spar.message"]
        contexts = messages._get_seal_contexts(keyring, self.rejected.ids)
        context, sealed = contexts[self.rejected.id][1], rows[self.rejected.id]
        self.assertEqual(
            messages._unseal(keyring, context, sealed),
            {"message": {"transaction_id": "transaction-1"}},
        )

    def test_what_was_sealed_before_does_not_open_afterwards(self):
        self.assertWaitingEnds()

    def test_value_that_did_not_open_is_not_sealed_anew(self):
        self.env.cr.execute(
            "UPDATE spar_message SET uuid = 'another' WHERE id = %s", [self.waiting.id]
        )
        self.env.invalidate_all()
        self.migrate()
        self.assertWaitingEnds()

    def test_callback_of_another_participant_is_not_sealed(self):
        self.env.cr.execute(
            "UPDATE spar_callback SET participant_id = %s WHERE id = %s",
            [self.bank.id, self.callback.id],
        )
        self.migrate()
        self.assertIsNone(dict(self.fetch()[1])[self.callback.id])

    def test_a_second_time_changes_nothing(self):
        self.migrate()
        rows = self.fetch()
        self.migrate()
        self.assertEqual(self.fetch(), rows)

    def test_rows_of_several_batches_are_sealed(self):
        with patch.object(SEALING, "BATCH", 1):
            self.migrate()
        self.assertEqual(self.get_document(self.rejected), self.later)
        self.run_worker()
        self.assertEqual(self.resolve_fa("waiting"), "account:waiting@BANK")

    def test_without_a_keyring_the_upgrade_stops(self):
        """What waits would end as unreadable otherwise."""
        rows = self.fetch()
        keyrings = type(self.env["spar.keyring"])
        with patch.object(keyrings, "_open", side_effect=KeyringUnavailable):
            with self.assertRaises(KeyringUnavailable):
                self.migrate()
        self.assertEqual(self.fetch(), rows)

    def test_without_a_keyring_and_without_messages_it_goes_on(self):
        self.env.cr.execute("DELETE FROM spar_callback")
        self.env.cr.execute("UPDATE spar_message SET sealed_request = NULL")
        self.env.cr.execute("UPDATE spar_message SET sealed_answer = NULL")
        keyrings = type(self.env["spar.keyring"])
        with patch.object(keyrings, "_open", side_effect=KeyringUnavailable):
            self.migrate()


@tagged("post_install", "-at_install")
class TestRightsOfAnotherSpar(RestCase):
    """Participants as they were sealed before they could be another SPAR."""

    def setUp(self):
        super().setUp()
        self.seals = self.env["spar.settings.seal"]
        known = type(self.full)._get_sealed_columns
        columns = tuple(
            name for name in known(self.full) if name not in EXTENSION_RIGHTS
        )
        with patch.object(
            type(self.full), "_get_sealed_columns", lambda _self: columns
        ):
            seal_settings(self.env, "spar.participant")

    def set_past_the_registry(self, participant):
        self.env.cr.execute(
            "UPDATE spar_participant SET may_use_extension = true WHERE id = %s",
            [participant.id],
        )
        self.env.invalidate_all()
        self.env["spar.row.versions"]._forget()

    def test_right_that_is_set_past_the_registry_is_noticed(self):
        EXTENSION.migrate(self.env.cr, "19.0.1.6.0")
        self.assertTrue(self.full._filter_true())
        self.set_past_the_registry(self.full)
        with mute_logger(SEAL_LOGGER, ALARM_LOGGER):
            self.assertFalse(self.full._filter_true())
        self.assertTrue(self.bank._filter_true())

    def test_participant_that_was_altered_before_stays_so(self):
        self.env.cr.execute(
            "UPDATE spar_participant SET may_unlink = true WHERE id = %s",
            [self.bank.id],
        )
        self.env.invalidate_all()
        EXTENSION.migrate(self.env.cr, "19.0.1.6.0")
        self.env["spar.row.versions"]._forget()
        with mute_logger(SEAL_LOGGER, ALARM_LOGGER):
            self.assertFalse(self.bank._filter_true())
        self.assertTrue(self.full._filter_true())

    def test_upgrade_without_keys_stops(self):
        environ = {"SPAR_KEYRING": "/nowhere/keyring.json"}
        with patch.dict(os.environ, environ), self.assertRaises(KeyringUnavailable):
            EXTENSION.migrate(self.env.cr, "19.0.1.6.0")
