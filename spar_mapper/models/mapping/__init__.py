from . import spar_subject_late, spar_subject_provisional
from . import spar_subject_complaints, spar_subject, spar_subject_page
from . import spar_masked_words
from . import spar_stored_address
from . import spar_mapping
from . import spar_mapping_period
from . import spar_event
from . import spar_left_address
from . import spar_recheck
from . import spar_receipt
from . import spar_paper_form
