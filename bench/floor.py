"""The floor: the same messages with bare psycopg2 and ``json``.

There is no Odoo, HTTP, validation or cryptography: digests are computed beforehand, and
sealed values stay sealed. Writes are measured in two ways: the rows that the store
writes, in a copy of its tables (``tables.py``), and one plain row for each item,
as long as a mapping's, in a table of its own.
"""

import json
import os
from collections.abc import Iterable

import psycopg2
from psycopg2.extras import execute_values

from .tables import Tables

TABLE = "spar_bench_floor"
# The queries of the store to resolve by ID, and then to find who holds the money.
FIND = """
    SELECT wanted.place, i.id, i.uuid, i.sealed, i.active, i.last_seq, s.id, s.uuid,
           s.change_lock, s.pay_stop, s.merged_into, s.last_seq, s.last_mac, s.marks,
           s.mac,
           (SELECT e.mac FROM spar_event e
             WHERE e.subject_id = s.id AND e.format > 1 ORDER BY e.seq DESC LIMIT 1),
           m.id, m.uuid, m.purpose, m.state, m.version, m.rank, m.address_uuid,
           m.state_since, m.last_seq, m.period_id, m.address_version, m.sealed, m.mac,
           m.authority, m.channel, m.origin, m.proof, m.valid_from, m.asserted_at,
           m.strategy_number, m.fa_type_id, m.provider_id, m.branch_id
      FROM unnest(%s) WITH ORDINALITY AS wanted (digest, place)
     CROSS JOIN LATERAL (
           SELECT * FROM spar_subject_id WHERE digest_a = wanted.digest LIMIT 1) i
      LEFT JOIN LATERAL (
           SELECT * FROM spar_subject WHERE id = i.subject_id LIMIT 1) s ON true
      LEFT JOIN spar_mapping m ON m.subject_id = s.id
"""
PROVIDERS = """
    SELECT 'provider', id, code, name ->> 'en_US' FROM spar_fsp WHERE id = ANY(%s)
     UNION ALL
    SELECT 'branch', id, code, '' FROM spar_fsp_branch WHERE id = ANY(%s)
"""
PROVIDER, BRANCH = -2, -1
FA = "account:0000000000000000000000@mb0000.bench000"
TIMESTAMP = "2026-01-01T00:00:00.000000Z"
HEADER = {
    "version": "1.0.0",
    "message_id": "00000000-0000-0000-0000-000000000000",
    "message_ts": TIMESTAMP,
    "status": "succ",
    "is_msg_encrypted": False,
}


def make_table(dsn: str) -> None:
    """Create the table that the floor writes to, empty."""
    with psycopg2.connect(dsn) as connection, connection.cursor() as cursor:
        cursor.execute(
            f"""DROP TABLE IF EXISTS {TABLE};
                CREATE TABLE {TABLE} (
                    id serial PRIMARY KEY, digest bytea NOT NULL UNIQUE,
                    state varchar NOT NULL, payload bytea NOT NULL)"""
        )
    connection.close()


def get_row_size(dsn: str) -> int:
    """Return the average length of a mapping's row, from a sample."""
    with psycopg2.connect(dsn) as connection, connection.cursor() as cursor:
        cursor.execute(
            """SELECT avg(pg_column_size(m))::int
                 FROM (SELECT * FROM spar_mapping ORDER BY id DESC LIMIT 1000) m"""
        )
        (size,) = cursor.fetchone()
    connection.close()
    return size


def get_known_digests(dsn: str, numbers: Iterable[int]) -> dict[int, bytes]:
    """Return the digest of each person's ID, as stored in the measured database."""
    with psycopg2.connect(dsn) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT number, digest FROM spar_bench_person WHERE number = ANY(%s)",
            (list(numbers),),
        )
        found = {number: bytes(digest) for number, digest in cursor.fetchall()}
    connection.close()
    return found


class Floor:
    """One process with one connection; each call is a transaction."""

    def __init__(self, dsn: str, digests: dict[str, bytes]):
        self.connection = psycopg2.connect(dsn)
        self.digests = digests
        self.payload = os.urandom(get_row_size(dsn))
        self._handlers = {
            "resolve": self._resolve,
            "link": self._link,
            "update": self._update,
            "unlink": self._unlink,
        }

    def send(self, operation: str, body: bytes) -> bytes:
        """Parse a message, process it and write the answer."""
        items = json.loads(body)["message"][f"{operation}_request"]
        with self.connection, self.connection.cursor() as cursor:
            answers = self._handlers[operation](cursor, items)
        return build_answer(operation, answers)

    def _resolve(self, cursor, items: list[dict]) -> list[dict]:
        cursor.execute(FIND, ([self.digests[item["id"]] for item in items],))
        rows = {row[0]: row for row in cursor.fetchall()}
        providers = list({row[PROVIDER] for row in rows.values()})
        branches = list({row[BRANCH] for row in rows.values()})
        cursor.execute(PROVIDERS, (providers, branches))
        known = {(kind, key): rest for kind, key, *rest in cursor.fetchall()}
        return [
            self._build_found(item, rows[place], known)
            for place, item in enumerate(items, start=1)
        ]

    def _build_found(self, item: dict, row: tuple, known: dict) -> dict:
        code, name = known["provider", row[PROVIDER]]
        branch_code, _name = known["branch", row[BRANCH]]
        return {
            "reference_id": item["reference_id"],
            "timestamp": TIMESTAMP,
            "status": "succ",
            "status_reason_code": "succ.id.active",
            "id": item["id"],
            "fa": FA,
            "account_provider_info": {
                "name": name,
                "code": code,
                "subcode": branch_code,
            },
            "locale": "eng",
        }

    def _link(self, cursor, items: list[dict]) -> list[dict]:
        rows = [(self.digests[item["id"]], "active", self.payload) for item in items]
        query = f"INSERT INTO {TABLE} (digest, state, payload) VALUES %s"
        execute_values(cursor, query, rows, page_size=len(rows))
        return [build_done(item) for item in items]

    def _update(self, cursor, items: list[dict]) -> list[dict]:
        rows = [(self.digests[item["id"]], self.payload) for item in items]
        query = f"""UPDATE {TABLE} t SET payload = v.payload
                      FROM (VALUES %s) AS v (digest, payload)
                     WHERE t.digest = v.digest"""
        template = "(%s::bytea, %s::bytea)"
        execute_values(cursor, query, rows, template, page_size=len(rows))
        return [build_done(item) for item in items]

    def _unlink(self, cursor, items: list[dict]) -> list[dict]:
        digests = [self.digests[item["id"]] for item in items]
        query = f"UPDATE {TABLE} SET state = 'ended' WHERE digest = ANY(%s)"
        cursor.execute(query, (digests,))
        return [build_done(item) for item in items]


class TableFloor:
    """Like ``Floor``, for writes to a copy of the store's tables."""

    def __init__(self, dsn: str, sample: dict, people: list[str]):
        self.tables = Tables(dsn, sample)
        self.tables.prepare(people)

    def send(self, operation: str, body: bytes) -> bytes:
        """Parse a message, write its rows and write the answer."""
        items = json.loads(body)["message"][f"{operation}_request"]
        self.tables.write(operation, [item["id"] for item in items])
        return build_answer(operation, [build_done(item) for item in items])


def build_done(item: dict) -> dict:
    """Return the answer to an item that was written."""
    return {
        "reference_id": item["reference_id"],
        "timestamp": TIMESTAMP,
        "status": "succ",
        "id": item["id"],
        "fa": item["fa"],
        "locale": "eng",
    }


def build_answer(operation: str, answers: list[dict]) -> bytes:
    """Return a complete, serialised answer."""
    document = {
        "header": {**HEADER, "action": operation, "total_count": len(answers)},
        "message": {"transaction_id": "1", f"{operation}_response": answers},
    }
    return json.dumps(document).encode()
