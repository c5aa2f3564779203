"""Sample which rows the store writes for a person; run by Odoo's shell.

Two people are linked, updated and unlinked by the store's own code in the floor's
database; after each step, its rows are compared with those before. The floor therefore
writes what the store writes, whatever its tables are. The steps are written to the file
named by SPAR_ANSWER.
"""

import json
import os
import sys
import time

sys.path.insert(0, os.environ["SPAR_ROOT"])

from odoo.addons.spar_mapper_connector.lib.contract import (  # noqa: E402
    Authority,
    CallContext,
    Details,
    LinkRequest,
    UnlinkRequest,
    UpdateRequest,
)
from odoo.addons.spar_mapper_connector.transactions import (  # noqa: E402
    use_read_committed,
)

from bench import people  # noqa: E402  (after the path)
from bench.tables import TABLES  # noqa: E402

env = globals()["env"]  # provided by Odoo's shell

CALL = CallContext(
    "participant:bench.example", "rest", Authority.PROGRAMME, checks_cards=False
)
FIRST = 9 * 10**18 + time.time_ns() // 1000  # never used for anyone else
COLUMNS = """
    SELECT a.attname, format_type(a.atttypid, a.atttypmod),
           coalesce(a.attnum = ANY(i.indkey), false)
      FROM pg_attribute a
      LEFT JOIN pg_index i ON i.indrelid = a.attrelid AND i.indisprimary
     WHERE a.attrelid = to_regclass(%s) AND a.attnum > 0 AND NOT a.attisdropped
     ORDER BY a.attnum
"""


def build_details(number):
    return Details(people.get_name(number), people.get_phone(number))


def link(number):
    request = LinkRequest(
        people.get_id(number), people.get_fa(number), build_details(number)
    )
    return env["spar.mapper.local"]._link_fa(CALL, [request])


def update(number):
    request = UpdateRequest(
        people.get_id(number), people.get_fa(number, 1), build_details(number)
    )
    return env["spar.mapper.local"]._update_fa(CALL, [request])


def unlink(number, generation):
    request = UnlinkRequest(people.get_id(number), people.get_fa(number, generation))
    return env["spar.mapper.local"]._unlink_fa(CALL, [request])


class SampledTable:
    """One table of the store, and the rows in it that are ours."""

    def __init__(self, name):
        env.cr.execute(COLUMNS, (name,))
        found = env.cr.fetchall()
        self.name = name
        self.columns = [column for column, _type, _key in found]
        self.types = [kind for _column, kind, _key in found]
        self.keys = [column for column, _type, key in found if key]
        self.rows = {}

    def read(self, since):
        """Return the rows added, changed and removed since a transaction."""
        texts = ", ".join(f'"{column}"::text' for column in self.columns)
        env.cr.execute(
            f"SELECT {texts} FROM {self.name} WHERE age(xmin) < age(%s::text::xid)",
            (since,),
        )
        fresh = {self._get_key(row): list(row) for row in env.cr.fetchall()}
        added = [row for key, row in fresh.items() if key not in self.rows]
        changed = [
            (self.rows[key], row) for key, row in fresh.items() if key in self.rows
        ]
        removed = [row for key, row in self.rows.items() if not self._has(key)]
        self.rows = {
            key: row for key, row in self.rows.items() if row not in removed
        } | fresh
        return {"added": added, "changed": changed, "removed": removed}

    def _get_key(self, row):
        values = dict(zip(self.columns, row, strict=True))
        return tuple(values[column] for column in self.keys)

    def _has(self, key):
        conditions = " AND ".join(f'"{column}"::text = %s' for column in self.keys)
        env.cr.execute(f"SELECT 1 FROM {self.name} WHERE {conditions}", key)
        return bool(env.cr.fetchall())


def take_step(tables, act, *words):
    """Run a step in its own transaction; return what it changed in each table."""
    use_read_committed(env.cr)
    env.cr.execute("SELECT pg_current_xact_id()::xid::text")
    (since,) = env.cr.fetchone()
    env.cr.commit()
    use_read_committed(env.cr)
    (result,) = act(*words)
    if result.outcome.name not in ("LINKED", "UPDATED", "UNLINKED"):
        raise ValueError(f"{act.__name__}: {result.outcome.name}")
    env.cr.commit()
    env.invalidate_all()
    steps = {table.name: table.read(since) for table in tables}
    env.cr.commit()
    return steps


def run():
    """Sample two people, one of whom is updated before being unlinked."""
    env.cr.execute(
        "SELECT tablename FROM pg_tables WHERE tablename = ANY(%s)", [TABLES]
    )
    present = {name for (name,) in env.cr.fetchall()}
    tables = [SampledTable(name) for name in TABLES if name in present]
    steps = {
        "link": take_step(tables, link, FIRST),
        "update": take_step(tables, update, FIRST),
        "unlink": take_step(tables, unlink, FIRST, 1),
    }
    other = FIRST + 1
    steps["link_only"] = take_step(tables, link, other)
    steps["unlink_unchanged"] = take_step(tables, unlink, other, 0)
    shapes = {
        t.name: {"columns": t.columns, "types": t.types, "keys": t.keys} for t in tables
    }
    with open(os.environ["SPAR_ANSWER"], "w") as out:
        json.dump({"tables": shapes, "steps": steps}, out)


run()
