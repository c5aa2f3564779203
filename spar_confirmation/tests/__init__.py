from . import test_client
from . import test_helped
from . import test_login_attacks
from . import test_objection
from . import test_pages
from . import test_portal
from . import test_proposal
from . import test_translations
