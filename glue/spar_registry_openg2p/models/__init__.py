from . import g2p_reg_id
from . import g2p_id_type
from . import res_partner
