from . import spar_alarm
from . import spar_audit
from . import spar_audit_run
from . import spar_checkpoint
from . import spar_checkpoint_restore
from . import spar_settings_seal
from . import spar_look
