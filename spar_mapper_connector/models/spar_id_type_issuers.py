from odoo import fields, models


class SparIdType(models.Model):
    """The issuers that may assert that a person has an ID of a type."""

    _name = "spar.id.type"
    _inherit = ["spar.id.type"]

    issuers = fields.Text(
        string="May be asserted by",
        help="The issuers (iss) of ID providers whose logins are taken for IDs of this "
        "type, one a line, for example https://id.example.org. Empty: nobody's.",
    )

    def _get_issuers(self) -> list[str]:
        """Return the issuers that may assert IDs of this type."""
        return (self.issuers or "").split()

    def _may_be_asserted_by(self, issuer: str) -> bool:
        """Return whether a login at ``issuer`` proves that a person has such an ID."""
        self.ensure_one()
        self._get_rules()  # raises if types were changed past the registry
        return bool(issuer) and issuer in self._get_issuers()
