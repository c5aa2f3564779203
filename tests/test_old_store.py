"""A registry of 36df681, migrated to the present store: for real, killed half-way.

Every answer of that time is given now; tampered data is refused.
"""

import contextlib
import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace

import psycopg2
import pytest

from setup.errors import Failure
from setup.installation import Installation
from setup.machine import get_free_port
from setup.places import get_addons, get_places
from setup.testing import get_test_server

from .old_store import ask, compare, restore

ACTS = __file__.replace("test_old_store", "old_store_acts")
KINDS = (
    "resolve",
    "history",
    "as_of",
    "waiting",
    "subject",
    "notice",
    "message",
    "objections",
    "changes",
    "periods",
    "notices",
    "check",
)
#: People who have two IDs: which of them is shown is no longer stored for each address.
#: It is the older one.
TWO_IDS = ("two-ids-second", "two-ids")
MASKED = re.compile("•+([^\\s@.,]*)")
#: Links of notices that were never used, and the effect of an objection on each event.
#: A programme's address does not replace one that staff entered.
LINKS = {
    "linked linked 15": "stopped",
    "updated updated_once 15": "stopped",
    "replaced updated_three_times 15": "stopped",
    "unlinked unlinked 15": "restored",
    "suspended suspended 15": "noted",
    "held waiting_update_hold 15": "cancelled",
    "proposed first_link_waiting 15": "cancelled",
    "updated_suspended updated_while_suspended 15": "stopped",
}
#: The whole catalogue of our tables, except the order of columns.
CATALOGUE = """
    SELECT 'column', relname, attname, format_type(atttypid, atttypmod),
           attnotnull::text, pg_get_expr(adbin, adrelid)
      FROM pg_attribute a JOIN pg_class c ON c.oid = attrelid
      LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
     WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
       AND relname ~ '^spar_' AND attnum > 0 AND NOT attisdropped
     UNION ALL
    SELECT 'index', tablename, indexname, indexdef,
           obj_description(format('public.%I', indexname)::regclass), NULL
      FROM pg_indexes WHERE schemaname = 'public' AND tablename ~ '^spar_'
     UNION ALL
    SELECT 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(oid),
           NULL, NULL
      FROM pg_constraint
     WHERE connamespace = 'public'::regnamespace AND conrelid::regclass::text ~ '^spar_'
       AND contype != 'n'
     UNION ALL
    SELECT 'trigger', tgrelid::regclass::text, tgname, pg_get_triggerdef(oid),
           NULL, NULL
      FROM pg_trigger
     WHERE NOT tgisinternal AND tgrelid::regclass::text ~ '^spar_[a-z_]+$'
     UNION ALL
    SELECT 'table', relname, reloptions::text, relpersistence::text, NULL, NULL
      FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
       AND relname ~ '^spar_'
     UNION ALL
    SELECT 'sequence', sequencename, data_type::text, NULL, NULL, NULL
      FROM pg_sequences WHERE schemaname = 'public' AND sequencename ~ '^spar_'
     ORDER BY 1, 2, 3
"""


# === RUNNING === #


def build_command(installation: Installation, *words: str) -> dict:
    """Return what starts the migration command, as arguments for a subprocess."""
    command = installation.get_command("spar_migrate", *words)
    return {
        "args": [str(part) for part in command],
        "env": installation.environment,
        "cwd": installation.folder,
        "text": True,
    }


def migrate(installation: Installation, *words: str) -> subprocess.CompletedProcess:
    """Run the command to its end."""
    command = build_command(installation, *words)
    return subprocess.run(**command, capture_output=True, timeout=300)


def migrate_and_kill(installation: Installation, pieces: int) -> list[str]:
    """Kill the command after some committed pieces; return the lines that it wrote."""
    command = build_command(installation, "--batch", "20")
    lines = []
    with subprocess.Popen(**command, stdout=subprocess.PIPE) as running:
        for line in running.stdout:
            lines.append(line)
            if sum("sealed anew" in each for each in lines) == pieces:
                running.kill()
                break
    return lines


@contextlib.contextmanager
def connect(installation: Installation) -> Iterator:
    settings = {**installation.server.settings, "dbname": installation.database}
    connection = psycopg2.connect(**settings)
    try:
        with connection, connection.cursor() as cursor:
            yield cursor
    finally:
        connection.close()


def query(installation: Installation, statement: str) -> list[tuple]:
    with connect(installation) as cursor:
        cursor.execute(statement)
        return cursor.fetchall()


@pytest.fixture(scope="module")
def restored(tmp_path_factory) -> Iterator[SimpleNamespace]:
    """Yield the old registry as it was, and its description."""
    folder = tmp_path_factory.mktemp("old")
    test_server, _facts = get_test_server(get_places())
    named = {"folder": folder, "database": "spar_from_36df681"}
    installation = replace(test_server, **named)
    installation.server.start()
    known = restore(installation, folder)
    installation.write_config(port=get_free_port(), workers=0)
    yield SimpleNamespace(installation=installation, known=known, fresh=test_server)
    installation.drop()


@pytest.fixture
def copy(restored) -> Iterator[Installation]:
    """Yield a copy of the old registry, to be damaged."""
    copied = replace(restored.installation, database="spar_from_36df681_copy")
    copied.copy_from(restored.installation)
    yield copied
    copied.drop()


@pytest.fixture(scope="module")
def migrated(restored) -> Iterator[SimpleNamespace]:
    """Yield the migrated registry; ``known`` has the answers of that time."""
    here = replace(restored.installation, database="spar_from_36df681_now")
    here.copy_from(restored.installation)
    lines = migrate_and_kill(here, pieces=5)
    half = query(here, "SELECT stage, after FROM spar_next.position")
    done = migrate(here, "--batch", "20")
    assert done.returncode == 0, done.stdout + done.stderr
    here.upgrade(get_addons(here.places.root))
    # These addons did not exist then.
    here.install(["spar_registry", "spar_confirmation"], demo=False)
    yield SimpleNamespace(
        installation=here,
        known=restored.known,
        fresh=restored.fresh,
        killed=lines,
        half=half,
        done=done,
        answers=ask(here, restored.installation.folder),
    )
    here.drop()


# === MIGRATED === #


def test_killed_migration_continues(migrated):
    """It continues after the committed part: no person is read twice."""
    ((stage, after),) = migrated.half
    assert stage == "spar_subject" and after in list_read(migrated.killed)
    begin, *lines = migrated.done.stdout.splitlines()
    assert begin.startswith("Continuing an interrupted run")
    again = list_read(lines)
    assert len(again) > 5 and min(again) > after


def list_read(lines: list[str]) -> list[int]:
    """Return the last person of each piece that was read and sealed."""
    found = (re.search(r"sealed anew up to row (\d+)", line) for line in lines)
    return [int(each[1]) for each in found if each]


@pytest.mark.parametrize("kind", KINDS)
def test_every_answer_is_unchanged(migrated, kind):
    before = {kind: migrated.known["answers"][kind]}
    differing = compare(before, {kind: migrated.answers[kind]})
    left = [found for found in differing if not is_expected(*map(fold, found[2:]))]
    assert [found for found in left if not is_trimmed_id(*found[1:])] == []


def is_trimmed_id(asked, was, now) -> bool:
    """Return whether an ID was invalid only for blanks, which no longer count."""
    text = asked.get("id_value") or ""
    words = [answer and answer.get("outcome") for answer in (was, now)]
    return text != text.strip() and words == ["invalid_id", "not_linked"]


def fold(answer):
    """Return an answer with no more of masked values than the tails that they show.

    They were in the form of messages then, and are in words now.
    """
    if isinstance(answer, list):
        return [fold(each) for each in answer]
    if not isinstance(answer, dict):
        return answer
    return {
        name: MASKED.findall(value) if name.endswith("_masked") else fold(value)
        for name, value in answer.items()
    }


def is_expected(was, now) -> bool:
    return was == now or is_other_id(was, now) or is_other_reveal(was, now)


def is_other_reveal(was, now) -> bool:
    """Return whether only a reveal, which nobody can undo, is no longer disputable."""
    if not (isinstance(was, dict) and "events" in was and now):
        return False
    events = [
        {**event, "is_disputable": event["is_disputable"] and not is_reveal(event)}
        for event in was["events"]
    ]
    return {**was, "events": events} == {**now, "events": [*now["events"]]}


def is_reveal(event: dict) -> bool:
    return event["kind"] == "revealed"


def is_other_id(was, now) -> bool:
    """Return whether two answers differ only in which ID of one person they name."""
    text = json.dumps(was).lower()
    if TWO_IDS[0] in text:
        return text.replace(*TWO_IDS) == json.dumps(now).lower()
    if not (isinstance(was, dict) and "id_masked" in was and now):
        return False
    return was == {**now, "id_masked": was["id_masked"]}


def test_every_kind_is_compared(migrated):
    assert set(KINDS) == set(migrated.known["answers"])


def test_tables_equal_those_of_a_new_registry(migrated):
    ours = query(migrated.installation, CATALOGUE)
    assert ours == query(migrated.fresh, CATALOGUE)


def test_old_events_are_unchanged(restored, migrated):
    """Every byte is the same, except for their position."""
    columns = (
        "id, uuid, seq, kind, actor, on_behalf_of, channel, authenticated_by,"
        " message_reference, reason, happened_at, encode(commitment_before, 'hex'),"
        " encode(commitment_after, 'hex'), encode(previous_mac, 'hex'),"
        " encode(mac, 'hex')"
    )
    statement = f"SELECT {columns} FROM spar_event {{}} ORDER BY id"
    now = query(migrated.installation, statement.format("WHERE format = 1"))
    assert now == query(restored.installation, statement.format(""))


def test_old_tables_are_kept_until_they_are_dropped(migrated):
    counts = query(
        migrated.installation,
        """SELECT (SELECT count(*) FROM spar_before.spar_mapping),
                  (SELECT count(DISTINCT address_uuid) FROM spar_mapping_period)""",
    )
    assert len(set(counts[0])) == 1
    done = migrate(migrated.installation, "--drop-old")
    assert done.returncode == 0, done.stderr
    schemas = "SELECT nspname FROM pg_namespace WHERE nspname ~ '^spar_'"
    assert query(migrated.installation, schemas) == []
    assert "Nothing to do" in migrate(migrated.installation).stdout


def test_open_matters_can_be_decided(migrated, restored):
    """Use links of notices, pending changes, and an address that continues."""
    notices = migrated.known["answers"]["notice"]
    tokens = {
        asked["question"]["name"]: asked["question"]["token"]
        for asked in notices
        if asked["question"]["name"] in LINKS
    }
    result = migrated.installation.run_script(
        restored.installation.places.root / "tests" / "old_store_acts.py",
        SPAR_TOKENS=json.dumps(tokens),
    )
    assert result["by_link"] == LINKS
    for approved in result["approved"]:
        assert approved == {"state": "applied", "is_paid_to_proposed": True}
    assert result["went_on"] == {"suspended": "suspended", "resumed": "resumed"}
    assert result["check"] == []


# === REFUSED === #

#: Damage to the old database -> the row that the command names.
TAMPERINGS = {
    "a version": (
        "UPDATE spar_mapping SET version = version + 1 WHERE id = {mapping}",
        "spar_mapping, row {mapping}: the address cannot be decrypted",
    ),
    "an address of another": (
        """UPDATE spar_mapping m SET sealed = o.sealed FROM spar_mapping o
            WHERE m.id = {mapping} AND o.id = {other}""",
        "spar_mapping, row {mapping}: the address cannot be decrypted",
    ),
    "what is said of an address": (
        "UPDATE spar_mapping SET authority = 40 WHERE id = {mapping}",
        "spar_mapping, row {mapping}: the row differs from its event",
    ),
    "a digest": (
        """UPDATE spar_mapping SET fa_digest_a = sha256(fa_digest_a)
            WHERE id = {mapping}""",
        "spar_mapping, row {mapping}: the digest does not match the address",
    ),
    "an ID that is switched off": (
        "UPDATE spar_subject_id SET active = false WHERE id = {identifier}",
        "spar_subject_id, row {identifier}: the ID was deactivated",
    ),
    "a lock": (
        "UPDATE spar_subject SET change_lock = 'owner' WHERE id = {subject}",
        "spar_subject_id, row {identifier}: the ID cannot be decrypted",
    ),
    "what an event says": (
        "UPDATE spar_event SET actor = 'user:1' WHERE id = {event}",
        "spar_event, row {event}: the event was altered",
    ),
    "the last event": (
        "DELETE FROM spar_event WHERE id = {event}",
        "spar_mapping, row {mapping}: the last event is missing",
    ),
    "a notice": (
        "DELETE FROM spar_notice WHERE event_id = {event}",
        "spar_event, row {event}: the notice of this event was deleted",
    ),
    "a mapping": (
        "DELETE FROM spar_mapping WHERE id = {mapping}",
        "spar_event, row {event}: its mapping was removed",
    ),
    "a refused change": (
        "UPDATE spar_change SET state = 'waiting' WHERE id = {refused}",
        "spar_change, row {refused}: the change is waiting, but the history says",
    ),
    "a change that waits": (
        "UPDATE spar_change SET state = 'refused' WHERE id = {waiting}",
        "the history says that a change is waiting, but its row is missing",
    ),
    "the terms of a change": (
        "UPDATE spar_change SET proposer = 'user:1' WHERE id = {waiting}",
        "spar_change, row {waiting}: the change cannot be decrypted",
    ),
}
#: The newest address, and from each other table a row suitable for tampering.
ROWS = """
    SELECT m.id AS mapping, m.subject_id AS subject, m.identifier_id AS identifier,
           (SELECT max(id) FROM spar_event WHERE mapping_id = m.id) AS event,
           (SELECT min(id) FROM spar_mapping) AS other,
           (SELECT min(id) FROM spar_change WHERE state = 'refused') AS refused,
           (SELECT min(id) FROM spar_change WHERE state = 'waiting') AS waiting
      FROM spar_mapping m
     WHERE state = 'active' AND m.last_seq > 1 AND NOT EXISTS (
           SELECT FROM spar_change c WHERE c.mapping_id = m.id)
     ORDER BY m.id DESC LIMIT 1
"""


@pytest.mark.parametrize("what", TAMPERINGS)
def test_tampered_registry_is_refused(copy, what):
    statement, finding = TAMPERINGS[what]
    with connect(copy) as cursor:
        cursor.execute(ROWS)
        names = [column.name for column in cursor.description]
        rows = dict(zip(names, cursor.fetchone(), strict=True))
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(statement.format(**rows))
    done = migrate(copy, "--batch", "20")
    assert done.returncode == 1, done.stdout + done.stderr
    assert finding.format(**rows) in done.stdout
    assert "nothing was changed" in done.stdout
    assert query(copy, "SELECT to_regnamespace('spar_next')") == [(None,)]
    assert query(copy, "SELECT count(identifier_id) > 0 FROM spar_mapping") == [(True,)]


def test_odoo_upgrade_is_refused_before_the_migration(copy):
    with pytest.raises(Failure) as refused:
        copy.upgrade(["spar_mapper"])
    assert "odoo spar_migrate -d" in str(refused.value)
    assert migrate(copy).returncode == 0


def test_migration_requires_that_no_session_is_open(copy):
    with connect(copy):
        done = migrate(copy)
    assert done.returncode == 2
    assert "Other sessions are connected to the database (1)" in done.stderr
    assert query(copy, "SELECT to_regnamespace('spar_next')") == [(None,)]


def test_migration_requires_the_keyring(copy):
    copy.keyring.unlink()
    done = migrate(copy)
    assert done.returncode == 2
    assert "the keyring cannot be read" in done.stderr


def test_database_without_a_store_is_unchanged(copy):
    with connect(copy) as cursor:
        cursor.execute("DROP TABLE spar_mapping CASCADE")
    done = migrate(copy)
    assert done.returncode == 2
    assert "spar_mapper is not installed there" in done.stderr


def test_rows_written_meanwhile_are_read(copy):
    """Killed half-way, then the old registry was used again: it starts again."""
    migrate_and_kill(copy, pieces=5)
    with connect(copy) as cursor:
        cursor.execute(
            """INSERT INTO spar_subject (uuid, change_lock, since)
               VALUES ('another', 'none', now())"""
        )
    done = migrate(copy)
    assert done.returncode == 0, done.stderr
    assert not done.stdout.startswith("Continuing")
    found = "SELECT last_seq FROM spar_subject WHERE uuid = 'another'"
    assert query(copy, found) == [(0,)]


def test_values_under_a_replaced_key_are_sealed_again(copy):
    """Killed half-way, then a sealing key was replaced: it starts again."""
    migrate_and_kill(copy, pieces=5)
    with connect(copy) as cursor:
        cursor.execute("UPDATE spar_keyring_phase SET generation = generation || '-2'")
    done = migrate(copy)
    assert done.returncode == 0, done.stderr
    assert not done.stdout.startswith("Continuing")
