from . import manager_mixin
from . import payment
from . import payment_manager
from . import program
from . import cycle
from . import entitlement
