import time

from odoo import api, fields, models, tools
from odoo.tools import SQL

from odoo.addons.spar_mapper_connector.transactions import count_alone

from ..lib.pauses import Limit, read_limit

#: The counters, with their default limits. One account from one address: strict. An
#: account from anywhere, and an address for any account: loose, so that no one locks
#: out a user or an office.
LIMITS = {
    "pair": Limit(free=5, first=30, longest=900),
    "account": Limit(free=50, first=10, longest=60),
    "address": Limit(free=100, first=5, longest=60),
}
#: Requests for a link to set a password: for one login, so that nobody's mailbox is
#: filled, and from one address, so that nobody asks for everybody.
REQUESTS = {
    "requested": Limit(free=3, first=300, longest=3600),
    "requester": Limit(free=20, first=30, longest=600),
}
#: An account that logged in from an address waits only for the pair's pauses, for this
#: long.
KNOWN = "known"
KNOWN_SECONDS = 30 * 24 * 3600
#: The count restarts after this time without a failure.
FORGOTTEN_SECONDS = 3600
COUNT = (
    "INSERT INTO spar_login_failure (key, failures, last_at) VALUES (%s, 1, %s) "
    "ON CONFLICT (key) DO UPDATE SET last_at = EXCLUDED.last_at, failures = "
    "CASE WHEN spar_login_failure.last_at < %s THEN 1 "
    "ELSE spar_login_failure.failures + 1 END"
)


class SparLoginFailure(models.Model):
    """Failed logins, counted in one place for all of Odoo's processes.

    An attempt is counted before it is processed, and alone, so that parallel attempts
    gain nothing. Neither logins nor addresses are stored, only their digests: people
    type passwords into the wrong field.
    """

    _name = "spar.login.failure"
    _description = "Failed Login"
    _log_access = False

    key = fields.Char(required=True, readonly=True)
    failures = fields.Integer(required=True, readonly=True)
    last_at = fields.Float(string="Last failure", required=True, readonly=True)

    _key_uniq = models.Constraint(
        "UNIQUE (key)", "Each login and address has one counter."
    )

    @api.model
    def _begin_attempt(self, login: str, address: str) -> float:
        """Count an attempt, unless there is a pause; return the remaining seconds.

        It stays counted whatever the outcome of the caller's transaction.
        """
        keys = self._get_keys(login, address)
        now = time.time()
        with self._get_cursor() as cr:
            count_alone(cr, self._table, *keys.values())
            rows = self._read_rows(cr, [*keys.values(), self._get_known(keys)])
            left = self._get_left(keys, rows, now)
            if left <= 0:
                for key in keys.values():
                    cr.execute(COUNT, [key, now, now - FORGOTTEN_SECONDS])
        return left

    @api.model
    def _note_success(self, login: str, address: str) -> None:
        """Forget the pair's failures, and uncount the attempt that just succeeded."""
        keys = self._get_keys(login, address)
        known = self._get_known(keys)
        with self._get_cursor() as cr:
            count_alone(cr, self._table, *keys.values())
            cr.execute(
                "DELETE FROM spar_login_failure WHERE key IN %s",
                [(keys["pair"], known)],
            )
            for key in (keys["account"], keys["address"]):
                cr.execute(
                    "UPDATE spar_login_failure SET failures = failures - 1 "
                    "WHERE key = %s AND failures > 0",
                    [key],
                )
            cr.execute(COUNT, [known, time.time(), 0])

    @api.model
    def _begin_request(self, login: str, address: str) -> float:
        """Count a request for a link, unless there is a pause; return what is left.

        It is counted alike for every login, whether or not there is such an account.
        """
        names = {"requested": login.strip().lower(), "requester": address}
        keys = {kind: self._digest(kind, name) for kind, name in names.items()}
        now = time.time()
        with self._get_cursor() as cr:
            count_alone(cr, self._table, *keys.values())
            rows = self._read_rows(cr, [*keys.values()])
            left = self._get_longest_pause(REQUESTS, keys, rows, now)
            if left <= 0:
                for key in keys.values():
                    cr.execute(COUNT, [key, now, now - FORGOTTEN_SECONDS])
        return left

    def _get_left(self, keys: dict, rows: dict, now: float) -> float:
        """Return the longest remaining pause."""
        _count, known_at = rows.get(self._get_known(keys), (0, 0))
        kinds = ["pair"] if now - known_at < KNOWN_SECONDS else list(LIMITS)
        limits = {kind: self._get_limit(kind) for kind in kinds}
        return self._get_longest_pause(limits, keys, rows, now)

    @api.model
    def _get_longest_pause(
        self, limits: dict[str, Limit], keys: dict, rows: dict, now: float
    ) -> float:
        left = [0.0]
        for kind, limit in limits.items():
            count, last_at = rows.get(keys[kind], (0, 0))
            if now - last_at < FORGOTTEN_SECONDS:
                left.append(last_at + limit.get_pause(count) - now)
        return max(left)

    @api.model
    def _get_limit(self, kind: str) -> Limit:
        parameters_sudo = self.env["ir.config_parameter"].sudo()
        text = parameters_sudo.get_param(f"spar_staff_login.{kind}_limit")
        return read_limit(text, LIMITS[kind])

    @api.model
    def _get_keys(self, login: str, address: str) -> dict[str, str]:
        name = login.strip().lower()
        parts = {"pair": (name, address), "account": (name,), "address": (address,)}
        return {kind: self._digest(kind, *words) for kind, words in parts.items()}

    def _get_known(self, keys: dict) -> str:
        return self._digest(KNOWN, keys["pair"])

    @api.model
    def _digest(self, kind: str, *words: str) -> str:
        return tools.hmac(self.env(su=True), "spar_staff_login", (kind, *words))

    @api.model
    def _get_cursor(self):
        """Return a separate cursor, as a refused request is rolled back."""
        return self.env.registry.cursor()

    def _read_rows(self, cr, keys: list[str]) -> dict[str, tuple[int, float]]:
        query = SQL(
            "SELECT key, failures, last_at FROM spar_login_failure WHERE key IN %s",
            tuple(keys),
        )
        cr.execute(query)
        return {key: (failures, last_at) for key, failures, last_at in cr.fetchall()}

    @api.autovacuum
    def _gc_failures(self):
        self.env.cr.execute(
            "DELETE FROM spar_login_failure WHERE last_at < %s",
            [time.time() - KNOWN_SECONDS],
        )
