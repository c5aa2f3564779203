from . import spar_payee_finder
from . import spar_held_payment
from . import spar_held_cycle
from . import spar_payment_dispatch
from . import spar_payment_manager
from . import spar_payment_row
