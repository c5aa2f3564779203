from . import spar_kept_search
from . import spar_staff_answers
from . import spar_lookup
from . import spar_staff_act
from . import spar_evidence
from . import spar_limit
from . import res_users
from . import spar_office
