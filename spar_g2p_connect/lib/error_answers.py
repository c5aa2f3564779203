"""The error policy: how each exception is answered."""

from __future__ import annotations

from functools import singledispatch

import psycopg2
from psycopg2.errors import LockNotAvailable, QueryCanceled
from werkzeug.exceptions import HTTPException

from odoo.addons.spar_mapper_connector.exceptions import ServiceUnavailable
from odoo.addons.spar_mapper_connector.lib.g2p_connect.acks import build_err
from odoo.addons.spar_mapper_connector.lib.g2p_connect.exceptions import WireError

from ..exceptions import (
    Busy,
    DatabaseUnavailable,
    HttpRefused,
    MapperUnavailable,
    ProtocolError,
    RequestRefused,
)

#: HTTP status -> (the protocol's code, text)
_HTTP_WORDS = {
    400: ("err.request.bad", "the request cannot be read"),
    401: ("err.request.unauthorized", "a bearer token is required"),
    403: ("err.request.forbidden", "this is not allowed"),
    404: ("err.request.not_found", "nothing exists under this path"),
    405: ("err.request.bad", "this path does not allow this method"),
    408: ("err.request.timeout", "the request came too slowly"),
    409: (
        "err.service.unavailable",
        "a concurrent request conflicts with it; try again",
    ),
    413: ("err.request.bad", "the body is too large"),
    414: ("err.request.bad", "the URL of the request is too long"),
    415: ("err.request.bad", "the Content-Type is not the one that this path takes"),
    429: ("err.request.too_many_requests", "too many requests"),
    503: ("err.service.unavailable", "the service cannot work now; try again later"),
}

#: Statuses that the specification answers with errors on asynchronous paths too.
_ONLY_ERRORS = frozenset({401, 403, 500})

#: Headers that each answer sets itself.
_OWN_HEADERS = frozenset({"content-type", "content-length", "set-cookie"})


def build_error_answer(
    exc: BaseException, acknowledges: bool = False
) -> tuple[int, list[tuple[str, str]], dict[str, object]]:
    """Return the ``(status, headers, document)`` that answer any ``exc``.

    With ``acknowledges`` the document is also an acknowledgement, except for the
    statuses that have none in the specification (g2p-connect.md 1.1): it then has both
    forms.

    >>> status, headers, document = build_error_answer(ZeroDivisionError("secret"))
    >>> status, document["errors"][0]["code"], "secret" in str(document)
    (500, 'err.service.unavailable', False)
    """
    error = as_protocol_error(exc)
    document = error.build_document()
    if acknowledges and error.code not in _ONLY_ERRORS:
        document |= build_err(error.word, error.description)
    return error.code, error.get_extra_headers(), document


@singledispatch
def as_protocol_error(exc: BaseException) -> ProtocolError:
    """Return the protocol's error for ``exc``, which may be one already."""
    # Odoo's own exceptions have a status, but their texts are for Odoo's users.
    status = getattr(exc, "http_status", 500)
    if status == Busy.code:
        return Busy()
    return (
        HttpRefused(status, *_HTTP_WORDS[status])
        if status in _HTTP_WORDS
        else ProtocolError()
    )


@as_protocol_error.register
def _return_unchanged(exc: ProtocolError) -> ProtocolError:
    return exc


@as_protocol_error.register
def _convert_wire(exc: WireError) -> ProtocolError:
    return RequestRefused(exc.code, exc.text)


@as_protocol_error.register
def _convert_mapper(exc: ServiceUnavailable) -> ProtocolError:
    return MapperUnavailable()


@as_protocol_error.register(psycopg2.OperationalError)
@as_protocol_error.register(psycopg2.InterfaceError)
def _convert_database(exc: psycopg2.Error) -> ProtocolError:
    return DatabaseUnavailable()


@as_protocol_error.register(LockNotAvailable)
@as_protocol_error.register(QueryCanceled)
def _convert_stopped(exc: psycopg2.Error) -> ProtocolError:
    return Busy()


@as_protocol_error.register
def _convert_http(exc: HTTPException) -> ProtocolError:
    if exc.code is None or exc.code not in _HTTP_WORDS:
        return ProtocolError()
    headers = [h for h in exc.get_headers() if h[0].lower() not in _OWN_HEADERS]
    return HttpRefused(exc.code, *_HTTP_WORDS[exc.code], headers)
