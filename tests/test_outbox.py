"""Collected accounts reach the store in order, though workers are killed."""

import os

import pytest

from .outbox import (
    COLLECT,
    DIE_BETWEEN,
    FIRST_ID,
    LEFT,
    MAKE,
    OURS,
    count,
    finish,
    kill_while_it_works,
    run_script,
    start_worker,
)

#: 10,000 were tried; a run of CI takes fewer.
PEOPLE = int(os.environ.get("SPAR_OUTBOX_PEOPLE", "600"))
KILLS = 6

_BETWEEN = f"""
    SELECT count(*) FROM {OURS}
     WHERE o.state = 'sending' AND EXISTS (
           SELECT FROM spar_event e WHERE e.message_reference = o.message_id)
"""
#: People whose address the registry's side changed more than so many times.
_CHANGED = f"""
    SELECT count(*) FROM (
           SELECT e.subject_id FROM spar_event e
            WHERE e.kind IN ('linked', 'updated') AND e.channel = 'registry'
              AND e.subject_id IN (
                  SELECT subject_id FROM spar_event WHERE message_reference IN (
                         SELECT o.message_id FROM {OURS}))
            GROUP BY e.subject_id HAVING count(*) > {{times}}) changed
"""


@pytest.fixture(scope="module")
def survived(server):
    """Return how many entries were sent and not recorded when a worker died.

    And how often the other workers were killed at work.
    """
    run_script(server, MAKE.format(count=PEOPLE, first=FIRST_ID))
    run_script(server, COLLECT.format(prefix=1))
    died = start_worker(server, DIE_BETWEEN)
    died.wait(300)
    between = count(server, _BETWEEN)
    kills = [kill_while_it_works(server) for _number in range(KILLS // 2)]
    run_script(server, COLLECT.format(prefix=2))
    kills += [kill_while_it_works(server) for _number in range(KILLS // 2)]
    finish(server)
    return between, sum(kills)


def test_a_worker_died_between_the_two_commits(survived):
    between, _kills = survived
    assert between > 1


def test_workers_were_killed_at_work(survived):
    _between, kills = survived
    assert kills >= KILLS // 2


def test_every_entry_has_ended(server, survived):
    assert count(server, LEFT) == 0


def test_every_id_resolves_to_the_last_account(server, survived, programme):
    ids = [f"token:{FIRST_ID + n}@nationalId" for n in range(PEOPLE)]
    found = []
    for start in range(0, PEOPLE, 500):
        asked = ids[start : start + 500]
        found += programme.resolve([{"id": i, "scope": "details"} for i in asked])
    wanted = [f"account:2{n:08}@BR01.DEMO" for n in range(PEOPLE)]
    assert [item.get("fa") for item in found] == wanted


def test_no_change_was_made_twice(server, survived):
    assert count(server, _CHANGED.format(times=2)) == 0
    assert count(server, _CHANGED.format(times=0)) == PEOPLE
