"""What SPAR asks of Odoo's server, once for each process: nobody holds it up.

Odoo has no setting for any of this. Each part says what it stands in for.
"""

from ..lib.log_limits import shorten_statements
from .database import limit_connections
from .deadline import limit_reading
from .expression_names import close_names
from .retrying import answer_at_once
from .sessions import guard_sessions


def set_up_server() -> None:
    """Set it for this process, once."""
    limit_connections()
    answer_at_once()
    limit_reading()
    guard_sessions()
    close_names()
    shorten_statements()
