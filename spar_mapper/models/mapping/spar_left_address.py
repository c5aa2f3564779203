from odoo import api, fields, models

from odoo.addons.spar_fa_directory.lib.fa_examination import Problem

from ...fields import BigMany2one


class SparLeftAddress(models.AbstractModel):
    """An address in a list of problematic ones, and the problem."""

    _name = "spar.left.address"
    _description = "Address in a list"
    _order = "id"
    _rec_name = "code"
    _log_access = False

    mapping_id = BigMany2one(
        "spar.mapping",
        string="Address",
        required=True,
        readonly=True,
        index=True,
        ondelete="cascade",
    )
    provider_id = fields.Many2one("spar.fsp", readonly=True, index=True)
    branch_id = fields.Many2one("spar.fsp.branch", readonly=True)
    code = fields.Char(string="Reason code", required=True, readonly=True)
    part = fields.Char(readonly=True)
    check = fields.Char(readonly=True)
    why = fields.Char(string="Reason", compute="_compute_why")
    id_masked = fields.Char(string="Beneficiary ID", compute="_compute_masked")
    fa_masked = fields.Char(string="Financial address", compute="_compute_masked")

    @api.depends("mapping_id")
    def _compute_masked(self):
        """Compute the registry's masked values, for any user who may read this list."""
        for left in self:
            mapping_sudo = left.mapping_id.sudo()
            left.id_masked = mapping_sudo.id_masked
            left.fa_masked = mapping_sudo.fa_masked

    @api.depends("code", "part", "check")
    def _compute_why(self):
        texts = self._get_reason_texts()
        for left in self:
            if left.code == "part":
                left.why = self.env["spar.fa.type"]._get_problem_text(left.check)
            else:
                left.why = texts.get(left.code) or left.code

    @api.model
    def _get_reason_texts(self) -> dict[str, str]:
        """Return why an address stays or is wrong, by the code of the problem."""
        return {
            "broken": self.env._("It cannot be opened. See the alarms."),
            "disputed": self.env._("An objection to it is open."),
            "locked": self.env._("Changes to it are locked."),
            "waiting": self.env._("A change to it is waiting."),
            "fallback": self.env._("It is a fallback address."),
            "no_number": self.env._("It contains no readable number."),
            "other_prefix": self.env._(
                "Its number does not start with the replaced prefix."
            ),
            "unlisted": self.env._("Its number is not in the list."),
            "unwritten": self.env._("The successor has no addresses of this form."),
            "elsewhere": self.env._(
                "The new address would belong to another provider."
            ),
            "taken": self.env._("Another person has this address at the successor."),
            "unread": self.env._("It does not match any kind of address."),
            "placeholder": self.env._("It is a placeholder."),
            "provider_unknown": self.env._("Its provider is not in the directory."),
            "provider_archived": self.env._("Its provider is archived."),
            "provider_closed": self.env._("Its provider has closed."),
            "provider_replaced": self.env._("Its provider has closed."),
            "provider_kind": self.env._("Its provider has no addresses of its kind."),
            "branch_unknown": self.env._("The provider has no branch with this code."),
            "branch_archived": self.env._("Its branch is archived."),
            "branch_closed": self.env._("Its branch has closed."),
            "branch_replaced": self.env._("Its branch has closed."),
        }

    @api.model
    def _prepare_left(self, found: dict[int, Problem], **values) -> list[dict]:
        """Return the values of rows for places, with each address's provider."""
        mappings_sudo = self.env["spar.mapping"].sudo().browse(found)
        return [
            {
                "mapping_id": mapping_sudo.id,
                "provider_id": mapping_sudo.provider_id.id,
                "branch_id": mapping_sudo.branch_id.id,
                "code": found[mapping_sudo.id].code,
                "part": found[mapping_sudo.id].part,
                "check": found[mapping_sudo.id].check,
                **values,
            }
            for mapping_sudo in mappings_sudo
        ]

    def action_open_mapping(self):
        """Open the address in the registry, for users who may read it."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "spar.mapping",
            "res_id": self.mapping_id.id,
            "view_mode": "form",
        }
