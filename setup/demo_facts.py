"""What a demo must contain, and what is reported about it."""

import json
from collections.abc import Mapping, Set
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
#: Of both, those of a store alone, and the roles at a portal alone.
STORE_COUNTS = {k: n for k, n in MIN_COUNTS.items() if k != "spar.payment.account"}
STORE_ROLES = ROLES - {"programme manager", "programme user"}
PORTAL_ROLES = {"officer", "administrator", "odoo"}
API = "/spar/v1"


def check_counts(
    facts: dict, counts: Mapping[str, int] = MIN_COUNTS, roles: Set[str] = ROLES
) -> None:
    """Check that the demo data is complete.

    :param counts: the minimum of each model
    :param roles: of the staff
    :raises DemoIncomplete: naming what the demo data did not make
    """
    for model, least in counts.items():
        if (count := facts["counts"].get(model, 0)) < least:
            raise DemoIncomplete(
                f"The demo data did not load: {count} of at least {least} {model}. "
                "Run this again; if it fails again, read the logs in .spar/demo."
            )
    _check_people(facts, roles)


def check_upgraded(before: dict[str, int], facts: dict) -> None:
    """Compare an upgraded demo with its row counts of each model before the upgrade.

    :raises DemoIncomplete: naming what it has less of
    """
    for model, number in before.items():
        if (count := facts["counts"].get(model, 0)) < number:
            raise DemoIncomplete(
                f"The upgrade lost something: {count} of {number} {model} are left"
            )
    _check_people(facts, ROLES)


def check_staff(facts: dict, roles: Set[str]) -> None:
    """Check that there is somebody for each role.

    :raises DemoIncomplete: naming the roles that nobody has
    """
    if missing := roles - {person["role"] for person in facts["staff"]}:
        raise DemoIncomplete(
            f"The demo data did not load: no staff for {', '.join(sorted(missing))}."
        )


def _check_people(facts: dict, roles: Set[str]) -> None:
    check_staff(facts, roles)
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
    lines += _list_staff(demo["staff"])
    lines += ["", f"The beneficiary's page: {demo['url']}/spar"]
    lines += [_build_login(demo["beneficiaries"][0])]
    lines += ["", "Resolve where a person is paid:", *build_curl(demo), ""]
    return [*lines, "As JSON: .spar/demo.json. To stop it: ./spar stop"]


def _list_staff(staff: list[dict]) -> list[str]:
    return [
        f"  {person['role']:<22} {person['login']:<22} {person['password']}"
        for person in staff
    ]


def _build_login(person: dict) -> str:
    return f"  {person['individual_id']}, one-time code {person['otp']}"


# === PORTAL AND STORE APART === #


def build_apart_file(
    store: dict,
    portal: dict,
    store_url: str,
    portal_url: str,
    issuer: str,
    databases: dict[str, dict],
) -> dict:
    """Return the content of ``.spar/apart.json``: the store's, and the portal's own.

    :param databases: name and DSN of each
    """
    name, dsn = databases["store"]["name"], databases["store"]["dsn"]
    idp = {**store["idp"], "clients": portal["idp"]["clients"]}
    document = build_demo_file({**store, "idp": idp}, store_url, issuer, name, dsn)
    return {
        "store": {key: value for key, value in document.items() if key != "idp"},
        "portal": {
            "url": portal_url,
            "database": databases["portal"],
            "staff": portal["staff"],
        },
        "idp": _build_id_provider({"idp": idp}, portal_url, issuer),
    }


def build_apart_greeting(demo: dict) -> list[str]:
    """Return what a person who has started portal and store needs to know first."""
    store, portal = demo["store"], demo["portal"]
    lines = [f"The store is at {store['url']} and its API at {store['api']}"]
    lines += ["", "Logins at the store:", *_list_staff(store["staff"])]
    lines += ["", f"The portal, in another database, is at {portal['url']}"]
    lines += ["", "Logins at the portal:", *_list_staff(portal["staff"])]
    lines += ["", f"The beneficiary's page: {portal['url']}/spar"]
    lines += [_build_login(store["beneficiaries"][0])]
    lines += ["", "Somebody without an account yet:"]
    lines += [_build_login(demo["idp"]["newcomers"][0])]
    lines += ["", "Resolve where a person is paid:", *build_curl(store), ""]
    return [*lines, "As JSON: .spar/apart.json. To stop both: ./spar stop"]
