from . import spar_change_listener
from . import spar_change
from . import spar_change_look
from . import spar_deputy
from . import spar_change_assignment
from . import spar_change_rule
from . import spar_objection
from . import spar_complaint
