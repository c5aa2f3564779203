"""Fields through which credentials pass: forms of Odoo, and accounts themselves."""

from odoo import models

from ..closed_fields import SecretChar

#: Forms of Odoo in which people type a credential, or are shown one. The rows of some
#: hold it until the form is closed.
FORMS = frozenset(
    (
        "auth.passkey.key.create",
        "auth_totp.wizard",
        "change.password.own",
        "change.password.user",
        "change.password.wizard",
        "res.users.apikeys.description",
        "res.users.apikeys.show",
        "res.users.identitycheck",
    )
)


class ResUsers(models.Model):
    """Accounts: a new password is in the transaction's cache as it is stored."""

    _inherit = "res.users"

    password = SecretChar()
    new_password = SecretChar()
