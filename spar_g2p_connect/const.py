"""Names that the parts of this addon share."""

#: Everything under this path is answered in JSON of the protocol.
BASE_PATH = "/spar/v1"
DIRECTORY_PATH = f"{BASE_PATH}/directory"

#: The type of our routes, and with it the dispatcher that serves them.
ROUTING_TYPE = "spar_g2p_connect"

SERVICE_USER = "spar_g2p_connect.user_service"

#: How long a caller may keep a page of the directory without asking again.
KEPT_SECONDS = 60

#: Bytes of a request's body.
MAX_MESSAGE_SIZE = 4 * 1024 * 1024
MAX_FORM_SIZE = 16 * 1024
