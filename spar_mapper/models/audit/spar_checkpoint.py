import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

from odoo import api, fields, models
from odoo.tools import SQL

from odoo.addons.spar_mapper_connector.lib.keyring import OpenKeyring
from odoo.addons.spar_mapper_connector.models import spar_keyring

from ...exceptions import HistoryDiffers, WritersStayOpen
from ...lib import audit, checkpoint, checkpoint_file, settling

_logger = logging.getLogger(__name__)

CHECKPOINT_VARIABLE = "SPAR_CHECKPOINTS"

EVENTS_DIFFER = "events of this range were removed or altered since the checkpoint"
OVERDUE = (
    "no checkpoint could be taken for half an hour: a transaction is still writing"
)
NOT_WRITTEN = "the checkpoint file cannot be written"
NOT_TAKEN = "no checkpoint was taken for a day: its scheduled job does not run"

#: The most chunks that one line adds; a backlog is written line by line.
CHUNKS_OF_A_LINE = 50
#: How long a checkpoint waits for writers, and when it is overdue.
PATIENCE = 15.0
OVERDUE_AFTER, NOT_TAKEN_AFTER = timedelta(minutes=30), timedelta(days=1)
#: The advisory lock of the process that takes a checkpoint.
_LOCK = 5_207_113_001


class CheckpointRecord(NamedTuple):
    """The database's record of its checkpoints."""

    number: int
    line: str
    looked_at: fields.Datetime


class SparCheckpoint(models.Model):
    """The database's record of the checkpoints outside it: one row.

    The file is written first, and the row follows. A process that is killed between the
    two leaves one valid line more than the row knows: the next process adopts it.
    """

    _name = "spar.checkpoint"
    _description = "Checkpoint of the history"
    _inherit = ["spar.store.table"]
    _rec_name = "number"
    _log_access = False

    number = fields.Integer(required=True, readonly=True, string="Last checkpoint")
    line = fields.Text(readonly=True, string="Its line in the file")
    looked_at = fields.Datetime(required=True, readonly=True, string="Complete as of")

    def init(self):
        result = super().init()
        self.env.cr.execute(
            """INSERT INTO spar_checkpoint (number, line, looked_at)
               SELECT 0, '', now() AT TIME ZONE 'UTC'
                WHERE NOT EXISTS (SELECT 1 FROM spar_checkpoint)"""
        )
        return result

    # === THE FILE === #

    @api.model
    def _get_record(self) -> CheckpointRecord:
        """Return what this transaction sees; number -1 if the row is missing."""
        query = SQL("SELECT number, line, looked_at FROM spar_checkpoint ORDER BY id")
        rows = self.env.execute_query(query)
        return (
            CheckpointRecord(*rows[0])
            if rows
            else CheckpointRecord(-1, "", fields.Datetime.now())
        )

    # === TAKING A CHECKPOINT === #

    @api.model
    def _cron_take(self) -> None:
        """Record new history; raise an alarm if no checkpoint can be taken."""
        cron = self.env["ir.cron"]
        left = True
        while left:
            left = self._take_or_alarm()
            if not cron._commit_progress(1, remaining=int(left)):
                return

    @api.model
    def _take_or_alarm(self) -> bool:
        """Take a checkpoint; return whether there is more to record."""
        try:
            return self._take()
        except HistoryDiffers as error:
            self.env["spar.alarm"]._raise_alarms(error.findings)
        except WritersStayOpen:
            overdue = self._check_time(OVERDUE_AFTER, OVERDUE)
            self.env["spar.alarm"]._raise_alarms(overdue)
        except OSError:
            _logger.exception("the checkpoint file cannot be written")
            problem = ("spar_checkpoint", 0, NOT_WRITTEN)
            self.env["spar.alarm"]._raise_alarms([problem])
        return False

    @api.model
    def _take(self) -> bool:
        """Record the present history; return whether there is more of it.

        It is read in a transaction that begins after all earlier writers have finished,
        because this one's snapshot may be older. Raises WritersStayOpen if a writer
        stays open, and HistoryDiffers if the history does not match the last
        checkpoint: a new checkpoint would cover that up.
        """
        if self._write_declared():
            return True
        with self._exclusive_cursor() as cr:
            if cr is None:
                return False
            newest = settling.get_newest(cr)
            if not settling.wait_for_writers(cr, PATIENCE):
                raise WritersStayOpen("a transaction has been writing for too long")
            with self._in_fresh_transaction() as fresh:
                return fresh._write_down(newest)

    @api.model
    @contextmanager
    def _in_fresh_transaction(self) -> Iterator["SparCheckpoint"]:
        """Yield this model in a transaction of its own, committed at the end."""
        with self.env.registry.cursor() as cr:
            fresh = self.with_env(self.env(cr=cr))
            yield fresh
            fresh.env.flush_all()

    @api.model
    def _write_declared(self) -> bool:
        """Record a restore that two people declared; return whether there was one."""
        with self._exclusive_cursor() as cr:
            if cr is None:
                return False
            with self._in_fresh_transaction() as fresh:
                keyring = fresh.env["spar.keyring"]._open()
                return fresh.env["spar.checkpoint.restore"]._write_confirmed(keyring)

    @api.model
    @contextmanager
    def _exclusive_cursor(self) -> Iterator:
        """Yield a cursor during whose transaction no other process takes a checkpoint.

        Yields None if another process is already taking one. It blocks nothing else.
        """
        with self.env.registry.cursor() as cr:
            cr.execute("SELECT pg_try_advisory_xact_lock(%s)", (_LOCK,))
            yield cr if cr.fetchone()[0] else None

    @api.model
    def _write_down(self, newest: int) -> bool:
        """Add a line with everything new up to the event ``newest``."""
        keyring = self.env["spar.keyring"]._open()
        last = self._get_valid_last(keyring)
        base = last.last_event_id if last else 0
        self._compare_open_chunk(last, base)
        lost = self._find_lost(last) if last else []
        if lost:
            raise HistoryDiffers(lost)
        until = min(newest, _get_last_id(base // checkpoint.CHUNK + CHUNKS_OF_A_LINE))
        if until == base:
            self._record_time()
            return False
        self._add_line(
            keyring,
            checkpoint.CheckpointLine(
                number=(last.number if last else 0) + 1,
                kind=checkpoint.CHECKPOINT,
                taken_at=fields.Datetime.to_string(fields.Datetime.now()),
                last_event_id=until,
                chunks=self._hash_chunks(base // checkpoint.CHUNK, until),
                previous=last.mac if last else "",
                settings=self._get_settings_mark(),
                keys=self.env["spar.issuer.key"]._get_mark(),
            ),
        )
        return until < newest

    @api.model
    def _get_settings_mark(self) -> tuple[int, str]:
        """Return the number and MAC of the newest seal of settings."""
        seal = self.env["spar.settings.seal"].sudo()._find_newest()
        return (seal.seq, seal.mac) if seal else checkpoint.NO_SETTINGS

    @api.model
    def _find_lost(self, line: checkpoint.CheckpointLine) -> list[audit.Finding]:
        """Return which of the seals and keys that ``line`` names no longer exist."""
        found = [_build_settings_finding(line)] if self._has_lost_settings(line) else []
        keys = self.env["spar.issuer.key"]
        if line.keys != checkpoint.NO_KEYS and not keys._has_mark(line.keys):
            found.append(("spar_issuer_key", line.keys[0], audit.KEYS_OLDER))
        return found

    @api.model
    def _has_lost_settings(self, line: checkpoint.CheckpointLine) -> bool:
        """Return whether the seal that ``line`` names no longer exists."""
        if line.settings == checkpoint.NO_SETTINGS:
            return False
        query = SQL(
            "SELECT count(*) FROM spar_settings_seal WHERE seq = %s AND mac = %s",
            *line.settings,
        )
        return not self.env.execute_query(query)[0][0]

    @api.model
    def _get_valid_last(self, keyring: OpenKeyring) -> checkpoint.CheckpointLine | None:
        """Return the last line of the file, adopting it if the database lacks it.

        Raises HistoryDiffers if it is not what the database knows.
        """
        known, text = self._get_record(), checkpoint_file.read_last(get_path(self.env))
        last = checkpoint.parse(text, keyring) if text is not None else None
        problem = self._compare(known, known, text, last)
        if problem:
            number, what = problem
            raise HistoryDiffers([("spar_checkpoint", number, what)])
        if last and last.number > known.number:
            self._compare_open_chunk(last, last.last_event_id)
            self._record_line(last.number, text)
        return last

    @api.model
    def _compare(
        self,
        before: CheckpointRecord,
        after: CheckpointRecord,
        text: str | None,
        last: checkpoint.CheckpointLine | None,
    ) -> tuple[int, str] | None:
        """Return what differs between the database and the last line of the file."""
        if text is not None and last is None:
            return before.number, checkpoint.FORGED
        number = last.number if last else None
        problem = checkpoint.compare_numbers(before.number, number, after.number)
        if not problem and number == before.number > 0 and text != before.line:
            return number, checkpoint.REPLACED
        return problem

    @api.model
    def _compare_open_chunk(
        self, last: checkpoint.CheckpointLine | None, until: int
    ) -> None:
        """Raise HistoryDiffers unless the newest chunk matches ``last``."""
        number = until // checkpoint.CHUNK
        recorded = last.chunks.get(number) if last else None
        known = {number: recorded} if recorded else {}
        present = self._hash_chunks(number, until)
        if checkpoint.list_differing(known, present):
            raise HistoryDiffers([_build_finding(number)])

    @api.model
    def _add_line(self, keyring: OpenKeyring, line: checkpoint.CheckpointLine) -> None:
        """Write a line to the file, then record it in the database."""
        path, text = get_path(self.env), line.sign(keyring)
        checkpoint_file.append(path, text, after=checkpoint_file.read_last(path))
        self._record_line(line.number, text)

    @api.model
    def _record_line(self, number: int, text: str) -> None:
        self.env.cr.execute(
            """UPDATE spar_checkpoint
                  SET number = %s, line = %s, looked_at = now() AT TIME ZONE 'UTC'""",
            (number, text),
        )

    @api.model
    def _record_time(self) -> None:
        self.env.cr.execute(
            "UPDATE spar_checkpoint SET looked_at = now() AT TIME ZONE 'UTC'"
        )

    @api.model
    def _hash_chunks(self, first: int, last_id: int) -> checkpoint.Chunks:
        """Return the chunks from number ``first`` on, as of event ``last_id``."""
        rows = self.env.execute_query(
            SQL(
                """SELECT id / %(size)s, count(*),
                          encode(sha256(string_agg(mac, ''::bytea ORDER BY id)), 'hex')
                     FROM spar_event WHERE id >= %(first)s AND id <= %(last)s
                    GROUP BY 1""",
                size=checkpoint.CHUNK,
                first=first * checkpoint.CHUNK,
                last=last_id,
            )
        )
        return {number: (count, digest) for number, count, digest in rows}

    # === THE CHECK === #

    @api.model
    def _check_time(self, limit: timedelta, problem: str) -> list[audit.Finding]:
        """Return a finding if everything was last covered longer than ``limit`` ago."""
        late = fields.Datetime.now() - self._get_record().looked_at
        return [("spar_checkpoint", 0, problem)] if late > limit else []

    @api.model
    def _read_file(
        self, keyring: OpenKeyring, wanted=()
    ) -> checkpoint.CheckpointReading:
        lines = checkpoint_file.read_lines(get_path(self.env))
        return checkpoint.read(lines, keyring, wanted)

    @api.model
    def _check_chunks(
        self, keyring: OpenKeyring, after: int, size: int
    ) -> tuple[list[audit.Finding], int | None]:
        """Compare ``size`` chunks from number ``after`` on with the file.

        Return the findings and the number at which to continue, None at the end. The
        file is read first, because its content must be in the snapshot in which the
        events are read afterwards.
        """
        before = self._get_record()
        reading = self._read_file(keyring)
        if before.number == 0 and not reading.text:
            return [], None
        with self._in_fresh_transaction() as fresh:
            findings = [] if after else fresh._check_file(before, reading)
            differing, after = fresh._compare_chunks(reading, after, size)
            return findings + differing, after

    @api.model
    def _check_file(
        self, before: CheckpointRecord, reading: checkpoint.CheckpointReading
    ) -> list[audit.Finding]:
        """Return what is wrong with the file as a whole."""
        problems = list(reading.problems)
        damaged = any(what == checkpoint.FORGED for _number, what in problems)
        if not damaged:
            text, last = reading.text or None, reading.last
            problem = self._compare(before, self._get_record(), text, last)
            problems += [problem] if problem else []
        findings = [("spar_checkpoint", *problem) for problem in problems]
        if reading.last:
            findings += self._find_lost(reading.last)
        return findings + self._check_time(NOT_TAKEN_AFTER, NOT_TAKEN)

    @api.model
    def _compare_chunks(
        self, reading: checkpoint.CheckpointReading, after: int, size: int
    ) -> tuple[list[audit.Finding], int | None]:
        """Return the chunks that differ from the file, and where to continue."""
        end = after + size
        until = min(reading.last_event_id, _get_last_id(end - 1))
        recorded = {n: chunk for n, chunk in reading.chunks.items() if after <= n < end}
        differing = checkpoint.list_differing(recorded, self._hash_chunks(after, until))
        found = list(map(_build_finding, differing))
        return found, end if until < reading.last_event_id else None


def get_path(env: api.Environment) -> Path:
    """Return the file's path: as the variable says, else beside the keyring.

    It is a function, not a method, for the reason given in ``spar_keyring.get_path``.
    """
    folder = os.environ.get(CHECKPOINT_VARIABLE)
    if not folder:
        folder = spar_keyring.get_path(env).parent / "checkpoints"
    return Path(folder) / f"{env.cr.dbname}.jsonl"


def _get_last_id(number: int) -> int:
    """Return the greatest id that an event of chunk ``number`` can have."""
    return (number + 1) * checkpoint.CHUNK - 1


def _build_settings_finding(line: checkpoint.CheckpointLine) -> audit.Finding:
    return "spar_settings_seal", line.settings[0], checkpoint.SETTINGS_OLDER


def _build_finding(number: int) -> audit.Finding:
    return "spar_event", number * checkpoint.CHUNK, EVENTS_DIFFER
