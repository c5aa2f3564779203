from . import spar_message
from . import spar_message_worker
from . import spar_message_decision
from . import spar_message_change
from . import spar_callback
from . import spar_callback_worker
