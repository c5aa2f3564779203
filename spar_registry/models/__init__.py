from . import spar_of_person
from . import person
from . import programme
from . import account
from . import outbox
from . import task
from . import setting
from . import readiness
