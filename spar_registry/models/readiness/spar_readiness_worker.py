import logging
from dataclasses import dataclass, field
from datetime import timedelta

import psycopg2

from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.tools import SQL
from odoo.tools.gc import disabling_gc

from odoo.addons.spar_mapper_connector.exceptions import MapperError
from odoo.addons.spar_mapper_connector.transactions import use_read_committed

from ...lib.readiness import (
    Finding,
    ReadinessState,
    build_array,
    compare,
    has_failed_call,
)
from .spar_readiness_run import GATE, READINESS

_logger = logging.getLogger(__name__)

#: One scheduled action each: as many run at the same time.
WORKERS = ("ir_cron_readiness_1", "ir_cron_readiness_2")
#: The classes of the advisory locks on a chunk, and on a run whose file is read.
_CHUNK = int.from_bytes(b"sprc", "big")
_READING = int.from_bytes(b"sprf", "big")
#: Chunks among which a worker looks for one that no other worker has.
_CANDIDATES = 10
#: A chunk is tried this often; then its people are errors, and the run goes on.
MAX_ATTEMPTS = 3
PAUSE = timedelta(seconds=20)

#: Most people have the same values as others: each set of values is sent once.
_FILL = """
    UPDATE spar_readiness_line l
       SET state = f.state, reason = f.reason, payee_id = f.payee_id,
           partner_id = coalesce(l.partner_id, f.partner_id),
           is_disputed = f.is_disputed, has_waiting_change = f.has_waiting_change,
           shared_with = f.shared_with, previous_state = f.previous_state,
           change = f.change
      FROM unnest(%s::int[], %s::int[]) AS v (id, place)
      JOIN unnest(%s::varchar[], %s::varchar[], %s::int[], %s::int[], %s::varchar[],
                  %s::varchar[], %s::int[], %s::varchar[], %s::varchar[])
             WITH ORDINALITY
        AS f (state, reason, payee_id, partner_id, is_disputed, has_waiting_change,
              shared_with, previous_state, change, place) USING (place)
     WHERE l.id = v.id
"""
_YES_NO = {True: "yes", False: "no", None: None}


@dataclass
class _Found:
    """What was found, by line.

    :param people: the contacts who are checked
    :param payees: who is paid for them, if it is somebody else
    :param owners: the contacts who have IDs from a file
    """

    findings: dict[int, Finding]
    people: dict[int, int] = field(default_factory=dict)
    payees: dict[int, int | None] = field(default_factory=dict)
    owners: dict[int, int] = field(default_factory=dict)


class SparReadinessWorker(models.AbstractModel):
    """The workers that fill in the lines of runs.

    A worker takes a chunk, notes the attempt, checks its people as the user who started
    the run, and records what it found; each step is committed. Memory does not grow
    with a run.
    """

    _name = "spar.readiness.worker"
    _description = "Worker of payment readiness"

    @api.model
    def _wake(self, at=None) -> None:
        """Wake the workers when this transaction has committed, or later."""
        for name in WORKERS:
            cron_sudo = self.env.ref(f"spar_registry.{name}").sudo()
            cron_sudo._trigger(at)

    @api.model
    def _cron_check(self) -> None:
        """Read files and check people, until nothing is left or the time is over."""
        use_read_committed(self.env.cr)
        while self._work_on_next():
            left = self.env["ir.cron"]._commit_progress(1, remaining=1)
            self.env.invalidate_all()
            if not left:
                return
        self.env["ir.cron"]._commit_progress(0, remaining=0)

    @api.model
    def _work_on_next(self) -> bool:
        """Do one step of one run; return whether there was one."""
        return self._check_next() or self._finish_next() or self._read_next()

    @api.model
    def _finish_next(self) -> bool:
        """End the runs whose people were all checked; return whether there was one."""
        query = SQL(
            """SELECT r.id FROM spar_readiness_run r
                WHERE r.state = 'running' AND NOT EXISTS (
                      SELECT FROM spar_readiness_chunk c
                       WHERE c.run_id = r.id AND c.is_done IS NOT TRUE)
                  FOR UPDATE SKIP LOCKED"""
        )
        ids = [row_id for (row_id,) in self.env.execute_query(query)]
        for run in self.env["spar.readiness.run"].browse(ids):
            run._finish()
        self._commit()
        return bool(ids)

    @api.model
    def _commit(self) -> None:
        self.env["ir.cron"]._commit_progress(0, remaining=1)
        self.env.invalidate_all()

    @api.model
    def _hurry(self) -> None:
        """Let this transaction's commit not wait for the disk.

        If the machine fails, the chunk is checked once more.
        """
        self.env.cr.execute("SET LOCAL synchronous_commit TO off")

    # === LOCKS === #

    @api.model
    def _try_lock(self, kind: int, row_id: int) -> bool:
        query = SQL("SELECT pg_try_advisory_lock(%s, %s)", kind, row_id)
        return self.env.execute_query(query)[0][0]

    @api.model
    def _unlock(self, kind: int, row_id: int) -> None:
        # What counts was committed; after an error nothing else can be executed.
        self.env.cr.rollback()
        self.env.cr.execute(SQL("SELECT pg_advisory_unlock(%s, %s)", kind, row_id))

    # === FILES === #

    @api.model
    def _read_next(self) -> bool:
        """Read the next file that nobody else reads; return whether there was one."""
        runs = self.env["spar.readiness.run"]
        for run in runs.search([("state", "=", "reading")], order="id"):
            if not self._try_lock(_READING, run.id):
                continue
            try:
                return self._read_file(run)
            finally:
                self._unlock(_READING, run.id)
        return False

    @api.model
    def _read_file(self, run) -> bool:
        """Read a file; return whether there is more to do for this worker."""
        self._commit()
        if run.state != "reading":
            return True
        try:
            for _count in self.env["spar.readiness.reader"]._read_parts(run):
                self._commit()
        except psycopg2.OperationalError:
            raise
        except MapperError as error:
            self.env.cr.rollback()
            _logger.warning("readiness run %s waits: %s", run.id, error.code)
            return False
        except Exception as error:
            self.env.cr.rollback()
            self.env.invalidate_all()
            _logger.warning(
                "readiness run %s: its file failed: %s", run.id, type(error).__name__
            )
            run._fail(self.env._("The file cannot be read. Save it as CSV (UTF-8)."))
        return True

    # === CHUNKS === #

    @api.model
    def _check_next(self) -> bool:
        """Check the next chunk that nobody checks; return whether there was one."""
        for chunk_id in self._find_chunks():
            if not self._try_lock(_CHUNK, chunk_id):
                continue
            try:
                # It may have been done between the search and the lock.
                chunk = self._take(chunk_id)
                if chunk:
                    self._check_chunk(chunk)
                    self._commit()
                    return True
            finally:
                self._unlock(_CHUNK, chunk_id)
        return False

    @api.model
    def _find_chunks(self) -> list[int]:
        query = SQL(
            """SELECT c.id FROM spar_readiness_chunk c
                 JOIN spar_readiness_run r ON r.id = c.run_id
                WHERE c.is_done IS NOT TRUE AND r.state = 'running'
                  AND coalesce(c.next_try_at, '-infinity') <= %s
                ORDER BY c.position, c.id LIMIT %s""",
            fields.Datetime.now(),
            _CANDIDATES,
        )
        return [row_id for (row_id,) in self.env.execute_query(query)]

    @api.model
    def _take(self, chunk_id: int):
        """Return a chunk with one more attempt, committed; empty if it is done.

        The attempt counts even if the worker is killed in it.
        """
        self._hurry()
        self.env.cr.execute(
            SQL(
                """UPDATE spar_readiness_chunk SET attempts = attempts + 1
                    WHERE id = %s AND is_done IS NOT TRUE RETURNING id""",
                chunk_id,
            )
        )
        taken = bool(self.env.cr.fetchall())
        self._commit()
        chunks = self.env["spar.readiness.chunk"]
        return chunks.browse(chunk_id) if taken else chunks

    @api.model
    def _check_chunk(self, chunk) -> None:
        """Check the people of a chunk; whatever happens, the run goes on."""
        if chunk.attempts > MAX_ATTEMPTS:
            self._give_up(chunk, "failed")
            return
        try:
            self._hurry()
            needs_more = self._fill(chunk)
        except Exception as error:
            self._begin_again(chunk, error)
            needs_more = True
        if needs_more and chunk.attempts >= MAX_ATTEMPTS:
            self._give_up(chunk, "failed")
        elif needs_more:
            self._postpone(chunk)
        else:
            self._end(chunk)

    @api.model
    def _begin_again(self, chunk, error: Exception) -> None:
        # The text of an error may name an ID: only its class is logged.
        self.env.cr.rollback()
        self.env.invalidate_all()
        _logger.warning(
            "readiness run %s: a part failed: %s", chunk.run_id.id, type(error).__name__
        )

    @api.model
    def _postpone(self, chunk) -> None:
        at = fields.Datetime.now() + PAUSE * chunk.attempts
        chunk.next_try_at = at
        self._wake(at)

    @api.model
    def _end(self, chunk) -> None:
        chunk.is_done = True

    @api.model
    def _give_up(self, chunk, reason: str) -> None:
        """End a chunk: who was not checked yet could not be."""
        self.env.cr.execute(
            SQL(
                """UPDATE spar_readiness_line SET state = 'error', reason = %s
                    WHERE run_id = %s AND id BETWEEN %s AND %s
                      AND state = 'waiting'""",
                reason,
                chunk.run_id.id,
                chunk.first_id,
                chunk.last_id,
            )
        )
        self._end(chunk)

    @api.model
    def _run_at_once(self, run) -> None:
        """Check everybody in a run in the caller's transaction."""
        chunks_sudo = self.env["spar.readiness.chunk"].sudo()
        for chunk_sudo in chunks_sudo.search([("run_id", "=", run.id)]):
            self.sudo()._fill_at_once(chunk_sudo)
        run._finish()

    @api.model
    def _fill_at_once(self, chunk) -> None:
        """Check a chunk; an error is a finding about its people, and stops nobody."""
        try:
            with self.env.cr.savepoint():
                self._fill(chunk)
        except Exception as error:
            _logger.warning("readiness: a part failed: %s", type(error).__name__)
            self._give_up(chunk, "failed")
        else:
            self._end(chunk)

    # === FILLING === #

    @api.model
    def _fill(self, chunk) -> bool:
        """Check and record the people of a chunk; return whether a call failed."""
        run = chunk.run_id
        rows = self._fetch_rows(run, chunk)
        people = {row_id: partner_id for row_id, partner_id, is_id in rows if not is_id}
        ids = [row_id for row_id, _partner_id, is_id in rows if is_id]
        checker = self._get_checker(run)
        # Thousands of small objects live until the end of the chunk.
        with disabling_gc():
            found = self._check(checker, run, people, ids)
            self._record(run, found)
        return has_failed_call(found.findings.values())

    @api.model
    def _fetch_rows(self, run, chunk) -> list[tuple]:
        query = SQL(
            """SELECT id, partner_id, id_digest IS NOT NULL FROM spar_readiness_line
                WHERE run_id = %s AND id BETWEEN %s AND %s
                  AND state IN ('waiting', 'error') ORDER BY id""",
            run.id,
            chunk.first_id,
            chunk.last_id,
        )
        return self.env.execute_query(query)

    @api.model
    def _get_checker(self, run):
        """Return the checker of the user who started the run."""
        # Of thousands of contacts, only the fields that are needed are read.
        env = self.env(user=run.user_id.id, context={"prefetch_fields": False})
        return env["spar.readiness.checker"]

    @api.model
    def _check(self, checker, run, people: dict[int, int], ids: list[int]) -> _Found:
        """Return what is known of each line."""
        hidden = Finding(ReadinessState.ERROR, "hidden")
        nothing = _Found(dict.fromkeys([*people, *ids], hidden))
        if not self._may_check(checker, run):
            return nothing
        programme = run.programme_id.with_env(checker.env)
        programme = programme.with_context(prefetch_fields=True)
        found = _Found(dict.fromkeys(ids, Finding(ReadinessState.ERROR, "unreadable")))
        try:
            if people:
                self._add_people(found, checker, people, programme)
            if ids:
                self._add_ids(found, checker, run, ids, programme)
        except AccessError:
            return nothing
        return found

    @api.model
    def _add_people(
        self, found: _Found, checker, people: dict[int, int], programme
    ) -> None:
        known, payees = checker._check_people(list(people.values()), programme)
        found.people = people
        for row_id, person in people.items():
            found.findings[row_id] = known[person]
            payee = payees.get(person)
            if payee != person:
                found.payees[row_id] = payee

    @api.model
    def _add_ids(self, found: _Found, checker, run, ids: list[int], programme) -> None:
        texts = self.env["spar.readiness.line"].browse(ids)._read_sealed_rows()
        id_type = run.id_type_id.with_env(checker.env)
        known, found.owners = checker._check_ids(texts, id_type, programme)
        found.findings |= known

    @api.model
    def _may_check(self, checker, run) -> bool:
        """Return whether the user still has the right to check people."""
        if checker.env.su:
            return True
        user = checker.env.user
        return user.active and (run.source == GATE or user.has_group(READINESS))

    # === RECORDING === #

    @api.model
    def _record(self, run, found: _Found) -> None:
        """Write what was found, in one statement."""
        if not found.findings:
            return
        before = self._fetch_before(run, found)
        places: dict[tuple, int] = {}
        lines = [
            places.setdefault(
                (
                    finding,
                    found.payees.get(row_id),
                    found.owners.get(row_id),
                    before.get(row_id),
                ),
                len(places) + 1,
            )
            for row_id, finding in found.findings.items()
        ]
        has_previous = bool(run.previous_id)
        values = [self._list_values(*each, has_previous) for each in places]
        columns = [list(found.findings), lines, *zip(*values, strict=True)]
        self.env.cr.execute(_FILL, [build_array(column) for column in columns])
        self.env["spar.readiness.line"].invalidate_model()

    @api.model
    def _list_values(
        self,
        finding: Finding,
        payee_id: int | None,
        partner_id: int | None,
        before: str | None,
        has_previous: bool,
    ) -> tuple:
        """Return what is written of a person, in the order of the columns."""
        now = finding.state.value
        return (
            now,
            finding.reason or None,
            payee_id,
            partner_id,
            _YES_NO[finding.is_disputed],
            _YES_NO[finding.has_waiting_change],
            finding.shared_with,
            before,
            compare(before, now).value if has_previous else None,
        )

    @api.model
    def _fetch_before(self, run, found: _Found) -> dict[int, str]:
        """Return the state in the run before of each line's person or ID."""
        if not run.previous_id:
            return {}
        people = {**found.people, **found.owners}
        query = SQL(
            """SELECT partner_id, state FROM spar_readiness_line
                WHERE run_id = %s AND partner_id = ANY(%s)""",
            run.previous_id.id,
            list(people.values()),
        )
        states = dict(self.env.execute_query(query))
        before = {
            row_id: states[person]
            for row_id, person in people.items()
            if person in states
        }
        return self._fetch_ids_before(run, found) | before

    @api.model
    def _fetch_ids_before(self, run, found: _Found) -> dict[int, str]:
        """Return the state in the run before of each ID from a file."""
        row_ids = list(found.findings.keys() - found.people.keys())
        if not row_ids:
            return {}
        query = SQL(
            """SELECT l.id, b.state FROM spar_readiness_line l
                 JOIN spar_readiness_line b
                   ON b.run_id = %s AND b.id_digest = l.id_digest
                WHERE l.id = ANY(%s) AND l.id_digest IS NOT NULL""",
            run.previous_id.id,
            row_ids,
        )
        return dict(self.env.execute_query(query))
