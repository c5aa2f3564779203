from . import ir_http
from . import spar_participant
from . import spar_participant_secret
from . import spar_participant_usage
from . import spar_g2p_connect_directory
from . import spar_g2p_connect_server
