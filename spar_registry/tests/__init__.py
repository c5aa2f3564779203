from . import test_outbox
from . import test_person
from . import test_readiness
