from odoo import api, fields, models
from odoo.exceptions import UserError


class SparFspBranch(models.Model):
    _name = "spar.fsp.branch"
    _description = "Branch of a Financial Service Provider"
    _inherit = "spar.directory.used"
    _order = "provider_id, name, id"
    _rec_names_search = ["name", "code", "city"]

    name = fields.Char(required=True)
    code = fields.Char(
        required=True,
        copy=False,
        help="Stands in financial addresses, so it is fixed once an address has it. "
        "Upper and lower case are the same.",
    )
    provider_id = fields.Many2one(
        "spar.fsp", required=True, index=True, ondelete="cascade"
    )
    city = fields.Char()
    active = fields.Boolean(default=True)

    _code_uniq = models.UniqueIndex(
        '(provider_id, upper(code COLLATE "C"))',
        "Another branch of this provider has this code "
        "(upper and lower case are the same).",
    )

    def write(self, vals):
        self.filtered(lambda branch: branch._changes_code(vals))._check_unused()
        return super().write(vals)

    def _changes_code(self, vals: dict) -> bool:
        current = {"code": self.code, "provider_id": self.provider_id.id}
        return any(current[name] != vals[name] for name in current.keys() & vals.keys())

    @api.ondelete(at_uninstall=False)
    def _unlink_except_used(self):
        self._check_unused()

    def _check_unused(self):
        if used := self._is_used():
            raise UserError(
                self.env._(
                    "Financial addresses name %(branches)s: code and provider stay and "
                    "the branch cannot be deleted. Archive it and add a new one. "
                    "%(uses)s",
                    branches=", ".join(used.mapped("display_name")),
                    uses=used._get_uses_text(),
                )
            )
