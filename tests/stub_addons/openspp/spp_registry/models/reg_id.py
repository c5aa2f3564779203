from odoo import api, fields, models


class SppRegistryId(models.Model):
    _name = "spp.registry.id"
    _description = "Registrant ID"
    _order = "id desc"

    partner_id = fields.Many2one("res.partner", required=True, index=True)
    id_type_id = fields.Many2one("spp.vocabulary.code", required=True)
    value = fields.Char(size=100, index=True)
    expiry_date = fields.Date()
    namespace_uri = fields.Char(related="id_type_id.namespace_uri", store=True)
    status = fields.Selection([("invalid", "Invalid"), ("valid", "Valid")])
    description = fields.Char()
    verification_method = fields.Selection(
        [
            ("physical_document", "Physical Document"),
            ("self_declared", "Self Declared"),
        ]
    )
    is_verified = fields.Boolean(compute="_compute_is_verified", store=True)
    verification_date = fields.Datetime()

    _unique_active_id_type = models.UniqueIndex(
        "(partner_id, id_type_id) WHERE status IS DISTINCT FROM 'invalid'"
    )

    @api.depends("verification_method")
    def _compute_is_verified(self):
        for row in self:
            row.is_verified = row.verification_method == "physical_document"
