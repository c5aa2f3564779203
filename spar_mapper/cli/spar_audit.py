"""``odoo spar_audit``: check the store for tampering and write checkpoints."""

import os
import sys
from pathlib import Path

from odoo.cli import Command


class SparAuditCommand(Command):
    """Check the store for tampering, or write a checkpoint of its history.

    check: read everything and name each row that was altered; exit code 1 if any.
    checkpoint: write new history to a signed file outside the database.
    send: copy that file to the folder --to, unless the copy there contradicts it.
    proof: verify the owners' proofs: all of them, or that of one --event, which --to
    writes to a file. With --file it verifies such a file, without any database.
    """

    name = "spar_audit"

    def run(self, args):
        from odoo.addons.spar_mapper_connector import command_line

        self.say = command_line.say
        actions = {
            "check": self._check,
            "checkpoint": self._checkpoint,
            "send": self._send,
            "proof": self._proof,
        }
        command_line.add_options(self.parser, actions, needs_database=False)
        self.parser.add_argument(
            "--to", help="the folder that send copies to; the file that proof writes"
        )
        self.parser.add_argument("--event", help="the UUID of an event")
        self.parser.add_argument("--file", help="an exported proof")
        self.parser.add_argument(
            "--list", action="store_true", help="the events that have a proof"
        )
        self.options = self.parser.parse_args(args)
        if self.options.action == "send" and not self.options.to:
            self.parser.error("send needs --to FOLDER")
        if self.options.action == "proof" and self.options.file:
            self._check_file(Path(self.options.file))
            return
        if not self.options.database:
            self.parser.error("the following arguments are required: -d/--database")
        with command_line.open_environment(self.options, "spar.audit") as env:
            actions[self.options.action](env)

    def _check(self, env):
        run = env["spar.audit.run"]._start()
        for findings in run._walk():
            # Each piece is kept, so that an interrupted check loses no findings.
            env.cr.commit()  # pylint: disable=invalid-commit
            for table, row_id, problem in findings:
                self.say(f"{table}, row {row_id}: {problem}")
        if run.findings:
            sys.exit(1)
        self.say("No problems found.")

    def _checkpoint(self, env):
        # pylint: disable-next=odoo-addons-relative-import
        from odoo.addons.spar_mapper.exceptions import HistoryDiffers

        try:
            while env["spar.checkpoint"]._take():
                pass
        except HistoryDiffers as error:
            env["spar.alarm"]._raise_alarms(error.findings)
            raise
        env.cr.rollback()
        number = env["spar.checkpoint"]._get_record().number
        self.say(f"The last checkpoint is number {number}.")

    def _send(self, env):
        # pylint: disable-next=odoo-addons-relative-import
        from odoo.addons.spar_mapper.lib import checkpoint_file

        # pylint: disable-next=odoo-addons-relative-import
        from odoo.addons.spar_mapper.models.audit.spar_checkpoint import get_path

        path = get_path(env)
        target = Path(self.options.to) / path.name
        try:
            checkpoint_file.send(path, target)
        except (OSError, checkpoint_file.CopyDiffers) as error:
            sys.exit(f"{target}: {error}")
        self.say(f"Copied to {target}.")

    def _proof(self, env):
        if self.options.list:
            for uuid, kind, moment in env["spar.owner.proof"]._list_kept():
                self.say(f"{uuid} {kind} {moment.isoformat(timespec='seconds')}")
            return
        if self.options.event:
            self._export(env)
            return
        findings = env["spar.owner.proof"]._check_all()
        for table, row_id, problem in findings:
            self.say(f"{table}, row {row_id}: {problem}")
        if findings:
            sys.exit(1)
        count = env["spar.owner.proof"]._count_kept()
        self.say(f"All {count} owners' proofs are verified.")

    def _export(self, env):
        """Verify the proof of one event; write it to a file if one is named."""
        text, problems = env["spar.owner.proof"]._export(self.options.event)
        for problem in problems:
            self.say(problem)
        if problems:
            sys.exit(1)
        if self.options.to:
            self._write(Path(self.options.to), text)
        self._judge(text, self.options.event)

    def _write(self, path, text):
        """Write a file that nobody else can read: it holds an ID and an account."""
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            sys.exit(f"{path}: there is such a file already; name another one")
        except OSError as error:
            sys.exit(f"{path}: {error.strerror}")
        with os.fdopen(handle, "w") as file:
            file.write(text)
        self.say(f"Written to {path}.")

    def _check_file(self, path):
        try:
            text = path.read_text()
        except OSError as error:
            sys.exit(f"{path}: {error.strerror}")
        except ValueError:
            sys.exit(f"{path}: this is not an exported proof")
        self._judge(text, path)

    def _judge(self, text, source):
        """Say what an exported proof proves, or what is wrong with it."""
        # pylint: disable-next=odoo-addons-relative-import
        from odoo.addons.spar_mapper.lib import proof_export

        try:
            verdict = proof_export.check_export(text)
        except proof_export.ExportUnreadable as error:
            sys.exit(f"{source}: {error}")
        for problem in verdict.problems:
            self.say(proof_export.describe_problem(*problem))
        if verdict.problems:
            sys.exit(1)
        for line in proof_export.describe_export(text, verdict):
            self.say(line)
