"""A batch of requests to link, change, unlink, suspend or resume."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from odoo.addons.spar_fa_directory.lib.fa_examination import Problem
from odoo.addons.spar_fa_directory.lib.fa_form import CanonicalAddress
from odoo.addons.spar_fa_directory.lib.fa_reader import Address
from odoo.addons.spar_mapper_connector.lib.contract import (
    ChangeRequest,
    Operation,
    Outcome,
    Result,
)

from ..exceptions import IdMoved
from ..lib.assessment import Assess
from ..lib.case import Case
from ..lib.operations import run
from ..lib.records import Holding
from .joining import find_provisional
from .loading import CanonicalId
from .proving import is_used, note_used
from .work import Work


class DirectoryReading(NamedTuple):
    """The directory's reading of an address, whether it is stored or requested.

    It has the address in its one form, its key, and why it cannot be stored, if so.
    """

    address: Address
    canonical: CanonicalAddress
    problem: Problem | None

    @property
    def key(self) -> str:
        """Return the key of the address, which does not depend on how it is written."""
        return self.canonical.key


#: Why an ID is refused that looks like a provisional reference but was not issued.
NOT_ISSUED = "not_issued"
#: A request's ID, or the answer to one that cannot be used.
ReadRequest = tuple[CanonicalId | None, Result | None]


def change(
    work: Work,
    code: Operation,
    requests: Sequence[ChangeRequest],
    read: Sequence[ReadRequest],
    addresses: Mapping[str, DirectoryReading],
    assess: Assess,
    issues: bool = False,
) -> list[Result]:
    """Run ``code`` for each request; return the results in the same order.

    :param read: the result of reading each request's ID
    :param addresses: the directory's reading of each address in the requests
    :param issues: whether new provisional references are issued by this batch; in any
        other one they are nobody's
    """
    identifiers = {i.canonical: i for i, _refusal in read if i}
    holdings = _load_holdings(work, code, identifiers, issues)
    provisional = find_provisional(work, identifiers, holdings)
    if work.proof is not None and is_used(work.cr, work.proof):
        return [_refuse_used(request) for request in requests]
    ledger = work.begin()
    for holding in holdings.values():
        if holding.subject.is_new:
            ledger.register(holding.subject)
    results = []
    for request, (identifier, refusal) in zip(requests, read, strict=True):
        if identifier is None:
            results.append(refusal or Result(Outcome.INVALID_ID, request.id_value))
            continue
        found = holdings.get(identifier.canonical)
        if found is None:
            results.append(_refuse_unknown(code, request))
            continue
        requested = addresses.get(request.fa) if request.fa is not None else None
        address = requested.address if requested else None
        key = requested.canonical.key if requested else ""
        case = Case(request, found, ledger, work.call, assess, address, key)
        case.is_provisional = found.subject.row_id in provisional
        results.append(run(code, case))
    work.save(ledger)
    if ledger.proof is not None and ledger.proved is None:
        note_used(work.cr, ledger.proof, ledger.now)
    return results


def _refuse_used(request: ChangeRequest) -> Result:
    return Result(Outcome.FORBIDDEN, request.id_value, problem="proof_replayed")


def _refuse_unknown(code: Operation, request: ChangeRequest) -> Result:
    """Return the answer for an ID that is nobody's.

    A link makes any ID somebody's, except one that only the registry issues.
    """
    if code is Operation.LINK:
        return Result(Outcome.INVALID_ID, request.id_value, problem=NOT_ISSUED)
    return Result(Outcome.NOT_LINKED, request.id_value)


def _load_holdings(
    work: Work,
    code: Operation,
    identifiers: Mapping[str, CanonicalId],
    issues: bool,
) -> dict[str, Holding]:
    """Return what is known of each ID, locked; a link creates the new IDs."""
    loader = work.load()
    new = {}
    if code is Operation.LINK:
        new = loader.add_new(
            [
                identifier
                for identifier in identifiers.values()
                if not identifier.is_stored
                and (issues or identifier.type_id != work.provisional_type)
            ]
        )
    known = [canonical for canonical in identifiers if canonical not in new]
    found = loader.load(known) if known else {}
    if any(i.is_stored and i.canonical not in found for i in identifiers.values()):
        raise IdMoved()
    return new | found
