from . import auth_passkey_key
from . import ir_http
from . import ir_ui_view
from . import res_groups
from . import res_partner
from . import res_users
from . import spar_login_failure
from . import spar_password_request
