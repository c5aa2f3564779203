from . import test_lib_doctests
from . import test_spar_beneficiary
