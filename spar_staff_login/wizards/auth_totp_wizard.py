from odoo import models

from odoo.addons.spar_mapper_connector.closed_fields import SecretBinary, SecretChar


class AuthTotpWizard(models.TransientModel):
    """Odoo's own form for a new secret, of an account that may get a role later."""

    _inherit = "auth_totp.wizard"

    secret = SecretChar()
    url = SecretChar()
    qrcode = SecretBinary()
