from . import spar_beneficiary
