"""``odoo spar_audit``: is the store what the mapper left?"""

import sys

from odoo.cli import Command


class SparAudit(Command):
    """Check the store for tampering, or write a checkpoint of its history.

    check: read everything and name each row that was altered; exit code 1 if any.
    checkpoint: write what the history is now to a signed file outside the database.
    """

    name = "spar_audit"

    def run(self, args):
        from odoo.addons.spar_mapper_connector import command_line

        self.say = command_line.say
        actions = {"check": self._check, "checkpoint": self._checkpoint}
        command_line.add_options(self.parser, actions)
        options = self.parser.parse_args(args)
        with command_line.open_environment(options, "spar.audit") as env:
            actions[options.action](env)

    def _check(self, env):
        findings = env["spar.audit"]._check_store()
        for table, row_id, problem in findings:
            self.say(f"{table}, row {row_id}: {problem}")
        if findings:
            sys.exit(1)
        self.say("Everything is as the mapper left it.")

    def _checkpoint(self, env):
        taken = env["spar.audit"]._take_checkpoint()
        self.say(f"Checkpoint written: events up to {taken.last_event_id}.")
