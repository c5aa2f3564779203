from . import spar_representative_kind
from . import spar_representative_following
from . import spar_representative
from . import spar_representative_reminder
from . import spar_subject_representative
