"""Move limits from system parameters, where they were kept, to sealed records."""

from odoo.api import SUPERUSER_ID, Environment

#: The prefix of every parameter's name.
PREFIX = "spar_mapper."


def migrate(cr, version):
    env = Environment(cr, SUPERUSER_ID, {})
    for limit in env["spar.limit"].search([]):
        _take_over(env, limit)
    env["spar.settings.seal"]._seal_unsealed()


def _take_over(env, limit) -> None:
    """Give a limit the value of its former parameter, if that value is usable."""
    parameter = env["ir.config_parameter"].search(
        [("key", "=", PREFIX + limit.code)], limit=1
    )
    if not parameter:
        return
    text = (parameter.value or "").strip()
    if limit.kind == "choice":
        limit.is_on = text.lower() in ("1", "true", "yes")
    elif text.isascii() and text.isdecimal():
        if limit.least <= int(text) <= limit.most:
            limit.value = int(text)
    parameter.unlink()
