"""Let the seals of kinds of address cover how many people may share one.

Only rows that are as they were sealed are sealed again.
"""

import logging

from odoo.api import SUPERUSER_ID, Environment

from odoo.addons.spar_mapper_connector.exceptions import MapperError

_logger = logging.getLogger(__name__)


def migrate(cr, version):
    env = Environment(cr, SUPERUSER_ID, {})
    seals = env["spar.settings.seal"]
    try:
        if seals._is_needed():
            seals._seal_rows(env["spar.fa.type"], [])
    except MapperError as error:
        _logger.warning("a kind of address is sealed at its next change (%s)", error)
