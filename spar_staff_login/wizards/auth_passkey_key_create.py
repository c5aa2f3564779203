from odoo import models


class AuthPasskeyKeyCreate(models.TransientModel):
    _inherit = "auth.passkey.key.create"

    def make_key(self, registration=None):
        """Core writes a passkey's public half past the fields, as the last thing."""
        with self.env.user._keep_sealed():
            return super().make_key(registration)
