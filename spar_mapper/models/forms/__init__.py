from . import spar_sealed_rows
from . import spar_stored_form
from . import spar_address_form
from . import spar_id_form
from . import spar_id_type
from . import spar_form_run
from . import spar_form_case
from . import spar_setting_change
