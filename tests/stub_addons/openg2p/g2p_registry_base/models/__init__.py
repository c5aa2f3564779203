from . import reg_id
from . import phone_number
from . import registrant
