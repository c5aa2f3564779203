"""A change that a portal proposes, and that its owner confirms on the store's page.

The portal sends a proposal and leads the browser to the page; the page shows the whole
change, lets the person authenticate, makes the change and leads back. What the portal
gets back is a reference: it asks the store what became of the proposal.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any, TypeAlias

from .contract import (
    Details,
    LinkRequest,
    ObjectionAnswer,
    ObjectionRequest,
    Outcome,
    UnlinkRequest,
    UnlockRequest,
    UpdateRequest,
    VisitRequest,
)

#: The requests that can be proposed.
ProposedRequest: TypeAlias = (
    LinkRequest
    | UpdateRequest
    | UnlinkRequest
    | ObjectionRequest
    | UnlockRequest
    | VisitRequest
)

_REQUESTS: dict[str, type[ProposedRequest]] = {
    "link": LinkRequest,
    "update": UpdateRequest,
    "unlink": UnlinkRequest,
    "undo": ObjectionRequest,
    "unlock": UnlockRequest,
    "visit": VisitRequest,
}


@dataclass(frozen=True)
class ChangeProposal:
    """A change for its owner to confirm.

    :param request: the request as the store will receive it
    :param draft_id: an opaque name of the portal's draft, unique at the portal
    :param return_url: where the browser goes afterwards: a path of this site for pages
        of the same database, otherwise one of the addresses listed for the portal
    :param language: Odoo's code of the person's language, or ""
    :param issuer: the ID provider of the person's login at the portal, or ""
    :param officer: an opaque reference to the officer who filled it in beside the
        person (``user:7``), or "": the portal's word, which the history repeats
    """

    request: ProposedRequest
    draft_id: str
    return_url: str = field(repr=False)
    language: str = ""
    issuer: str = ""
    officer: str = ""

    @property
    def id_value(self) -> str:
        """Return the ID whose owner is to confirm it; "" for a visit."""
        return self.request.id_value


class ConfirmationState(str, Enum):
    """What became of a proposal."""

    OPEN = "open"
    #: The person confirmed it and the store decided: see the outcome.
    DECIDED = "decided"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    #: There is no such proposal of this caller.
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class ConfirmationPage:
    """The page of a proposal: its address for the browser, and a name for the portal.

    The address is a secret of the browser that opens it; the reference opens nothing.
    """

    url: str = field(repr=False)
    reference: str


@dataclass(frozen=True)
class Confirmation:
    """What became of a proposal.

    ``outcome``, ``problem`` and ``change`` are those of the result, once it is decided:
    ``change`` names a change that waits. ``answer`` is that to an objection.
    """

    state: ConfirmationState
    draft_id: str = ""
    outcome: Outcome | None = None
    problem: str = ""
    change: str = ""
    answer: ObjectionAnswer | None = None


# === STORAGE === #


def write_proposal(proposal: ChangeProposal) -> dict[str, Any]:
    """Return ``proposal`` as JSON, to be sealed.

    >>> request = UpdateRequest("1", "account:2", Details("Ada"), expected_version=3)
    >>> proposal = ChangeProposal(request, "d1", "/spar", "fr_FR")
    >>> import json
    >>> read_proposal(json.loads(json.dumps(write_proposal(proposal)))) == proposal
    True
    """
    operation = next(
        name for name, kind in _REQUESTS.items() if type(proposal.request) is kind
    )
    request = asdict(proposal.request)
    if asserted_at := request.get("asserted_at"):
        request["asserted_at"] = asserted_at.isoformat()
    return {**asdict(proposal), "operation": operation, "request": request}


def read_proposal(document: dict[str, Any]) -> ChangeProposal:
    """Return the proposal that was written; raises LookupError or TypeError."""
    values = dict(document)
    kind, request = _REQUESTS[values.pop("operation")], dict(values.pop("request"))
    if asserted_at := request.get("asserted_at"):
        request["asserted_at"] = datetime.fromisoformat(asserted_at)
    if details := request.pop("details", None):
        info = tuple(details["additional_info"])
        request["details"] = Details(**{**details, "additional_info": info})
    return ChangeProposal(request=kind(**request), **values)
