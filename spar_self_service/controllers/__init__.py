from . import login
from . import web_login
