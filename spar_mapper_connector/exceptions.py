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


class KeyringExists(MapperError):
    """A key was to be made where keys already are."""

    code = "keyring_exists"


class SealBroken(MapperError):
    """A sealed value does not belong where it stands: it was moved or altered."""

    code = "seal_broken"


class NotPermitted(MapperError):
    """The user who runs the call is no channel of the mapper."""

    code = "not_permitted"


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
    """A text is not usable as an ID; ``code`` says why."""

    def __init__(self, code: str):
        super().__init__(code)
        self.code = code


class InvalidTemplate(MapperError):
    """An ID strategy cannot be used; ``code`` says why."""

    def __init__(self, code: str):
        super().__init__(code)
        self.code = code
