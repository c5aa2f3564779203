from . import spar_registry_task
from . import spar_life_events
from . import spar_identity_move
