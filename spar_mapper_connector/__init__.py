from . import models
from .expressions import call_at_once
from .server import set_up_server

call_at_once()
# Not as Odoo's `post_load`: that is skipped for code that was imported before, and a
# server-wide addon imports ours.
set_up_server()
