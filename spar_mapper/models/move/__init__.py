from . import spar_move
from . import spar_move_left
from . import spar_move_number
