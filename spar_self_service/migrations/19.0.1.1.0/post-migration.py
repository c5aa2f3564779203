"""Which issuer may assert which ID type is said by the type; before, by the provider.

Then the settings of a database from before are sealed once, as they are.
"""

from odoo.api import SUPERUSER_ID, Environment


def migrate(cr, version):
    env = Environment(cr, SUPERUSER_ID, {})
    env["auth.oauth.provider"].search([("flow", "=", "spar_oidc")])._let_assert()
    env["spar.settings.seal"]._seal_unsealed()
