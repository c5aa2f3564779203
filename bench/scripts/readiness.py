"""Check the payment readiness of many people; run by Odoo's shell.

BENCH_PEOPLE is their number: invented people, of whom as many are linked as the
database has. The measurements are written to the file named by SPAR_ANSWER, beside the
rate at which the same process resolves the same IDs, and nothing else.
"""

import json
import os
import resource
import sys
import time

sys.path.insert(0, os.environ["SPAR_ROOT"])

from odoo.fields import Command  # noqa: E402  (after the path)
from odoo.tools import SQL  # noqa: E402

from odoo.addons.spar_mapper_connector.lib.contract import (  # noqa: E402
    Authority,
    CallContext,
    ResolveRequest,
)
from odoo.addons.spar_mapper_connector.transactions import (  # noqa: E402
    use_read_committed,
)
from odoo.addons.spar_registry.models.readiness.spar_readiness_chunk import (  # noqa: E402
    CHUNK_PEOPLE,
)

from bench import people  # noqa: E402
from bench.memory import read_size  # noqa: E402

env = globals()["env"]  # provided by Odoo's shell

CHUNK = 1000  # as many IDs as a payer's message has
CODE = "BENCH"
CALL = CallContext("registry", "registry", Authority.PROGRAMME)


def get_memory():
    """Return the current memory of this process, in MB."""
    return read_size(os.getpid(), "status", "VmRSS")


def get_most_memory():
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000, 1)


# === PEOPLE === #


def copy_partners(count):
    """Add contacts like one that the ORM made, by one statement; return their ids."""
    first = env["res.partner"].create({"name": "Measured Person"})
    env.flush_all()
    env.cr.execute(
        """SELECT attname FROM pg_attribute
            WHERE attrelid = 'res_partner'::regclass AND attnum > 0
              AND NOT attisdropped AND attname <> 'id'"""
    )
    columns = SQL(", ").join(SQL.identifier(name) for (name,) in env.cr.fetchall())
    query = SQL(
        """INSERT INTO res_partner (%s)
           SELECT %s FROM res_partner, generate_series(2, %s)
            WHERE res_partner.id = %s RETURNING id""",
        columns,
        columns,
        count,
        first.id,
    )
    env.cr.execute(query)
    return [first.id, *(row_id for (row_id,) in env.cr.fetchall())]


def add_identities(partner_ids):
    """Add the ID of each contact, sealed, and with its digest."""
    identities = env["spar.person.identity"]
    keyring = env["spar.keyring"]._open(for_write=True)
    digest = keyring.digester("registry_id")
    column = f"digest_{keyring.roles.read_column}"
    for first in range(0, len(partner_ids), CHUNK):
        part = partner_ids[first : first + CHUNK]
        env.cr.execute(
            """SELECT nextval('spar_person_identity_id_seq')
                 FROM generate_series(1, %s)""",
            (len(part),),
        )
        numbers = [number for (number,) in env.cr.fetchall()]
        rows = []
        for place, (row_id, partner_id) in enumerate(zip(numbers, part, strict=True)):
            found = env["spar.id.type"]._identify(people.get_id(first + place))
            sealed = identities._seal_value(
                found.canonical, row_id, partner_id, found.type_id
            )
            row = (row_id, partner_id, found.type_id, sealed, digest(found.canonical))
            rows.append((*row, True, True))
        env.cr.execute_values(
            f"""INSERT INTO spar_person_identity
                       (id, partner_id, id_type_id, sealed, {column}, active,
                        is_verified)
                VALUES %s""",
            rows,
            page_size=len(rows),
        )


def get_programme(count):
    """Return a programme with ``count`` members, made once."""
    programme = env["spar.programme"].search([("code", "=", CODE)])
    if not programme:
        programme = env["spar.programme"].create({"name": "Measured", "code": CODE})
        partner_ids = copy_partners(count)
        add_identities(partner_ids)
        env.cr.execute(
            """INSERT INTO spar_programme_member (programme_id, partner_id, active)
               SELECT %s, unnest(%s), true""",
            (programme.id, partner_ids),
        )
    env.cr.commit()
    env.cr.execute("ANALYZE res_partner, spar_person_identity, spar_programme_member")
    env.cr.commit()
    env.invalidate_all()
    return programme


def get_user():
    """Return the user who starts the run."""
    user = env["res.users"].search([("login", "=", "bench.readiness")])
    group = env.ref("spar_registry.group_readiness")
    partner_group = env.ref("base.group_partner_manager")
    internal = env.ref("base.group_user")
    groups = [Command.set((group | partner_group | internal).ids)]
    return user or env["res.users"].create(
        {"name": "Measured", "login": "bench.readiness", "group_ids": groups}
    )


# === MEASURING === #


def resolve(first, end):
    """Return the seconds for resolving some people's IDs, and nothing else."""
    mapper = env["spar.mapper.backend"]._get_mapper()
    requests = [ResolveRequest(people.get_id(number)) for number in range(first, end)]
    start = time.perf_counter()
    for place in range(0, len(requests), CHUNK):
        mapper._resolve_fa(CALL, requests[place : place + CHUNK])
        env.cr.commit()
        env.invalidate_all()
    return time.perf_counter() - start


def start_run(programme, user):
    """Start a run as a user does in the form."""
    wizards = env["spar.readiness.wizard"].with_user(user)
    wizard = wizards.create({"source": "programme", "programme_id": programme.id})
    # Pressing the button is a request of its own, and begins a new transaction.
    env.cr.commit()
    run = env["spar.readiness.run"].browse(wizard.action_start()["res_id"])
    env.cr.commit()
    return run


def check(count):
    """Check everybody, as a worker does; return what was measured.

    In between, the same people's IDs are resolved: whatever else the machine does
    slows both down.
    """
    worker = env["spar.readiness.worker"]
    use_read_committed(env.cr)
    resolve(0, min(count, 10 * CHUNK))  # the first time reads from the disk
    memory, checking, resolving, statements = [get_memory()], 0.0, 0.0, 0
    for first in range(0, count, CHUNK_PEOPLE):
        resolving += resolve(first, min(first + CHUNK_PEOPLE, count))
        before, start = env.cr.sql_log_count, time.perf_counter()
        if not worker._work_on_next():
            raise ValueError("there is nothing left to check")
        env.cr.commit()
        env.invalidate_all()
        checking += time.perf_counter() - start
        statements += env.cr.sql_log_count - before
        memory.append(get_memory())
    start = time.perf_counter()
    worker._work_on_next()  # the totals
    env.cr.commit()
    checking += time.perf_counter() - start
    steps = len(memory) - 1
    return {
        "seconds": round(checking, 2),
        "resolve_per_second": round(count / resolving),
        "calls": steps,
        "people_a_call": CHUNK_PEOPLE,
        "statements_a_call": round(statements / steps, 1),
        "memory_before_mb": memory[0],
        # After the first tenth the caches are filled.
        "memory_tenth_mb": memory[max(steps // 10, 1)],
        "memory_end_mb": memory[-1],
        "memory_most_mb": get_most_memory(),
    }


def count_linked(count):
    """Return how many of the people a direct count in the store finds linked."""
    env.cr.execute(
        """SELECT count(*) FROM spar_bench_person p
             JOIN spar_subject_id i ON i.digest_a = p.digest AND i.active
             JOIN spar_mapping m ON m.subject_id = i.subject_id AND m.state = 'active'
            WHERE p.number < %s""",
        (count,),
    )
    return env.cr.fetchone()[0]


def run():
    """Measure and report."""
    count = int(os.environ["BENCH_PEOPLE"])
    programme, user = get_programme(count), get_user()
    env.cr.commit()
    begun = time.perf_counter()
    started = start_run(programme, user)
    start_seconds = time.perf_counter() - begun
    measured = check(count)
    started.invalidate_recordset()
    states = started.totals["states"]
    if (states.get("payable"), sum(states.values())) != (count_linked(count), count):
        raise ValueError("the totals differ from a direct count in the store")
    answer = {
        "people": count,
        "states": states,
        "start_seconds": round(start_seconds, 2),
        **measured,
    }
    with open(os.environ["SPAR_ANSWER"], "w") as out:
        json.dump(answer, out)


run()
