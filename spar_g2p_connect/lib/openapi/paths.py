"""The paths: what each one takes and how it answers."""

from __future__ import annotations

from dataclasses import dataclass, replace

from odoo.addons.spar_mapper_connector.lib.g2p_connect.headers import OPERATIONS, STATUS
from odoo.addons.spar_mapper_connector.lib.spar_wire.operations import (
    OPERATIONS as OPERATIONS_OF_SPAR,
)

from . import extension, openg2p_2
from .schemas import Schema, build_object, get_schema_name, one_of, ref, text

JSON, FORM, HTML = "application/json", "application/x-www-form-urlencoded", "text/html"

#: Why a request is refused, by HTTP status.
REASONS = {
    "400": "The request cannot be read; the message names the member.",
    "401": "The token or signature is missing or not valid.",
    "403": "The participant may not do this, or not from this address.",
    "404": "Nothing exists under this path.",
    "405": "This path does not allow this method.",
    "413": "The body is too large.",
    "415": "The Content-Type is wrong, or the body is compressed.",
    "429": "A limit is reached; Retry-After states for how long.",
    "500": "An error of the server; the request had no effect.",
    "503": "The service is unavailable; Retry-After states when to try again.",
}
_ALWAYS = ("404", "405", "500", "503")
_OF_MESSAGES = ("400", "401", "403", "413", "415", "429")


@dataclass(frozen=True)
class Path:
    """A path with its only method."""

    path: str
    method: str
    summary: str
    answer: str
    tag: str
    request: str = ""
    request_type: str = JSON
    answer_type: str = JSON
    is_open: bool = False
    refusals: tuple[str, ...] = ()
    error: str = "Error"
    query: tuple[tuple[str, Schema], ...] = ()
    acknowledges: bool = False
    #: the operation that may also come in the OpenG2P 2.x envelope
    dialect: str = ""

    def build(self) -> Schema:
        """Return the operation object."""
        operation: Schema = {
            "operationId": _build_id(self.method, self.path),
            "summary": self.summary,
            "tags": [self.tag],
            "responses": self._build_responses(),
            "security": [] if self.is_open else _SECURITY[bool(self.request)],
        }
        parameters = self._build_parameters()
        if parameters:
            operation["parameters"] = parameters
        if self.request:
            schema = self._add_dialect(ref(self.request), "Request")
            content = {self.request_type: {"schema": schema}}
            operation["requestBody"] = {"required": True, "content": content}
        if self.acknowledges:
            operation["callbacks"] = _build_callbacks(self.path, self.request)
        return operation

    def _build_responses(self) -> Schema:
        schema = self._add_dialect(_get_answer(self.answer), "Response")
        good = {self.answer_type: {"schema": schema}}
        responses: Schema = {"200": {"description": self.summary, "content": good}}
        error = ref(self.error)
        if self.acknowledges:
            error = {"anyOf": [ref(self.error), ref("Acknowledgement")]}
        for status in sorted({*_ALWAYS, *self.refusals}):
            content = {JSON: {"schema": error}}
            responses[status] = {"description": REASONS[status], "content": content}
        if self.tag == "directory":
            responses["304"] = {"description": "The stored version is still current."}
        return responses

    def _add_dialect(self, schema: Schema, kind: str) -> Schema:
        if not self.dialect:
            return schema
        return {"anyOf": [schema, ref(f"{openg2p_2.PREFIX}{self.dialect}{kind}")]}

    def _build_parameters(self) -> list[Schema]:
        named = [
            {"name": name, "in": "query", "schema": schema, "required": False}
            for name, schema in self.query
        ]
        if "{" in self.path:
            code = {"name": "code", "in": "path", "required": True, "schema": text(64)}
            named.append(code)
        return named


#: Whether it is a message -> the accepted ways to authenticate.
_SECURITY: dict[bool, list[dict[str, list[str]]]] = {
    True: [{"bearer": [], "signature": []}, {"bearer": []}, {"signature": []}],
    False: [{"bearer": []}],
}


def _get_answer(name: str) -> Schema:
    return ref(name) if name else {"type": "string"}


def _build_id(method: str, path: str) -> str:
    return f"{method}_{path}".replace("/", "_").replace("-", "_").strip("_")


def _build_callbacks(path: str, request: str) -> Schema:
    """Return the callback: the answer, posted below the participant's callback URL."""
    word = request.removesuffix("Request")
    action = "txn/on-status" if word == "TxnStatus" else f"on-{word.lower()}"
    post = {
        "summary": "The signed answer; it is sent until it is acknowledged.",
        "requestBody": {"content": {JSON: {"schema": ref(f"{word}Response")}}},
        "responses": {
            "200": {
                "description": "The answer was received.",
                "content": {JSON: {"schema": ref("Acknowledgement")}},
            }
        },
    }
    return {f"on_{word}": {"{callback_address}/" + action: {"post": post}}}


def _build_message_paths() -> list[Path]:
    paths = []
    for operation in OPERATIONS:
        word = get_schema_name(operation, "")
        sync = Path(
            f"/mapper/sync/{operation}",
            "post",
            f"{word}: synchronous",
            f"{word}Response",
            "mapper, synchronous",
            request=f"{word}Request",
            refusals=_OF_MESSAGES,
            dialect=word,
        )
        paths.append(sync)
        for path in (f"/mapper/{operation}", f"/mapper/async/{operation}"):
            asynchronous = _build_async(path, f"{word}: asynchronous", word)
            paths.append(replace(asynchronous, dialect=word))
    return paths


def _build_async(path: str, summary: str, word: str) -> Path:
    return Path(
        path,
        "post",
        summary,
        "Acknowledgement",
        "mapper, asynchronous",
        request=f"{word}Request",
        refusals=_OF_MESSAGES,
        acknowledges=True,
    )


def _build_status_paths() -> list[Path]:
    sync = [
        Path(
            path,
            "post",
            "The status of an earlier transaction",
            "TxnStatusResponse",
            "status",
            request="TxnStatusRequest",
            refusals=_OF_MESSAGES,
        )
        for path in ("/mapper/sync/txn/status", "/registry/sync/txn/status")
    ]
    summary = f"{STATUS}: asynchronous"
    return [*sync, _build_async("/mapper/txn/status", summary, "TxnStatus")]


_PAGE = (
    ("q", text(200)),
    ("limit", {"type": "integer", "minimum": 1, "maximum": 1000}),
    ("cursor", text()),
    ("archived", one_of("true", "false")),
)
_KINDS = (("kind", text()), ("type", text()), ("country", text()))


_TOKEN = Path(
    "/oauth2/client/token",
    "post",
    "An access token for a client",
    "Token",
    "service",
    request="TokenRequest",
    request_type=FORM,
    is_open=True,
    refusals=("400", "401", "413", "415"),
)
_OWN_RECORD = Path(
    "/participant",
    "get",
    "The caller's own rights and limits",
    "Participant",
    "service",
    refusals=("401", "403", "429"),
)

#: Paths that need no authentication: path, summary, document.
_OPEN = (
    ("/.well-known/jwks.json", "The public keys of this server", "KeySet"),
    ("/openapi.json", "This description", "OpenApi"),
    ("/docs", "This description as a page", ""),
    ("/health", "The health of this server", "Health"),
)


def _build_service_paths() -> list[Path]:
    open_paths = [
        Path(
            path,
            "get",
            summary,
            answer,
            "service",
            answer_type=JSON if answer else HTML,
            is_open=True,
        )
        for path, summary, answer in _OPEN
    ]
    return [_TOKEN, *open_paths, _OWN_RECORD]


def _build_directory_paths() -> list[Path]:
    refusals = ("400", "401", "403", "429")
    branches = "/directory/providers/{code}/branches"
    return [
        Path(
            "/directory/providers",
            "get",
            "The providers of accounts",
            "Providers",
            "directory",
            query=(*_PAGE, *_KINDS),
            refusals=refusals,
        ),
        Path(
            branches,
            "get",
            "The branches of a provider",
            "Branches",
            "directory",
            query=_PAGE,
            refusals=refusals,
        ),
        Path(
            "/directory/fa-types",
            "get",
            "The kinds of address and their parts",
            "FaTypes",
            "directory",
            refusals=refusals,
        ),
    ]


def _build_extension_paths() -> list[Path]:
    return [
        Path(
            f"/extension/{operation.name}",
            "post",
            operation.summary,
            extension.get_name(operation, "Response"),
            "SPAR to SPAR",
            request=extension.get_name(operation, "Request"),
            refusals=_OF_MESSAGES,
        )
        for operation in OPERATIONS_OF_SPAR.values()
    ]


PATHS: tuple[Path, ...] = (
    *_build_message_paths(),
    *_build_status_paths(),
    *_build_extension_paths(),
    *_build_directory_paths(),
    *_build_service_paths(),
)


def build_paths() -> Schema:
    """Return the paths object."""
    return {path.path: {path.method: path.build()} for path in PATHS}


OPEN_API = build_object(("openapi", "info", "paths"), openapi=text())
