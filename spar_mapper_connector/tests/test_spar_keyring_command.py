import contextlib
import importlib.util
import io
from pathlib import Path
from unittest.mock import patch

from odoo.cli.command import commands

from .. import command_line
from ..exceptions import KeyringExists
from .test_spar_keyring import NewKeyringCase

COMMAND_FILE = Path(command_line.__file__).parent / "cli" / "spar_keyring.py"


def load_command():
    """Return the command's class, loaded as Odoo loads it: outside its addon."""
    name = "odoo.cli.spar_keyring"
    spec = importlib.util.spec_from_file_location(name, COMMAND_FILE)
    module = importlib.util.module_from_spec(spec)
    with patch.dict(commands):
        spec.loader.exec_module(module)
    return module.KeyringCommand


class TestSparKeyringCommand(NewKeyringCase):
    def run_command(self, action):
        """Return the output of ``odoo spar_keyring``; its transaction is the test's."""

        @contextlib.contextmanager
        def open_environment(_options, _model):
            with self.registry.cursor() as cr:
                yield self.env(cr=cr)

        output = io.StringIO()
        with (
            patch.object(command_line, "open_environment", open_environment),
            contextlib.redirect_stdout(output),
            self.enter_registry_test_mode(),
        ):
            load_command()().run(["-d", self.env.cr.dbname, action])
        return output.getvalue()

    def test_init_makes_keys_and_prints_their_path(self):
        self.forget_keys()
        self.path.unlink()
        self.assertIn(str(self.path), self.run_command("init"))
        self.assertTrue(self.keyrings._open())

    def test_init_is_refused_where_there_are_keys(self):
        before = self.path.read_bytes()
        self.assert_refused(KeyringExists, self.run_command, "init")
        self.assertEqual(self.path.read_bytes(), before)

    def test_show_lists_ids_and_states_and_no_secret(self):
        output = self.run_command("show")
        for key in self.get_file_keys():
            with self.subTest(key.kind):
                self.assertRegex(output, f"{key.key_id} +{key.kind} +active")
                self.assertNotIn(key.material.hex(), output)

    def test_add_makes_a_key_that_nothing_uses_yet(self):
        seal_key = self.keyring.roles.seal_key
        output = self.run_command("add")
        self.assertIn(self.get_file_keys()[-1].key_id, output)
        self.assertEqual(self.keyring.roles.seal_key, seal_key)

    def test_rotate_replaces_the_sealing_key_to_the_end(self):
        old = self.keyring.roles.seal_key
        output = self.run_command("rotate")
        self.assertIn("Nothing is sealed with the previous key any more", output)
        self.assertEqual(self.get_states()[old], "retired")

    def test_seal_lists_altered_settings_and_seals_them(self):
        self.env.cr.execute("UPDATE spar_id_type SET sequence = 5 WHERE code = 'other'")
        self.env.invalidate_all()
        other = self.env.ref("spar_mapper_connector.id_type_other")
        output = self.run_command("seal")
        self.assertIn(f"spar_id_type, row {other.id}: this setting was changed", output)
        self.assertFalse(self.env["spar.settings.seal"]._check_all())
