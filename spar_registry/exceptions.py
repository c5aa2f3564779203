"""The exceptions of the registry side; each names what staff can do about it."""

from odoo.addons.spar_mapper_connector.exceptions import MapperError


class RegistryError(MapperError):
    """Something that cannot be done with a person's identity or account."""

    code = "registry_error"


class NoPayee(RegistryError):
    """Nobody can be paid for a person: there is no head, or no recipient."""

    code = "no_payee"


class NoIdentity(RegistryError):
    """The payee has no ID that can be used."""

    code = "no_identity"


class NoConsent(RegistryError):
    """The programme requires a consent that was not given, or was withdrawn."""

    code = "no_consent"


class SharedIdentity(RegistryError):
    """Several people have the ID, so it is not sent."""

    code = "shared_identity"


class LookupLimit(RegistryError):
    """The user has looked up as many IDs as anybody may in 24 hours."""

    code = "lookup_limit"


class NotOfProgramme(RegistryError):
    """A person is not in the programme, and the programme does not pay them."""

    code = "not_of_programme"


class UnverifiedIdentity(RegistryError):
    """Nobody else has verified the ID, and the programme has not paid by it."""

    code = "unverified_identity"
