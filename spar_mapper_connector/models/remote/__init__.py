from . import spar_backend_secret
from . import spar_remote_answer
from . import spar_remote_settings
from . import spar_remote_problems
from . import spar_openg2p_addresses
from . import spar_mapper_g2p_connect
from . import spar_mapper_spar
