from . import spar_beneficiary
from . import spar_page_texts
from . import spar_address_words
from . import spar_draft
from . import spar_draft_answers
from . import spar_my_address
from . import spar_my_change
