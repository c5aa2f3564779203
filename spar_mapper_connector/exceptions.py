"""Errors below the channels; each leaf class is one cause.

``code`` is a stable word that a channel's codec translates into its protocol's code.
"""


class MapperError(Exception):
    """Base of every error that a mapper raises for a whole call."""

    code = "mapper_error"


class ServiceUnavailable(MapperError):
    """The mapper cannot work now; nothing was written; the call may be retried."""

    code = "service_unavailable"


class KeyringUnavailable(ServiceUnavailable):
    """There is no keyring at the configured path, or it cannot be read."""


class KeyringMismatch(ServiceUnavailable):
    """The keyring is not the one this database was sealed with."""


class SettingsAltered(ServiceUnavailable):
    """Settings differ from what was sealed: no decision is based on them."""


class CalledFromExpression(KeyringUnavailable):
    """An expression that is stored in the database called code that uses keys."""


class KeyringExists(MapperError):
    """Keys were to be made for a database that has keys already."""

    code = "keyring_exists"


class KeyMissing(ServiceUnavailable):
    """A key of our own is requested that was not made yet."""


class SealBroken(MapperError):
    """A sealed value does not belong to its row: it was moved or altered."""

    code = "seal_broken"


class NotPermitted(MapperError):
    """The user who runs the call is not a channel of the mapper."""

    code = "not_permitted"


class OtherOffice(NotPermitted):
    """The person belongs to an office whose people the user does not see."""

    code = "other_office"


class NotThePerson(NotPermitted):
    """A call was to be made in the name of a person who is not logged in."""


class AccountAltered(NotPermitted):
    """The account differs from what was sealed: its roles, or its credentials."""

    code = "account_altered"


class NotSupported(MapperError):
    """The backend cannot do what was requested; see its capabilities."""

    code = "not_supported"


class ProposalRefused(MapperError):
    """A proposed change cannot be confirmed; ``reason`` is a stable word.

    ``reason``: operation, version, address, id, portal, officer,
    return_url, provider.
    """

    code = "proposal_refused"

    def __init__(self, reason: str):
        super().__init__(reason)
        self.reason = reason


class NoSuchEvent(MapperError):
    """The ID has no such event: unknown events and those of other people look alike."""

    code = "no_such_event"


class NoSuchNotice(MapperError):
    """The link of a notice is unknown or has expired."""

    code = "no_such_notice"


class OwnerProofRefused(MapperError):
    """An owner's proof is missing, or does not prove this change by this person.

    ``code`` is the reason, beginning with ``proof_``.
    """

    def __init__(self, code: str):
        super().__init__(code)
        self.code = code


class OwnerLoginRefused(MapperError):
    """A mapper reads for a portal only with the person's login, and this is none."""

    code = "owner_login_refused"


class OwnerLoginExpired(OwnerLoginRefused):
    """The login was the person's, and has expired: they have to log in again."""

    code = "owner_login_expired"


class VisitNeeded(OwnerLoginRefused):
    """The login was the person's, who has to allow the visit on the mapper's page."""

    code = "visit_needed"


class InvalidIdentifier(MapperError):
    """A text is not usable as an ID.

    ``code`` is the reason; ``type_id`` is the type that it was to have, where that can
    be determined.
    """

    def __init__(self, code: str, type_id: int | None = None):
        super().__init__(code)
        self.code = code
        self.type_id = type_id


class InvalidIdTemplate(MapperError):
    """An ID strategy cannot be used; ``code`` is the reason."""

    def __init__(self, code: str):
        super().__init__(code)
        self.code = code


# === CALLING OTHERS OVER HTTP === #


class OutgoingError(Exception):
    """Base of the errors of sending; no text contains what was sent.

    ``was_sent`` is whether the other side may have received the request.
    """

    code = "outgoing_error"
    was_sent = False


class OutgoingRefused(OutgoingError):
    """The request was not sent and never will be: the address is not permitted."""

    code = "address_refused"


class OutgoingFailed(OutgoingError):
    """Sending failed now; a later retry may succeed."""

    code = "failed"


class TargetUnknown(OutgoingFailed):
    """The host's name does not resolve to an address."""

    code = "unknown_host"


class TargetUnreachable(OutgoingFailed):
    """There is no connection, or none that provably leads to the host (TLS)."""

    code = "unreachable"


class TlsUnavailable(TargetUnreachable):
    """The host answers, but not in TLS: often a server of plain HTTP at this port."""

    code = "no_tls"


class CertificateInvalid(TargetUnreachable):
    """The host's certificate does not prove its name (TLS)."""

    code = "certificate_invalid"


class TargetTooSlow(OutgoingFailed):
    """The time allowed for the whole request is over."""

    code = "too_slow"

    def __init__(self, text: str, was_sent: bool = False):
        super().__init__(text)
        self.was_sent = was_sent


class AnswerLost(OutgoingFailed):
    """The connection ended before the answer did, or the answer is not HTTP."""

    code = "answer_lost"
    was_sent = True


class AnswerTooLarge(OutgoingFailed):
    """The answer is larger than allowed, or is compressed."""

    code = "answer_too_large"
    was_sent = True


# === ANOTHER MAPPER === #


class RemoteMapperError(ServiceUnavailable):
    """Base of the errors of calling another mapper; no text contains what was sent.

    ``reason`` is a stable word, for example ``http_403`` or ``bad_signature``;
    ``was_sent`` is whether the other mapper may have acted on the message.
    """

    code = "remote_mapper"

    def __init__(self, reason: str, was_sent: bool = False):
        super().__init__(f"the other mapper cannot be used: {reason}")
        self.reason = reason
        self.was_sent = was_sent


class RemoteMapperDown(RemoteMapperError):
    """It does not answer now, or says that it cannot; a later retry may succeed."""


class RemoteMapperRefuses(RemoteMapperError):
    """It refuses the message as a whole, which had no effect there."""


class RemoteAnswerUnusable(RemoteMapperError):
    """The answer cannot be read, or is not proved to be its answer to this message."""


# === ANOTHER SPAR'S DIRECTORY === #


class RemoteDirectoryError(Exception):
    """Base of the errors for answers of another SPAR that are not a directory."""


class RemoteRefused(RemoteDirectoryError):
    """The other SPAR answered with an HTTP error, ``status``."""

    def __init__(self, status: int):
        super().__init__(f"HTTP status {status}")
        self.status = status


class RemoteAnswerInvalid(RemoteDirectoryError):
    """The answer cannot be understood; ``member`` names the offending part."""

    def __init__(self, member: str):
        super().__init__(f"{member} cannot be understood")
        self.member = member


# === PAGES === #


class PageTooLarge(Exception):
    """A page is made of more templates, or is longer, than any page needs to be."""
