from . import spar_address_words
from . import spar_login_texts
from . import spar_page_frame
from . import spar_page_visitor
