"""Reading the cost counters before and after the work."""

from typing import NamedTuple

import psycopg2

from .usage import Usage, Watched, read_cpu_seconds

_POSITION = "SELECT pg_current_wal_insert_lsn(), pg_database_size(current_database())"
_IMAGES = """
    SELECT sum(fpi_size)::bigint
      FROM pg_get_wal_stats(%s, least(%s::pg_lsn, pg_current_wal_flush_lsn()), false)
"""


class ProcessorTimes(NamedTuple):
    """Processor seconds up to one moment."""

    odoo: float | None
    postgres: float | None


class StoragePosition(NamedTuple):
    """The positions of the WAL and the disk at one moment."""

    wal: str
    disk: int


class Meter:
    """Readings before and after; their own cost stays outside the measured time."""

    def __init__(self, watched: Watched):
        self.watched = watched
        self._connection = psycopg2.connect(watched.dsn)
        self._connection.autocommit = True
        self.begin()
        self.end()

    def _read_times(self) -> ProcessorTimes:
        odoo, postgres = self.watched.odoo, self.watched.postgres
        return ProcessorTimes(read_cpu_seconds(odoo), read_cpu_seconds(postgres))

    def _read_position(self) -> StoragePosition:
        return StoragePosition(*self._query(_POSITION))

    def _query(self, query: str, *values: str) -> tuple:
        with self._connection.cursor() as cursor:
            cursor.execute(query, values)
            return cursor.fetchone()

    def begin(self) -> None:
        """Take all readings before the work."""
        self._first_position = self._read_position()
        self._first_times = self._read_times()

    def end(self) -> None:
        """Take all readings after the work."""
        self._last_times = self._read_times()
        self._last_position = self._read_position()

    def close(self) -> Usage:
        """Return the difference; the client's own time is not known here."""
        begun, ended = self._first_position, self._last_position
        (wal,) = self._query("SELECT pg_wal_lsn_diff(%s, %s)", ended.wal, begun.wal)
        self._connection.close()
        return Usage(
            *map(_subtract, self._last_times, self._first_times),
            wal=int(wal),
            wal_images=self._count_images(begun.wal, ended.wal),
            disk=ended.disk - begun.disk,
        )

    def _count_images(self, begun: str, ended: str) -> int | None:
        """Return the bytes of full-page images in the WAL; None if they are unknown."""
        if not self.watched.admin_dsn:
            return None
        if begun == ended:
            return 0
        connection = psycopg2.connect(self.watched.admin_dsn)
        try:
            with connection.cursor() as cursor:
                cursor.execute(_IMAGES, (begun, ended))
                return int(cursor.fetchone()[0] or 0)
        except psycopg2.Error:  # that WAL has already been recycled
            return None
        finally:
            connection.close()


def _subtract(after: float | None, before: float | None) -> float | None:
    return None if after is None or before is None else max(after - before, 0.0)
