from . import controllers
from . import models
from . import wizards
from .expressions import call_at_once
from .server import set_up_server

call_at_once()
# Not Odoo's `post_load`: it is skipped for code that was imported earlier, and a
# server-wide addon imports ours.
set_up_server()
