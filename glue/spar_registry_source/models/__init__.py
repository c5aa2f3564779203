from . import identity
from . import payment
