"""The complete OpenAPI document."""

from __future__ import annotations

from functools import lru_cache

from ...const import BASE_PATH
from . import openg2p_2
from .paths import OPEN_API, build_paths
from .schemas import Schema, build_schemas
from .service_schemas import build_service_schemas

DESCRIPTION = """\
The financial address mapper of G2P Connect 1.0: which address belongs to which ID.

**Who calls.** A participant sends an access token of `/oauth2/client/token` (client
secret, or `private_key_jwt`), signs each message, or both, as was agreed with it. A
signature is a detached JWS (RFC 7515, appendix F) by PS256, ES256, EdDSA or RS256,
either in the member `signature`, over the canonical JSON of `{"header", "message"}`, or
in the HTTP header `Signature`, over the whole body. Canonical is: members sorted by
name, no white space, UTF-8. Our answers and callbacks are signed in the same place, by
a key of `/.well-known/jwks.json`.

**Answers.** Whatever could be read is answered with HTTP 200, each item with its own
`status` and `status_reason_code`; what could not be with the document `Error`. A
`message_id` stands for one message: the same message again gets the same answer.

**Limits.** Calls and items a minute, items a day: HTTP 429 with `Retry-After`. An ID
that is not known costs as much as twenty that are.
"""


@lru_cache(maxsize=1)
def build_document() -> Schema:
    """Return the OpenAPI document of this server, the same for every caller."""
    services = {**build_service_schemas(), "OpenApi": OPEN_API}
    schemas = {**build_schemas(), **openg2p_2.build_schemas(), **services}
    return {
        "openapi": "3.0.3",
        "info": {
            "title": "SPAR: financial addresses by G2P Connect",
            "version": "1.0.0",
            "description": DESCRIPTION,
            "license": {"name": "LGPL-3.0-or-later"},
        },
        "servers": [{"url": BASE_PATH}],
        "paths": build_paths(),
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                "signature": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Signature",
                    "description": "A detached JWS; or the member `signature`.",
                },
            },
        },
    }
