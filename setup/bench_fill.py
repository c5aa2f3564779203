"""Run by Odoo's shell: links invented people by the store's own code, chunk by chunk.

BENCH_ROWS is how many there shall be, BENCH_SHARE which of BENCH_SHARES processes this
is. Each chunk is a transaction that also notes its numbers: what a killed run has done
is not done again.
"""

import os
import sys

sys.path.insert(0, os.environ["SPAR_ROOT"])

from odoo.addons.spar_mapper.lib import seals  # noqa: E402  (after the path)
from odoo.addons.spar_mapper_connector.lib.contract import (  # noqa: E402
    Authority,
    CallContext,
    Details,
    LinkRequest,
    Outcome,
)
from odoo.addons.spar_mapper_connector.transactions import (  # noqa: E402
    use_read_committed,
)

from setup import bench_people as people  # noqa: E402

env = globals()["env"]  # Odoo's shell gives it

CHUNK = 1000
CALL = CallContext(
    "participant:bench.example", "rest", Authority.PROGRAMME, checks_cards=False
)


def build_request(number):
    return LinkRequest(
        people.get_id(number),
        people.get_fa(number),
        Details(people.get_name(number), people.get_phone(number)),
    )


def get_missing(first, end):
    """The numbers from ``first`` that nobody has linked yet."""
    env.cr.execute(
        "SELECT number FROM spar_bench_person WHERE number >= %s AND number < %s",
        (first, end),
    )
    return sorted(set(range(first, end)) - {number for (number,) in env.cr.fetchall()})


def note(numbers):
    """Write down who is linked, with the digest of the ID."""
    digest = env["spar.keyring"]._open().digester(seals.ID)
    canonical = [env["spar.id.type"]._identify(people.get_id(n)) for n in numbers]
    env.cr.execute_values(
        "INSERT INTO spar_bench_person (number, digest) VALUES %s",
        [(n, digest(i.canonical)) for n, i in zip(numbers, canonical, strict=True)],
        page_size=len(numbers),
    )


def link(numbers):
    """Link the people with these numbers; all of them, or an error."""
    requests = [build_request(number) for number in numbers]
    results = env["spar.mapper.local"]._link_fa(CALL, requests)
    outcomes = {result.outcome for result in results}
    if outcomes != {Outcome.LINKED}:
        raise ValueError(f"not linked but {sorted(o.name for o in outcomes)}")
    note(numbers)


def run():
    """Link this process's share."""
    rows, shares = int(os.environ["BENCH_ROWS"]), int(os.environ["BENCH_SHARES"])
    step = CHUNK * shares
    for first in range(CHUNK * int(os.environ["BENCH_SHARE"]), rows, step):
        use_read_committed(env.cr)
        missing = get_missing(first, min(first + CHUNK, rows))
        if missing:
            link(missing)
        env.cr.commit()
        env.invalidate_all()


run()
