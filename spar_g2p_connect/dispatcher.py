"""The entry point: every answer under the base path is the protocol's JSON.

There are two dispatchers because an error may occur before a route is found. Odoo gives
each request its ``http`` dispatcher first, and then the one of the route. Ours of type
``http`` does what Odoo's does, but answers for our paths when the database is
unavailable or unknown, when no path matches, or when the request cannot be read. The
other one serves our routes. Defining a dispatcher class registers it for the whole
process: this is why the addon belongs in ``server_wide_modules``.
"""

import json
import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import psycopg2
from werkzeug.exceptions import (
    ClientDisconnected,
    NotFound,
    RequestEntityTooLarge,
    RequestTimeout,
)

from odoo import http, sql_db
from odoo.exceptions import ConcurrencyError
from odoo.http import Dispatcher, HttpDispatcher, Response
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY

from odoo.addons.spar_mapper_connector.lib.framing import is_ambiguous
from odoo.addons.spar_mapper_connector.server.deadline import DEADLINES

from .const import BASE_PATH, CACHE_SECONDS, ROUTING_TYPE
from .exceptions import DatabaseUnavailable, HttpRefused, NoSuchDatabase, ProtocolError
from .lib.error_answers import as_protocol_error, build_error_answer
from .lib.error_texts import describe_error

_logger = logging.getLogger(__name__)

#: Exceptions to which Odoo responds by running the request once more.
_RETRIED = (
    *PG_CONCURRENCY_EXCEPTIONS_TO_RETRY,
    ConcurrencyError,
    psycopg2.errors.ReadOnlySqlTransaction,
)

#: The only content coding that is accepted in a request (RFC 9110, 8.4 and 15.5.16).
_PLAIN = "identity"

_encode = json.JSONEncoder(
    ensure_ascii=False, check_circular=False, separators=(",", ":")
).encode


def build_response(status: int, headers: list[tuple[str, str]], document) -> Response:
    """Return ``document`` as a JSON response that no intermediary may store."""
    response = Response(
        _encode(document).encode(), status=status, content_type="application/json"
    )
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    for name, value in headers:
        response.headers[name] = value
    return response


def is_our_path(path: str) -> bool:
    """Return whether ``path`` is the base path or lies under it."""
    return path == BASE_PATH or path.startswith(f"{BASE_PATH}/")


def get_missing_registry(request) -> ProtocolError | None:
    """Return the error for a request that reached no registry, or None.

    Either no database of that name exists, or none can be reached now. Because the
    addon is server-wide, our routes also exist in databases that are not registries of
    ours.
    """
    if getattr(request, "db", None):
        registry = request.registry
        is_ours = registry is None or "spar.participant" in registry
        return None if is_ours else NoSuchDatabase()
    try:
        is_unavailable = not has_no_odoo() and exactly_one_exists(
            get_candidate_databases(request)
        )
    except psycopg2.Error:
        is_unavailable = True
    return DatabaseUnavailable() if is_unavailable else NoSuchDatabase()


def get_candidate_databases(request) -> list[str]:
    """Return the databases that ``request`` may be for.

    That is the one it names, or else every database served under its host name.
    """
    named = request.httprequest.headers.get("X-Odoo-Database")
    host = request.httprequest.environ["HTTP_HOST"]
    if named:
        return http.db_filter([named], host=host)
    return http.db_list(force=True, host=host)


def has_no_odoo() -> bool:
    """Return whether Odoo dropped the database because of what it contains.

    Odoo also serves a request without its database when that could not be reached, and
    that may be over by now: a restarting PostgreSQL is unavailable only for a moment.
    """
    error = sys.exc_info()[1]
    while error is not None and not isinstance(error, http.RegistryError):
        error = error.__context__
    cause = error and error.__cause__
    return bool(cause) and not isinstance(cause, psycopg2.OperationalError)


def exactly_one_exists(names: list[str]) -> bool:
    """Return whether exactly one database with one of these names exists.

    Raises psycopg2.Error.
    """
    with closing(sql_db.db_connect("postgres").cursor()) as cr:
        cr.execute("SELECT FROM pg_database WHERE datname = ANY(%s)", [names])
        return cr.rowcount == 1


def read_body(http_request, max_size: int) -> bytes:
    """Return the body of a request, of at most ``max_size`` bytes.

    Raises RequestEntityTooLarge, and RequestTimeout for a body that did not arrive in
    time.
    """
    # One more, because werkzeug silently cuts a chunked body at its limit.
    http_request.max_content_length = max_size + 1
    try:
        body = http_request.get_data()
    except ClientDisconnected:
        if DEADLINES.is_over():
            raise RequestTimeout() from None
        raise
    if len(body) > max_size:
        raise RequestEntityTooLarge()
    return body


@contextmanager
def protocol_errors() -> Iterator[None]:
    """Let only the protocol's errors pass, and those that Odoo retries.

    Odoo logs an unrecognised exception together with its message, which may contain
    values; here the cause is logged by its class and the lines of code that it came
    through.
    """
    try:
        yield
    except _RETRIED:
        raise
    except Exception as exc:
        error = as_protocol_error(exc)
        if type(error) is ProtocolError:
            _logger.error("%s", describe_error(exc))
        raise error from None


class G2pConnectDispatcher(Dispatcher):
    """The dispatcher of our routes: a document in, a document out."""

    routing_type = ROUTING_TYPE
    mimetypes = ("application/json",)
    #: Whether the matched route answers with acknowledgements.
    _acknowledges = False

    @classmethod
    def is_compatible_with(cls, request) -> bool:
        # Odoo answers an incompatible request in HTML; dispatch() answers in JSON.
        return True

    def dispatch(self, endpoint, args):
        """Call ``endpoint`` and build the response.

        The endpoint returns a document, ``(document, headers)`` or a finished page.
        """
        missing = get_missing_registry(self.request)
        if missing:
            raise missing
        with protocol_errors():
            self.request.params = dict(args)
            result = self.request.registry["ir.http"]._dispatch(endpoint)
        if isinstance(result, Response):
            return result
        document, headers = result if isinstance(result, tuple) else (result, [])
        response = build_response(200, headers, document)
        if endpoint.routing.get("cacheable"):
            self._make_cacheable(response)
        return response

    def _make_cacheable(self, response: Response) -> None:
        """Let the caller store the response and revalidate it (RFC 9111).

        A caller that sends the current version in ``If-None-Match`` is answered 304.
        """
        response.headers["Cache-Control"] = f"private, max-age={CACHE_SECONDS}"
        response.add_etag()
        response.make_conditional(self.request.httprequest.environ)
        response.headers.pop("Date", None)  # the server adds the only Date

    def check_request(self, endpoint) -> None:
        """Refuse a method, content type or content coding that the route does not take.

        To be called before the caller is authenticated, because these rules hold for
        everyone.
        """
        self._acknowledges = endpoint.routing.get("acknowledges", False)
        routing, request = endpoint.routing, self.request.httprequest
        methods = routing["methods"]
        if methods and request.method not in {*methods, "HEAD"}:
            allow = [("Allow", ", ".join(methods))]
            text = "this path does not allow this method"
            raise HttpRefused(405, "err.request.bad", text, allow)
        wanted = routing.get("content_type", self.mimetypes[0])
        if wanted and request.method == "POST" and request.mimetype != wanted:
            text = f"the Content-Type must be {wanted}"
            accept = [("Accept", wanted)]
            raise HttpRefused(415, "err.request.bad", text, accept)
        if is_ambiguous(request.headers):
            text = "Content-Length and Transfer-Encoding: only one of them may be sent"
            raise HttpRefused(400, "err.request.bad", text)
        if request.headers.get("Content-Encoding", _PLAIN).lower() != _PLAIN:
            text = "the body must not be compressed"
            accept = [("Accept-Encoding", _PLAIN)]
            raise HttpRefused(415, "err.request.bad", text, accept)

    def handle_error(self, exc: Exception) -> Callable:
        """Return the response to ``exc``."""
        if not isinstance(exc, ProtocolError):
            exc = get_missing_registry(self.request) or exc
        return build_response(*build_error_answer(exc, self._acknowledges))


class BoundaryDispatcher(HttpDispatcher):
    """Odoo's dispatcher, except for errors on our paths before our route was found."""

    routing_type = "http"

    def handle_error(self, exc: Exception) -> Callable:
        """Return the response to ``exc``."""
        http_request = self.request.httprequest
        if not is_our_path(http_request.path):
            return super().handle_error(exc)
        if "HTTP_HOST" not in http_request.environ:
            exc = HttpRefused(400, "err.request.bad", "the header Host is missing")
        elif isinstance(exc, (NotFound, KeyError)):
            # Odoo raises these for a database that does not exist or holds no Odoo.
            exc = get_missing_registry(self.request) or exc
        return build_response(*build_error_answer(exc))
