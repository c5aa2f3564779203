from . import spar_payment_account
