from . import spar_participant_secret
