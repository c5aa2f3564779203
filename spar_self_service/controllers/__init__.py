from . import login_page
from . import address
from . import change
from . import agent
from . import notice
from . import login
from . import web_login
from . import confirmed
