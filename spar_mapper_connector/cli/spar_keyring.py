"""``odoo spar_keyring``: the keys of a database."""

import sys

from odoo.cli import Command


class KeyringCommand(Command):
    """Make, show and replace the keys that a SPAR database is sealed with.

    init: make the first keys of the database and their file.
    show: list the keys, their ids and states, never secrets.
    add: add an unused sealing key to the file, to be copied to every host.
    rotate: replace the sealing key while the system runs.
    seal: list the settings that were altered, then seal all of them as they are.

    The environment variable SPAR_KEYRING holds the path of the file.
    """

    name = "spar_keyring"

    def run(self, args):
        # A relative import is not possible: Odoo loads this file outside the addon.
        # pylint: disable-next=odoo-addons-relative-import
        from odoo.addons.spar_mapper_connector import command_line

        self.say = command_line.say
        actions = {
            "init": self._init,
            "show": self._show,
            "add": self._add,
            "rotate": self._rotate,
            "seal": self._seal,
        }
        command_line.add_options(self.parser, actions)
        options = self.parser.parse_args(args)
        with command_line.open_environment(options, "spar.keyring") as env:
            actions[options.action](env)

    def _init(self, env):
        path = env["spar.keyring"]._initialise()
        self.say(f"The keys of this database are in {path}.")
        self.say("Keep a copy in a safe place: without the keys nothing can be read.")

    def _show(self, env):
        env["spar.keyring"]._open()
        for key in env["spar.keyring.key"].search([("key_id", "!=", False)]):
            self.say(f"{key.key_id}  {key.kind:6}  {key.state:9}  since {key.since}")

    def _seal(self, env):
        seals = env["spar.settings.seal"]
        for table, row_id, problem in seals._check_all():
            self.say(f"{table}, row {row_id}: {problem}")
        seals._seal_all()
        self.say("All settings are sealed as they are now.")

    def _add(self, env):
        # Nor is a relative import possible here.
        # pylint: disable-next=odoo-addons-relative-import
        from odoo.addons.spar_mapper_connector.models.spar_keyring import (
            add_seal_key,
        )

        key = add_seal_key(env)
        self.say(f"Added key {key.key_id}: copy the file to every host, then rotate.")

    def _rotate(self, env):
        keyring = env["spar.keyring"]
        self.say(f"Sealing with key {keyring._start_rotation()} from now on.")
        env.cr.commit()  # pylint: disable=invalid-commit
        left, before = 1, None
        while left and left != before:
            self._reseal(env)
            left, before = keyring._finish_rotation(), left
            env.cr.commit()  # pylint: disable=invalid-commit
        if left:
            sys.exit(f"{left} rows cannot be opened: run the check, then rotate again")
        self.say("Nothing is sealed with the previous key any more.")

    def _reseal(self, env):
        total = 0
        for done in env["spar.keyring"]._reseal_steps():
            env.cr.commit()  # pylint: disable=invalid-commit
            total += done
            self.say(f"{total} rows sealed with the new key")
