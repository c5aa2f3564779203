from . import spp_registry_id
from . import spp_vocabulary_code
from . import res_partner
