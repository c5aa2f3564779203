"""Refused logins; each leaf class is one cause.

``code`` is a stable identifier: pages turn it into a text, the log names it, and tests
assert it. Messages never contain an ID, a token or a claim's value.
"""

from __future__ import annotations


class LoginRefused(Exception):
    """A person could not be logged in; nothing was written.

    ``reason`` is a stable identifier of the cause within a leaf class, such as
    ``nonce``; ``return_to`` is where the person may continue.
    """

    code = "login_refused"
    return_to = "/spar"

    def __init__(self, reason: str = ""):
        super().__init__(reason)
        self.reason = reason


class AttemptUnknown(LoginRefused):
    """This browser began no such login, or it is finished or expired."""

    code = "attempt_unknown"


class TooManyAttempts(LoginRefused):
    """This browser has begun so many logins that it has to wait for a while."""

    code = "too_many_attempts"


class AttemptCancelled(LoginRefused):
    """The person or the provider cancelled; ``reason`` is the provider's error."""

    code = "attempt_cancelled"


class WrongProvider(LoginRefused):
    """The response comes from another provider than the one requested (mix-up)."""

    code = "wrong_provider"


class ProviderUnavailable(LoginRefused):
    """The provider does not answer, or its answer cannot be read."""

    code = "provider_unavailable"


class ProviderNotReady(LoginRefused):
    """The provider is switched off, incomplete, or waits for a second person."""

    code = "provider_not_ready"


class CodeRefused(LoginRefused):
    """The provider gave no token for this code; ``reason`` is its error."""

    code = "code_refused"


class IdTokenRefused(LoginRefused):
    """The ID token is not valid; ``reason`` names the failed check."""

    code = "token_refused"


class UserinfoRefused(LoginRefused):
    """The provider's userinfo is not valid."""

    code = "userinfo_refused"


class NotStrongEnough(LoginRefused):
    """The person authenticated in a way that is not accepted here."""

    code = "not_strong_enough"


class NotFresh(LoginRefused):
    """The person did not authenticate anew, as a change of the address requires."""

    code = "not_fresh"


class AnotherPerson(LoginRefused):
    """A person other than the one who is logged in authenticated."""

    code = "another_person"


class NoUsableId(LoginRefused):
    """The provider returned no ID, or one that cannot be used."""

    code = "no_usable_id"


class UserNotAllowed(LoginRefused):
    """The person's user is blocked, or is no longer a portal user."""

    code = "user_not_allowed"
