from . import spar_registry_setting
