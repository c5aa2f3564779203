from . import test_lib_doctests
from . import test_login
from . import test_login_attacks
from . import test_spar_beneficiary
