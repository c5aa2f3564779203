from . import base_partner_merge
from . import spar_address_wizard
from . import spar_collect_wizard
from . import spar_give_up_wizard
from . import spar_move_wizard
from . import spar_suspend_wizard
from . import spar_readiness_wizard
from . import spar_readiness_export_wizard
