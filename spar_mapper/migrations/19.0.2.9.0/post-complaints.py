"""Give each open case of an objection a complaint, with somebody responsible for it.

The days to answer it begin now. Cases that are closed stay as they are.
"""

from odoo.api import SUPERUSER_ID, Environment


def migrate(cr, version):
    Environment(cr, SUPERUSER_ID, {})["spar.complaint"]._register_open_cases()
