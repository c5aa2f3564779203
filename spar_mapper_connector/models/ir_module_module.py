from odoo import models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ..lib.waiting import NONE
from ..server.database import limited

#: Addons that this process may uninstall although they have records: only its command
#: (``odoo spar_uninstall``) adds one, after an export.
EXPORTED: set[str] = set()


class IrModuleModule(models.Model):
    _inherit = "ir.module.module"

    # === LIMITS === #

    def _button_immediate_function(self, function):
        """Run an upgrade by a click without time limits, as one by a command."""
        with limited(NONE):
            return super()._button_immediate_function(function)

    # === RECORDS PREVENT UNINSTALLING === #

    def write(self, vals):
        if vals.get("state") == "to remove":
            self._check_records()
        return super().write(vals)

    def module_uninstall(self):
        self._check_records()
        return super().module_uninstall()

    def _check_records(self) -> None:
        """Raise UserError for an addon of the registry whose tables have rows.

        Uninstalling it would delete them, and with them the registry's data on people.
        """
        for module in self.filtered(lambda module: module.name not in EXPORTED):
            if any(map(self._has_rows, self._list_sealed_tables(module.name))):
                raise UserError(
                    self.env._(
                        "Uninstalling %(addon)s would delete people's records. The "
                        "server's operator can export them and uninstall it with the "
                        "command: odoo spar_uninstall",
                        addon=module.shortdesc or module.name,
                    )
                )

    def _list_sealed_tables(self, addon: str) -> list[str]:
        """Return the tables of an addon that hold sealed values."""
        if "spar.sealed.storage" not in self.env:
            return []
        keyring = self.env["spar.keyring"]
        return [
            model._table
            for model in keyring._get_sealed_models()
            if model._original_module == addon and not model._transient
        ]

    def _has_rows(self, table: str) -> bool:
        query = SQL("SELECT EXISTS (SELECT FROM %s)", SQL.identifier(table))
        return self.env.execute_query(query)[0][0]
