from . import spar_keyring_key
from . import spar_keyring
from . import spar_keyring_rotation
from . import spar_sealed_storage
from . import spar_mapper
from . import spar_mapper_backend
from . import spar_id_type
