"""The archive of issuers' keys: a chain, so that no key is added or taken away unseen.

An issuer stops publishing a key when it has a new one. From then on the archive is what
says whose key it was, and since when it was seen.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from odoo.addons.spar_mapper_connector.lib.jose.exceptions import KeyRefused
from odoo.addons.spar_mapper_connector.lib.jose.keys import PublicKey, read_public_key
from odoo.addons.spar_mapper_connector.lib.keyring import OpenKeyring, bind
from odoo.addons.spar_mapper_connector.lib.proof_check import FindKeys

#: A key is archived in the transaction that first uses it, a moment before the event.
CLOCK = timedelta(minutes=1)


@dataclass(frozen=True)
class ArchivedKey:
    """One key of an issuer, as it was first seen; ``previous`` and ``mac`` are hex.

    ``jwk`` and ``certificates`` are JSON. ``last_seen`` moves on, so that no MAC covers
    it.
    """

    seq: int
    issuer: str
    kid: str
    thumbprint: str
    algorithms: str
    jwk: str
    certificates: str
    first_seen: datetime
    previous: str
    mac: str = ""
    row_id: int = 0
    last_seen: datetime | None = None

    def build_mac(self, keyring: OpenKeyring) -> str:
        """Return the MAC over the key and the MAC of the key before it."""
        parts = (
            self.seq,
            self.issuer,
            self.kid,
            self.thumbprint,
            self.algorithms,
            self.jwk,
            self.certificates,
            self.first_seen.isoformat(timespec="microseconds"),
            self.previous,
        )
        return keyring.mac("issuer key", bind(*parts)).hex()

    def is_genuine(self, keyring: OpenKeyring) -> bool:
        """Return whether the registry wrote this row."""
        return hmac.compare_digest(self.mac, self.build_mac(keyring))

    def build_key(self) -> PublicKey | None:
        """Return the key; None if it cannot be read.

        It has the name under which the issuer published it, or none.
        """
        try:
            key = read_public_key(self.jwk)
        except KeyRefused:
            return None
        return PublicKey(
            self.kid, tuple(self.algorithms.split()), dict(key.jwk), key.key
        )


def archive_key(
    key: PublicKey, issuer: str, now: datetime, after: tuple[int, str]
) -> ArchivedKey:
    """Return the row of a key of ``issuer``, without its MAC.

    :param after: number and MAC of the row before it
    """
    seq, previous = after
    return ArchivedKey(
        seq=seq + 1,
        issuer=issuer,
        kid=key.kid,
        thumbprint=key.thumbprint,
        algorithms=" ".join(key.algorithms),
        jwk=json.dumps(key.jwk, sort_keys=True),
        certificates=json.dumps(list(key.certificates)),
        first_seen=now,
        previous=previous,
    )


def build_find(keys: Iterable[ArchivedKey], issuer: str, moment: datetime) -> FindKeys:
    """Return a function that finds the keys that ``issuer`` had at ``moment``.

    They were first seen before it. A token that names no key may be by any of them.
    """
    known = [
        key for key in keys if key.issuer == issuer and key.first_seen <= moment + CLOCK
    ]

    def find(kid: str, algorithm: str) -> Sequence[PublicKey]:
        named = [key.build_key() for key in known if not kid or key.kid == kid]
        return [key for key in named if key and algorithm in key.algorithms]

    return find
