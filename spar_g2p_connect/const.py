"""Names shared by the parts of this addon."""

#: Everything under this path is answered in the protocol's JSON.
BASE_PATH = "/spar/v1"
DIRECTORY_PATH = f"{BASE_PATH}/directory"
EXTENSION_PATH = f"{BASE_PATH}/extension"

#: The type of our routes, which selects the dispatcher that serves them.
ROUTING_TYPE = "spar_g2p_connect"

SERVICE_USER = "spar_g2p_connect.user_service"

#: How long a caller may reuse a page of the directory without revalidating it.
CACHE_SECONDS = 60

#: Maximum size of a request's body, in bytes.
MAX_MESSAGE_SIZE = 4 * 1024 * 1024
MAX_FORM_SIZE = 16 * 1024
