from . import spar_directory_used
from . import spar_directory_trial
from . import spar_directory_forms
from . import spar_directory_import
