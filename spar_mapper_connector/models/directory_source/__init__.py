from . import spar_directory_source
from . import spar_directory_source_note
from . import spar_fsp_fetched
