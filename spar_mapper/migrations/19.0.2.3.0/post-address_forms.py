"""Record the forms of addresses, with their rules and library versions.

Gaps in numbers, and other spellings of branch codes, can be read now: addresses whose
provider was unknown are checked again.
"""

from odoo import SUPERUSER_ID, api


def migrate(cr, version):
    if version:
        env = api.Environment(cr, SUPERUSER_ID, {})
        env["spar.address.form"]._get_number()
        env["spar.form.run"]._begin_addresses({"unread": True})
