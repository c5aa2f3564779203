from . import auth_passkey_key_create
from . import auth_totp_wizard
from . import res_users_identitycheck
from . import spar_first_steps
from . import spar_setup_check
