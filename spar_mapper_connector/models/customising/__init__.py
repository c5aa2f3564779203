"""Customisations that an administrator of Odoo may not make to the registry's models.

An added field, action or rule runs in the request of an authorised user, beside the
values that are shown to them. So our models accept none, except those that come with an
addon.
"""

from . import closed
from . import ir_model
from . import ir_model_data
from . import ir_model_schema
from . import ir_model_access
from . import ir_rule
from . import ir_default
from . import ir_filters
from . import ir_ui_view
from . import ir_ui_view_custom
from . import ir_ui_menu
from . import ir_actions
from . import ir_attachment
from . import ir_embedded_actions
from . import res_groups
from . import ir_asset
from . import res_country
from . import ir_config_parameter
