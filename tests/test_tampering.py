"""With tampered rows, resolve gives no wrong address, and the check names them."""

import secrets
from contextlib import contextmanager

import pytest

from .backend import Refused, get_backend, in_force

TABLES = (
    "spar_subject",
    "spar_subject_id",
    "spar_mapping",
    "spar_mapping_period",
    "spar_event",
    "spar_change",
)


@pytest.fixture
def pair(programme):
    """Link two IDs with a history: ``(ID, address, other ID, other address)``."""
    number = secrets.token_hex(6)
    one, other = (f"token:{number}{letter}@nationalId" for letter in "ab")
    first, old, new = (
        f"account:{secrets.randbelow(10**12):012}@BR01.DEMO" for _n in range(3)
    )
    programme.link([{"id": one, "fa": first}, {"id": other, "fa": old}])
    programme.update([{"id": other, "fa": new}])
    return one, first, other, new


@contextmanager
def tampered(server, *statements):
    """Run the statements past every trigger; undo them afterwards."""
    with server.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"CREATE TABLE kept_{table} AS TABLE {table}")
        cursor.execute("SET session_replication_role = replica")
        for statement, values in statements:
            cursor.execute(statement, values)
    try:
        with server.expecting("integrity alarm"):
            yield
    finally:
        with server.cursor() as cursor:
            cursor.execute("SET session_replication_role = replica")
            for table in TABLES:
                cursor.execute(f"DELETE FROM {table}")
                cursor.execute(f"INSERT INTO {table} SELECT * FROM kept_{table}")
                cursor.execute(f"DROP TABLE kept_{table}")


def get_newest_mappings(server):
    """Return the ids of the mappings of the newest pair: the first's, the other's."""
    rows = server.query("SELECT id FROM spar_mapping ORDER BY id DESC LIMIT 2")
    (other,), (one,) = rows
    return one, other


def resolve(client, pair):
    one, _first, other, _new = pair
    answers = client.resolve([{"id": i, "scope": "details"} for i in (one, other)])
    return [wire.get("fa") for wire in answers]


def check(server):
    done = server.run_command("spar_audit", "check")
    return done.returncode, done.stdout


def assert_named(server, *lines):
    code, output = check(server)
    assert code == 1, output
    for line in lines:
        assert line in output, output


def test_check_passes_on_untouched_rows(server, programme, pair):
    assert resolve(programme, pair) == [pair[1], pair[3]]
    assert check(server)[0] == 0


def swap(column, table="spar_mapping"):
    return f"""UPDATE {table} t SET {column} = o.{column} FROM {table} o
                WHERE (t.id, o.id) IN ((%s, %s), (%s, %s))"""


def test_swapped_addresses(server, programme, pair):
    one, other = get_newest_mappings(server)
    with tampered(server, (swap("sealed"), (one, other, other, one))):
        assert resolve(programme, pair) == [None, None]
        assert_named(
            server,
            f"spar_mapping, row {one}: the address cannot be decrypted",
            f"spar_mapping, row {other}: the address cannot be decrypted",
        )
    assert resolve(programme, pair) == [pair[1], pair[3]]


def test_swapped_id_digests(server, programme, pair):
    rows = server.query("SELECT id FROM spar_subject_id ORDER BY id DESC LIMIT 2")
    (a,), (b,) = rows
    clear = "UPDATE spar_subject_id SET digest_a = NULL WHERE id IN (%s, %s)"
    crossed = """UPDATE spar_subject_id t SET digest_a = o.digest_a
                   FROM kept_spar_subject_id o
                  WHERE (t.id, o.id) IN ((%s, %s), (%s, %s))"""
    with tampered(server, (clear, (a, b)), (crossed, (a, b, b, a))):
        assert resolve(programme, pair) == [None, None]
        assert_named(
            server, f"spar_subject_id, row {a}: the digest does not match the ID"
        )


def test_older_ciphertext_restored(server, programme, pair):
    _one, other = get_newest_mappings(server)
    before = server.query("SELECT sealed FROM spar_mapping WHERE id = %s", other)[0][0]
    newer = f"account:{secrets.randbelow(10**12):012}@BR01.DEMO"
    programme.update([{"id": pair[2], "fa": newer}])
    _one, now = get_newest_mappings(server)
    restore = ("UPDATE spar_mapping SET sealed = %s WHERE id = %s", (before, now))
    with tampered(server, restore):
        assert resolve(programme, pair)[1] is None
        assert_named(
            server, f"spar_mapping, row {now}: the address cannot be decrypted"
        )


def test_state_set_by_hand(server, programme, pair):
    programme.unlink([{"id": pair[2]}])
    _one, row = get_newest_mappings(server)
    revive = ("UPDATE spar_mapping SET state = 'active' WHERE id = %s", (row,))
    with tampered(server, revive):
        assert resolve(programme, pair)[1] is None
        assert_named(
            server, f"spar_mapping, row {row}: the address cannot be decrypted"
        )


def test_mapping_moved_to_another_person(server, programme, pair):
    one, other = get_newest_mappings(server)
    move = """UPDATE spar_mapping m SET subject_id = o.subject_id, rank = 2
                FROM spar_mapping o WHERE o.id = %s AND m.id = %s"""
    with tampered(server, (move, (one, other))):
        assert resolve(programme, pair) == [None, None]
        assert_named(
            server, f"spar_mapping, row {other}: the address cannot be decrypted"
        )


def test_event_changed(server, programme, pair):
    row = server.query("SELECT max(id) FROM spar_event")[0][0]
    change = ("UPDATE spar_event SET actor = 'user:1' WHERE id = %s", (row,))
    with tampered(server, change):
        assert_named(server, f"spar_event, row {row}: the event was altered")


def test_last_event_removed_with_the_person_rewound(server, programme, pair):
    programme.unlink([{"id": pair[0]}])
    event, subject, mac = server.query(
        "SELECT id, subject_id, previous_mac FROM spar_event ORDER BY id DESC LIMIT 1"
    )[0]
    rewind = (
        "UPDATE spar_subject SET last_seq = last_seq - 1, last_mac = %s WHERE id = %s"
    )
    cut = ("DELETE FROM spar_event WHERE id = %s", (event,))
    with tampered(server, (rewind, (mac, subject)), cut):
        assert resolve(programme, pair)[0] is None
        assert_named(
            server, f"spar_subject, row {subject}: the person's record was altered"
        )


def test_mapping_removed(server, programme, pair):
    one, _other = get_newest_mappings(server)
    subject = get_subject(server, one)
    remove = ("DELETE FROM spar_mapping WHERE id = %s", (one,))
    with tampered(server, remove):
        assert resolve(programme, pair)[0] is None
        assert_named(
            server, f"spar_subject, row {subject}: some of the person's addresses"
        )


def get_subject(server, mapping):
    """Return the id of the person whose mapping it is."""
    query = "SELECT subject_id FROM spar_mapping WHERE id = %s"
    return server.query(query, mapping)[0][0]


def test_history_rolled_back_behind_a_checkpoint(server, programme, pair):
    assert server.run_command("spar_audit", "checkpoint").returncode == 0
    one, _other = get_newest_mappings(server)
    subject = get_subject(server, one)
    owned = ("spar_event", "spar_mapping_period", "spar_mapping", "spar_subject_id")
    removed = [(f"DELETE FROM {t} WHERE subject_id = %s", (subject,)) for t in owned]
    removed.append(("DELETE FROM spar_subject WHERE id = %s", (subject,)))
    with tampered(server, *removed):
        assert_named(server, "events of this range were removed or altered")
    assert check(server)[0] == 0


def test_swapped_address_digests(server, programme, pair):
    (other,), (_old,), (one,) = server.query(
        "SELECT id FROM spar_mapping_period ORDER BY id DESC LIMIT 3"
    )
    table = "spar_mapping_period"
    moves = (swap("fa_digest_a", table), (one, other, other, one))
    with tampered(server, moves):
        asked = [{"fa": fa, "scope": "details"} for fa in (pair[1], pair[3])]
        for wire in programme.resolve(asked):
            assert wire["status"] == "rjct" and "id" not in wire
        problem = "the digest does not match the address"
        assert_named(server, *(f"{table}, row {r}: {problem}" for r in (one, other)))


def test_suspended_mapping_set_active(server, programme, pair):
    get_backend(server, "officer").act_on("suspend", pair[2])
    _one, row = get_newest_and_suspended(server)
    revive = ("UPDATE spar_mapping SET state = 'active' WHERE id = %s", (row,))
    with tampered(server, revive):
        assert resolve(programme, pair)[1] is None
        assert_named(
            server, f"spar_mapping, row {row}: the address cannot be decrypted"
        )


def get_newest_and_suspended(server):
    """Return the ids of the newest active mapping, and of the newest suspended one."""
    query = "SELECT max(id) FROM spar_mapping WHERE state = %s"
    return [server.query(query, state)[0][0] for state in ("active", "suspended")]


@pytest.mark.parametrize("column", ["pay_stop", "change_lock"])
def test_stop_or_lock_of_a_person_set_by_hand(server, programme, pair, column):
    value = {"pay_stop": "NOT pay_stop", "change_lock": "'owner'"}[column]
    subject = server.query("SELECT max(id) FROM spar_subject")[0][0]
    change = (f"UPDATE spar_subject SET {column} = {value} WHERE id = %s", (subject,))
    with tampered(server, change):
        assert None in resolve(programme, pair)
        assert_named(
            server, f"spar_subject, row {subject}: the person's record was altered"
        )


def test_version_set_by_hand(server, programme, pair):
    _one, row = get_newest_mappings(server)
    change = ("UPDATE spar_mapping SET version = version + 1 WHERE id = %s", (row,))
    with tampered(server, change):
        assert resolve(programme, pair)[1] is None
        assert_named(
            server, f"spar_mapping, row {row}: the address cannot be decrypted"
        )


@pytest.mark.parametrize(
    ("column", "value"),
    [("origin", "'user:1'"), ("authority", "40"), ("valid_from", "'2020-01-01'")],
)
def test_facts_of_a_mapping_changed(server, programme, pair, column, value):
    _one, row = get_newest_mappings(server)
    change = (f"UPDATE spar_mapping SET {column} = {value} WHERE id = %s", (row,))
    with tampered(server, change):
        assert resolve(programme, pair)[1] is None
        assert_named(
            server, f"spar_mapping, row {row}: the address cannot be decrypted"
        )


def test_event_in_the_middle_removed(server, programme, pair):
    officer = get_backend(server, "officer")
    officer.act_on("suspend", pair[2])
    officer.act_on("resume", pair[2])
    _one, mapping = get_newest_mappings(server)
    events = server.query(
        "SELECT id FROM spar_event WHERE mapping_id = %s ORDER BY seq", mapping
    )
    _first, (middle,), (last,), (_newest,) = events
    cut = ("DELETE FROM spar_event WHERE id = %s", (middle,))
    with tampered(server, cut):
        assert_named(server, f"spar_event, row {last}: an earlier event is missing")


def test_renumbered_events_do_not_hide_the_one_removed(server, programme, pair):
    officer = get_backend(server, "officer")
    officer.act_on("suspend", pair[2])
    officer.act_on("resume", pair[2])
    _one, mapping = get_newest_mappings(server)
    (middle,), (next_one,), (last,) = server.query(
        "SELECT id FROM spar_event WHERE mapping_id = %s AND seq > 1 ORDER BY seq",
        mapping,
    )
    cut = ("DELETE FROM spar_event WHERE id = %s", (middle,))
    close = ("UPDATE spar_event SET seq = seq - 1 WHERE id = %s", (next_one,))
    close_last = ("UPDATE spar_event SET seq = seq - 1 WHERE id = %s", (last,))
    last = next_one
    with tampered(server, cut, close, close_last):
        assert_named(
            server,
            f"spar_event, row {last}: the event does not follow the previous one",
            f"spar_event, row {last}: the event was altered",
        )


def test_removed_id_is_named(server, programme, pair):
    row, subject = server.query(
        "SELECT id, subject_id FROM spar_subject_id ORDER BY id DESC LIMIT 1"
    )[0]
    with tampered(server, ("DELETE FROM spar_subject_id WHERE id = %s", (row,))):
        assert None in resolve(programme, pair)
        assert_named(
            server, f"spar_subject, row {subject}: some of the person's addresses"
        )


# === A PENDING CHANGE === #


@pytest.fixture
def waiting(server, programme, pair):
    """Yield the id of a change of the second person's address that needs approval."""
    rule = {"name": "test", "sequence": 1, "operation": "update", "decision": "approve"}
    with in_force(server, **rule):
        wire = programme.update([{"id": pair[2], "fa": pair[1]}])[0]
    assert wire["status"] == "pdng"
    query = "SELECT max(id) FROM spar_change WHERE state = 'waiting'"
    row = server.query(query)[0][0]
    supervisor = get_backend(server, "supervisor")
    (review,) = supervisor.call("spar.change.wizard", "create", [{"change_id": row}])
    supervisor.call("spar.change.wizard", "action_reveal", [review])
    yield row
    row = server.query(query)[0][0]
    supervisor.call("spar.change", "action_refuse", [row], "test")


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("proposer", "'user:1'"),
        ("needs_approval", "false"),
        ("operation", "'unlink'"),
        ("expires_at", "'2099-01-01'"),
        ("base_version", "base_version + 1"),
    ],
)
def test_terms_of_a_waiting_change_altered(
    server, programme, pair, waiting, column, value
):
    assert resolve(programme, pair) == [pair[1], pair[3]]
    alter = (f"UPDATE spar_change SET {column} = {value} WHERE id = %s", (waiting,))
    with tampered(server, alter):
        assert_named(
            server, f"spar_change, row {waiting}: the change cannot be decrypted"
        )
        supervisor = get_backend(server, "supervisor")
        logged = ("integrity alarm", "Exception during request handling", "odoo.http")
        with server.expecting(*logged), pytest.raises(Refused):
            supervisor.call("spar.change", "action_approve", [waiting])
        assert resolve(programme, pair)[1] in (None, pair[3])
    assert resolve(programme, pair) == [pair[1], pair[3]]
