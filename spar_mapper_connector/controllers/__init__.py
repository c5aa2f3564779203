from . import callback
from . import frame
