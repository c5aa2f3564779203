from . import spar_read_script
from . import spar_witness
from . import spar_provisional
from . import spar_joining
from . import spar_mapper_local
