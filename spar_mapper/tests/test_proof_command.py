"""``odoo spar_audit proof``: all proofs, one proof, and an exported one."""

import contextlib
import importlib.util
import io
import json
import tempfile
from pathlib import Path
from unittest.mock import patch

from odoo.cli.command import commands

from odoo.addons.spar_mapper_connector import command_line
from odoo.addons.spar_mapper_connector.lib.jose.keys import read_jwk

from ..lib import audit
from .common import FA, ID
from .test_proof_audit import ProofAuditCase

COMMAND_FILE = Path(__file__).parents[1] / "cli" / "spar_audit.py"


def load_command():
    """Return the command's class, loaded as Odoo loads it: outside its addon."""
    name = "odoo.cli.spar_audit"
    spec = importlib.util.spec_from_file_location(name, COMMAND_FILE)
    module = importlib.util.module_from_spec(spec)
    with patch.dict(commands):
        spec.loader.exec_module(module)
    return module.SparAuditCommand


class TestProofCommand(ProofAuditCase):
    def setUp(self):
        super().setUp()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name) / "proof.json"

    def run_command(self, *options, code=0, has_database=True):
        """Return the output of ``odoo spar_audit proof``, which exits with ``code``."""

        @contextlib.contextmanager
        def open_environment(_options, _model):
            with self.registry.cursor() as cr:
                yield self.env(cr=cr)

        database = ["-d", self.env.cr.dbname] if has_database else []
        output, ended = io.StringIO(), 0
        with (
            patch.object(command_line, "open_environment", open_environment),
            contextlib.redirect_stdout(output),
            contextlib.redirect_stderr(output),
            self.enter_registry_test_mode(),
        ):
            try:
                load_command()().run([*database, "proof", *options])
            except SystemExit as error:
                ended = error.code
        self.assertEqual(ended, code)
        self.env.invalidate_all()
        return output.getvalue()

    def export(self):
        options = ("--event", self.proof.event_id.uuid, "--to", str(self.path))
        return self.run_command(*options)

    def test_all_proofs_are_verified(self):
        self.rotate_keys()
        self.assertIn("All 1 owners' proofs are verified.", self.run_command())

    def test_altered_proof_is_named(self):
        self.reseal(userinfo="a.b.c")
        output = self.run_command(code=1)
        problem = audit.PROOF_PARTS["userinfo"]
        line = f"spar_owner_proof, row {self.proof.id}: {problem}"
        self.assertEqual(output.strip(), line)

    def test_proof_is_exported_and_verified_without_a_database(self):
        output = self.export()
        for line in (FA, ID, "The proof is verified."):
            self.assertIn(line, output)
        self.assertEqual(self.path.stat().st_mode & 0o777, 0o600)
        with patch.object(command_line, "open_environment", None):
            again = self.run_command("--file", str(self.path), has_database=False)
        self.assertIn("The proof is verified.", again)
        self.assertIn("compare each thumbprint", again)
        thumbprint = read_jwk(json.loads(self.path.read_text())["keys"][0]["jwk"])
        self.assertIn(thumbprint.thumbprint, again)

    def test_events_with_a_proof_are_listed(self):
        event = self.proof.event_id
        moment = event.happened_at.isoformat(timespec="seconds")
        self.assertEqual(
            self.run_command("--list").strip(), f"{event.uuid} {event.kind} {moment}"
        )

    def test_altered_export_is_named(self):
        self.export()
        document = json.loads(self.path.read_text())
        document["kept"]["proof"]["salt"] = "A" * 43
        self.path.write_text(json.dumps(document))
        output = self.run_command("--file", str(self.path), code=1, has_database=False)
        self.assertIn("the salt: it was altered", output)

    def test_existing_file_is_not_overwritten(self):
        self.path.write_text("mine")
        options = ("--event", self.proof.event_id.uuid, "--to", str(self.path))
        code = f"{self.path}: there is such a file already; name another one"
        self.run_command(*options, code=code)
        self.assertEqual(self.path.read_text(), "mine")

    def test_file_that_is_no_export_is_refused(self):
        self.path.write_text("{}")
        code = f"{self.path}: this is not an exported proof"
        self.run_command("--file", str(self.path), code=code, has_database=False)

    def test_event_without_a_proof_is_refused(self):
        output = self.run_command("--event", "unknown", code=1)
        self.assertIn("no owner's proof", output)

    def test_database_is_needed_without_a_file(self):
        self.assertIn("--database", self.run_command(code=2, has_database=False))
