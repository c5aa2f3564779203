from . import spar_account_layout
from . import spar_account_import
from . import spar_account_loader
