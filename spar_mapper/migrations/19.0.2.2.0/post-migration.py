"""Forms are kept: IDs and addresses of before are in the first one.

What would become of them is looked at in the background, and nothing is changed before
that is done (see the README).
"""

from odoo import SUPERUSER_ID, api


def migrate(cr, version):
    env = api.Environment(cr, SUPERUSER_ID, {})
    if version and env["spar.keyring"]._get_phase():
        env["spar.id.form"]._add_current()
        env["spar.form.run"]._begin_addresses()
