"""The server to call, and the participants to call it as."""

from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class BenchTarget:
    """The base URL of the API, and a participant's credentials."""

    api: str
    sender_id: str
    client_id: str
    client_secret: str = field(repr=False)
    private_jwk: dict | None = field(default=None, repr=False)
    #: the same fields of the participant that also signs
    signer: dict | None = field(default=None, repr=False)

    def as_signer(self) -> "BenchTarget":
        """Return the same target, called by the participant that signs."""
        return replace(self, signer=None, **self.signer)
