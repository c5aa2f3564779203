from . import spar_openspp_payment_manager
from . import spp_program_payment_manager
from . import spp_payment
from . import spp_cycle
