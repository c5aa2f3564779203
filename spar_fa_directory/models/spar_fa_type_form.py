from odoo import api, fields, models

from ..lib.fa_keys import suggest_key


class SparFaType(models.Model):
    """The form to set up a kind of address without typing a template."""

    _inherit = "spar.fa.type"

    suggested_template = fields.Char(compute="_compute_suggested_template")
    has_default = fields.Boolean(compute="_compute_has_default")
    is_fixed = fields.Boolean(
        compute="_compute_is_fixed", help="Stored strategies write the parts."
    )

    @api.onchange("name")
    def _onchange_name(self):
        for fa_type in self:
            fa_type.code = fa_type.code or suggest_key(fa_type.name or "")

    @api.depends("code", "part_ids.key", "part_ids.kind")
    def _compute_suggested_template(self):
        for fa_type in self:
            fa_type.suggested_template = fa_type._build_template()

    def _build_template(self) -> str:
        """Return a template for the parts of the kind.

        :return: such as ``voucher:{campaign}/{serial}@{branch}.{provider}``; "" without
            parts
        """
        keys = {
            kind: [p.key for p in self.part_ids if p.kind == kind and p.key]
            for kind in ("text", "branch", "provider")
        }
        if not self.code or not keys["text"]:
            return ""
        texts = "/".join(f"{{{key}}}" for key in keys["text"])
        place = ".".join(f"{{{key}}}" for key in keys["branch"] + keys["provider"])
        return f"{self.code}:{texts}" + (f"@{place}" if place else "")

    @api.depends("strategy_ids.is_default")
    def _compute_has_default(self):
        for fa_type in self:
            fa_type.has_default = any(fa_type.strategy_ids.mapped("is_default"))

    @api.depends("strategy_ids")
    def _compute_is_fixed(self):
        for fa_type in self:
            fa_type.is_fixed = bool(fa_type._origin.strategy_ids)
