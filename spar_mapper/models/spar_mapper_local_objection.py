from datetime import timedelta

from odoo import api, models
from odoo.tools import SQL

from odoo.addons.spar_mapper_connector.exceptions import (
    InvalidIdentifier,
    NoSuchEvent,
    SealBroken,
)
from odoo.addons.spar_mapper_connector.lib.contract import (
    CallContext,
    ObjectionAnswer,
    ObjectionRequest,
    Remedy,
)

from ..exceptions import NoSuchObjection, OwnDoing
from ..lib import objection
from ..lib.ledger import Ledger
from ..lib.records import new_uuid
from ..store.database import copy_rows
from ..store.loading import Loader
from .spar_mapper_local import OFFICER

#: Setting: how long after it an address can be brought back by its owner's word alone.
DAYS_PARAMETER, DEFAULT_DAYS = "spar_mapper.objection_days", 30

_EVENT = SQL(
    """SELECT e.id, e.seq, e.kind, e.actor, m.id AS mapping_id, m.uuid, m.purpose,
              m.identifier_id, o.uuid AS reference, o.remedy, o.state
         FROM spar_event e JOIN spar_mapping m ON m.id = e.mapping_id
         LEFT JOIN spar_objection o ON o.event_id = e.id"""
)


class SparMapperLocal(models.AbstractModel):
    """This was not me: the owner's word undoes, locks, and calls staff."""

    _inherit = "spar.mapper.local"  # pylint: disable=consider-merging-classes-inherited

    @api.model
    def _object_to(
        self, call: CallContext, request: ObjectionRequest
    ) -> ObjectionAnswer:
        """See the contract. Raises NoSuchEvent, and SealBroken for what does not open.

        The ID stays locked meanwhile, so two objections to one event open one case.
        """
        self._check_channel(OFFICER)
        keyring = self.env["spar.keyring"]._open(for_write=True)
        holding = self._load_disputed(keyring, request.id_value)
        event = self._fetch_event(
            SQL(
                "m.uuid = %s AND e.seq = %s AND m.subject_id = %s",
                request.period,
                request.seq,
                holding.subject_id,
            )
        )
        if event["kind"] not in objection.DISPUTABLE:
            raise NoSuchEvent(event["kind"])
        known = self._build_objection_answer(
            event["reference"], event["remedy"], event["state"]
        )
        ledger = Ledger(keyring, call, self._get_now())
        return known or self._settle_dispute(ledger, holding, event)

    @api.model
    def _build_objection_answer(self, reference, remedy, state):
        """The answer of a case; None where there is no case."""
        if reference is None:
            return None
        return ObjectionAnswer(Remedy(remedy), reference[:8].upper(), state != "open")

    @api.model
    def _load_disputed(self, keyring, id_value: str):
        """The holding of an ID, locked."""
        try:
            canonical = self.env["spar.id.type"]._identify(id_value).canonical
        except InvalidIdentifier as error:
            raise NoSuchEvent(error.code) from error
        return self._load_holding(keyring, canonical)

    @api.model
    def _load_holding(self, keyring, canonical: str):
        """The holding of a stored ID, locked; raises NoSuchEvent and SealBroken."""
        holding = self._load_holdings(keyring, [canonical]).get(canonical)
        if holding is None:
            raise NoSuchEvent("the ID is not known")
        if holding.is_broken:
            raise SealBroken("the ID or its address does not open")
        return holding

    @api.model
    def _fetch_event(self, condition: SQL) -> dict:
        rows = self.env.execute_query_dict(SQL("%s WHERE %s", _EVENT, condition))
        if not rows:
            raise NoSuchEvent("there is no such event")
        return rows[0]

    @api.model
    def _settle_dispute(self, ledger: Ledger, holding, event: dict) -> ObjectionAnswer:
        before = self._get_guards_before(holding)
        dispute = self._build_dispute(ledger, holding, event)
        remedy = objection.settle(dispute)
        self._save(ledger)
        uuid = new_uuid()
        columns = (
            *("uuid", "event_id", "mapping_id", "remedy", "stop", "state"),
            *("is_disowned", "lock_before", "stop_before", "channel", "actor"),
            *("on_behalf_of", "made_at"),
        )
        row = (
            *(uuid, event["id"], dispute.disputed.row_id, remedy.value),
            *(dispute.stop, "open", dispute.is_disowned, *before),
            *(ledger.call.channel, ledger.call.actor),
            *(ledger.call.on_behalf_of, ledger.now),
        )
        copy_rows(self.env.cr, "spar_objection", columns, [row])
        return self._build_objection_answer(uuid, remedy, "open")

    @api.model
    def _get_guards_before(self, holding) -> tuple[str, bool]:
        """The lock and the stop to go back to: those before the first open case."""
        rows = self.env.execute_query(
            SQL(
                """SELECT o.lock_before, o.stop_before
                     FROM spar_objection o JOIN spar_mapping m ON m.id = o.mapping_id
                    WHERE m.subject_id = %s AND o.state = 'open'
                    ORDER BY o.id LIMIT 1""",
                holding.subject_id,
            )
        )
        return rows[0] if rows else (holding.change_lock, holding.pay_stop)

    # === THE DISPUTE === #

    @api.model
    def _build_dispute(self, ledger: Ledger, holding, event: dict):
        periods = self._load_periods(ledger.keyring, holding, event)
        by_id = {period.row_id: period for period in periods}
        return objection.Dispute(
            holding=holding,
            ledger=ledger,
            row=by_id[event["mapping_id"]],
            kind=self._get_lasting_kind(event),
            periods=periods,
            disowned=self._search_disowned(holding.subject_id),
            oldest=ledger.now - timedelta(days=self._get_objection_days()),
        )

    @api.model
    def _load_periods(self, keyring, holding, event: dict) -> list:
        """The disputed period and all of its purpose that were ever in force, newest
        first; those in force as the holding's own.

        Raises SealBroken: with a past that does not open nothing is brought back.
        """
        loader = Loader(self.env.cr, keyring)
        rows = loader.fetch(
            """m.subject_id = %s AND coalesce(m.purpose, '') = %s AND m.rank = 1
               AND (m.id = %s OR NOT EXISTS (
                    SELECT FROM spar_event e
                     WHERE e.mapping_id = m.id AND e.kind = 'proposed'))""",
            holding.subject_id,
            event["purpose"] or "",
            event["mapping_id"],
        )
        known = {row.row_id: row for row in holding.mappings.values()}
        periods = [known.get(row[0]) or loader.open(holding, row) for row in rows]
        return sorted(periods, key=lambda row: (row.valid_from, row.row_id))[::-1]

    @api.model
    def _get_lasting_kind(self, event: dict) -> str:
        """What the event has led to: a change that was held may have happened since."""
        if event["kind"] != "held":
            return event["kind"]
        rows = self.env.execute_query(
            SQL(
                """SELECT kind FROM spar_event
                    WHERE mapping_id = %s AND seq > %s
                      AND kind IN ('replaced', 'unlinked', 'change_cancelled',
                                   'change_refused', 'change_stale', 'change_expired')
                    ORDER BY seq LIMIT 1""",
                event["mapping_id"],
                event["seq"],
            )
        )
        kind = rows[0][0] if rows else "held"
        return kind if kind in ("replaced", "unlinked") else "held"

    @api.model
    def _search_disowned(self, subject_id: int) -> set[str]:
        rows = self.env.execute_query(
            SQL(
                """SELECT m.uuid
                     FROM spar_objection o JOIN spar_mapping m ON m.id = o.mapping_id
                    WHERE m.subject_id = %s AND o.is_disowned
                      AND o.state != 'rejected'""",
                subject_id,
            )
        )
        return {uuid for (uuid,) in rows}

    @api.model
    def _get_objection_days(self) -> int:
        parameters_sudo = self.env["ir.config_parameter"].sudo()
        days = parameters_sudo.get_param(DAYS_PARAMETER) or ""
        return int(days) if days.isdecimal() else DEFAULT_DAYS

    # === CLOSING === #

    @api.model
    def _close_objection(
        self, call: CallContext, objection_id: int, is_upheld: bool
    ) -> None:
        """Staff have looked: end the case, lift the lock unless another case is open.

        Raises NoSuchObjection when it is not open, and OwnDoing when the closer did
        what is disputed.
        """
        keyring = self.env["spar.keyring"]._open(for_write=True)
        event = self._fetch_event(SQL("o.id = %s", objection_id))
        holding, row, case = self._lock_objection(keyring, objection_id)
        if call.actor == event["actor"]:
            raise OwnDoing(objection_id)
        lock, stop = self._get_guards_after(holding, objection_id, case)
        ledger = Ledger(keyring, call, self._get_now())
        remedy = Remedy(case["remedy"])
        closing = objection.Closing(is_upheld, remedy, case["stop"], row, lock, stop)
        objection.close(holding, ledger, closing)
        self._save(ledger)
        self._save_closing(ledger, objection_id, is_upheld)

    @api.model
    def _lock_objection(self, keyring, objection_id: int) -> tuple:
        """``(holding, disputed row, case)`` of an open case; its ID locked."""
        query = SQL(
            """SELECT mapping_id, remedy, stop, lock_before, stop_before, state
                 FROM spar_objection WHERE id = %s""",
            objection_id,
        )
        mapping_id = self.env.execute_query_dict(query)[0]["mapping_id"]
        holding, row = self._load_one(keyring, mapping_id)
        holding = self._load_holding(keyring, holding.canonical)
        row = next((r for r in holding.mappings.values() if r.uuid == row.uuid), row)
        case = self.env.execute_query_dict(query)[0]
        if case["state"] != "open":
            raise NoSuchObjection(objection_id)
        return holding, row, case

    @api.model
    def _get_guards_after(self, holding, objection_id: int, case: dict) -> tuple:
        """What holds of the subject when the case is closed; another open one keeps it
        locked."""
        (others,) = self.env.execute_query(
            SQL(
                """SELECT count(*), bool_or(o.stop = 'all')
                     FROM spar_objection o JOIN spar_mapping m ON m.id = o.mapping_id
                    WHERE m.subject_id = %s AND o.state = 'open' AND o.id != %s""",
                holding.subject_id,
                objection_id,
            )
        )
        count, keeps_stop = others
        lock = objection.LOCK if count else case["lock_before"]
        return lock, bool(case["stop_before"] or keeps_stop)

    @api.model
    def _save_closing(self, ledger: Ledger, objection_id: int, is_upheld: bool) -> None:
        self.env.cr.execute(
            """UPDATE spar_objection
                  SET state = %s, closed_by = %s, closed_at = %s, close_reason = %s
                WHERE id = %s""",
            (
                "upheld" if is_upheld else "rejected",
                ledger.call.actor,
                ledger.now,
                ledger.call.reason,
                objection_id,
            ),
        )
        self.env["spar.objection"].invalidate_model()
