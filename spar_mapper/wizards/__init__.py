from . import spar_find_wizard
from . import spar_mapping_wizard_part
from . import spar_mapping_wizard
from . import spar_evidence_wizard
from . import spar_objection_wizard
from . import spar_reveal_wizard
from . import spar_form_case_wizard
from . import spar_office_wizard
