from . import confirm
