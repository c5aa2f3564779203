"""The reading of requests: their IDs and addresses, or the answer to invalid ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from odoo.addons.spar_fa_directory.lib.fa_examination import Problem
from odoo.addons.spar_fa_directory.lib.fa_form import CanonicalAddress, find_own_id
from odoo.addons.spar_fa_directory.lib.fa_reader import Address
from odoo.addons.spar_mapper_connector.exceptions import InvalidIdentifier
from odoo.addons.spar_mapper_connector.lib.contract import (
    CallContext,
    ChangeRequest,
    LinkRequest,
    Outcome,
    Result,
)
from odoo.addons.spar_mapper_connector.lib.id_rules import CardCheck, Identifier
from odoo.addons.spar_mapper_connector.lib.identifier import check_characters

from ..lib.operations import refuse_foreign
from .changing import DirectoryReading, ReadRequest
from .identifying import IdReading, get_outcome

MAX_FA_LENGTH = 1000


@dataclass(frozen=True)
class RequestDirectory:
    """The functions of the directory that are needed: see ``spar.fa.strategy``.

    ``write`` writes an address in its one form, ``explain`` names what a problem
    concerns; ``describe_card`` describes the format of an ID type on the card.
    """

    canonicalise: Callable[[list[str]], list[CanonicalAddress]]
    write: Callable[[list[CanonicalAddress], list[str]], list[str]]
    explain: Callable[[Address, Problem], dict[str, str] | None]
    describe_card: Callable[[int], str]


#: Returns the readings of texts as IDs; the second list states which of them must match
#: the format on the card.
Identify = Callable[[list[str | None], list[CardCheck]], list[IdReading]]


def get_address_problem(fa: str | None) -> str:
    """Return why ``fa`` is no address: ``empty``, ``too_long`` or ``characters``."""
    if fa is None:
        return ""
    if not fa.strip():
        return "empty"
    if len(fa) > MAX_FA_LENGTH:
        return "too_long"
    if not (fa.isascii() and fa.isprintable()):
        try:
            check_characters(fa)
        except InvalidIdentifier as error:
            return error.code
    return ""


def read_addresses(
    directory: RequestDirectory, texts: list[str]
) -> list[DirectoryReading]:
    """Return the directory's reading of addresses, in the same order.

    An invalid address stays as it is written; any other is written in its one form.
    """
    read = directory.canonicalise(texts)
    written = directory.write(read, texts)
    return [
        DirectoryReading(
            form.to_address(text if form.problem else in_one_form), form, form.problem
        )
        for text, form, in_one_form in zip(texts, read, written, strict=True)
    ]


def read_requested(
    directory: RequestDirectory, call: CallContext, requests: Sequence[ChangeRequest]
) -> dict[str, DirectoryReading]:
    """Return the directory's reading of each address in the requests."""
    texts = list({r.fa for r in requests if r.fa is not None})
    if not texts:
        return {}
    read = read_addresses(directory, texts)
    return {
        text: _drop_ignored_problem(call, requested)
        for text, requested in zip(texts, read, strict=True)
    }


def _drop_ignored_problem(
    call: CallContext, requested: DirectoryReading
) -> DirectoryReading:
    """Return the reading without a problem that this caller may ignore.

    Lenient participants may name a provider that the directory does not know and write
    as no strategy does, but no one's number may be wrong.
    """
    problem = requested.problem
    if problem is None or call.checks_addresses:
        return requested
    if problem.code == "part" or requested.canonical.lacks_value:
        return requested
    return requested._replace(problem=None)


def _list_ids(request: LinkRequest, identifier: Identifier) -> tuple[str, ...]:
    """Return the ID as stored and as sent, which mostly differ in capitals only.

    Capitals do not count where an account number is compared with an ID.
    """
    canonical, sent = identifier.canonical, request.id_value
    if sent.isascii() and sent.upper() == canonical.upper():
        return (canonical,)
    return (canonical, sent)


class RequestReader:
    """Reads requests for changes.

    :param addresses: the directory's reading of each address in the requests
    """

    def __init__(
        self,
        call: CallContext,
        directory: RequestDirectory,
        addresses: Mapping[str, DirectoryReading],
    ):
        self.call = call
        self.directory = directory
        self.addresses = addresses

    def read_all(
        self, requests: Sequence[ChangeRequest], identify: Identify
    ) -> list[ReadRequest]:
        """Return each request's ID, or the answer to one that cannot be used."""
        bound = CardCheck.PEOPLE if self.call.checks_cards else CardCheck.PARTICIPANTS
        identified = identify(
            [request.id_value for request in requests],
            # A stored ID can be suspended and unlinked, whatever its format.
            [
                bound if isinstance(request, LinkRequest) else CardCheck.NONE
                for request in requests
            ],
        )
        return [
            self._read_one(request, found)
            for request, found in zip(requests, identified, strict=True)
        ]

    def _read_one(self, request: ChangeRequest, found: IdReading) -> ReadRequest:
        if not isinstance(found, Identifier):
            return None, self._refuse_id(request, found or InvalidIdentifier("empty"))
        refusal = self._refuse_address(request, found) or self._refuse_foreign(request)
        return (None, refusal) if refusal else (found, None)

    def _refuse_id(self, request: ChangeRequest, error: InvalidIdentifier) -> Result:
        """Return the answer to an invalid ID, with a description of a valid one."""
        card = self.directory.describe_card(error.type_id) if error.type_id else ""
        return Result(
            get_outcome(error),
            request.id_value,
            problem=error.code,
            problem_values={"look": card} if card else None,
        )

    def _refuse_address(
        self, request: ChangeRequest, identifier: Identifier
    ) -> Result | None:
        """Return the answer to an address that cannot be used, or None."""
        problem, values = get_address_problem(request.fa), None
        if not problem and isinstance(request, LinkRequest):
            requested = self.addresses[request.fa]
            found = requested.problem or find_own_id(
                requested.canonical, _list_ids(request, identifier)
            )
            if found:
                problem = found.code
                values = self.directory.explain(requested.address, found)
        if not problem:
            return None
        return Result(
            Outcome.INVALID_FA,
            request.id_value,
            problem=problem,
            problem_values=values,
        )

    def _refuse_foreign(self, request: ChangeRequest) -> Result | None:
        if self.call.provider_ids is None or not isinstance(request, LinkRequest):
            return None
        return refuse_foreign(self.call, request, self.addresses[request.fa].address)
