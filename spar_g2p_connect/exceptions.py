"""Why a request is answered with an HTTP error; each leaf is one cause.

They are werkzeug's HTTP exceptions: Odoo rolls back, answers through the dispatcher,
and writes no traceback, in which there could be IDs, to the log.
"""

from __future__ import annotations

from collections.abc import Iterable

from werkzeug.exceptions import HTTPException


class ProtocolError(HTTPException):
    """Base: ``code`` is the HTTP status, ``word`` the protocol's code.

    ``description`` says it to people: it names members, never values.
    """

    code: int = 500
    word = "err.service.unavailable"
    description: str = "an error of the server; the request had no effect"

    def get_extra_headers(self) -> list[tuple[str, str]]:
        """Headers of the answer beyond those of every answer."""
        return []

    def build_document(self) -> dict[str, object]:
        """The body of the answer (HttpErrorResponse)."""
        return {"errors": [{"code": self.word, "message": self.description[:999]}]}


class RequestRefused(ProtocolError):
    """The request cannot be read; the codec says why."""

    code = 400

    def __init__(self, word: str, description: str):
        super().__init__(description)
        self.word = word


class HttpRefused(ProtocolError):
    """What HTTP itself knows: no such path, method, size or type of content."""

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


# === 401: WHO === #


class Unauthorized(ProtocolError):
    """The caller is not known."""

    code = 401
    word = "err.request.unauthorized"
    challenge = 'Bearer realm="spar", error="invalid_token"'

    def get_extra_headers(self) -> list[tuple[str, str]]:
        return [("WWW-Authenticate", self.challenge)]


class MissingToken(Unauthorized):
    """No bearer token at all: RFC 6750 3.1 wants no error code then."""

    description = "a bearer token is required"
    challenge = 'Bearer realm="spar"'


class ExpiredToken(Unauthorized):
    description = "the token has expired"


class InvalidToken(Unauthorized):
    """Not ours, altered, or of a participant who may no longer call."""

    description = "the token is not valid here"


class SignatureMissing(Unauthorized):
    """The participant signs its messages, and this one is not signed."""

    word = "err.signature.missing"
    challenge = 'Bearer realm="spar"'

    def __init__(self, place: str = ""):
        super().__init__()
        where = {"jws_envelope": "signature", "jws_header": "the HTTP header Signature"}
        self.description = f"{where.get(place, 'signature')}: is missing"


class SignatureInvalid(Unauthorized):
    """The signature proves nothing; why, is kept and not answered.

    An unknown and a disabled sender are answered like this, too.
    """

    word = "err.signature.invalid"
    challenge = 'Bearer realm="spar"'
    description = "signature: is not valid"

    def __init__(self, text: str = ""):
        super().__init__()
        self.text = f"signature: {text}" if text else self.description


# === 403, 429: MAY NOT === #


class ForeignOrigin(ProtocolError):
    """The call comes from an address that is not the participant's."""

    code = 403
    word = "err.request.forbidden"
    description = "calls of this participant do not come from this address"


class OperationNotGranted(ProtocolError):
    code = 403
    word = "err.request.forbidden"
    description = "this participant may not call this operation"


class ForeignSender(ProtocolError):
    """The header speaks in the name of another participant than the token."""

    code = 403
    word = "err.sender_id.invalid"
    description = "header.sender_id: is not the participant that the token is for"


class ForeignReceiver(ProtocolError):
    """The message was meant for somebody else."""

    code = 403
    word = "err.receiver_id.invalid"
    description = "header.receiver_id: is not this registry"


class ForeignSenderUri(ProtocolError):
    """The answer is to go where this participant's answers do not go."""

    code = 403
    word = "err.sender_uri.invalid"
    description = (
        "header.sender_uri: is not below the callback address of this participant"
    )


class TooMany(ProtocolError):
    """Base: a limit of the participant is reached until some time has passed."""

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
    """Each unknown ID counts as many: a registry is not to be searched by guessing."""

    description = "this participant's calls or items of a minute are used up"


# === 404, 503: NOT HERE, NOT NOW === #


class NoSuchDatabase(ProtocolError):
    code = 404
    word = "err.request.not_found"
    description = "there is no such registry here"


class Away(ProtocolError):
    """Something that is needed is away; the request had no effect."""

    code = 503
    description = "the service cannot work now; try again later"

    def get_extra_headers(self) -> list[tuple[str, str]]:
        return [("Retry-After", "5")]


class DatabaseAway(Away):
    """The database cannot be reached."""


class Busy(Away):
    """What is needed is in use, or takes too long; others are served meanwhile."""

    description = (
        "something that is needed is in use; the request had no effect; try again"
    )


class MapperAway(Away):
    """The mapper says that it cannot work: its keyring is away, for one."""


# === THE TOKEN ENDPOINT (RFC 6749 5.2) === #


class TokenRefused(ProtocolError):
    """Base: ``error`` is the word of RFC 6749; both forms are answered."""

    code = 400
    word = "err.request.bad"
    error = "invalid_request"

    def build_document(self) -> dict[str, object]:
        return {
            "error": self.error,
            "error_description": self.description,
            **super().build_document(),
        }


class InvalidTokenRequest(TokenRefused):
    def __init__(self, description: str):
        super().__init__(description)


class UnsupportedGrantType(TokenRefused):
    error = "unsupported_grant_type"
    description = "grant_type: must be client_credentials"


class InvalidScope(TokenRefused):
    error = "invalid_scope"
    description = "scope: names nothing that this participant may do"


class InvalidClient(TokenRefused):
    """Unknown, not active or the wrong secret: they all look alike."""

    code = 401
    word = "err.request.unauthorized"
    error = "invalid_client"
    description = "client_id, client_secret or client_assertion is not valid"

    def get_extra_headers(self) -> list[tuple[str, str]]:
        return [("WWW-Authenticate", 'Basic realm="spar"')]
