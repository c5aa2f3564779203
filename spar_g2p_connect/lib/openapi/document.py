"""The complete OpenAPI document."""

from __future__ import annotations

from functools import lru_cache

from ...const import BASE_PATH
from . import extension, openg2p_2
from .paths import OPEN_API, build_paths
from .schemas import Schema, build_schemas
from .service_schemas import build_service_schemas

DESCRIPTION = """\
The financial address mapper of G2P Connect 1.0: which address belongs to which ID.

**Authentication.** A participant sends an access token from `/oauth2/client/token`
(client secret or `private_key_jwt`), signs each message, or both, as configured for it.
A signature is a detached JWS (RFC 7515, appendix F) with PS256, ES256, EdDSA or RS256.
It is either in the member `signature`, over the canonical JSON of
`{"header", "message"}`, or in the HTTP header `Signature`, over the whole body.
Canonical JSON has its members sorted by name, no white space, and is encoded in UTF-8.
Answers and callbacks are signed in the same place, with a key from
`/.well-known/jwks.json`.

**Answers.** A message that can be read is answered with HTTP 200; each item has its own
`status` and `status_reason_code`. Any other request is answered with the document
`Error`. A `message_id` identifies one message: sending the same message again returns
the same answer.

**SPAR to SPAR.** Below `/extension/` is what G2P Connect has no words for, for
participants that are a SPAR themselves: header, signatures and limits are the same.

**Limits.** Calls and items per minute and items per day are limited. A request over a
limit is answered with HTTP 429 and `Retry-After`. An unknown ID counts as twenty known
ones.
"""


@lru_cache(maxsize=1)
def build_document() -> Schema:
    """Return the OpenAPI document of this server, the same for every caller."""
    services = {**build_service_schemas(), "OpenApi": OPEN_API}
    dialects = {**openg2p_2.build_schemas(), **extension.build_schemas()}
    schemas = {**build_schemas(), **dialects, **services}
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
