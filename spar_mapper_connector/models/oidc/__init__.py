from . import spar_oidc_client
