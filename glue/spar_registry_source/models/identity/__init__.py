from . import spar_source_index
from . import spar_source_identity
from . import spar_id_source
from . import spar_id_source_type
from . import spar_source_person
from . import spar_life_events
