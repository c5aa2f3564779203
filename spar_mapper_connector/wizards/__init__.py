from . import base_language_import
from . import base_partner_merge
