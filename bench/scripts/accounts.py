"""Check and load a file of accounts; run by Odoo's shell in the measured database.

BENCH_ACCOUNTS is the number of rows. The people are added first, with an ID each. The
measurements are written to the file named by SPAR_ANSWER.
"""

import base64
import io
import json
import os
import sys
import time

sys.path.insert(0, os.environ["SPAR_ROOT"])

from odoo.tools import SQL  # noqa: E402

from odoo.addons.spar_mapper_connector.lib.id_rules import CardCheck  # noqa: E402
from odoo.addons.spar_mapper_connector.transactions import (  # noqa: E402
    use_read_committed,
)

env = globals()["env"]  # provided by Odoo's shell

SQL_PID = SQL("SELECT pg_backend_pid()")

CHUNK = 2000
FIRST_ID, FIRST_ACCOUNT = 6_000_000_000, 71_234_000_000
GROUPS = (
    "base.group_user",
    "base.group_partner_manager",
    "spar_registry.group_programme_user",
)


def get_memory():
    """Return the memory that this process uses now, in MB."""
    with open("/proc/self/status") as status:
        line = next(line for line in status if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1000


def get_cpu():
    """Return the processor time of this process and of its database session."""
    ((pid,),) = env.execute_query(SQL_PID)
    with open(f"/proc/{pid}/stat") as stat:
        words = stat.read().rpartition(")")[2].split()
    ticks = int(words[11]) + int(words[12])
    return time.process_time() + ticks / os.sysconf("SC_CLK_TCK")


def add_user():
    """Return a programme's user, for whom the file is loaded."""
    users = env["res.users"].with_context(no_reset_password=True)
    groups = [env.ref(name).id for name in GROUPS]
    values = {"name": "Bench", "login": "bench.programme"}
    return users.create({**values, "group_ids": [(6, 0, groups)]})


def add_people(rows):
    """Add people with an ID each."""
    id_type = env["spar.person.identity"]._default_id_type_id()
    read = env["spar.id.type"]._build_reader()
    for start in range(0, rows, CHUNK):
        numbers = range(start, min(start + CHUNK, rows))
        people = env["res.partner"]._spar_add_people(
            [{"name": f"Person {number}"} for number in numbers]
        )
        written = [id_type._write_id(str(FIRST_ID + number)) for number in numbers]
        env["spar.person.identity"]._add_batch(
            {
                person.id: (read(text, CardCheck.NONE), text)
                for person, text in zip(people, written, strict=True)
            }
        )
        env.cr.commit()
        env.invalidate_all()


def add_bank():
    """Return a bank with one branch."""
    branch = (0, 0, {"name": "Main", "code": "BENCHBR"})
    values = {"name": "Bench Bank", "code": "BENCHBANK", "branch_ids": [branch]}
    return env["spar.fsp"].create(values)


def upload(user, bank, rows):
    """Return a file with an account of each person."""
    text = io.StringIO()
    text.write("National ID,Account number,Name,Phone\n")
    for number in range(rows):
        account = FIRST_ACCOUNT + 7 * number
        text.write(f"{FIRST_ID + number},{account},Person {number},\n")
    data = base64.b64encode(text.getvalue().encode())
    return (
        env["spar.account.import"]
        .with_user(user)
        .create(
            {
                "file": data,
                "filename": "bench.csv",
                "provider_id": bank.id,
                "branch_id": bank.branch_ids.id,
            }
        )
    )


def measure(job, rows, is_trial):
    """Return how long the file takes; no row may be refused."""
    job._forget_loaded()
    job._record({"state": "waiting", "is_trial": is_trial, "user_id": job.env.uid})
    env.cr.commit()
    start, cpu = time.perf_counter(), get_cpu()
    for _count in job._load_chunks():
        env.flush_all()
        env.cr.commit()
        env.invalidate_all()
    seconds, used = time.perf_counter() - start, get_cpu() - cpu
    env.cr.commit()
    env.invalidate_all()
    if job.accepted_count != rows:
        raise ValueError(f"{job.accepted_count} rows were accepted: {job.reasons}")
    return {
        "seconds": round(seconds, 1),
        "rows_per_second": round(rows / seconds),
        "cpu_seconds": round(used, 1),
    }


def run():
    """Add the people, upload, check and load."""
    rows = int(os.environ["BENCH_ACCOUNTS"])
    use_read_committed(env.cr)
    user, bank = add_user(), add_bank()
    add_people(rows)
    job = upload(user, bank, rows)
    env.cr.commit()
    env.cr.execute("ANALYZE res_partner, spar_person_identity")
    before = get_memory()
    runs = {"checked": measure(job, rows, True), "loaded": measure(job, rows, False)}
    answer = {
        "rows": rows,
        "memory_before_mb": before,
        "memory_after_mb": get_memory(),
        "runs": runs,
    }
    with open(os.environ["SPAR_ANSWER"], "w") as out:
        json.dump(answer, out)


run()
