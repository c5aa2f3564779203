"""A stolen dump, log, session or file reveals no ID, address, name or phone."""

import base64
import secrets
import time
from pathlib import Path

import pytest
import requests

from examples.payer.client import TIMEOUT

from .backend import EVERY_RIGHT, Refused, get_backend, make_participant
from .client import Client, build_items
from .workers import running_workers

SECRETS = {
    "number": "7319" + str(secrets.randbelow(10**9)),
    "account": "5528" + str(secrets.randbelow(10**9)),
    "second account": "6417" + str(secrets.randbelow(10**9)),
    "name": "Quirinia Zweiblatt" + secrets.token_hex(2),
    "phone": "+99957" + str(secrets.randbelow(10**7)),
    "refused number": "8206" + str(secrets.randbelow(10**9)),
    "attribute": "farmer-" + secrets.token_hex(6),
    "number at the counter": f"4471{secrets.randbelow(10**6):06}",
    "account at the counter": "3956" + str(secrets.randbelow(10**9)),
    "number of a draft": "9182" + str(secrets.randbelow(10**9)),
    "number by callback": "6605" + str(secrets.randbelow(10**9)),
    "number that waits": "3317" + str(secrets.randbelow(10**9)),
    "callback's secret": "sesame-" + secrets.token_hex(8),
    "backend's secret": "sesame-" + secrets.token_hex(8),
}


def get_forms(value: str) -> set[bytes]:
    """Return ``value`` as dumps may have it: plain, hex, base64 at each alignment."""
    data = value.encode()
    forms = {data, data.hex().encode(), data.hex().upper().encode()}
    for before, skip in ((0, 0), (1, 2), (2, 3)):
        coded = base64.b64encode(b"\0" * before + data)
        usable = (before + len(data)) // 3 * 4
        forms.add(coded[skip:usable])
        forms.add(coded[skip:usable].translate(bytes.maketrans(b"+/", b"-_")))
    return {form for form in forms if len(form) > 6}


def find_in(data: bytes) -> set[str]:
    """Return the names of the secrets that ``data`` reveals."""
    return {
        name
        for name, value in SECRETS.items()
        if any(form in data for form in get_forms(value))
    }


def scan_tables(server) -> dict[str, set[str]]:
    """Return table -> secrets in it, for every table of the database."""
    found = {}
    with server.cursor() as cursor:
        cursor.execute(
            """SELECT oid::regclass::text FROM pg_class
                WHERE relkind IN ('r', 'm') AND relpersistence != 't'
                  AND relnamespace = 'public'::regnamespace"""
        )
        for (table,) in cursor.fetchall():
            rows = f"SELECT coalesce(string_agg(t::text, chr(10)), '') FROM {table} t"
            cursor.execute(rows)
            leaked = find_in(cursor.fetchone()[0].encode())
            if leaked:
                found[table] = leaked
    return found


def scan_files(server) -> dict[str, set[str]]:
    """Return file -> secrets, for Odoo's log, sessions, filestore, PostgreSQL's log."""
    folders = [server.log, server.data, *server.installation.folder.glob("**/*.log")]
    files = [
        path
        for folder in folders
        for path in ([folder] if folder.is_file() else Path(folder).rglob("*"))
        if path.is_file()
    ]
    found = {str(path): find_in(path.read_bytes()) for path in files}
    return {path: names for path, names in found.items() if names}


@pytest.fixture(scope="module")
def used(server):
    """Make valid and refused calls that carry every secret."""
    client = server.get_client("programme")
    id_value = f"token:{SECRETS['number']}@nationalId"
    item = {
        "id": id_value,
        "fa": f"account:{SECRETS['account']}@BR01.DEMO",
        "name": SECRETS["name"],
        "phone_number": SECRETS["phone"],
        "additional_info": [{"name": "note", "value": SECRETS["attribute"]}],
    }
    assert client.link([item])[0]["status"] == "succ"
    assert client.link([item])[0]["status"] == "rjct"
    changed = {**item, "fa": f"account:{SECRETS['second account']}@BR01.DEMO"}
    assert client.update([changed])[0]["status"] == "succ"
    answer = client.resolve([{"id": id_value, "scope": "details"}])[0]
    assert SECRETS["second account"] in answer["fa"]
    refused = f"token:{SECRETS['refused number']}\u200b@nationalId"
    assert client.link([{**item, "id": refused}])[0]["status"] == "rjct"
    assert client.update([{**changed, "id": refused[:-1]}])[0]["status"] == "rjct"
    assert client.unlink([{"id": id_value, "fa": item["fa"]}])[0]["status"] == "rjct"
    for raw in (f'{{"header": "{id_value}"', f'["{SECRETS["account"]}"]'):
        assert client.post("/mapper/sync/link", data=raw).status_code == 400
    send_hopeless(server, client, item)
    assert client.unlink([{"id": id_value}])[0]["status"] == "succ"
    with server.expecting("odoo.http"):
        act_at_the_counter(server)
    send_by_callback(server, item)
    call_another_mapper(server)
    return client


def send_hopeless(server, client, item):
    """Send requests that are refused unread, although they carry the secrets."""
    message = client.build_message("link", [item])
    url = f"{server.api}/mapper/sync/link"
    for token in ("", f"Bearer {SECRETS['number']}", "Bearer a.b.c"):
        headers = {"Authorization": token}
        answer = requests.post(url, json=message, headers=headers, timeout=TIMEOUT)
        assert answer.status_code == 401
    for headers in ({"Content-Type": "text/plain"}, {"X-Odoo-Database": "none"}):
        assert client.post("/mapper/sync/link", json=message, headers=headers).json()[
            "errors"
        ]
    assert client.post("/mapper/sync/pay", json=message).status_code == 404
    payer = server.get_client("payer")
    assert payer.send("link", message).status_code == 403
    twice = client.build_message("link", [item, {**item, "name": [SECRETS["name"]]}])
    assert client.send("link", twice).status_code == 200
    foreign = client.build_message("resolve", [item], sender_id=SECRETS["name"])
    assert client.send("resolve", foreign).status_code == 403


def send_by_callback(server, item):
    """Cause a callback that does not arrive, and a message that stays queued.

    The ID is their reference and transaction, too, as OpenG2P's bridge writes it.
    """
    rights = {
        "callback_url": "http://127.0.0.1:9/callback",
        "callback_auth": "static",
        "callback_secret": SECRETS["callback's secret"],
    }
    participant = make_participant(server, "dark", **EVERY_RIGHT, **rights)
    client = Client(server.api, participant)

    def send(name):
        number = SECRETS[name]
        id_value = f"token:{number}@nationalId"
        items = build_items([{**item, "id": id_value, "reference_id": id_value}])
        message = client.build_message("link", items)
        message["message"]["transaction_id"] = number
        ack = client.post("/mapper/link", json=message).json()["message"]
        assert ack["ack_status"] == "ACK"

    with running_workers(server):
        send("number by callback")
        wait_for(
            server,
            """SELECT c.id FROM spar_callback c
                 JOIN spar_participant p ON p.id = c.participant_id
                WHERE c.problem = 'unreachable' AND p.sender_id = 'dark.example'""",
        )
    send("number that waits")


def call_another_mapper(server):
    """Enter the secret for a mapper elsewhere, and use it where nobody answers."""
    backend = get_backend(server, "administrator")
    values = {
        "name": "Elsewhere",
        "implementation": "spar.mapper.g2p_connect",
        "url": "http://127.0.0.1:9",
        "sender_id": "dark.example",
        "authentication": "static",
        "secret": SECRETS["backend's secret"],
    }
    made = backend.call("spar.mapper.backend", "create", [values])
    with (
        server.expecting("odoo.http"),
        pytest.raises(Refused, match="no connection"),
    ):
        backend.call("spar.mapper.backend", "action_test_connection", made)


def wait_for(server, statement):
    end = time.monotonic() + TIMEOUT
    while not server.query(statement):
        assert time.monotonic() < end, statement
        time.sleep(0.2)


def act_at_the_counter(server):
    """Type, find and be refused as staff; leave a window open."""
    officer, auditor = (get_backend(server, role) for role in ("officer", "auditor"))
    id_value = f"token:{SECRETS['number at the counter']}@nationalId"
    values = {"fa_text": f"account:{SECRETS['account at the counter']}@BR01.DEMO"}
    officer.act("link", id_value=id_value, **values)
    for bad in (id_value, f"token:{SECRETS['number of a draft']}\u200b@nationalId"):
        with pytest.raises(Refused):
            officer.act("link", id_value=bad, fa_text="account:900800700@BR01.DEMO")
    with pytest.raises(Refused):
        officer.act_on("unlink", id_value, reason=SECRETS["number at the counter"])
    draft = {"id_value": f"token:{SECRETS['number of a draft']}@nationalId", **values}
    officer.call(
        "spar.mapping.wizard", "create", [{"operation": "link", "reason": "x", **draft}]
    )
    reveal(auditor, officer.find_mapping(id_value)["id"])
    keep_search(officer, id_value)


def reveal(auditor, mapping):
    values = {"mapping_id": mapping, "reason": "complaint 12"}
    (wizard,) = auditor.call("spar.reveal.wizard", "create", [values])
    auditor.call("spar.reveal.wizard", "action_reveal", [wizard])
    (shown,) = auditor.call("spar.reveal.wizard", "read", [wizard], ["fa_value"])
    assert SECRETS["account at the counter"] in shown["fa_value"]


def keep_search(officer, id_value):
    """Try to save a search for a whole ID as a favourite, which is refused."""
    values = {
        "name": "that person",
        "model_id": "spar.mapping",
        "domain": f"[('id_value', '=', '{id_value}')]",
    }
    with pytest.raises(Refused):
        officer.call("ir.filters", "create", [values])


def test_secrets_were_really_used(server, used):
    """The store has the secrets: sealed, and opened for authorised users."""
    officer = get_backend(server, "officer")
    found = officer.find_mapping(f"token:{SECRETS['number at the counter']}@nationalId")
    assert found["state"] == "active"
    ended = officer.find_mapping(f"token:{SECRETS['number']}@nationalId")
    assert ended["state"] == "ended"
    waiting = server.query(
        """SELECT count(*) FROM spar_message m
             JOIN spar_participant p ON p.id = m.participant_id
            WHERE m.state = 'waiting' AND p.sender_id = 'dark.example'"""
    )
    assert waiting == [(1,)]
    linked = officer.find_mapping(f"token:{SECRETS['number by callback']}@nationalId")
    assert linked["state"] == "active"


def test_tables_reveal_no_secret(server, used):
    assert scan_tables(server) == {}


def test_files_reveal_no_secret(server, used):
    assert scan_files(server) == {}


@pytest.mark.parametrize("form", range(3))
def test_scanner_finds_clear_text(server, used, form):
    value = SECRETS["account"]
    written = (value, value.encode().hex(), base64.b64encode(value.encode()).decode())
    with server.cursor() as cursor:
        cursor.execute(
            "UPDATE res_company SET report_footer = to_jsonb(%s::text)",
            (written[form],),
        )
    try:
        assert scan_tables(server) == {"res_company": {"account"}}
    finally:
        with server.cursor() as cursor:
            cursor.execute("UPDATE res_company SET report_footer = NULL")


def test_scanner_finds_a_value_in_a_file(server, used):
    planted = server.data / "planted.txt"
    planted.write_text(f"x{SECRETS['phone']}y")
    try:
        assert scan_files(server)[str(planted)] == {"phone"}
    finally:
        planted.unlink()
