from . import test_auth_oauth_provider
from . import test_lib_doctests
from . import test_login
from . import test_login_attacks
from . import test_spar_beneficiary
from . import test_step_up
