from odoo import api, models

#: What a participant has to call this registry, where it says whom it means.
RECEIVER_PARAMETER = "spar_g2p_connect.receiver_id"

_PARAMETER = "(SELECT value FROM ir_config_parameter WHERE key = '%s')"


class SparRowVersions(models.AbstractModel):
    """What else is read with each call: whom tokens and messages are for, and the time
    that keys are held against. The values themselves are their versions."""

    _inherit = "spar.row.versions"

    @api.model
    def _get_sources(self) -> dict[str, str]:
        return {
            **super()._get_sources(),
            "now": "now() AT TIME ZONE 'UTC'",
            "audience": _PARAMETER % "database.uuid",
            "receiver": _PARAMETER % RECEIVER_PARAMETER,
        }
