from . import directory
from . import mapper
from . import description
from . import extension
from . import oauth2
from . import participant
from . import service
