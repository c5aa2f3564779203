from odoo import models


class ResUsersIdentitycheck(models.TransientModel):
    _inherit = "res.users.identitycheck"

    def _check_identity(self):
        """Count failures here, too: a stolen session must not allow guessing."""
        with self.env.user._assert_can_auth(user=self.create_uid.id):
            return super()._check_identity()
