"""Load a large directory and search it; run by Odoo's shell in the measured database.

BENCH_BRANCHES is the number of branches to create. The measurements are written to the
file named by SPAR_ANSWER.
"""

import base64
import csv
import io
import json
import os
import resource
import sys
import time
from collections import defaultdict

sys.path.insert(0, os.environ["SPAR_ROOT"])

from bench.clock import get_percentile  # noqa: E402  (after the path)
from bench.country import Country  # noqa: E402

env = globals()["env"]  # provided by Odoo's shell

SHOWN = 8


def get_memory():
    """Return the peak memory of this process, in MB."""
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000, 1)


def load_file(kind, header, rows):
    """Load a file as an administrator would; no row may be rejected."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerows([header, *rows])
    data = base64.b64encode(text.getvalue().encode())
    job = env["spar.directory.import"].create({"kind": kind, "file": data})
    job._load_now()
    env.cr.commit()
    if (job.added_count, job.refused_count) != (len(rows), 0):
        raise ValueError(f"{job.refused_count} rows were refused")


def load(country):
    """Load the providers and branches with the file importer."""
    providers = [
        (f"BENCH{number:04d}", name) for number, name in enumerate(country.providers)
    ]
    load_file("provider", ("code", "name"), providers)
    branches = [
        (f"BENCH{branch.provider:04d}", branch.code, branch.name, branch.town)
        for branch in country.branches
    ]
    load_file("branch", ("provider", "code", "name", "city"), branches)


def search(country, count):
    """Return the seconds that each query takes, by kind, as a form field sends them."""
    taken = defaultdict(list)
    for kind, text in country.make_queries(count):
        env.invalidate_all()
        start = time.perf_counter()
        env["spar.fsp.branch"].name_search(text, limit=SHOWN)
        taken[kind].append(time.perf_counter() - start)
    return taken


def get_figures(seconds):
    """Return the summary of a number of searches."""
    return {
        "searches": len(seconds),
        "p50_ms": get_percentile(sorted(seconds), 50),
        "p95_ms": get_percentile(sorted(seconds), 95),
    }


def run():
    """Load, search and report."""
    country = Country(int(os.environ["BENCH_BRANCHES"]))
    before, start = get_memory(), time.perf_counter()
    load(country)
    loading = {
        "branches": len(country.branches),
        "seconds": round(time.perf_counter() - start, 1),
        "memory_before_mb": before,
        "memory_most_mb": get_memory(),
    }
    env.cr.execute("ANALYZE spar_fsp, spar_fsp_branch, spar_directory_word")
    env.cr.commit()
    queries = int(os.environ["BENCH_QUERIES"])
    search(country, queries)  # the first time reads from the disk
    taken = search(country, queries)
    every = [seconds for kind in taken.values() for seconds in kind]
    kinds = {kind: get_figures(seconds) for kind, seconds in sorted(taken.items())}
    answer = {"loading": loading, "search": get_figures(every), "kinds": kinds}
    with open(os.environ["SPAR_ANSWER"], "w") as out:
        json.dump(answer, out)


run()
