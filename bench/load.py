"""Run all clients and all kinds of work, in the checkout's Python environment.

Reads the plan as JSON from standard input, reports its progress, and writes the
measurements as JSON to the file that the plan names.
"""

import json
import multiprocessing
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, wait
from pathlib import Path
from threading import BrokenBarrierError

from setup.progress import say

from .clock import Measurement
from .floor import make_table
from .tables import set_triggers
from .target import BenchTarget
from .usage import Watched
from .work import (
    BenchPlan,
    Seat,
    call_empty_route,
    link_phones,
    resolve,
    resolve_signed,
    write,
)

#: What a client does, for a batch size, over REST or bare.
Work = Callable[[Seat, int, str], dict[str, Measurement]]

WORK: tuple[tuple[Work, str], ...] = (
    (resolve, "resolve"),
    (resolve_signed, "resolve, signed"),
    (write, "link, update, unlink"),
    (link_phones, "link by phone number"),
)
#: The floors of writes: name, way, and whether the store's triggers are on.
FLOORS = (
    ("floor", "tables", True),
    ("floor_without_triggers", "tables", False),
    ("floor_of_one_row", "row", True),
)

_barrier = None


def _take_barrier(barrier) -> None:
    """Keep what each client process receives once: it cannot be passed with a task."""
    global _barrier
    _barrier = barrier


def _run_client(work: Work, plan: BenchPlan, number: int, size: int, way: str) -> dict:
    try:
        return work(Seat(plan, number, _barrier), size, way)
    except BaseException:
        _barrier.abort()  # otherwise the others would wait for this one
        raise


class Clients:
    """The client processes, which start each piece of work together."""

    def __init__(self, plan: BenchPlan):
        context = multiprocessing.get_context("spawn")
        self.plan = plan
        self.pool = ProcessPoolExecutor(
            plan.clients,
            mp_context=context,
            initializer=_take_barrier,
            initargs=(context.Barrier(plan.clients),),
        )

    def run(self, work: Work, size: int, way: str) -> dict[str, Measurement]:
        """Return what all clients measured together, by operation."""
        running = [
            self.pool.submit(_run_client, work, self.plan, number, size, way)
            for number in range(self.plan.clients)
        ]
        wait(running)
        errors = [found for each in running if (found := each.exception())]
        for error in sorted(errors, key=lambda e: isinstance(e, BrokenBarrierError)):
            raise error
        return _add_up([each.result() for each in running])


def _add_up(measured: list[dict[str, Measurement]]) -> dict[str, Measurement]:
    """Return the sum over the clients, by operation.

    >>> _add_up([{"link": Measurement(calls=1)}, {"link": Measurement(calls=2)}])
    {'link': Measurement(calls=3, items=0, wrong=0, calls_per_second=0.0, \
items_per_second=0.0)}
    """
    sums = {name: Measurement() for name in measured[0]}
    for each in measured:
        for name, measurement in each.items():
            sums[name].add(measurement)
    return sums


def measure(plan: BenchPlan) -> dict:
    """Return the measurements of the whole plan, each floor right before its work."""
    clients, rows = Clients(plan), []
    make_table(plan.dsn)
    with clients.pool:
        say("    the empty route")
        empty = clients.run(call_empty_route, 1, "rest")["empty"]
        for work, words in WORK:
            for size in plan.batches:
                say(f"    {words}: {size:,} a call")
                floors = _measure_floors(clients, work, size)
                rest = clients.run(work, size, "rest")
                for name, measured in rest.items():
                    bare = {floor: by_name[name] for floor, by_name in floors.items()}
                    rows.append(_build_row(name, size, measured, bare))
    return {"empty_route": empty.to_dict(), "work": rows}


def _measure_floors(clients: Clients, work: Work, size: int) -> dict[str, dict]:
    """Measure bare psycopg2 at this work, by the floor's name and the operation."""
    if work is link_phones:
        set_triggers(clients.plan.floor_dsn, on=True)
        return {"floor": clients.run(work, size, "tables")}
    if work is not write:
        return {"floor": clients.run(work, size, "floor")}
    floors = {}
    for name, way, triggers in FLOORS:
        set_triggers(clients.plan.floor_dsn, on=triggers)
        floors[name] = clients.run(work, size, way)
    return floors


def _build_row(
    work: str, size: int, rest: Measurement, floors: dict[str, Measurement]
) -> dict:
    figures = {name: measured.to_dict() for name, measured in floors.items()}
    for bare in figures.values():
        bare.pop("wrong")
    return {"work": work, "batch": size, **rest.to_dict(), **figures}


def main() -> None:
    values = json.load(sys.stdin)
    file = Path(values.pop("file"))
    batches = tuple(values.pop("batches"))
    target = BenchTarget(**values.pop("target"))
    watched = Watched(**values.pop("watched"))
    run = time.time_ns() // 10**8
    plan = BenchPlan(target, batches=batches, run=run, watched=watched, **values)
    file.write_text(json.dumps(measure(plan)))


if __name__ == "__main__":
    main()
