from odoo import models

from ..closed_fields import SecretChar


class ChangePasswordUser(models.TransientModel):
    """A new password that an administrator types for somebody."""

    _inherit = "change.password.user"

    new_passwd = SecretChar()


class ChangePasswordOwn(models.TransientModel):
    """A new password that people type for themselves."""

    _inherit = "change.password.own"

    new_password = SecretChar()
    confirm_password = SecretChar()


class ResUsersIdentitycheck(models.TransientModel):
    """A password that people type once more."""

    _inherit = "res.users.identitycheck"

    password = SecretChar()
