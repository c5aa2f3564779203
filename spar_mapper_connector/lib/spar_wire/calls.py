"""In whose name a message is sent: what travels of a call's context.

The other side believes none of it beyond what it has granted to the participant: the
authority is at most the participant's, and who acted is an opaque reference.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..contract import Authority, CallContext
from ..g2p_connect.exceptions import MalformedMessage
from .kinds import FLAG, Kind, name, record, text

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
MAX_REASON = 999
MAX_REFERENCE = 100

#: A word, alone or with the number of a row or a random reference: never the name, ID
#: or account of somebody.
_REFERENCE = re.compile(
    "[a-z][a-z_.]{0,31}"
    "(:([0-9]{1,9}|[0-9a-f]{32,64}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}))?",
    re.ASCII,
)


@dataclass(frozen=True)
class RemoteCall:
    """What the sender says about its call; see ``CallContext``."""

    authority: Authority = Authority.INSTITUTION
    actor: str = ""
    on_behalf_of: str = ""
    reason: str = ""
    checks_addresses: bool = False
    checks_cards: bool = False

    @property
    def reference(self) -> str:
        """Return who acted at the sender, as the history of the other side keeps it.

        >>> RemoteCall(actor="registry", on_behalf_of="user:7").reference
        'registry/user:7'
        """
        return "/".join(filter(None, (self.actor, self.on_behalf_of)))


def build_remote_call(call: CallContext) -> RemoteCall:
    """Return what travels of ``call``.

    References that are not opaque are left out; white space and control characters
    become one space.

    >>> call = CallContext("registry", "registry", Authority.PROGRAMME,
    ...                    on_behalf_of="user:7", reason="Asked  at\\nthe counter")
    >>> remote = build_remote_call(call)
    >>> remote.reference, remote.reason
    ('registry/user:7', 'Asked at the counter')
    >>> build_remote_call(CallContext("Maria Santos", "staff", Authority.STAFF)).actor
    ''
    """
    return RemoteCall(
        authority=call.authority,
        actor=_keep_opaque(call.actor),
        on_behalf_of=_keep_opaque(call.on_behalf_of),
        reason=" ".join(_CONTROL.sub(" ", call.reason).split())[:MAX_REASON],
        checks_addresses=call.checks_addresses,
        checks_cards=call.checks_cards,
    )


def is_opaque(reference: str) -> bool:
    """Return whether ``reference`` is a word, a number or random, or "".

    >>> is_opaque("user:7"), is_opaque("person:token:1@id"), is_opaque("user:maria")
    (True, False, False)
    """
    return not reference or bool(_REFERENCE.fullmatch(reference))


def _keep_opaque(reference: str) -> str:
    return reference if is_opaque(reference) else ""


def _read_reference(value: object, path: str) -> str:
    found = text(MAX_REFERENCE).read(value, path)
    if not is_opaque(found):
        raise MalformedMessage("must be an opaque reference, such as user:7", path)
    return found


#: An opaque reference to somebody at the sender.
REFERENCE: Kind[str] = Kind(
    str, _read_reference, {"type": "string", "maxLength": MAX_REFERENCE}
)

CALL: Kind[RemoteCall] = record(
    RemoteCall,
    authority=name(Authority),
    actor=REFERENCE,
    on_behalf_of=REFERENCE,
    reason=text(MAX_REASON),
    checks_addresses=FLAG,
    checks_cards=FLAG,
)
