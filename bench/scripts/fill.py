"""Link invented people by the store's own code, in chunks; run by Odoo's shell.

BENCH_ROWS is the total number of people; BENCH_SHARE is the index of this process among
BENCH_SHARES processes. Each chunk is a transaction that also records its numbers, so
that work completed before a run was killed is not repeated.
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

from bench import people  # noqa: E402

env = globals()["env"]  # provided by Odoo's shell

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
    """Return the numbers from ``first`` that are not linked yet."""
    env.cr.execute(
        "SELECT number FROM spar_bench_person WHERE number >= %s AND number < %s",
        (first, end),
    )
    return sorted(set(range(first, end)) - {number for (number,) in env.cr.fetchall()})


def note(numbers):
    """Record who is linked, with the digest of each ID."""
    digest = env["spar.keyring"]._open().digester(seals.ID)
    canonical = [env["spar.id.type"]._identify(people.get_id(n)) for n in numbers]
    env.cr.execute_values(
        "INSERT INTO spar_bench_person (number, digest) VALUES %s",
        [(n, digest(i.canonical)) for n, i in zip(numbers, canonical, strict=True)],
        page_size=len(numbers),
    )


def link(numbers):
    """Link the people with these numbers: all of them, or raise an error."""
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
