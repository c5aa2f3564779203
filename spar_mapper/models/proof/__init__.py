from . import spar_issuer_key
from . import spar_mapper_backend
from . import spar_owner_proof
from . import spar_proof_issuer
