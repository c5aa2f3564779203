import json
import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timezone

from odoo import api, models
from odoo.tools import SQL, groupby

from odoo.addons.spar_mapper_connector.exceptions import MapperError
from odoo.addons.spar_mapper_connector.lib.contract import (
    CallContext,
    Capability,
    LinkRequest,
    Operation,
    Outcome,
    ResolveRequest,
    Result,
    UnlinkRequest,
    UpdateRequest,
)
from odoo.addons.spar_mapper_connector.lib.mapper_calls import MAPPER_CALLS
from odoo.addons.spar_mapper_connector.lib.matching import match_results
from odoo.addons.spar_mapper_connector.transactions import use_read_committed

from ...lib.calls import build_call
from ...lib.outbox import (
    EntryState,
    NextStep,
    Seen,
    Wanted,
    get_pause,
    plan,
    read_change,
    read_result,
)
from ..account.spar_payment_account import ACCOUNT

_logger = logging.getLogger(__name__)

#: One scheduled action each: as many run at the same time.
WORKERS = ("ir_cron_outbox_1", "ir_cron_outbox_2")
#: Entries that a worker takes at a time. At most one of each ID is among them.
BATCH = 200
#: The class of the advisory locks by which a worker shows that it is alive.
_ALIVE = int.from_bytes(b"sprr", "big")

_DUE = """
    SELECT e.id FROM spar_outbox_entry e
     WHERE e.state = 'waiting' AND e.next_try_at <= %(now)s
       AND NOT EXISTS (
           SELECT FROM spar_outbox_entry o
            WHERE o.queue_key = e.queue_key AND o.id < e.id
              AND o.state IN ('waiting', 'sending', 'parked', 'failed'))
     ORDER BY e.id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
"""
_PARKED = """
    SELECT id FROM spar_outbox_entry
     WHERE state = 'parked' AND next_try_at <= %(now)s
     ORDER BY id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
"""
_CLAIM = f"""
    UPDATE spar_outbox_entry
       SET state = 'sending', worker = %(worker)s, attempts = attempts + 1
     WHERE id IN ({_DUE}) RETURNING id
"""


@dataclass
class _Item:
    """An entry in the hands of a worker."""

    entry: models.BaseModel
    id_value: str
    fa: str
    wanted: Wanted
    step: NextStep = field(default_factory=NextStep)
    seen_key: bytes | None = None
    seen_version: int | None = None
    reference: str = ""
    is_answered: bool = False


class SparOutboxWorker(models.AbstractModel):
    """The workers that send what the outbox contains.

    Workers run in parallel on different IDs. A worker claims the first open entry of
    each ID, asks the mapper what is in force, sends, and records the answers; each step
    is committed. A worker that is killed leaves its entries claimed, and another worker
    takes them over: it sees that nobody has the lock of their worker.
    """

    _name = "spar.outbox.worker"
    _description = "Worker of the outbox"

    @api.model
    def _wake(self) -> None:
        """Wake the workers at once, when this transaction has committed."""
        for name in WORKERS:
            cron_sudo = self.env.ref(f"spar_registry.{name}").sudo()
            cron_sudo._trigger()

    @api.model
    def _cron_send(self) -> None:
        """Send what is due, until nothing is left or the time is over."""
        use_read_committed(self.env.cr)
        worker = self._begin()
        try:
            self._run(worker)
        finally:
            self._end(worker)

    @api.model
    def _run(self, worker: int) -> None:
        self._take_over(worker)
        self._follow_up()
        left = self._commit(0)
        while left > 0:
            row_ids = self._claim(worker)
            if not row_ids:
                return
            self._commit(0)
            self._send(self._open(row_ids))
            left = self._commit(len(row_ids))

    @api.model
    def _commit(self, done: int) -> float:
        """Commit; return how many seconds are left for this run."""
        return self.env["ir.cron"]._commit_progress(done)

    # === WORKERS THAT ARE ALIVE === #

    @api.model
    def _begin(self) -> int:
        """Return the number of a new worker, which shows that it is alive by a lock.

        The lock is the session's: it outlives commits, and ends with the connection.
        """
        number = secrets.randbelow(2**31 - 1) + 1
        self.env.cr.execute(SQL("SELECT pg_advisory_lock(%s, %s)", _ALIVE, number))
        return number

    @api.model
    def _end(self, worker: int) -> None:
        self.env.cr.rollback()
        self.env.cr.execute(SQL("SELECT pg_advisory_unlock(%s, %s)", _ALIVE, worker))

    @api.model
    def _take_over(self, worker: int) -> None:
        """Take over entries of workers that were killed, and finish them."""
        query = SQL(
            "SELECT DISTINCT worker FROM spar_outbox_entry"
            " WHERE state = 'sending' AND worker <> %s",
            worker,
        )
        for (other,) in self.env.execute_query(query):
            lock = SQL("SELECT pg_try_advisory_lock(%s, %s)", _ALIVE, other)
            if not self.env.execute_query(lock)[0][0]:
                continue
            rows = self.env.execute_query(
                SQL(
                    "UPDATE spar_outbox_entry SET worker = %s"
                    " WHERE state = 'sending' AND worker = %s RETURNING id",
                    worker,
                    other,
                )
            )
            self._commit(0)
            self.env.cr.execute(SQL("SELECT pg_advisory_unlock(%s, %s)", _ALIVE, other))
            self._send(self._open([row_id for (row_id,) in rows]))
            self._commit(len(rows))

    # === CLAIMING === #

    @api.model
    def _claim(self, worker: int) -> list[int]:
        """Claim the entries whose turn has come; return their row ids."""
        entries = self.env["spar.outbox.entry"]
        values = {"worker": worker, "now": entries._get_now(), "limit": BATCH}
        self.env.cr.execute(_CLAIM, values)
        row_ids = sorted(row_id for (row_id,) in self.env.cr.fetchall())
        self.env.invalidate_all()
        return row_ids

    @api.model
    def _open(self, row_ids: list[int]) -> list[_Item]:
        """Open entries; those that cannot be opened fail, and the others go on."""
        entries = self.env["spar.outbox.entry"].browse(row_ids)
        texts = entries._read_sealed_rows()
        bases = self._fetch_bases(row_ids)
        closed = entries.filtered(lambda entry: entry.id not in texts)
        closed._set_state(EntryState.FAILED, "unreadable")
        refused = self._find_refused(entries - closed)
        refused._set_state(EntryState.FAILED, "no_consent")
        texts = {key: text for key, text in texts.items() if key not in refused.ids}
        payloads = {row_id: json.loads(text) for row_id, text in texts.items()}
        keys = self._digest_addresses([payload["fa"] for payload in payloads.values()])
        return [
            _Item(
                entry,
                payloads[entry.id]["id_value"],
                payloads[entry.id]["fa"],
                Wanted(keys[payloads[entry.id]["fa"]], bases.get(entry.id)),
            )
            for entry in entries
            if entry.id in payloads
        ]

    @api.model
    def _find_refused(self, entries):
        """Return the entries that give an address to people who withdrew consent."""
        refused = entries.browse()
        setting = entries.filtered(lambda one: one.account_id.operation == "set")
        for programme, group in setting.grouped("programme_id").items():
            withdrawn = self.env["spar.consent"]._find_withdrawn(
                programme, group.partner_id.ids
            )
            refused |= group.filtered(
                lambda one, gone=withdrawn: one.partner_id.id in gone
            )
        return refused.filtered(lambda one: one.account_id.origin != "move")

    @api.model
    def _fetch_bases(self, row_ids: list[int]) -> dict[int, bytes]:
        query = SQL(
            "SELECT id, base_key FROM spar_outbox_entry"
            " WHERE id = ANY(%s) AND base_key IS NOT NULL",
            row_ids,
        )
        return {row_id: bytes(key) for row_id, key in self.env.execute_query(query)}

    @api.model
    def _digest_addresses(self, texts: list[str]) -> dict[str, bytes]:
        """Return the digest of each address, b"" for none, by its text."""
        written = list(dict.fromkeys(filter(None, texts)))
        formed = self.env["spar.fa.strategy"]._canonicalise_addresses(written)
        digest = self.env["spar.keyring"]._open().digester(ACCOUNT)
        keys = {
            text: bytes(digest(one.key))
            for text, one in zip(written, formed, strict=True)
        }
        return {**keys, "": b""}

    # === SENDING === #

    @api.model
    def _send(self, items: list[_Item]) -> None:
        """Ask, send and record; one backend and purpose after another."""
        for _target, group in groupby(items, key=_get_target):
            self._send_to_backend(group)

    @api.model
    def _send_to_backend(self, items: list[_Item]) -> None:
        mapper_sudo = items[0].entry.backend_id._bind().sudo()
        try:
            self._ask(mapper_sudo, items)
        except MapperError as error:
            self._postpone(items, error)
        to_send = [item for item in items if item.step.operation]
        groups = groupby(to_send, key=_get_call)
        for _call, group in groups:
            self._record_base(group)
        self._commit(0)
        for (operation, _user_id), group in groups:
            self._send_group(mapper_sudo, operation, group)
        self._finish(items)

    @api.model
    def _ask(self, mapper, items: list[_Item]) -> None:
        """Ask what is in force for each ID, and plan what happens next."""
        purpose = items[0].entry.account_id.purpose or ""
        requests = [ResolveRequest(item.id_value, purpose=purpose) for item in items]
        results = mapper._resolve_fa(self._build_call(items[0].entry), requests)
        matched = match_results([item.id_value for item in items], results)
        keys = self._digest_addresses([r.fa or "" for r in matched if r])
        for item, result in zip(items, matched, strict=True):
            if result is None:
                item.step = NextStep(state=EntryState.WAITING, reason="no_answer")
                continue
            seen = _build_seen(result, keys)
            item.step = plan(item.wanted, seen)
            item.seen_key, item.seen_version = seen.key, seen.version

    @api.model
    def _record_base(self, items: list[_Item]) -> None:
        """Store what was in force, and the ID of the message, before it is sent."""
        # What is not disclosed has a key that no address has: whatever is found after a
        # time-out is then for staff.
        keys = [b"?" if item.seen_key is None else item.seen_key for item in items]
        query = SQL(
            """UPDATE spar_outbox_entry e
                  SET base_key = v.key, base_version = v.version, message_id = %s
                 FROM unnest(%s::int[], %s::bytea[], %s::int[]) AS v (id, key, version)
                WHERE e.id = v.id""",
            secrets.token_hex(16),
            [item.entry.id for item in items],
            keys,
            [item.seen_version for item in items],
        )
        self.env.cr.execute(query)
        self.env["spar.outbox.entry"].invalidate_model()

    @api.model
    def _send_group(self, mapper, operation: Operation, items: list[_Item]) -> None:
        """Send one operation for several IDs; the mapper's effect is committed first.

        The answers are recorded in a step of their own: between the two, the entries
        are sent and have no answer, and the next worker asks what became of them.
        """
        call = self._build_call(items[0].entry)
        requests = [_BUILDERS[operation](item) for item in items]
        try:
            results = MAPPER_CALLS[operation](mapper, call, requests)
        except MapperError as error:
            self._postpone(items, error)
            return
        self._commit(0)
        matched = match_results([item.id_value for item in items], results)
        for item, result in zip(items, matched, strict=True):
            if result is None or result.is_uncertain:
                item.step = NextStep(state=EntryState.WAITING, reason="no_answer")
                continue
            item.step = read_result(result)
            item.reference, item.is_answered = result.reference, True

    @api.model
    def _build_call(self, entry) -> CallContext:
        return build_call(
            entry.account_id.collected_by.id,
            message_reference=entry.message_id or "",
            checks_addresses=True,
        )

    # === RECORDING === #

    @api.model
    def _postpone(self, items: list[_Item], error: MapperError) -> None:
        """Leave entries for a later attempt: the mapper did not answer."""
        self.env.cr.rollback()
        self.env.invalidate_all()
        _logger.info("%s entries are sent later: %s", len(items), error.code)
        for item in items:
            item.step = NextStep(state=EntryState.WAITING, reason="unavailable")

    @api.model
    def _finish(self, items: list[_Item]) -> None:
        """Record the state of each entry; one with an answer is no longer uncertain."""
        entries = self.env["spar.outbox.entry"]
        entries.concat(*(i.entry for i in items if i.is_answered))._clear_base()
        for (state, reason), done in groupby(
            items, key=lambda item: (item.step.state, item.step.reason)
        ):
            entries.concat(*(item.entry for item in done))._set_state(state, reason)
        for item in items:
            item.entry.next_try_at = self._get_next_try(item)
            if item.reference:
                item.entry.reference = item.reference

    @api.model
    def _get_next_try(self, item: _Item) -> datetime:
        now = item.entry._get_now()
        return now + get_pause(item.entry.attempts) if item.step.pauses else now

    # === CHANGES THAT WAIT AT THE MAPPER === #

    @api.model
    def _follow_up(self) -> None:
        """Ask what became of changes that wait for approval, or for their time.

        Entries that another worker asks about are left to it.
        """
        entries = self.env["spar.outbox.entry"]
        values = {"now": entries._get_now(), "limit": BATCH}
        self.env.cr.execute(_PARKED, values)
        parked = entries.browse([row_id for (row_id,) in self.env.cr.fetchall()])
        for backend, group in parked.grouped("backend_id").items():
            self._follow_up_at(backend, group)

    @api.model
    def _follow_up_at(self, backend, entries) -> None:
        mapper_sudo = backend._bind().sudo()
        known = entries.filtered("reference")
        if Capability.CHANGE_STATUS not in mapper_sudo._capabilities():
            known = entries.browse()
        # Without a reference, what is in force shows what became of it.
        (entries - known)._ask_again()
        if not known:
            return
        try:
            found = mapper_sudo._change_status(
                self._build_call(known[0]), known.mapped("reference")
            )
        except MapperError:
            return
        states = {status.reference: status.state for status in found}
        answered = known.filtered(lambda entry: entry.reference in states)
        for entry in answered:
            entry.attempts += 1
        self._finish(
            [
                _Item(entry, "", "", Wanted(b""), read_change(states[entry.reference]))
                for entry in answered
            ]
        )


def _get_target(item: _Item) -> tuple[int, str]:
    return item.entry.backend_id.id, item.entry.account_id.purpose or ""


def _get_call(item: _Item) -> tuple[Operation, int]:
    operation = item.step.operation
    if operation is None:
        raise ValueError("nothing is sent for this entry")
    return operation, item.entry.account_id.collected_by.id


def _build_seen(result: Result, keys: dict[str, bytes]) -> Seen:
    key = keys[result.fa] if result.fa else None
    if result.outcome is Outcome.NOT_LINKED:
        key = b""
    return Seen(result.outcome, key, result.version)


def _build_link(item: _Item) -> LinkRequest:
    account = item.entry.account_id
    return LinkRequest(
        item.id_value,
        item.fa,
        purpose=account.purpose or "",
        asserted_at=_get_asserted_at(account),
    )


def _build_update(item: _Item) -> UpdateRequest:
    account = item.entry.account_id
    return UpdateRequest(
        item.id_value,
        item.fa,
        purpose=account.purpose or "",
        asserted_at=_get_asserted_at(account),
        expected_version=item.seen_version,
    )


def _build_unlink(item: _Item) -> UnlinkRequest:
    account = item.entry.account_id
    return UnlinkRequest(
        item.id_value,
        purpose=account.purpose or "",
        asserted_at=_get_asserted_at(account),
        expected_version=item.seen_version,
    )


def _get_asserted_at(account) -> datetime:
    return account.collected_at.replace(tzinfo=timezone.utc)


_BUILDERS: dict[Operation, Callable[[_Item], object]] = {
    Operation.LINK: _build_link,
    Operation.UPDATE: _build_update,
    Operation.UNLINK: _build_unlink,
}
