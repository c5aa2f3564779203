from . import spar_mapper
from . import spar_id_type
from . import spar_mapper_backend
from . import spar_person_source
