"""A demo of an older commit, really upgraded to the present code; called over REST."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import requests

from setup.demo_upgrade import upgrade
from setup.machine import get_free_port
from setup.odoo_server import OdooServer
from setup.places import get_places, write_private
from setup.testing import get_test_server

from .client import Client
from .old_demo import read, restore, unpack
from .real_server import RealServer

HISTORY_SCRIPT = Path(__file__).with_name("history_script.py")
#: What staff do not do alone.
STOPPING = ("resume", "suspend", "unlink")
#: The present codes of the profile of OpenG2P 1.x, which are OpenG2P's own, for an ID
#: without a link.
NOT_FOUND = {"succ.id.not_found", "succ.fa.not_linked_to_id"}


@pytest.fixture(scope="module")
def old(tmp_path_factory) -> Iterator[SimpleNamespace]:
    """Yield the old demo, upgraded and served, with its descriptions then and now."""
    folder = tmp_path_factory.mktemp("old")
    unpack(folder)
    test_server, _facts = get_test_server(get_places())
    installation = replace(test_server, folder=folder, database="spar_from_18ad0ab")
    with_postgres = installation.server
    with_postgres.start()
    restore(installation, folder)
    before = read(folder, "facts")
    after = upgrade(installation, before, folder / "facts.json")
    write_private(folder / "facts-after.json", json.dumps(after))
    real = RealServer(installation, after, get_free_port())
    installation.write_config(port=real.port, workers=1)
    command = installation.get_command("--max-cron-threads=0")
    odoo = OdooServer(command, installation.environment, real.log, real.port)
    odoo.start()
    try:
        odoo.wait()
        yield SimpleNamespace(real=real, folder=folder, before=before, after=after)
    finally:
        odoo.stop()
        with_postgres.drop_database(installation.database, folder / "dropdb.log")


def describe(item: dict) -> list:
    return [item["status"], item.get("status_reason_code"), item.get("fa")]


@pytest.mark.parametrize("name", ["programme", "payer", "bank"])
def test_every_resolve_is_unchanged(old, name):
    """With the old secrets, and a token alone: none of them has a key."""
    known = read(old.folder, "answers")[name]
    scope = "yes_no" if name == "bank" else "details"
    client = old.real.get_client(name)
    assert client.key is None
    answers = client.resolve([{"id": value, "scope": scope} for value in known])
    for (value, before), answer in zip(known.items(), answers, strict=True):
        now = describe(answer)
        if before[1] in NOT_FOUND and now[1] in NOT_FOUND:
            before[1] = now[1]
        assert now == before, value


def test_history_is_unchanged(old):
    known = read(old.folder, "history")
    ids = json.dumps(list(known))
    assert old.real.installation.run_script(HISTORY_SCRIPT, SPAR_IDS=ids) == known


def test_check_finds_no_tampering(old):
    done = old.real.run_command("spar_audit", "check")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "No problems found" in done.stdout


@pytest.mark.parametrize("name", ["programme", "bank"])
def test_participants_without_keys_still_write(old, name):
    client: Client = old.real.get_client(name)
    item = {"id": f"token:77{name}@nationalId", "fa": "account:123456789@BR01.DEMO"}
    (answer,) = client.link([item])
    assert answer["status"] == "succ", answer
    (answer,) = client.update([{**item, "fa": "account:987654321@BR01.DEMO"}])
    assert answer["status"] == "succ", answer


def test_many_calls_in_a_row_are_not_delayed(old):
    client = old.real.get_client("payer")
    many = [{"id": f"token:{number}@nationalId"} for number in range(1000)]
    for _time in range(7):
        assert len(client.resolve(many)) == 1000


def test_secrets_in_use_are_kept(old):
    after = old.after
    for what in ("staff", "participants"):
        assert [facts for facts in old.before[what] if facts not in after[what]] == []
    for before, now in zip(
        old.before["beneficiaries"], after["beneficiaries"], strict=True
    ):
        assert now.pop("otp"), "there was no ID provider then"
        assert {**before, "otp": None} == {**now, "otp": None}


def test_staff_log_in_as_before(old):
    for person in old.after["staff"]:
        words = {"db": old.real.database, **person}
        params = {key: words[key] for key in ("db", "login", "password")}
        answer = requests.post(
            f"{old.real.url}/web/session/authenticate",
            json={"jsonrpc": "2.0", "params": params},
            timeout=60,
        ).json()
        assert answer["result"]["uid"], person["login"]


def test_new_data_is_added(old):
    logins = {person["role"]: person["login"] for person in old.after["staff"]}
    assert logins["second administrator"] == "administrator2"
    assert old.after["idp"]["clients"] and old.after["idp"]["newcomers"]
    counts = old.after["counts"]
    assert counts["spar.fsp"] > 400 and counts["spar.fsp.branch"] >= 50
    for model in ("spar.subject", "spar.event"):
        assert counts[model] >= old.before["counts"][model]
    query = "SELECT count(DISTINCT address_uuid) FROM spar_mapping_period"
    ((addresses,),) = old.real.query(query)
    assert addresses >= old.before["counts"]["spar.mapping"]


def test_rules_of_later_versions_are_added(old):
    query = """SELECT row.name FROM spar_change_rule rule
                 JOIN ir_model_data row
                   ON row.res_id = rule.id AND row.model = 'spar.change.rule'
                WHERE rule.active"""
    rules = {name for (name,) in old.real.query(query)}
    assert rules >= {f"change_rule_staff_{act}" for act in STOPPING}


def test_store_was_migrated_completely(old):
    query = "SELECT nspname FROM pg_namespace WHERE nspname ~ '^spar_'"
    assert old.real.query(query) == []
    query = "SELECT count(*) FROM spar_event WHERE kind = 'migrated'"
    ((tied,),) = old.real.query(query)
    assert tied


def test_second_upgrade_changes_no_secret(old):
    """This is the case when the first was killed after it had replaced the demo."""
    installation = old.real.installation
    facts_file = old.folder / "facts-after.json"
    facts = {**old.after, "addons": ["spar_fa_directory"]}
    result = installation.run_script(
        Path(upgrade.__code__.co_filename).with_name("demo_secrets.py"),
        SPAR_KNOWN=str(facts_file),
    )
    for what in ("staff", "participants", "idp"):
        assert result[what] == facts[what]


def test_no_copy_is_left(old):
    names = old.real.query("SELECT datname FROM pg_database WHERE datname ~ '18ad0ab'")
    assert names == [("spar_from_18ad0ab",)]
    assert not list(old.folder.glob("*draft*.json"))
