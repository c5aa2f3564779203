# The dispatcher comes first: routes refer to it while their controllers are imported.
from . import dispatcher
from . import controllers
from . import models
from . import wizards
