"""Seal the secrets of authenticator apps, and give the job its new name."""

from odoo.api import SUPERUSER_ID, Environment


def migrate(cr, version):
    env = Environment(cr, SUPERUSER_ID, {})
    env.ref("spar_staff_login.ir_cron_password_request").code = "model._cron_send()"
    env["res.users"]._seal_each()
