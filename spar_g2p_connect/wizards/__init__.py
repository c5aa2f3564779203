from . import spar_participant_secret
from . import spar_participant_trial
