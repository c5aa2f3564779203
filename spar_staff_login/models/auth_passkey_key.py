from odoo import api, models
from odoo.http import request

from ..lib import settings


class AuthPasskeyKey(models.Model):
    _inherit = "auth.passkey.key"

    @api.model_create_multi
    def create(self, vals_list):
        with self.env.user._keep_sealed():
            return super().create(vals_list)

    def write(self, vals):
        if not vals.keys() & {"credential_identifier", "public_key", "create_uid"}:
            return super().write(vals)
        with self.sudo().create_uid._keep_sealed():
            return super().write(vals)

    def unlink(self):
        with self.sudo().create_uid._keep_sealed():
            return super().unlink()

    def get_base_url(self):
        """Return the URL of the host at which staff log in: passkeys belong to it."""
        host = settings.get_staff_host(self.env.cr.dbname)
        if host and request:
            return f"{request.httprequest.scheme}://{host}"
        return super().get_base_url()
