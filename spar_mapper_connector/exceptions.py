"""What can go wrong below any channel; each leaf is one cause.

``code`` is a stable word that a channel's codec turns into its protocol's code.
"""


class MapperError(Exception):
    """Base of everything a mapper raises for a whole call."""

    code = "mapper_error"


class ServiceUnavailable(MapperError):
    """The mapper cannot work now; nothing was written; asking again later is right."""

    code = "service_unavailable"


class KeyringUnavailable(ServiceUnavailable):
    """There is no keyring where the server looks for one, or it cannot be read."""


class KeyringMismatch(ServiceUnavailable):
    """The keyring is not the one this database was sealed with."""


class SettingsAltered(ServiceUnavailable):
    """Settings are not what was sealed: nothing is decided by them."""


class CalledFromExpression(KeyringUnavailable):
    """What uses keys was called by an expression that is kept in the database."""


class KeyringExists(MapperError):
    """A key was to be made where keys already are."""

    code = "keyring_exists"


class KeyMissing(ServiceUnavailable):
    """A key of our own is asked for that was not made yet."""


class SealBroken(MapperError):
    """A sealed value does not belong where it stands: it was moved or altered."""

    code = "seal_broken"


class NotPermitted(MapperError):
    """The user who runs the call is no channel of the mapper."""

    code = "not_permitted"


class NotThePerson(NotPermitted):
    """A call was to be made in the name of somebody who is not logged in."""


class AccountAltered(NotPermitted):
    """The account is not what was sealed: its roles, or what lets somebody log in."""

    code = "account_altered"


class NotSupported(MapperError):
    """The backend cannot do what was asked; see its capabilities."""

    code = "not_supported"


class NoSuchEvent(MapperError):
    """The ID has no such event: unknown and somebody else's look alike."""

    code = "no_such_event"


class NoSuchNotice(MapperError):
    """A notice's link is not known, or its time is over."""

    code = "no_such_notice"


class InvalidIdentifier(MapperError):
    """A text is not usable as an ID; ``code`` says why, ``type_id`` of which type it
    was to be, where that can be said."""

    def __init__(self, code: str, type_id: int | None = None):
        super().__init__(code)
        self.code = code
        self.type_id = type_id


class InvalidTemplate(MapperError):
    """An ID strategy cannot be used; ``code`` says why."""

    def __init__(self, code: str):
        super().__init__(code)
        self.code = code


# === CALLING OTHERS OVER HTTP === #


class OutgoingError(Exception):
    """Base of what goes wrong when something is sent; no text holds what was sent.

    ``was_sent`` says whether the other side may have got the request.
    """

    code = "outgoing_error"
    was_sent = False


class OutgoingRefused(OutgoingError):
    """It was not sent, and never will be: this is no address to send anything to."""

    code = "address_refused"


class OutgoingFailed(OutgoingError):
    """It did not work now; asking again later may be right."""

    code = "failed"


class TargetUnknown(OutgoingFailed):
    """No address is known for the host's name."""

    code = "unknown_host"


class TargetUnreachable(OutgoingFailed):
    """No connection, or none that is known to lead to the host (TLS)."""

    code = "unreachable"


class TargetTooSlow(OutgoingFailed):
    """The time that was allowed for all of it is over."""

    code = "too_slow"

    def __init__(self, text: str, was_sent: bool = False):
        super().__init__(text)
        self.was_sent = was_sent


class AnswerLost(OutgoingFailed):
    """The connection ended before the answer did, or the answer is no HTTP."""

    code = "answer_lost"
    was_sent = True


class AnswerTooLarge(OutgoingFailed):
    """The answer is larger than was allowed, or is compressed."""

    code = "answer_too_large"
    was_sent = True


# === ANOTHER SPAR'S DIRECTORY === #


class RemoteDirectoryError(Exception):
    """Base of what another SPAR answers that is no directory."""


class RemoteRefused(RemoteDirectoryError):
    """It answered with an HTTP error, ``status``."""

    def __init__(self, status: int):
        super().__init__(f"HTTP status {status}")
        self.status = status


class RemoteAnswerInvalid(RemoteDirectoryError):
    """The answer cannot be understood; ``member`` names where."""

    def __init__(self, member: str):
        super().__init__(f"{member} cannot be understood")
        self.member = member
