from . import spar_programme
from . import spar_programme_member
from . import spar_consent
from . import spar_programme_cycle
