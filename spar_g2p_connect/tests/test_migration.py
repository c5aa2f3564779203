from odoo.modules.module import load_script
from odoo.tests import TransactionCase
from odoo.tools import file_path

RENAMING = load_script(
    file_path("spar_g2p_connect/migrations/19.0.1.4.0/post-migration.py"),
    "spar_g2p_connect_post_migration_1_4",
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
