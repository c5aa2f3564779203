from . import mapper
from . import oauth2
from . import participant
from . import service
