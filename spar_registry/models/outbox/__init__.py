from . import spar_outbox_entry
from . import spar_outbox_worker
from . import spar_outbox_summary
