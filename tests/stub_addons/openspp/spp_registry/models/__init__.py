from . import reg_id
from . import phone_number
from . import group_membership
from . import registrant
