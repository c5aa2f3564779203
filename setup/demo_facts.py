"""What a demo must contain, and what is reported about it."""

import json
from datetime import datetime, timezone

from .errors import DemoIncomplete

# The minimum of each model that the demo data makes. Odoo only warns when demo data
# fails to load.
MIN_COUNTS = {
    "spar.fsp": 400,
    "spar.fsp.branch": 50,
    "spar.subject": 1000,
    "spar.mapping": 1000,
    "spar.event": 1000,
    "spar.payment.account": 10,
}
ROLES = {
    "viewer",
    "officer",
    "supervisor",
    "auditor",
    "administrator",
    "programme manager",
    "programme user",
    "odoo",
}
MIN_PARTICIPANTS = 3
API = "/spar/v1"


def check_counts(facts: dict) -> None:
    """Check that the demo data is complete.

    :raises DemoIncomplete: naming what the demo data did not make
    """
    for model, least in MIN_COUNTS.items():
        if (count := facts["counts"].get(model, 0)) < least:
            raise DemoIncomplete(
                f"The demo data did not load: {count} of at least {least} {model}. "
                "Run this again; if it fails again, read the logs in .spar/demo."
            )
    _check_people(facts)


def check_upgraded(before: dict[str, int], facts: dict) -> None:
    """Compare an upgraded demo with its row counts of each model before the upgrade.

    :raises DemoIncomplete: naming what it has less of
    """
    for model, number in before.items():
        if (count := facts["counts"].get(model, 0)) < number:
            raise DemoIncomplete(
                f"The upgrade lost something: {count} of {number} {model} are left"
            )
    _check_people(facts)


def _check_people(facts: dict) -> None:
    if missing := ROLES - {person["role"] for person in facts["staff"]}:
        raise DemoIncomplete(
            f"The demo data did not load: no staff for {', '.join(missing)}."
        )
    if len(facts["participants"]) < MIN_PARTICIPANTS or not facts["beneficiaries"]:
        raise DemoIncomplete(
            "The demo data did not load: participants or people are missing."
        )


def _build_id_provider(facts: dict, url: str, issuer: str) -> dict:
    """Return the ID provider: its URL, our clients, and people without an address."""
    clients = [
        {
            "name": client["name"],
            "client_id": client["metadata"]["client_id"],
            "login_url": url + client["login_path"],
        }
        for client in facts["idp"]["clients"]
    ]
    return {
        "issuer": issuer,
        "clients": clients,
        "newcomers": facts["idp"]["newcomers"],
    }


def build_demo_file(facts: dict, url: str, issuer: str, name: str, dsn: str) -> dict:
    """Return the content of ``.spar/demo.json``, which can configure any client."""
    token_url = f"{url}{API}/oauth2/client/token"
    return {
        "url": url,
        "api": f"{url}{API}",
        "idp": _build_id_provider(facts, url, issuer),
        "database": {"name": name, "dsn": dsn},
        "staff": facts["staff"],
        "beneficiaries": facts["beneficiaries"],
        "participants": [
            {**participant, "token_url": token_url}
            for participant in facts["participants"]
        ],
    }


def _build_message(sender_id: str, id_value: str) -> dict:
    """Return a message that asks where one person wants to be paid."""
    now = datetime.now(timezone.utc).isoformat(timespec="seconds")
    item = {"reference_id": "1", "timestamp": now, "id": id_value, "scope": "details"}
    return {
        "signature": "",
        "header": {
            "version": "1.0.0",
            "message_id": "try-1",
            "message_ts": now,
            "action": "resolve",
            "sender_id": sender_id,
            "total_count": 1,
        },
        "message": {"transaction_id": "try-1", "resolve_request": [item]},
    }


def build_curl(demo: dict) -> list[str]:
    """Return shell lines that get a token and resolve the address of a demo person."""
    participant = demo["participants"][0]
    id_value = demo["beneficiaries"][0]["id_value"]
    message = json.dumps(_build_message(participant["sender_id"], id_value))
    read = 'import json,sys; print(json.load(sys.stdin)["access_token"])'
    return [
        f"TOKEN=$(curl -s {participant['token_url']} -d grant_type=client_credentials "
        f"-d client_id={participant['client_id']} "
        f"-d client_secret={participant['client_secret']} | python3 -c '{read}')",
        f"curl -s {demo['api']}/mapper/sync/resolve "
        "-H 'Content-Type: application/json' -H \"Authorization: Bearer $TOKEN\" "
        f"-d '{message}'",
    ]


def build_greeting(demo: dict) -> list[str]:
    """Return what a person who has started the demo needs to know first."""
    lines = [f"SPAR is at {demo['url']} and its API at {demo['api']}", "", "Logins:"]
    lines += [
        f"  {person['role']:<22} {person['login']:<22} {person['password']}"
        for person in demo["staff"]
    ]
    person = demo["beneficiaries"][0]
    lines += ["", f"The beneficiary's page: {demo['url']}/spar"]
    lines += [f"  {person['individual_id']}, one-time code {person['otp']}"]
    lines += ["", "Resolve where a person is paid:", *build_curl(demo), ""]
    return [*lines, "As JSON: .spar/demo.json. To stop it: ./spar stop"]
