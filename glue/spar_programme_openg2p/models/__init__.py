from . import spar_openg2p_payment_manager
from . import g2p_program_payment_manager
from . import g2p_payment
from . import g2p_cycle
