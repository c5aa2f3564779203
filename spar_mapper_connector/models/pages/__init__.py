from . import spar_address_words
from . import spar_page_frame
