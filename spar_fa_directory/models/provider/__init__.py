from . import spar_directory_closing
from . import spar_directory_search
from . import spar_directory_sourced
from . import spar_directory_texts
from . import spar_directory_used
from . import spar_fsp
from . import spar_fsp_branch
