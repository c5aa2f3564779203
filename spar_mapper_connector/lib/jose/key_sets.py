"""Key sets that others publish (JWKS, RFC 7517 5), fetched and cached."""

from __future__ import annotations

import json
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from ...exceptions import OutgoingError, OutgoingFailed
from .. import outgoing
from .exceptions import KeyRefused, KeySetUnavailable
from .keys import PublicKey, read_jwk

#: Seconds for which a set is used without fetching it again.
LIFETIME = 600
#: Seconds for which an old set is used while its publisher cannot be reached.
GRACE = 24 * 3600
#: Minimum seconds between two fetches of one set, whatever key is requested.
COOLDOWN = 30
MAX_SETS = 512
MAX_KEYS = 64
MAX_BYTES = 64 * 1024
TIMEOUT = 5.0

#: ``address -> the document there``; raises OutgoingError.
Fetch = Callable[[str], bytes]


def read_key_set(raw: bytes) -> list[PublicKey]:
    """Return the usable keys of a JWKS.

    Keys for other uses (encryption, symmetric keys) are left out. Raises KeyRefused if
    it is not a JWKS.
    """
    try:
        keys = json.loads(raw)["keys"]
    except (ValueError, TypeError, KeyError, RecursionError):
        raise KeyRefused("unreadable", "this is not a key set") from None
    if not isinstance(keys, list) or len(keys) > MAX_KEYS:
        raise KeyRefused("unreadable", "this is not a key set, or it is too large")
    return [key for key in map(_read_usable, keys) if key]


def _read_usable(jwk: object) -> PublicKey | None:
    try:
        return read_jwk(jwk)
    except KeyRefused:
        return None


def choose_key(keys: list[PublicKey], kid: str, algorithm: str) -> PublicKey | None:
    """Return the one key that ``kid`` names; without a name, the only one that fits."""
    fitting = [
        key
        for key in keys
        if algorithm in key.algorithms and (not kid or key.kid == kid)
    ]
    return fitting[0] if len(fitting) == 1 else None


@dataclass
class _Kept:
    """A cached set, when it was last fetched, and when a fetch was last attempted."""

    keys: list[PublicKey] = field(default_factory=list)
    seen: float = float("-inf")
    tried: float = float("-inf")
    lock: threading.Lock = field(default_factory=threading.Lock)


class KeySetCache:
    """A cache of key sets by address, for the whole process: they are public.

    A set is fetched again when it has expired, and at once for a key that it does not
    contain (its owner may have rotated), but never more often than every COOLDOWN
    seconds: made-up key ids of a stranger cost its owner nothing. One thread fetches,
    the others wait.
    """

    def __init__(self, fetch: Fetch, clock: Callable[[], float] = time.monotonic):
        self._fetch = fetch
        self._clock = clock
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, address: str, kid: str, algorithm: str) -> PublicKey | None:
        """Return the key ``kid`` of the set at ``address``; None if it has no such key.

        Raises KeySetUnavailable if the set is not cached and cannot be fetched.
        """
        kept = self._get_kept(address)
        if self._clock() - kept.seen > LIFETIME:
            self._refresh(address, kept)
        found = choose_key(kept.keys, kid, algorithm)
        if found is None and self._clock() - kept.tried >= COOLDOWN:
            self._refresh(address, kept)
            found = choose_key(kept.keys, kid, algorithm)
        if self._clock() - kept.seen > GRACE:
            raise KeySetUnavailable("the key set cannot be fetched now")
        return found

    def get_keys(self, address: str) -> list[PublicKey]:
        """Return all keys of the set at ``address``; raises KeySetUnavailable."""
        kept = self._get_kept(address)
        if self._clock() - kept.seen > LIFETIME:
            self._refresh(address, kept)
        if self._clock() - kept.seen > GRACE:
            raise KeySetUnavailable("the key set cannot be fetched now")
        return list(kept.keys)

    def forget(self, address: str) -> None:
        """Drop the set, so that it is fetched again: the address was entered anew."""
        with self._lock:
            self._kept.pop(address, None)

    def _get_kept(self, address: str) -> _Kept:
        with self._lock:
            kept = self._kept.setdefault(address, _Kept())
            self._kept.move_to_end(address)
            while len(self._kept) > MAX_SETS:
                self._kept.popitem(last=False)
            return kept

    def _refresh(self, address: str, kept: _Kept) -> None:
        """Fetch the set, unless another thread just did; a failure changes nothing."""
        with kept.lock:
            if self._clock() - kept.tried < COOLDOWN:
                return
            kept.tried = self._clock()
            try:
                keys = read_key_set(self._fetch(address))
            except (OutgoingError, KeyRefused):
                return
            kept.keys, kept.seen = keys, self._clock()


def fetch_key_set(address: str) -> bytes:
    """Return the document at ``address``; raises OutgoingError."""
    answer = outgoing.send(
        "GET",
        address,
        headers={"Accept": "application/json"},
        timeout=TIMEOUT,
        max_bytes=MAX_BYTES,
        attempts=2,
    )
    if answer.status != 200:
        raise OutgoingFailed(f"the key set cannot be fetched: HTTP {answer.status}")
    return answer.body


#: The key sets of this process.
CACHE = KeySetCache(fetch_key_set)
