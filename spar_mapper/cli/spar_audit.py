"""``odoo spar_audit``: check the store for tampering and write checkpoints."""

import sys
from pathlib import Path

from odoo.cli import Command


class SparAuditCommand(Command):
    """Check the store for tampering, or write a checkpoint of its history.

    check: read everything and name each row that was altered; exit code 1 if any.
    checkpoint: write new history to a signed file outside the database.
    send: copy that file to the folder --to, unless the copy there contradicts it.
    """

    name = "spar_audit"

    def run(self, args):
        from odoo.addons.spar_mapper_connector import command_line

        self.say = command_line.say
        actions = {
            "check": self._check,
            "checkpoint": self._checkpoint,
            "send": self._send,
        }
        command_line.add_options(self.parser, actions)
        self.parser.add_argument("--to", help="the folder that send copies to")
        self.options = self.parser.parse_args(args)
        if self.options.action == "send" and not self.options.to:
            self.parser.error("send needs --to FOLDER")
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
