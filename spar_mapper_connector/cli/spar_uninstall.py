"""``odoo spar_uninstall``: uninstall an addon of the registry, after an export."""

import sys
from pathlib import Path

from odoo.cli import Command


class UninstallCommand(Command):
    """Export what an addon of the registry holds, then uninstall it.

    The export is a new folder with one CSV file for each of its tables, sealed values
    as they are: they can be read only with a copy of the keyring file. Addons that
    depend on it are exported and uninstalled with it.
    """

    name = "spar_uninstall"

    def run(self, args):
        # A relative import is not possible: Odoo loads this file outside the addon.
        # pylint: disable-next=odoo-addons-relative-import
        from odoo.addons.spar_mapper_connector import command_line

        self.say = command_line.say
        command_line.add_database(self.parser)
        self.parser.add_argument(
            "addon", help="the addon's technical name, e.g. spar_mapper"
        )
        self.parser.add_argument(
            "--export", required=True, type=Path, help="a new folder for the export"
        )
        options = self.parser.parse_args(args)
        with command_line.open_environment(options, "spar.keyring") as env:
            addons = self._find(env, options.addon)
            self._export(env, addons, options.export)
            self._uninstall(env, addons)

    def _find(self, env, name):
        """Return the installed addon and those that depend on it."""
        addon = env["ir.module.module"].search(
            [("name", "=", name), ("state", "=", "installed")]
        )
        if not addon:
            sys.exit(f"{name} is not installed")
        return addon + addon.downstream_dependencies()

    def _export(self, env, addons, folder):
        try:
            folder.mkdir(mode=0o700, parents=True)
        except OSError as error:
            sys.exit(f"{folder}: {error.strerror}")
        for table in sorted(self._list_tables(env, set(addons.mapped("name")))):
            path = folder / f"{table}.csv"
            with open(path, "w", encoding="utf-8") as file:
                env.cr._obj.copy_expert(
                    f'COPY (SELECT * FROM "{table}") TO STDOUT WITH CSV HEADER', file
                )
            self.say(f"Exported {path.name}")

    def _list_tables(self, env, names):
        return {
            model._table
            for model in map(env.__getitem__, env.registry)
            if model._original_module in names and model._auto and not model._abstract
        }

    def _uninstall(self, env, addons):
        # pylint: disable-next=odoo-addons-relative-import
        from odoo.addons.spar_mapper_connector.models import ir_module_module

        names = addons.mapped("name")
        ir_module_module.EXPORTED.update(names)
        addons.button_immediate_uninstall()
        self.say(f"Uninstalled: {', '.join(sorted(names))}")
