from collections.abc import Callable
from datetime import datetime, timezone
from functools import partial
from itertools import starmap
from typing import NamedTuple

from odoo import api, models
from odoo.exceptions import AccessError

from odoo.addons.spar_fa_directory.lib.fa_examination import Problem
from odoo.addons.spar_fa_directory.lib.fa_reader import Address
from odoo.addons.spar_mapper_connector.exceptions import (
    InvalidIdentifier,
    NotPermitted,
)
from odoo.addons.spar_mapper_connector.lib.contract import (
    Authority,
    CallContext,
    Capability,
    LinkRequest,
    Operation,
    Outcome,
    Result,
)
from odoo.addons.spar_mapper_connector.lib.identifier import check_characters

from ..lib.assessment import Proposal, Verdict, assess
from ..lib.ledger import Ledger
from ..lib.operations import Case, refuse_foreign, run
from ..lib.records import Holding
from ..store.loading import Loader

CHANNEL = "spar_mapper_connector.group_channel"
OFFICER = "spar_fa_directory.group_officer"

MAX_FA_LENGTH = 1000


class Asked(NamedTuple):
    """An address that is to be stored, and why it cannot be, where it is checked."""

    address: Address
    problem: Problem | None


class SparMapperLocal(models.AbstractModel):
    """The store of this database: the one way in.

    Whatever the channel, a change goes through ``_change``: identify, lock, assess, do
    in memory, save. A batch costs a constant number of statements.
    """

    _name = "spar.mapper.local"
    _description = "The store of this database"
    _inherit = ["spar.mapper"]

    def _capabilities(self):
        return frozenset(Capability) - {Capability.TRANSACTION_STATUS}

    def _link_fa(self, call, requests):
        return self._change(Operation.LINK, call, requests)

    def _update_fa(self, call, requests):
        return self._change(Operation.UPDATE, call, requests)

    def _unlink_fa(self, call, requests):
        return self._change(Operation.UNLINK, call, requests)

    def _suspend_fa(self, call, requests):
        return self._change(Operation.SUSPEND, call, requests)

    def _resume_fa(self, call, requests):
        return self._change(Operation.RESUME, call, requests)

    # === WHO MAY === #

    @api.model
    def _check_channel(self, *groups: str) -> None:
        """Refuse a user who is neither a channel's service user nor in ``groups``.

        Raises NotPermitted. A channel knows its callers' rights and checks them itself.
        """
        if self.env.su or any(self.env.user.has_group(g) for g in (CHANNEL, *groups)):
            return
        raise NotPermitted(self.env.user.id)

    @api.model
    def _check_member(self, group: str) -> None:
        """Refuse a person of the backend who is not in ``group``."""
        if not self.env.user.has_group(group):
            raise AccessError(
                self.env._("You may not do this: ask an administrator for the right.")
            )

    @api.model
    def _build_staff_call(self, reason: str = "", has_evidence: bool = True):
        """The call of the person who is logged in to the backend.

        Without evidence (the person's document was not seen) the word of staff weighs
        no more than a programme's.
        """
        return CallContext(
            actor=f"user:{self.env.uid}",
            channel="staff",
            authority=Authority.STAFF if has_evidence else Authority.PROGRAMME,
            authenticated_by="document" if has_evidence else "",
            reason=reason,
            checks_addresses=True,
        )

    # === CHANGING === #

    @api.model
    def _change(
        self, code: Operation, call: CallContext, requests: list
    ) -> list[Result]:
        """Do ``code`` for each request; results in the same order."""
        self._check_channel(OFFICER)
        keyring = self.env["spar.keyring"]._open(for_write=True)
        identify = self.env["spar.id.type"]._identify
        addresses = self._read_addresses(call, requests)
        identified = [self._identify(identify, addresses, r) for r in requests]
        identified = self._refuse_foreign(call, requests, identified, addresses)
        identifiers = {i.canonical: i for i, _problem in identified if i}
        holdings = self._take_holdings(code, keyring, identifiers)
        ledger = Ledger(keyring, call, self._get_now())
        case = partial(Case, ledger=ledger, call=call, assess=self._build_assess())
        results = [
            problem
            or self._run_one(
                code, case, request, holdings.get(identifier.canonical), addresses
            )
            for request, (identifier, problem) in zip(requests, identified, strict=True)
        ]
        self._save(ledger)
        return results

    @api.model
    def _take_holdings(self, code, keyring, identifiers: dict) -> dict[str, Holding]:
        """What is known of each ID, locked; a link makes the IDs that are new."""
        new = {}
        if code is Operation.LINK:
            new = Loader(self.env.cr, keyring).add_new(identifiers.values())
        known = [canonical for canonical in identifiers if canonical not in new]
        return new | self._load_holdings(keyring, known) if known else new

    @api.model
    def _get_now(self) -> datetime:
        """The present, in naive UTC: read after the locks, so that time never runs
        backwards along an ID, which a transaction's own start time would."""
        return datetime.now(timezone.utc).replace(tzinfo=None)

    @api.model
    def _run_one(self, code, case, request, holding, addresses) -> Result:
        if holding is None:
            return Result(Outcome.NOT_LINKED, request.id_value)
        asked = addresses.get(request.fa)
        address = asked.address if asked else None
        return run(code, case(request, holding, address=address))

    @api.model
    def _build_assess(self) -> Callable[[Proposal], Verdict]:
        """``_assess`` for one batch: each kind of proposal is looked at once."""
        verdicts: dict[Proposal, Verdict] = {}

        def assess_once(proposal: Proposal) -> Verdict:
            verdict = verdicts.get(proposal)
            if verdict is None:
                verdict = verdicts[proposal] = self._assess(proposal)
            return verdict

        return assess_once

    @api.model
    def _assess(self, proposal: Proposal) -> Verdict:
        """Whether a proposed change is applied, held, looked at or refused."""
        return assess(self.env["spar.change.rule"]._get_rules(), proposal)

    # === READING REQUESTS === #

    @api.model
    def _identify(self, identify, addresses: dict, request) -> tuple:
        """``(identifier, None)``, or ``(None, result)`` for what cannot be used."""
        try:
            identifier = identify(request.id_value)
        except InvalidIdentifier as error:
            problem = error.code
            return None, Result(Outcome.INVALID_ID, request.id_value, problem=problem)
        refusal = self._refuse_address(request, addresses)
        return (None, refusal) if refusal else (identifier, None)

    @api.model
    def _refuse_address(self, request, addresses: dict) -> Result | None:
        """The answer to an address that cannot be used, or None."""
        fa, values = request.fa, None
        problem = self._get_address_problem(fa)
        if not problem and isinstance(request, LinkRequest) and addresses[fa].problem:
            problem, part, check = addresses[fa].problem
            values = {"part": part, "check": check} if part else None
        if not problem:
            return None
        return Result(
            Outcome.INVALID_FA,
            request.id_value,
            problem=problem,
            problem_values=values,
        )

    @api.model
    def _refuse_foreign(self, call, requests, identified, addresses: dict) -> list:
        """``identified`` without what a caller may not ask for another provider."""
        if call.provider_ids is None or not addresses:
            return identified
        return [
            (identifier, problem)
            if problem
            else self._refuse_one_foreign(call, request, identifier, addresses)
            for request, (identifier, problem) in zip(requests, identified, strict=True)
        ]

    @api.model
    def _refuse_one_foreign(self, call, request, identifier, addresses: dict) -> tuple:
        asked = addresses[request.fa]
        refusal = refuse_foreign(call, request, asked.address)
        return (None, refusal) if refusal else (identifier, None)

    @api.model
    def _get_address_problem(self, fa: str | None) -> str:
        """Why ``fa`` cannot be an address: ``empty``, ``too_long``, ``characters``."""
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

    @api.model
    def _read_addresses(self, call: CallContext, requests: list) -> dict[str, Asked]:
        """What the directory knows of each address that is to be stored, by text."""
        texts = list({r.fa for r in requests if isinstance(r, LinkRequest)})
        strategies = self.env["spar.fa.strategy"]
        if call.checks_addresses:
            examined = strategies._examine_addresses(texts)
        else:
            examined = [(read, None) for read in strategies._read_addresses(texts)]
        return dict(zip(texts, starmap(Asked, examined), strict=True))
