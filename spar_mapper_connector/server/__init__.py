"""Changes to Odoo's server, once for each process, so that nothing blocks it.

Odoo has no setting for any of this. Each part states what it replaces.
"""

from ..lib.log_limits import shorten_statements
from .contexts import guard_contexts
from .database import limit_connections
from .data_files import guard_data_files
from .deadline import limit_reading
from .expression_formats import check_formats
from .expression_names import close_names
from .fetching import limit_fetching
from .field_writes import guard_fields
from .left_work import note_left_work
from .profiling import forbid_profiling
from .reading import guard_computed_fields
from .retrying import answer_at_once
from .sessions import guard_sessions, refuse_service_accounts
from .typed import hide_typed


def set_up_server() -> None:
    """Set up the server in this process, once."""
    limit_connections()
    answer_at_once()
    limit_reading()
    limit_fetching()
    guard_contexts()
    guard_sessions()
    refuse_service_accounts()
    hide_typed()
    close_names()
    check_formats()
    guard_fields()
    guard_computed_fields()
    note_left_work()
    guard_data_files()
    forbid_profiling()
    shorten_statements()
