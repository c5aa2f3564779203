"""Why a request is answered with an HTTP error; each leaf class is one cause.

They are werkzeug's HTTP exceptions: Odoo rolls back, answers through the dispatcher,
and does not log a traceback, which could contain IDs.
"""

from __future__ import annotations

from collections.abc import Iterable

from werkzeug.exceptions import HTTPException


class ProtocolError(HTTPException):
    """Base class: ``code`` is the HTTP status, ``word`` the protocol's code.

    ``description`` is for people: it names members, never values.
    """

    code: int = 500
    word = "err.service.unavailable"
    description: str = "an error of the server; the request had no effect"

    def get_extra_headers(self) -> list[tuple[str, str]]:
        """Return the headers of this answer beyond those of every answer."""
        return []

    def build_document(self) -> dict[str, object]:
        """Return the body of the answer (HttpErrorResponse)."""
        return {"errors": [{"code": self.word, "message": self.description[:999]}]}


class RequestRefused(ProtocolError):
    """The request cannot be read; the codec gives the reason."""

    code = 400

    def __init__(self, word: str, description: str):
        super().__init__(description)
        self.word = word


class HttpRefused(ProtocolError):
    """A refusal that HTTP itself defines: path, method, size or content type."""

    def __init__(
        self,
        status: int,
        word: str,
        description: str,
        headers: Iterable[tuple[str, str]] = (),
    ):
        super().__init__(description)
        self.code = status
        self.word = word
        self._headers = list(headers)

    def get_extra_headers(self) -> list[tuple[str, str]]:
        return self._headers


# === 401: NOT AUTHENTICATED === #


class Unauthorized(ProtocolError):
    """The caller could not be authenticated."""

    code = 401
    word = "err.request.unauthorized"
    challenge = 'Bearer realm="spar", error="invalid_token"'

    def get_extra_headers(self) -> list[tuple[str, str]]:
        return [("WWW-Authenticate", self.challenge)]


class MissingToken(Unauthorized):
    """No bearer token was sent; RFC 6750 3.1 then calls for no error code."""

    description = "a bearer token is required"
    challenge = 'Bearer realm="spar"'


class ExpiredToken(Unauthorized):
    description = "the token has expired"


class InvalidToken(Unauthorized):
    """The token is not ours, was altered, or its participant may no longer call."""

    description = "the token is not valid here"


class SignatureMissing(Unauthorized):
    """The participant has to sign its messages, and this one is not signed."""

    word = "err.signature.missing"
    challenge = 'Bearer realm="spar"'

    def __init__(self, place: str = ""):
        super().__init__()
        where = {"jws_envelope": "signature", "jws_header": "the HTTP header Signature"}
        self.description = f"{where.get(place, 'signature')}: is missing"


class SignatureInvalid(Unauthorized):
    """The signature proves nothing; the reason is kept but not returned.

    Unknown and disabled senders get the same answer.
    """

    word = "err.signature.invalid"
    challenge = 'Bearer realm="spar"'
    description = "signature: is not valid"

    def __init__(self, text: str = ""):
        super().__init__()
        self.text = f"signature: {text}" if text else self.description


# === 403, 429: NOT ALLOWED === #


class ForeignOrigin(ProtocolError):
    """The call comes from an address that is not one of the participant's."""

    code = 403
    word = "err.request.forbidden"
    description = "calls of this participant do not come from this address"


class OperationNotGranted(ProtocolError):
    code = 403
    word = "err.request.forbidden"
    description = "this participant may not call this operation"


class ForeignSender(ProtocolError):
    """The header names a participant other than the token's."""

    code = 403
    word = "err.sender_id.invalid"
    description = "header.sender_id: is not the participant that the token is for"


class ForeignReceiver(ProtocolError):
    """The message is addressed to another receiver."""

    code = 403
    word = "err.receiver_id.invalid"
    description = "header.receiver_id: is not this registry"


class ForeignSenderUri(ProtocolError):
    """The answer would go to an address that is not agreed with the participant."""

    code = 403
    word = "err.sender_uri.invalid"
    description = (
        "header.sender_uri: is not below the callback address of this participant"
    )


class TooMany(ProtocolError):
    """Base class: a limit of the participant is reached until some time has passed."""

    code = 429
    word = "err.request.too_many_requests"

    def __init__(self, seconds_left: int):
        super().__init__()
        self.seconds_left = seconds_left

    def get_extra_headers(self) -> list[tuple[str, str]]:
        return [("Retry-After", str(self.seconds_left))]


class DailyLimitReached(TooMany):
    description = "the daily number of items of this participant is used up"


class PaceReached(TooMany):
    """Unknown IDs count as several items, so that guessing does not pay."""

    description = "this participant's calls or items of a minute are used up"


# === 404, 503: NOT HERE, NOT NOW === #


class NoSuchDatabase(ProtocolError):
    code = 404
    word = "err.request.not_found"
    description = "there is no such registry here"


class Unavailable(ProtocolError):
    """Something required is unavailable; the request had no effect."""

    code = 503
    description = "the service cannot work now; try again later"

    def get_extra_headers(self) -> list[tuple[str, str]]:
        return [("Retry-After", "5")]


class DatabaseUnavailable(Unavailable):
    """The database cannot be reached."""


class Busy(Unavailable):
    """A required resource is in use or too slow; other requests go on meanwhile."""

    description = (
        "something that is needed is in use; the request had no effect; try again"
    )


class MapperUnavailable(Unavailable):
    """The mapper reports that it cannot work, for example without its keyring."""


# === THE TOKEN ENDPOINT (RFC 6749 5.2) === #


class TokenRequestRefused(ProtocolError):
    """Base class: ``error`` is RFC 6749's code; the answer has both forms."""

    code = 400
    word = "err.request.bad"
    error = "invalid_request"

    def build_document(self) -> dict[str, object]:
        return {
            "error": self.error,
            "error_description": self.description,
            **super().build_document(),
        }


class InvalidTokenRequest(TokenRequestRefused):
    def __init__(self, description: str):
        super().__init__(description)


class UnsupportedGrantType(TokenRequestRefused):
    error = "unsupported_grant_type"
    description = "grant_type: must be client_credentials"


class InvalidScope(TokenRequestRefused):
    error = "invalid_scope"
    description = "scope: names nothing that this participant may do"


class InvalidClient(TokenRequestRefused):
    """The client is unknown or not active, or its secret is wrong.

    The answer is the same in each case.
    """

    code = 401
    word = "err.request.unauthorized"
    error = "invalid_client"
    description = "client_id, client_secret or client_assertion is not valid"

    def get_extra_headers(self) -> list[tuple[str, str]]:
        return [("WWW-Authenticate", 'Basic realm="spar"')]
