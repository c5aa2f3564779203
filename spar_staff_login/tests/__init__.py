from . import test_attempts
from . import test_database_pages
from . import test_hosts
from . import test_second_factor
from . import test_sessions
from . import test_setup_check
from . import test_what_opens_an_account
