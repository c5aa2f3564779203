from . import models
from .server import set_up_server

# Not as Odoo's `post_load`: that is skipped for code that was imported before, and a
# server-wide addon imports ours.
set_up_server()
