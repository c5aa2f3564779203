from . import spar_notice
from . import spar_notice_channel
