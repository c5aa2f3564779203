from odoo import models
from odoo.http import request

from ..lib import settings


class AuthPasskeyKey(models.Model):
    _inherit = "auth.passkey.key"

    def get_base_url(self):
        """Passkeys belong to the host that staff log in at."""
        host = settings.get_staff_host(self.env.cr.dbname)
        if host and request:
            return f"{request.httprequest.scheme}://{host}"
        return super().get_base_url()
