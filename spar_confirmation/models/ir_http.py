from odoo import models
from odoo.http import request

from odoo.addons.spar_mapper_connector.pages.cookies import secure_cookie

from .spar_confirmation_client import PAGES_PATH


class IrHttp(models.AbstractModel):
    """The session of the page of review: sent by this site's own pages only."""

    _inherit = "ir.http"

    @classmethod
    def _post_dispatch(cls, response):
        result = super()._post_dispatch(response)
        if request.httprequest.path.startswith(f"{PAGES_PATH}/"):
            secure_cookie(response)
        return result
