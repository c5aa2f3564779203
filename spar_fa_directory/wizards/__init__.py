from . import spar_bank_load_wizard, spar_fa_preview, spar_first_steps
