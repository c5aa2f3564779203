from odoo import api, models

#: The name by which a participant has to address this registry, if it names any.
RECEIVER_PARAMETER = "spar_g2p_connect.receiver_id"

_PARAMETER = "(SELECT value FROM ir_config_parameter WHERE key = '%s')"


class SparRowVersions(models.AbstractModel):
    """Further values read with each call: audience, receiver and the current time.

    The time is used to check the validity of keys. The values themselves are their
    versions.
    """

    _inherit = "spar.row.versions"

    @api.model
    def _get_sources(self) -> dict[str, str]:
        return {
            **super()._get_sources(),
            "now": "now() AT TIME ZONE 'UTC'",
            "audience": _PARAMETER % "database.uuid",
            "receiver": _PARAMETER % RECEIVER_PARAMETER,
        }
