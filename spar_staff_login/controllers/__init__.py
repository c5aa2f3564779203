from . import database
from . import home
from . import second_factor
