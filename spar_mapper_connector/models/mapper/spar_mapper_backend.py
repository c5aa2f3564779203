from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from ...exceptions import MapperError, RemoteMapperError
from ...lib.contract import Capability
from ...lib.passing import build_mark
from ...lib.routes import Routes
from ..remote.spar_remote_settings import REMOTE_FIELDS


class SparMapperBackend(models.Model):
    """A mapper that this database can call.

    Two people change which one is called for an ID: the default, and everything about a
    backend that is in use.
    """

    _name = "spar.mapper.backend"
    _description = "Mapper backend"
    _inherit = [
        "spar.remote.settings",
        "spar.remote.problems",
        "spar.second.person",
        "spar.sealed.setting",
        "spar.cached.records",
    ]
    _guarded_fields = ("implementation", "is_default", "active", *REMOTE_FIELDS)
    _guarded_secrets = ("secret",)
    _sealed_beside = {
        "secret": "(SELECT s.uuid FROM spar_backend_secret s WHERE s.backend_id = t.id)"
    }
    _guarded_at_creation = ("is_default",)
    _order = "is_default desc, name"

    name = fields.Char(required=True, translate=True)
    implementation = fields.Selection(
        selection="_selection_implementation",
        required=True,
        help="The store of this database, or a client of another mapper.",
    )
    is_default = fields.Boolean(
        string="Default",
        help="Called for every ID whose type names no other backend.",
    )
    active = fields.Boolean(default=True)
    id_type_ids = fields.One2many("spar.id.type", "backend_id", string="ID types")

    _default_uniq = models.UniqueIndex(
        "(is_default) WHERE is_default AND active", "There is one default backend."
    )

    def _is_guarded(self, name: str, value) -> bool:
        in_use = self.is_default or self.with_context(active_test=False).id_type_ids
        return name == "is_default" or bool(in_use)

    def write(self, vals):
        if vals.get("is_default") and self._may_write_at_once():
            # There is one default: the previous one loses the flag in the same step.
            others_sudo = self.sudo().search([("is_default", "=", True)]) - self
            others_sudo.write({"is_default": False})
            self.env.flush_all()
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_unless_in_use(self) -> None:
        if any(backend._is_guarded("active", False) for backend in self):
            raise UserError(
                self.env._("This backend is in use: choose another one first.")
            )

    @api.model
    def _selection_implementation(self):
        """Return every model that implements the contract, by name and description."""
        names = self.env.registry.descendants(["spar.mapper"], "_inherit")
        return [
            (name, self.env[name]._description)
            for name in sorted(names - {"spar.mapper"})
            if self.env[name]._is_offered
        ]

    @api.model
    def _get_mapper(self, id_type=None):
        """Return the mapper to call for IDs of a type, bound to its backend.

        :param id_type: a record of ``spar.id.type``; by default one that names no
            backend of its own

        Raises MapperError when no backend is the default, SettingsAltered when one was
        changed past the registry.
        """
        backend = id_type.sudo().backend_id if id_type else self.browse()
        return (backend or self.browse(self._find_default())).with_env(self.env)._bind()

    def _bind(self):
        """Return this backend's mapper, bound to it; see ``spar.mapper``.

        Raises MapperError for no backend, and SettingsAltered.
        """
        self._find_default()
        if not self:
            raise MapperError("no mapper backend is the default")
        return self.env[self.sudo().implementation].browse(self.id)

    @api.model
    def _find_default(self) -> int | None:
        """Return the row id of the default backend; raises SettingsAltered.

        It raises that for any backend that was altered.
        """
        return self.env["spar.row.versions"]._reuse(self, "_read_default", self._name)

    @api.model
    def _read_default(self) -> int | None:
        self._check_settings()
        return self.sudo().search([("is_default", "=", True)], limit=1).id or None

    # === ROUTES === #

    @api.model
    def _get_routes(self) -> Routes:
        """Return which backend is called for which IDs; raises SettingsAltered."""
        names = (self._name, "spar.id.type")
        return self.env["spar.row.versions"]._reuse(self, "_read_routes", *names)

    @api.model
    def _read_routes(self) -> Routes:
        default = self._read_default()
        id_types = self.env["spar.id.type"]
        id_types._check_settings()
        by_type = {
            type_sudo.id: type_sudo.backend_id.id or default
            for type_sudo in id_types.sudo().search(Domain.TRUE)
        }
        used = {default, *by_type.values()} - {None}
        models_of = {
            backend_sudo.id: backend_sudo.implementation
            for backend_sudo in self.sudo().browse(used)
        }
        return Routes(default, by_type, models_of)

    @api.model
    def _get_own_mark(self) -> str:
        """Return the mark of this server in requests that it sends on."""
        parameters_sudo = self.env["ir.config_parameter"].sudo()
        return build_mark(parameters_sudo.get_param("database.uuid", ""))

    def action_test_connection(self):
        """Call the backend, and say in one sentence what is wrong, if anything."""
        self.ensure_one()
        self.check_access("write")
        try:
            mapper = self._bind()
            mapper._check_connection()
            capabilities = mapper._capabilities()
        except RemoteMapperError as error:
            raise UserError(self._get_connection_problem(error.reason)) from error
        except MapperError as error:
            raise UserError(
                self.env._("The backend does not respond: %(cause)s.", cause=error)
            ) from error
        message = self.env._(
            "The backend responds. It supports: %(abilities)s.",
            abilities=", ".join(sorted(c.value for c in capabilities)),
        )
        warnings = self._list_warnings(capabilities)
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "warning" if warnings else "success",
                "message": " ".join((message, *warnings)),
                "sticky": bool(warnings),
            },
        }

    def _list_warnings(self, capabilities: frozenset[Capability]) -> list[str]:
        """Return what may go wrong with a backend that responds, in sentences.

        Addons add what they know, such as how people log in here.
        """
        return []
