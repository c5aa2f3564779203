from odoo import api, models

#: The newest seal of settings, whose number serves as their version.
SEALS = "spar.settings.seal"


class SparRowVersions(models.AbstractModel):
    """Values derived from sealed settings are valid for the seal that verified them.

    A row that is added and deleted again leaves the versions of the others unchanged;
    the number of the newest seal never recurs.
    """

    _inherit = "spar.row.versions"

    @api.model
    def _get_sources(self) -> dict[str, str]:
        newest = "(SELECT max(seq) FROM spar_settings_seal)"
        return {**super()._get_sources(), SEALS: newest}

    @api.model
    def _reuse(self, model: models.BaseModel, method: str, *names: str):
        sealed = self.env.registry["spar.sealed.setting"]._inherit_children
        if names[0] in sealed:
            names = (*names, SEALS)
        return super()._reuse(model, method, *names)
