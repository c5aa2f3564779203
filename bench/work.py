"""What one client process does: build messages, send them, check the answers."""

import itertools
import json
import math
import os
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from multiprocessing.synchronize import Barrier

from examples.payer.signatures import SigningKey

from . import people
from .caller import BenchCaller
from .clock import Measurement, count_items, repeat
from .floor import Floor, TableFloor, get_known_digests
from .messages import (
    CHECKS,
    WIRE,
    Person,
    build_messages,
    count_not_gone,
    count_wallets,
)
from .meter import Meter
from .target import BenchTarget
from .usage import Watched

Batch = list[Person]
Exchange = Callable[[str, bytes], bytes]

BARRIER_SECONDS = 600  # until a client stops waiting for the others
STRIDE = 10_000_000  # maximum number of new people per client and batch size
CHOSEN_ITEMS, CHOSEN_CALLS = 20_000, 500
#: Where the numbers of a client's people with wallets begin.
WALLET_OFFSET = STRIDE // 2
MAX_BATCH = 1000  # the batch size that every participant may send


@dataclass(frozen=True)
class BenchPlan:
    """What is measured, for how long and with how many clients.

    ``run`` is a number that no other run on this database uses, so that each run has
    its own new people. ``rows`` people, numbered from 0, are already linked. The
    floor's writes go to a second database like this one, as ``sample`` describes.
    """

    target: BenchTarget
    dsn: str
    rows: int
    clients: int
    seconds: float
    batches: tuple[int, ...]
    run: int
    watched: Watched
    floor_dsn: str = ""
    sample: dict = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Seat:
    """One of the clients, and the barrier at which it waits for the others."""

    plan: BenchPlan
    number: int
    barrier: Barrier

    def measure(
        self, operation: str, exchange: Exchange, bodies, dsn: str = ""
    ) -> tuple:
        """Start together with the other clients and repeat; see ``repeat``.

        The first client reads the cost counters while all the others wait.

        :param dsn: the database that is worked on, if it is a different one
        """
        watched = self.plan.watched
        watched = replace(watched, dsn=dsn or watched.dsn)
        meter = Meter(watched) if self.number == 0 else None
        self._meet(meter and meter.begin)
        answers, measured = repeat(
            lambda body: exchange(operation, body), bodies, self.plan.seconds
        )
        self._meet(meter and meter.end)
        if meter:
            measured.usage = meter.close()
        return answers, measured

    def _meet(self, read: Callable[[], None] | None) -> None:
        """Wait for all clients; have one of them take readings before any goes on."""
        self.barrier.wait(BARRIER_SECONDS)
        if read:
            read()
        self.barrier.wait(BARRIER_SECONDS)

    def choose_people(self, size: int) -> list[Batch]:
        """Return batches of linked people, chosen at random."""
        chance, rows = random.Random(), range(self.plan.rows)
        count = min(CHOSEN_CALLS, CHOSEN_ITEMS // size + 1)
        choose = chance.sample if size <= self.plan.rows else chance.choices
        return [
            [(number, 0) for number in choose(rows, k=size)] for _batch in range(count)
        ]

    def make_people(self, size: int, count: int, skip: int = 0) -> list[Batch]:
        """Return batches of people not yet registered, after the first ``skip``."""
        place = self.number * len(self.plan.batches) + self.plan.batches.index(size)
        first = (self.plan.run * 1000 + place) * STRIDE + skip
        return [
            [(first + start * size + number, 0) for number in range(size)]
            for start in range(min(count, (STRIDE - skip) // size))
        ]


# === THE WAYS === #

#: How to count the wrong answers to the resolve that follows an operation, where the
#: ordinary check of a resolve does not apply.
_RESOLVE_CHECKS = {"unlink": count_not_gone, "phone": count_wallets}


class Rest:
    """The participant's way: every answer is checked."""

    items_per_second, calls_per_second = 10_000, 500
    repeats = True

    def get_dsn(self, plan: BenchPlan) -> str:
        return plan.dsn

    def connect(self, seat: Seat, batches: list[Batch]) -> Exchange:
        return BenchCaller(seat.plan.target).send

    def count_wrong(self, operation: str, batch: Batch, answer: bytes) -> int:
        return CHECKS[operation](batch, answer)

    def count_wrong_resolves(
        self, exchange: Exchange, seat: Seat, batch: Batch, operation: str
    ) -> int:
        """Return how many of a batch resolve to something other than was written."""
        batch = batch[:MAX_BATCH]
        sender = seat.plan.target.sender_id
        (body,) = build_messages("resolve", sender, [batch])
        count = _RESOLVE_CHECKS.get(operation, CHECKS["resolve"])
        return count(batch, exchange("resolve", body))


class Bare:
    """The floor's way: nothing is checked. A write is one plain row for each item."""

    items_per_second, calls_per_second = 40_000, 3_000
    repeats = True

    def get_dsn(self, plan: BenchPlan) -> str:
        return plan.dsn

    def connect(self, seat: Seat, batches: list[Batch]) -> Exchange:
        numbers = {number for batch in batches for number, _generation in batch}
        if max(numbers) < seat.plan.rows:
            digests = get_known_digests(seat.plan.dsn, numbers)
        else:
            digests = {number: os.urandom(32) for number in numbers}
        by_id = {people.get_id(number): digest for number, digest in digests.items()}
        return Floor(seat.plan.dsn, by_id).send

    def count_wrong(self, operation: str, batch: Batch, answer: bytes) -> int:
        return 0

    def count_wrong_resolves(
        self, exchange: Exchange, seat: Seat, batch: Batch, operation: str
    ) -> int:
        return 0


class BareTables(Bare):
    """The floor of writes: the rows that the store writes, in a copy of its tables."""

    items_per_second, calls_per_second = 6_000, 1_000
    repeats = False  # people who were updated are not updated again

    def get_dsn(self, plan: BenchPlan) -> str:
        return plan.floor_dsn

    def connect(self, seat: Seat, batches: list[Batch]) -> Exchange:
        names = [
            people.get_id(number) for batch in batches for number, _generation in batch
        ]
        return TableFloor(seat.plan.floor_dsn, seat.plan.sample, names).send


WAYS = {"rest": Rest(), "floor": Bare(), "row": Bare(), "tables": BareTables()}

# === THE WORK === #


def call_empty_route(seat: Seat, _size: int, _way: str) -> dict[str, Measurement]:
    """Call the cheapest route of the same server."""
    caller = BenchCaller(seat.plan.target)
    right = caller.get_health()

    def exchange(_operation: str, _body: bytes) -> bytes:
        return caller.get_health()

    answers, measured = seat.measure("", exchange, itertools.repeat(b""))
    wrong = sum(answer != right or b'"ok"' not in answer for answer in answers)
    return {"empty": count_items(measured, len(answers), wrong)}


def resolve(seat: Seat, size: int, way: str) -> dict[str, Measurement]:
    """Resolve linked people, again and again."""
    work, batches = WAYS[way], seat.choose_people(size)
    exchange = work.connect(seat, batches)
    bodies = list(build_messages("resolve", seat.plan.target.sender_id, batches))
    if way == "rest" and seat.plan.target.private_jwk:
        bodies = sign_bodies(seat.plan.target.private_jwk, bodies)
    exchange("resolve", bodies[0])
    answers, measured = seat.measure("resolve", exchange, itertools.cycle(bodies))
    wrong = _count_wrong(work, "resolve", itertools.cycle(batches), answers)
    return {"resolve": count_items(measured, size * len(answers), wrong)}


def resolve_signed(seat: Seat, size: int, way: str) -> dict[str, Measurement]:
    """Resolve with messages and answers signed; the messages are signed beforehand."""
    plan = replace(seat.plan, target=seat.plan.target.as_signer())
    return {"signed": resolve(replace(seat, plan=plan), size, way)["resolve"]}


def sign_bodies(jwk: dict, bodies: list[bytes]) -> list[bytes]:
    """Return the messages, each with its signature embedded."""
    key = SigningKey(jwk)
    return [json.dumps(key.sign_message(json.loads(body))).encode() for body in bodies]


def write(seat: Seat, size: int, way: str) -> dict[str, Measurement]:
    """Link new people, update some or all of them, unlink them."""
    work = WAYS[way]
    calls = min(
        math.ceil(seat.plan.seconds * work.items_per_second / size),
        math.ceil(seat.plan.seconds * work.calls_per_second),
    )
    batches = seat.make_people(size, calls + 1)
    exchange = work.connect(seat, batches)
    measurements = {}

    def run(operation: str, batches: list[Batch]) -> list[Batch]:
        measurements[operation], done = _write(seat, work, exchange, operation, batches)
        return done

    linked = run("link", batches)
    again = calls if work.repeats else min(calls, len(linked))
    updated = run("update", _move_on(linked, again))
    run("unlink", get_last(linked, updated))
    return measurements


def link_phones(seat: Seat, size: int, way: str) -> dict[str, Measurement]:
    """Link new people to wallets, each with a phone number that has to be parsed."""
    work = WAYS[way]
    calls = min(
        math.ceil(seat.plan.seconds * work.items_per_second / size),
        math.ceil(seat.plan.seconds * work.calls_per_second),
    )
    batches = seat.make_people(size, calls + 1, WALLET_OFFSET)
    exchange = work.connect(seat, batches)
    return {"phone": _write(seat, work, exchange, "phone", batches)[0]}


def _write(seat: Seat, work, exchange: Exchange, operation: str, batches: list[Batch]):
    """Send the batches; return the measurement and the batches that were sent."""
    sender = seat.plan.target.sender_id
    bodies = list(build_messages(operation, sender, batches))
    dsn = work.get_dsn(seat.plan)
    wire = WIRE.get(operation, operation)
    answers, measured = seat.measure(wire, exchange, bodies, dsn)
    done = batches[: len(answers)]
    wrong = _count_wrong(work, operation, done, answers)
    wrong += work.count_wrong_resolves(exchange, seat, done[-1], operation)
    return count_items(measured, sum(map(len, done)), wrong), done


def _count_wrong(work, operation: str, batches, answers: Sequence[bytes]) -> int:
    return sum(
        work.count_wrong(operation, batch, answer)
        for answer, batch in zip(answers, batches, strict=False)
    )


def _move_on(batches: list[Batch], calls: int) -> list[Batch]:
    """Return the same people over and over, each time with their next account.

    >>> _move_on([[(7, 0)], [(8, 0)]], 3)
    [[(7, 1)], [(8, 1)], [(7, 2)]]
    """
    return [
        [(number, 1 + place // len(batches)) for number, _generation in batch]
        for place, batch in zip(range(calls), itertools.cycle(batches), strict=False)
    ]


def get_last(linked: list[Batch], updated: list[Batch]) -> list[Batch]:
    """Return everyone who was linked, each with their current account.

    >>> get_last([[(7, 0)], [(8, 0)]], [[(7, 1)], [(8, 1)], [(7, 2)]])
    [[(7, 2)], [(8, 1)]]
    >>> get_last([[(7, 0)], [(8, 0)]], [[(7, 1)]])
    [[(7, 1)], [(8, 0)]]
    """
    by_first = {batch[0][0]: batch for batch in (*linked, *updated)}
    return [by_first[batch[0][0]] for batch in linked]
