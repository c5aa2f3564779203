from odoo import api, models
from odoo.exceptions import UserError
from odoo.modules import loading
from odoo.tools import SQL

from odoo.addons.base.models.ir_module import IrModuleModule as BaseModule
from odoo.addons.base.wizard.base_module_upgrade import BaseModuleUpgrade

from ..expressions import is_at_run_time, is_called_from_file_of
from ..lib.waiting import NONE
from ..server.addon_code import is_closed_to_code
from ..server.database import limited

#: Addons that this process may uninstall although they have records: only its command
#: (``odoo spar_uninstall``) adds one, after an export.
EXPORTED: set[str] = set()
#: Functions in the files of Odoo that write what happens to addons: their buttons, the
#: one that cancels what is left of an installation, and what loads addons.
_ODOOS = (
    BaseModule.button_uninstall,
    BaseModuleUpgrade.upgrade_module_cancel,
    loading.load_modules,
)
#: The states that say what Odoo does with an addon when it loads all of them.
_TO_DO = {"to install", "to remove", "to upgrade"}
#: The states in which Odoo adds an addon that it finds on the server.
_NEW = {False, "uninstalled", "uninstallable"}


class IrModuleModule(models.Model):
    _inherit = "ir.module.module"

    # === LIMITS === #

    def _button_immediate_function(self, function):
        """Run an upgrade by a click without time limits, as one by a command."""
        with limited(NONE):
            return super()._button_immediate_function(function)

    # === UNINSTALLING === #

    @api.model_create_multi
    def create(self, vals_list):
        """Create them as uninstalled: another state can stop all scheduled jobs."""
        addons = super().create(vals_list)
        if set(addons.mapped("state")) - _NEW:
            _check_odoo_writes(self.env)
        return addons

    def write(self, vals):
        _check_odoo_writes(self.env)
        if vals.get("state") == "to remove":
            self._check_records()
        if vals.get("state") in _TO_DO:
            self._check_operator()
        return super().write(vals)

    def _check_operator(self) -> None:
        """Raise UserError for whoever would bring code, or take it away, by a click."""
        if self and is_closed_to_code(self.env):
            raise UserError(
                self.env._(
                    "Only the server's operator installs, upgrades and uninstalls apps "
                    "here, by a command, because this database holds people's accounts."
                )
            )

    def module_uninstall(self):
        self._check_records()
        return super().module_uninstall()

    def _check_records(self) -> None:
        """Raise UserError for an addon of the registry while it has records.

        Uninstalling the addon that stores them would delete the registry's data on
        people; uninstalling another one, what protects them.
        """
        for module in self.filtered(lambda module: module.name not in EXPORTED):
            if any(map(self._has_rows, module._list_depending_tables())):
                raise UserError(
                    self.env._(
                        "Uninstalling %(addon)s would delete people's records, or what "
                        "protects them. The server's operator can export them and "
                        "uninstall it with the command: odoo spar_uninstall",
                        addon=module.shortdesc or module.name,
                    )
                )

    def _list_depending_tables(self) -> list[str]:
        """Return the tables with sealed values that need this addon."""
        is_ours = (self.name or "").startswith("spar_")
        return self._list_sealed_tables() if is_ours else []

    @api.model
    def _list_sealed_tables(self) -> list[str]:
        """Return the registry's tables with sealed values."""
        if "spar.sealed.storage" not in self.env:
            return []
        return [
            model._table
            for model in self.env["spar.keyring"]._get_sealed_models()
            if model._name.startswith("spar.") and not model._transient
        ]

    def _has_rows(self, table: str) -> bool:
        query = SQL("SELECT EXISTS (SELECT FROM %s)", SQL.identifier(table))
        return self.env.execute_query(query)[0][0]


class SparAddonsNeeds(models.AbstractModel):
    """What Odoo read in the manifests of addons, and nobody else states."""

    _name = "spar.addons.needs"
    _description = "What addons need and exclude"

    @api.model_create_multi
    def create(self, vals_list):
        _check_odoo_writes(self.env)
        return super().create(vals_list)

    def write(self, vals):
        _check_odoo_writes(self.env)
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_by_odoo(self):
        _check_odoo_writes(self.env)


class IrModuleModuleDependency(models.Model):
    """What an addon depends on: uninstalling that takes the addon along."""

    _name = "ir.module.module.dependency"
    _inherit = ["spar.addons.needs", "ir.module.module.dependency"]


class IrModuleModuleExclusion(models.Model):
    """Which addons exclude each other: such an entry keeps others from theirs."""

    _name = "ir.module.module.exclusion"
    _inherit = ["spar.addons.needs", "ir.module.module.exclusion"]


def _check_odoo_writes(env) -> None:
    """Raise UserError unless Odoo's own code, such as a button, writes about addons.

    Odoo loads, updates and uninstalls what their table says at its next start, without
    the checks of the buttons; and a state that is to be carried out stops all jobs.
    """
    if not is_at_run_time(env):
        return
    if not any(map(is_called_from_file_of, _ODOOS)):
        raise UserError(
            env._("Install, upgrade and uninstall apps with their buttons.")
        )
