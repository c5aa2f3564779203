from . import base_language_import
from . import base_partner_merge
from . import credential_forms
from . import ir_demo
