from . import models
from .expressions import call_at_once

call_at_once()
