from . import spar_confirmation_portal
from . import spar_confirmation_client
from . import spar_confirmation
from . import spar_confirmation_attempt
from . import spar_confirmation_login
from . import spar_confirmation_texts
from . import spar_confirmation_demo
from . import spar_mapper_local
