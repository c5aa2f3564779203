from odoo import api, models
from odoo.tools import SQL

from odoo.addons.spar_mapper_connector.lib.contract import (
    Authority,
    CallContext,
    LinkRequest,
    Result,
    ResumeRequest,
    UnlinkRequest,
    UpdateRequest,
)
from odoo.addons.spar_mapper_connector.transactions import use_read_committed

from ..exceptions import NoSuchChange, NotForApproval, SamePerson
from ..lib.ledger import Ledger
from ..lib.operations import Case
from ..lib.records import ChangeRow, Holding
from ..lib.waiting import apply_change, drop_change

_SYSTEM = CallContext("system", "schedule", Authority.STAFF)


class SparMapperLocal(models.AbstractModel):
    """Deciding changes that wait; each on its own, under the lock of its ID."""

    _inherit = "spar.mapper.local"  # pylint: disable=consider-merging-classes-inherited

    @api.model
    def _approve_change(self, call: CallContext, change_id: int) -> Result:
        """A second person lets a change happen: it is applied at once, or is stale.

        Raises NoSuchChange, NotForApproval when it waits for its time only, and
        SamePerson when the approver proposed it.
        """
        ledger, holding, change, proposer = self._load_change(call, change_id)
        if not change.needs_approval:
            raise NotForApproval(change_id)
        if call.actor in (proposer.actor, proposer.on_behalf_of):
            raise SamePerson(change_id)
        ledger.note(holding, change.mapping, "change_approved")
        return self._apply(ledger, holding, change, proposer)

    @api.model
    def _end_change(self, call: CallContext, change_id: int, end: str) -> None:
        """End a change without doing it: ``cancelled``, ``refused`` or ``expired``."""
        ledger, holding, change, _proposer = self._load_change(call, change_id)
        drop_change(ledger, holding, change, end)
        self._save(ledger)

    @api.model
    def _apply(self, ledger: Ledger, holding: Holding, change: ChangeRow, proposer):
        """Do the change on its proposer's word; the decision stays the decider's."""
        request = self._build_request(holding, change)
        decider, ledger.call = ledger.call, proposer
        asked = self._read_addresses(proposer, [request]).get(change.fa)
        address = asked.address if asked else None
        case = Case(request, holding, ledger, proposer, self._assess, address)
        result = apply_change(case, change)
        ledger.call = decider
        self._save(ledger)
        return result

    # === LOADING === #

    @api.model
    def _load_change(self, call: CallContext, change_id: int) -> tuple:
        """``(ledger, holding, change, proposer's call)`` of a waiting change; locks."""
        keyring = self.env["spar.keyring"]._open(for_write=True)
        rows = self.env.execute_query_dict(
            SQL(
                """SELECT c.proposer, c.on_behalf_of, c.channel, c.authority, c.reason,
                          c.authenticated_by, c.message_reference, m.identifier_id,
                          m.purpose
                     FROM spar_change c JOIN spar_mapping m ON m.id = c.mapping_id
                    WHERE c.id = %s""",
                change_id,
            )
        )
        if not rows:
            raise NoSuchChange(change_id)
        row = rows[0]
        identifiers = self.env["spar.subject.id"]
        canonicals = identifiers._unseal_ids(keyring, [row["identifier_id"]]).values()
        for holding in self._load_holdings(keyring, list(canonicals)).values():
            change = holding.changes.get(row["purpose"])
            if change is not None and change.row_id == change_id:
                ledger = Ledger(keyring, call, self._get_now())
                return ledger, holding, change, self._build_proposer(row)
        raise NoSuchChange(change_id)

    @api.model
    def _build_proposer(self, row: dict) -> CallContext:
        return CallContext(
            actor=row["proposer"],
            channel=row["channel"],
            authority=Authority(row["authority"]),
            authenticated_by=row["authenticated_by"],
            on_behalf_of=row["on_behalf_of"],
            reason=row["reason"],
            message_reference=row["message_reference"],
        )

    @api.model
    def _build_request(self, holding: Holding, change: ChangeRow):
        """The request that waited."""
        common = {"id_value": holding.canonical, "purpose": change.mapping.purpose}
        given = {
            "fa": change.fa,
            "details": change.details,
            "asserted_at": change.asserted_at,
        }
        builders = {
            "link": lambda: LinkRequest(**common, **given),
            "update": lambda: UpdateRequest(**common, **given),
            "unlink": lambda: UnlinkRequest(**common, fa=change.fa or None),
            "resume": lambda: ResumeRequest(**common),
        }
        return builders[change.operation]()

    # === THE SCHEDULE === #

    @api.model
    def _cron_decide_due(self) -> None:
        """Apply what was held long enough, expire what nobody approved in time.

        Each change in a transaction of its own: what stops one does not stop the
        others, and no two IDs are locked at once, which could deadlock with a batch.
        """
        due = self._search_due()
        for left, change_id in zip(reversed(range(len(due))), due, strict=True):
            use_read_committed(self.env.cr)
            self._decide_due(change_id)
            if not self.env["ir.cron"]._commit_progress(1, remaining=left):
                return

    @api.model
    def _search_due(self) -> list[int]:
        rows = self.env.execute_query(
            SQL(
                """SELECT id FROM spar_change
                    WHERE state = 'waiting'
                      AND CASE WHEN needs_approval THEN expires_at
                               ELSE effective_at END <= %s
                    ORDER BY id""",
                self._get_now(),
            )
        )
        return [change_id for (change_id,) in rows]

    @api.model
    def _decide_due(self, change_id: int) -> None:
        """Expire a change that nobody approved, apply any other.

        What was decided meanwhile is passed over, and so is what does not open: loading
        it raised an alarm.
        """
        try:
            ledger, holding, change, proposer = self._load_change(_SYSTEM, change_id)
        except NoSuchChange:
            return
        if change.needs_approval:
            drop_change(ledger, holding, change, "expired")
            self._save(ledger)
        else:
            self._apply(ledger, holding, change, proposer)
