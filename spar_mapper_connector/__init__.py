from . import controllers
from . import models
from . import wizards
from .expressions import call_at_once
from .lib.pages.access_log import hide_in_access_log
from .server import set_up_server

call_at_once()
hide_in_access_log()
# Not Odoo's `post_load`: it is skipped for code that was imported earlier, and a
# server-wide addon imports ours.
set_up_server()
