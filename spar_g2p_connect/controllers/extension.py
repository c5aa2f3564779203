from odoo import http
from odoo.http import request

from odoo.addons.spar_mapper_connector.lib.spar_wire.operations import OPERATIONS

from ..const import EXTENSION_PATH
from .mapper import ROUTING, serve


class ExtensionController(http.Controller):
    """What G2P Connect has no words for, for participants that are a SPAR."""

    @http.route([f"{EXTENSION_PATH}/{name}" for name in OPERATIONS], **ROUTING)
    def extend(self):
        name = request.httprequest.path.rstrip("/").rpartition("/")[2]
        server = request.env["spar.g2p.connect.extension"]
        return serve(server, OPERATIONS[name].action)
