from . import controllers
from . import models
from .hooks import post_init_hook, uninstall_hook
from .lib.access_log import hide_in_access_log

hide_in_access_log()
