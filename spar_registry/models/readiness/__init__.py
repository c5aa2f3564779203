from . import spar_readiness_run
from . import spar_readiness_chunk
from . import spar_readiness_line
from . import spar_readiness_checker
from . import spar_readiness_reader
from . import spar_readiness_worker
from . import spar_readiness_export
