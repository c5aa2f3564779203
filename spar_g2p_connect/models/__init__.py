from . import ir_http
from . import ir_config_parameter
from . import spar_row_versions
from . import participant
from . import message
from . import server
from . import spar_mapper_local
from . import spar_event
