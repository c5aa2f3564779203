from . import models
from .expressions import call_at_once
from .hooks import post_init_hook

call_at_once()
