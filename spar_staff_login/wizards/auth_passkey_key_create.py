from odoo import models


class AuthPasskeyKeyCreate(models.TransientModel):
    _inherit = "auth.passkey.key.create"

    def make_key(self, registration=None):
        """Seal the account: core writes a passkey's public half past the fields."""
        with self.env.user._keep_sealed():
            return super().make_key(registration)
