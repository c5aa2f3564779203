import json
from datetime import datetime

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL

from odoo.addons.spar_mapper_connector.lib.contract import Outcome, Result

from ...lib.identity import RegistryIdentity
from ...lib.outbox import OPEN, EntryState, NewEntry
from ...rows import insert_rows, take_ids

#: The purposes of the seals and digests. They must never change.
ENTRY = "registry_outbox"

_ACCOUNT_STATES = {
    EntryState.WAITING: "queued",
    EntryState.SENDING: "queued",
    EntryState.PARKED: "parked",
    EntryState.DONE: "confirmed",
    EntryState.SUPERSEDED: "superseded",
    EntryState.CONFLICT: "conflict",
    EntryState.FAILED: "failed",
    EntryState.GIVEN_UP: "given_up",
}
#: States after which the account itself is no longer needed.
_ENDED = (
    EntryState.DONE,
    EntryState.SUPERSEDED,
    EntryState.CONFLICT,
    EntryState.GIVEN_UP,
)


#: The class of the advisory locks of keys, and their number.
_LOCK, _LOCKS = int.from_bytes(b"sprq", "big"), 1024
#: The columns of an entry.
_COLUMNS = {
    "id": "int",
    "account_id": "int",
    "partner_id": "int",
    "programme_id": "int",
    "backend_id": "int",
    "state": "text",
    "attempts": "int",
    "next_try_at": "timestamp",
    "queue_key": "bytea",
    "base_key": "bytea",
    "sealed": "bytea",
}


class SparOutboxEntry(models.Model):
    """A collected account that is sent to a mapper, in order for each ID.

    ``queue_key`` is a keyed digest of backend, ID and purpose: entries with the same
    key are sent one after another, in the order of their row ids. Ids are taken under a
    lock on the key, so that this is also the order in which they were committed.
    """

    _name = "spar.outbox.entry"
    _description = "Account to send"
    _inherit = ["spar.of.person", "spar.sealed.storage"]
    _order = "id"
    _digest_columns = ("queue_key", "base_key")
    _seal_purpose = ENTRY
    _seal_prefix = (ENTRY,)
    _seal_context_columns = ("id", "account_id", "backend_id")

    account_id = fields.Many2one(
        "spar.payment.account",
        required=True,
        readonly=True,
        index=True,
        ondelete="cascade",
    )
    partner_id = fields.Many2one(
        related="account_id.partner_id", string="Person", store=True, index=True
    )
    programme_id = fields.Many2one(related="account_id.programme_id", store=True)
    backend_id = fields.Many2one(
        "spar.mapper.backend", required=True, readonly=True, ondelete="restrict"
    )
    state = fields.Selection(
        [
            ("waiting", "Waiting"),
            ("sending", "Being sent"),
            ("parked", "Waiting for approval"),
            ("done", "Confirmed"),
            ("superseded", "Superseded"),
            ("conflict", "Conflict"),
            ("failed", "Failed"),
            ("given_up", "Given up"),
        ],
        default="waiting",
        required=True,
        readonly=True,
    )
    reason = fields.Char(readonly=True, string="Code")
    reason_text = fields.Char(compute="_compute_reason_text", string="Reason")
    attempts = fields.Integer(readonly=True, default=0)
    next_try_at = fields.Datetime(
        readonly=True, default=fields.Datetime.now, string="Next try at"
    )
    message_id = fields.Char(readonly=True, copy=False)
    base_version = fields.Integer(readonly=True, string="Base version")
    reference = fields.Char(
        readonly=True, help="The reference of the change that waits at the mapper."
    )
    worker = fields.Integer(readonly=True)
    user_id = fields.Many2one("res.users", string="Assigned to")
    given_up_reason = fields.Char(readonly=True, string="Reason for giving up")

    #: The worker's search for entries whose turn has come, and for those it follows up.
    _due = models.Index("(next_try_at) WHERE state IN ('waiting', 'sending', 'parked')")

    def init(self):
        result = super().init()
        # Whether an earlier entry of the same ID is open.
        self.env.cr.execute(
            """CREATE INDEX IF NOT EXISTS spar_outbox_entry_queue_index
                   ON spar_outbox_entry (queue_key, id)
                WHERE state IN ('waiting', 'sending', 'parked', 'failed')"""
        )
        return result

    # === ADDING === #

    @api.model
    def _add(self, account, identity: RegistryIdentity, base: bytes | None = None):
        """Queue an account for an ID; an entry that was not sent yet is superseded.

        :param base: the digest of the address that must be in force, see
            ``spar.payment.account._queue_for``

        It is part of the caller's transaction: the account and its entry are stored
        together, or neither is.
        """
        entry = NewEntry(
            account.id,
            account.partner_id.id,
            account.programme_id.id,
            account.purpose or "",
            account._read_sealed() or "",
            identity,
            base,
        )
        return self._add_batch([entry]).sudo()

    @api.model
    def _add_batch(self, entries: list[NewEntry]):
        """Queue accounts for IDs; an entry that was not sent yet is superseded.

        Return the new entries. It is part of the caller's transaction: the accounts and
        their entries are stored together, or none is. It takes a constant number of
        statements for each time that an ID occurs.
        """
        backends = self._find_backends({entry.identity.type_id for entry in entries})
        digest = self.env["spar.keyring"]._open(for_write=True).digester(ENTRY)
        waiting: list[tuple[bytes, int, NewEntry]] = []
        for entry in entries:
            backend_id = backends[entry.identity.type_id]
            parts = (str(backend_id), entry.identity.id_value, entry.purpose)
            waiting.append((digest(json.dumps(parts)), backend_id, entry))
        self._lock_keys([key for key, *_rest in waiting])
        row_ids: list[int] = []
        while waiting:
            # Each key once, so that a later account of it supersedes the earlier one.
            first = {each[0]: each for each in reversed(waiting)}
            chosen = [each for each in waiting if first[each[0]] is each]
            row_ids += self._insert(chosen)
            waiting = [each for each in waiting if first[each[0]] is not each]
        self.env["spar.outbox.worker"]._wake()
        return self.browse(row_ids)

    @api.model
    def _find_backends(self, type_ids: set[int]) -> dict[int, int]:
        """Return the backend that is called for each ID type, by row id."""
        backends = self.env["spar.mapper.backend"]
        id_types = self.env["spar.id.type"].browse(type_ids)
        return {
            each.id: backends._get_mapper(each)._get_backend().id for each in id_types
        }

    @api.model
    def _insert(self, chosen: list[tuple[bytes, int, NewEntry]]) -> list[int]:
        """Insert entries, none of which has the key of another; return their ids."""
        entries_sudo = self.sudo()
        entries_sudo._supersede_unsent([key for key, *_rest in chosen])
        keyring = self.env["spar.keyring"]._open(for_write=True)
        now = self._get_now()
        rows = []
        row_ids = take_ids(self.env, self._table, len(chosen))
        for row_id, (key, backend_id, entry) in zip(row_ids, chosen, strict=True):
            payload = {"id_value": entry.identity.id_value, "fa": entry.fa}
            context = self._build_seal_context(row_id, entry.account_id, backend_id)
            rows.append(
                (
                    row_id,
                    entry.account_id,
                    entry.partner_id,
                    entry.programme_id or None,
                    backend_id,
                    EntryState.WAITING.value,
                    0,
                    now,
                    key,
                    entry.base,
                    keyring.seal(ENTRY, json.dumps(payload), context),
                )
            )
        insert_rows(self.env, self._table, _COLUMNS, rows)
        self.env["spar.payment.account"].invalidate_model(["entry_ids"])
        return row_ids

    @api.model
    def _lock_keys(self, keys: list[bytes]) -> None:
        """Lock keys until the transaction ends, in one order for all transactions.

        A lock is for a share of all keys: thousands of locks would not fit into
        PostgreSQL's table of locks.
        """
        shares = sorted({int.from_bytes(key[:4], "big") % _LOCKS for key in keys})
        self.env.cr.execute(
            SQL(
                "SELECT pg_advisory_xact_lock(%s, share)"
                " FROM unnest(%s::int[]) AS shares (share)",
                _LOCK,
                shares,
            )
        )

    def _supersede_unsent(self, keys: list[bytes]) -> None:
        """End the entries of IDs that no worker has begun to send."""
        rows = self.env.execute_query(
            SQL(
                """SELECT id FROM spar_outbox_entry
                    WHERE queue_key = ANY(%s) AND state = 'waiting' AND attempts = 0
                      FOR UPDATE SKIP LOCKED""",
                keys,
            )
        )
        unsent = self.browse([row_id for (row_id,) in rows])
        unsent._set_state(EntryState.SUPERSEDED, "newer_account")

    # === STATES === #

    def _set_state(self, state: EntryState, reason: str = "") -> None:
        """Set the state of entries and of their accounts.

        An account that has ended is destroyed. Raises nothing: the caller decides who
        may do this.
        """
        if not self:
            return
        self.write({"state": state.value, "reason": reason})
        accounts = self.account_id
        accounts.write({"state": _ACCOUNT_STATES[state], "reason": reason})
        if state in _ENDED:
            self._write_sealed(None)
            accounts._write_sealed(None)
            accounts.invalidate_recordset(["masked", "display_name"])
        if state in (EntryState.CONFLICT, EntryState.FAILED):
            self._open_tasks(state)
        self.env["spar.identity.move"]._continue(accounts, state)

    def _open_tasks(self, state: EntryState) -> None:
        """Assign conflicts and failures to somebody."""
        for entry in self:
            account = entry.account_id
            entry.user_id = account.programme_id.manager_ids[:1]
            self.env["spar.registry.task"]._propose(
                state.value,
                account.partner_id,
                account.programme_id,
                account,
                entry.reason_text,
            )

    @api.depends("reason", "given_up_reason")
    def _compute_reason_text(self):
        for entry in self:
            reason = self._get_reason_text(entry.reason or "")
            entry.reason_text = entry.given_up_reason or reason

    @api.model
    def _get_reason_text(self, reason: str) -> str:
        """Return a reason in words that a clerk understands."""
        if not reason:
            return ""
        texts = {
            "newer_account": self.env._("A newer account was collected."),
            "older_than_current": self.env._(
                "The address in force is newer than this account."
            ),
            "another_address": self.env._(
                "Another address is in force: the person or another office chose it."
            ),
            "removed": self.env._("The address was removed in the meantime."),
            "held": self.env._("The change is waiting for approval or for its time."),
            "refused": self.env._("A supervisor refused the change."),
            "cancelled": self.env._("The change was withdrawn."),
            "expired": self.env._("Nobody approved the change in time."),
            "unavailable": self.env._(
                "The mapper is unavailable. The account will be sent again "
                "automatically."
            ),
            "overtaken": self.env._(
                "The address changed in the meantime. The account will be sent again."
            ),
            "change_waiting": self.env._(
                "Another change of this address is waiting. The account will be sent "
                "after it."
            ),
            "no_answer": self.env._(
                "The mapper did not answer for this account. It will be asked again."
            ),
            "no_consent": self.env._(
                "The person has withdrawn their consent, so the account is not sent."
            ),
            "unreadable": self.env._(
                "The account can no longer be opened. Collect it again."
            ),
        }
        outcome, _dot, problem = reason.partition(".")
        return texts.get(reason) or self._get_refusal_text(outcome, problem)

    @api.model
    def _get_refusal_text(self, outcome: str, problem: str) -> str:
        try:
            result = Result(Outcome(outcome), problem=problem)
        except ValueError:
            return self.env._("The registry did not accept the account.")
        return self.env["spar.staff.answers"]._get_refusal(result)

    def _clear_base(self) -> None:
        """Forget what was in force when entries were sent: they have an answer."""
        self.env.cr.execute(
            SQL(
                "UPDATE spar_outbox_entry SET base_key = NULL, base_version = NULL"
                " WHERE id = ANY(%s)",
                self.ids,
            )
        )
        self.invalidate_recordset(["base_version"])

    def _ask_again(self) -> None:
        """Send entries anew, beginning with the question what is in force."""
        self._clear_base()
        self._set_state(EntryState.WAITING, "unknown_change")

    # === STAFF === #

    def write(self, vals):
        """Write; staff only assign entries, everything else is done by the buttons."""
        if not self.env.su and vals.keys() - {"user_id"}:
            raise AccessError(
                self.env._("Only the buttons of the outbox change what is sent.")
            )
        return super().write(vals)

    def action_retry(self):
        """Send failed entries again, now."""
        self.check_access("write")
        failed_sudo = self.sudo().filtered(lambda entry: entry.state == "failed")
        failed_sudo._set_state(EntryState.WAITING)
        failed_sudo.write({"next_try_at": fields.Datetime.now(), "attempts": 0})
        self.env["spar.outbox.worker"]._wake()

    def action_open_give_up(self):
        """Ask for the reason to give up."""
        self.check_access("write")
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Give up"),
            "res_model": "spar.give.up.wizard",
            "view_mode": "form",
            "target": "new",
            "context": {"default_entry_ids": self.ids},
        }

    def action_open_account(self):
        """Open the collected account, where it can be tried again or given up."""
        self.ensure_one()
        self.check_access("read")
        return {
            "type": "ir.actions.act_window",
            "name": self.account_id.display_name,
            "res_model": "spar.payment.account",
            "res_id": self.account_id.id,
            "view_mode": "form",
        }

    def _give_up(self, reason: str) -> None:
        """End failed or parked entries for a reason; later ones of the ID go on."""
        if not reason.strip():
            raise UserError(self.env._("Enter a reason."))
        self.check_access("write")
        open_sudo = self.sudo().filtered(
            lambda entry: entry.state in ("failed", "parked", "waiting")
        )
        open_sudo.write({"given_up_reason": reason})
        open_sudo._set_state(EntryState.GIVEN_UP, "given_up")
        self.env["spar.outbox.worker"]._wake()

    @api.model
    def _get_open_states(self) -> list[str]:
        return [state.value for state in OPEN]

    @api.model
    def _get_now(self) -> datetime:
        """Return the present time, in naive UTC."""
        return fields.Datetime.now()
