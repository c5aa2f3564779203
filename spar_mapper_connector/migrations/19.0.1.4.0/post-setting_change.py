"""Seal who proposed each pending change of a setting, as it stands."""

import logging

from odoo.api import SUPERUSER_ID, Environment

from odoo.addons.spar_mapper_connector.exceptions import MapperError

_logger = logging.getLogger(__name__)


def migrate(cr, version):
    try:
        Environment(cr, SUPERUSER_ID, {})["spar.setting.change"]._state_proposers()
    except MapperError as error:
        _logger.warning("pending changes have to be proposed again (%s)", error)
