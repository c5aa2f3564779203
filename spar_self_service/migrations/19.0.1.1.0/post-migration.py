"""Let ID types name their issuers, as providers did before this version.

Then the existing settings are sealed once, as they are.
"""

from odoo.api import SUPERUSER_ID, Environment


def migrate(cr, version):
    env = Environment(cr, SUPERUSER_ID, {})
    env["auth.oauth.provider"].search([("flow", "=", "spar_oidc")])._register_issuers()
    env["spar.settings.seal"]._seal_unsealed()
