from odoo import models


class IrBinary(models.AbstractModel):
    """Files that a link opens."""

    _inherit = "ir.binary"

    def _find_record(
        self,
        xmlid=None,
        res_model="ir.attachment",
        res_id=None,
        access_token=None,
        field=None,
    ):
        """Find the record; one of ours by the user's rights, however a link is signed.

        Odoo's administrator can read the secret that signs links.
        """
        named = self.env.ref(xmlid, raise_if_not_found=False) if xmlid else None
        model = (named._name if named else res_model) or ""
        token = None if model.startswith("spar.") else access_token
        return super()._find_record(xmlid, res_model, res_id, token, field)
