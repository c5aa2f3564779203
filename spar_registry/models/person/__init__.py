from . import ir_default
from . import spar_registry_lookup
from . import spar_person_identity
from . import spar_person_address
from . import spar_person_name
from . import res_partner
from . import spar_person_source
