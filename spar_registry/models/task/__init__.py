from . import spar_registry_task
