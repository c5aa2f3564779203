from . import spar_openg2p_directory
from . import spar_openg2p_move
from . import spar_openg2p_loader
from . import spar_openg2p_comparison
