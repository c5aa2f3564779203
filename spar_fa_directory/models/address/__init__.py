from . import spar_fa_type
from . import spar_fa_type_part
from . import spar_fa_strategy
from . import spar_masked_words
