import logging
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL

from odoo.addons.spar_mapper_connector.exceptions import MapperError
from odoo.addons.spar_mapper_connector.lib.contract import ResolveRequest
from odoo.addons.spar_mapper_connector.lib.matching import match_results
from odoo.addons.spar_mapper_connector.transactions import use_read_committed

from ...lib.calls import build_call
from ...lib.identity import RegistryIdentity
from ...lib.outbox import Seen
from ...lib.sweep import SweepResult, compare
from ..account.spar_payment_account import ACCOUNT

_logger = logging.getLogger(__name__)

#: Accounts that are compared in one transaction.
BATCH = 500
#: A night's sweep that was begun less than this ago is not begun again.
ONE_NIGHT = timedelta(hours=12)
KEPT_DAYS = 400

#: The last account that was confirmed for each person who is paid, and purpose. Where a
#: newer one is on its way, or ended in a conflict, staff know already.
_LAST_CONFIRMED = """
    SELECT a.id FROM spar_payment_account a
     WHERE a.id > %(position)s AND a.state = 'confirmed'
       AND NOT EXISTS (
           SELECT FROM spar_payment_account n
            WHERE n.payee_id = a.payee_id AND n.id > a.id
              AND coalesce(n.purpose, '') = coalesce(a.purpose, '')
              AND n.state NOT IN ('draft', 'failed', 'given_up'))
     ORDER BY a.id LIMIT %(limit)s
"""


@dataclass
class _Compared:
    """A confirmed account, and the ID to which it was sent."""

    account: models.BaseModel
    identity: RegistryIdentity | None
    seen: Seen | None = None
    digests: dict[str, bytes] | None = None


class SparSweep(models.Model):
    """A nightly comparison of what was last confirmed with what the mapper resolves.

    It finds what others changed at the mapper, and opens a task for each difference.
    Nothing is ever sent again by itself: the mapper is the truth.

    It runs in committed chunks; one that was killed goes on where it stopped.
    """

    _name = "spar.sweep"
    _description = "Comparison with the registry"
    _order = "id desc"
    _rec_name = "started_at"

    started_at = fields.Datetime(
        string="Started at", required=True, readonly=True, default=fields.Datetime.now
    )
    ended_at = fields.Datetime(string="Ended at", readonly=True)
    position = fields.Integer(
        readonly=True, aggregator=None, help="The last account that was compared."
    )
    compared = fields.Integer(readonly=True)
    same = fields.Integer(readonly=True)
    drift = fields.Integer(readonly=True, string="Different")
    new_drift = fields.Integer(
        readonly=True,
        string="New differences",
        help="A task was opened for each. One that staff have seen is not new.",
    )
    unknown = fields.Integer(
        readonly=True,
        help="The mapper did not say what is in force: it was unavailable, payments "
        "are suspended, or the ID is no longer used.",
    )

    # === RUNNING === #

    @api.model
    def _cron_sweep(self) -> None:
        """Go on with tonight's sweep, or begin it, until the time is over."""
        use_read_committed(self.env.cr)
        sweep = self._find_current()
        left = 1.0
        while sweep and left > 0:
            is_over = not sweep._run_chunk()
            left = self.env["ir.cron"]._commit_progress(1, remaining=int(not is_over))
            if is_over:
                return

    @api.model
    def _find_current(self):
        """Return the sweep that is under way, or a new one; none if it is too early."""
        current = self.search([("ended_at", "=", False)], limit=1)
        if current:
            return current
        recent = fields.Datetime.now() - ONE_NIGHT
        if self.search_count([("started_at", ">", recent)], limit=1):
            return self.browse()
        return self.create({})

    @api.autovacuum
    def _delete_old(self) -> None:
        """Delete reports that are more than a year old."""
        limit = fields.Datetime.now() - timedelta(days=KEPT_DAYS)
        self.search([("started_at", "<", limit)]).unlink()

    def _run_chunk(self) -> bool:
        """Compare the next accounts; return whether there were any."""
        self.ensure_one()
        self.env.flush_all()
        self.env.cr.execute(
            _LAST_CONFIRMED, {"position": self.position, "limit": BATCH}
        )
        row_ids = [row_id for (row_id,) in self.env.cr.fetchall()]
        if not row_ids:
            self.ended_at = fields.Datetime.now()
            return False
        accounts = self.env["spar.payment.account"].browse(row_ids)
        found, new = self._compare_accounts(accounts)
        self.write(
            {
                "position": row_ids[-1],
                "compared": self.compared + len(row_ids),
                "same": self.same + found[SweepResult.SAME],
                "drift": self.drift + found[SweepResult.DRIFT],
                "new_drift": self.new_drift + new,
                "unknown": self.unknown + found[SweepResult.UNKNOWN],
            }
        )
        return True

    # === COMPARING === #

    @api.model
    def _compare_accounts(self, accounts) -> tuple[Counter, int]:
        """Return how many accounts are the same, different and unknown, and new."""
        items = self._find_ids(accounts)
        self._resolve(items)
        keys = accounts._fetch_confirmed_keys()
        found: Counter = Counter()
        different = []
        for item in items:
            last = keys.get(item.account.id)
            if item.account.operation == "remove":
                last = b""
            finding = compare(last, item.seen)
            found[finding] += 1
            if finding is SweepResult.DRIFT:
                different.append(item)
        self._renew_digests(items, keys)
        return found, self._open_tasks(different)

    @api.model
    def _find_ids(self, accounts) -> list[_Compared]:
        """Return the accounts with the IDs to which they were sent.

        An ID that is no longer used has a task of its own.
        """
        people = accounts.payee_id
        known = {
            (person_id, identity.row_id): identity
            for person_id, identities in people._spar_identities().items()
            for identity in identities
        }
        return [
            _Compared(account, known.get((account.payee_id.id, account.identity_row)))
            for account in accounts
        ]

    @api.model
    def _resolve(self, items: list[_Compared]) -> None:
        """Ask what is in force; one backend and purpose after another."""
        groups: dict[tuple[int, str], list[_Compared]] = {}
        for item in items:
            if item.identity:
                key = (item.identity.type_id, item.account.purpose or "")
                groups.setdefault(key, []).append(item)
        for (type_id, purpose), group in groups.items():
            self._resolve_group(type_id, purpose, group)

    @api.model
    def _resolve_group(
        self, type_id: int, purpose: str, items: list[_Compared]
    ) -> None:
        id_type = self.env["spar.id.type"].browse(type_id)
        call = build_call(self.env.uid)
        # An ID that two people share is asked for once: answers are found by ID.
        ids = list(dict.fromkeys(item.identity.id_value for item in items))
        requests = [ResolveRequest(id_value, purpose=purpose) for id_value in ids]
        try:
            mapper = self.env["spar.mapper.backend"]._get_mapper(id_type).sudo()
            results = mapper._resolve_fa(call, requests)
        except MapperError as error:
            _logger.info("%s accounts cannot be compared: %s", len(items), error.code)
            return
        matched = dict(zip(ids, match_results(ids, results), strict=True))
        digests = self._digest([r.fa for r in matched.values() if r and r.fa])
        column = self.env["spar.keyring"]._open().roles.read_column
        for item in items:
            result = matched[item.identity.id_value]
            if result is None:
                continue
            item.digests = digests.get(result.fa or "")
            key = item.digests[column] if item.digests else None
            item.seen = Seen(result.outcome, key, result.version)

    @api.model
    def _digest(self, texts: list[str]) -> dict[str, dict[str, bytes]]:
        """Return the digests of each address, by its text and by their columns."""
        written = list(dict.fromkeys(texts))
        formed = self.env["spar.fa.strategy"]._canonicalise_addresses(written)
        keyring = self.env["spar.keyring"]._open()
        return {
            text: {
                column: bytes(digest)
                for column, digest in keyring.digests(ACCOUNT, one.key).items()
            }
            for text, one in zip(written, formed, strict=True)
        }

    @api.model
    def _renew_digests(self, items: list[_Compared], keys: dict[int, bytes]) -> None:
        """Write the digests of accounts that are the same in every column.

        A confirmed account itself is destroyed, so this is how its digest under a new
        index key is made.
        """
        column = self.env["spar.keyring"]._open().roles.read_column
        for item in items:
            if not item.digests or len(item.digests) < 2:
                continue
            if item.digests[column] == keys.get(item.account.id):
                self.env.cr.execute(
                    SQL(
                        "UPDATE spar_payment_account SET digest_a = %s, digest_b = %s"
                        " WHERE id = %s",
                        item.digests.get("a"),
                        item.digests.get("b"),
                        item.account.id,
                    )
                )

    # === DIFFERENCES === #

    @api.model
    def _open_tasks(self, items: list[_Compared]) -> int:
        """Open a task for each new difference; return how many are new."""
        ids = [item.account.id for item in items]
        query = SQL(
            "SELECT id, drift_key FROM spar_payment_account"
            " WHERE id = ANY(%s) AND drift_key IS NOT NULL",
            ids,
        )
        noticed = {row_id: bytes(key) for row_id, key in self.env.execute_query(query)}
        new = [
            item
            for item in items
            if noticed.get(item.account.id) != (item.seen.key or b"")
        ]
        for item in new:
            self._open_task(item)
        return len(new)

    @api.model
    def _open_task(self, item: _Compared) -> None:
        account = item.account
        self.env.cr.execute(
            SQL(
                "UPDATE spar_payment_account SET drift_key = %s WHERE id = %s",
                item.seen.key or b"",
                account.id,
            )
        )
        if item.seen.key:
            reason = self.env._("Another address is in force than the one collected.")
        else:
            reason = self.env._("The address that was collected has been removed.")
        if account.operation == "remove":
            reason = self.env._("An address is in force, although it was removed.")
        self.env["spar.registry.task"]._propose(
            "drift", account.payee_id, account.programme_id, account, reason
        )

    # === STAFF === #

    def action_open_tasks(self):
        """List the differences that nobody has solved yet."""
        self.check_access("read")
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "spar_registry.action_task"
        )
        return {
            **action,
            "domain": [("kind", "=", "drift")],
            "context": {"search_default_open": 1},
        }
