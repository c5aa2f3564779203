from . import spar_sealed_draft
from . import spar_address_entry
from . import spar_staff_answers
