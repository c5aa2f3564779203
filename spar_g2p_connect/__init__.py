# The dispatcher first: a route names it while its controller is imported.
from . import dispatcher
from . import controllers
from . import models
from . import wizards
