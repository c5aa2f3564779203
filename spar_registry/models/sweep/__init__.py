from . import spar_sweep
