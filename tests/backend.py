"""A client of the backend, which acts like the web client: login and model calls."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

import requests

from examples.payer.client import TIMEOUT
from examples.payer.signatures import get_public_jwk, make_jwk

from .client import STRICT, Participant
from .real_server import RealServer

#: Arguments of `make_participant` for every right, without limits.
EVERY_RIGHT = {
    "may_link": 1,
    "may_update": 1,
    "may_unlink": 1,
    "may_resolve": 1,
    "scope": "details",
    "daily_item_limit": 0,
    "calls_per_minute": 0,
    "items_per_minute": 0,
}

#: What staff do to payments with a reason from a list and, as shipped, a second person.
STOPPING = ("suspend", "resume", "unlink")


class Refused(Exception):
    """The backend answered with an error; ``name`` is its class."""

    def __init__(self, error: dict):
        super().__init__(error["data"].get("message", ""))
        self.name = error["data"].get("name", "")


class Backend:
    """A client that is logged in as one member of staff."""

    def __init__(self, server: RealServer, role: str):
        self.server = server
        self.url = server.url
        self.session = requests.Session()
        person = server.staff[role]
        credentials = {"db": server.database, "login": person["login"]}
        self._post(
            "/web/session/authenticate", {**credentials, "password": person["password"]}
        )

    def _post(self, path: str, params: dict):
        body = {"jsonrpc": "2.0", "method": "call", "params": params}
        answer = self.session.post(f"{self.url}{path}", json=body, timeout=TIMEOUT)
        answer.raise_for_status()
        document = answer.json()
        if "error" in document:
            raise Refused(document["error"])
        # A method that returns nothing leaves the member out.
        return document.get("result")

    def call(self, model: str, method: str, *args, **kwargs):
        """Call a method as the web client does.

        :raises Refused: with the server's message
        """
        params = {"model": model, "method": method, "args": args, "kwargs": kwargs}
        return self._post(f"/web/dataset/call_kw/{model}/{method}", params)

    def find(self, model: str, domain: list, *names: str, **words) -> list[dict]:
        """Return what the list view shows of the records of a domain."""
        specification = {name: {} for name in names}
        found = self.call(
            model,
            "web_search_read",
            domain=domain,
            specification=specification,
            **words,
        )
        return found["records"]

    def find_mapping(self, id_value: str) -> dict:
        """Return the newest mapping of an ID, as the list shows it."""
        names = ("id_masked", "fa_masked", "state", "version")
        domain = [("id_value", "=", id_value)]
        return self.find("spar.mapping", domain, *names, order="id desc")[0]

    def act(self, operation: str, **values):
        """Act for a person in the officer's dialog; return the result of the click."""
        request = {"operation": operation, "reason": "asked in person", **values}
        if "fa_text" in request:
            request.setdefault("fa_text_again", request["fa_text"])
        if operation in STOPPING:
            request.setdefault(f"{operation}_reason", "asked")
            let_staff_stop_alone(self.server)
        (wizard,) = self.call("spar.mapping.wizard", "create", [request])
        return self.call("spar.mapping.wizard", "action_confirm", [wizard])

    def act_on(self, operation: str, id_value: str, **values):
        """Act on the mapping that is in force for an ID."""
        found = self.find_mapping(id_value)
        seen = {"mapping_id": found["id"], "seen_version": found["version"]}
        return self.act(operation, **seen, **values)


@lru_cache
def get_backend(server: RealServer, role: str) -> Backend:
    """Return the member of staff with a role; cached, since logging in is slow."""
    return Backend(server, role)


def approve_all(server: RealServer) -> None:
    """Approve, as the second administrator, what the first one has changed."""
    backend = get_backend(server, "second administrator")
    waiting = [("state", "=", "waiting")]
    for change in backend.find("spar.setting.change", waiting, order="id"):
        backend.call("spar.setting.change", "action_approve", [change["id"]])


@lru_cache
def let_staff_stop_alone(server: RealServer) -> None:
    """Let what staff suspend, resume and unlink count at once, by two people."""
    backend = get_backend(server, "administrator")
    domain = [("operation", "in", list(STOPPING)), ("channel", "=", "staff")]
    for rule in backend.find("spar.change.rule", domain):
        values = {"decision": "apply"}
        backend.call("spar.change.rule", "write", [rule["id"]], values)
    approve_all(server)


@lru_cache
def let_staff_search_often(server: RealServer) -> None:
    """Let staff search without a reason as often as the limit allows."""
    backend = get_backend(server, "administrator")
    domain = [("code", "=", "lookup_hourly")]
    (limit,) = backend.find("spar.limit", domain, "most")
    backend.call("spar.limit", "write", [limit["id"]], {"value": limit["most"]})
    approve_all(server)


@contextmanager
def in_force(server: RealServer, **rule) -> Iterator[None]:
    """Put a rule for changes in force for the block, by two administrators."""
    rules = get_backend(server, "administrator")
    (rule_id,) = rules.call("spar.change.rule", "create", [rule])
    approve_all(server)
    try:
        yield
    finally:
        rules.call("spar.change.rule", "write", [rule_id], {"active": False})
        approve_all(server)
        rules.call("spar.change.rule", "unlink", [rule_id])


def change_participant(server: RealServer, sender_id: str, **values) -> None:
    """Change a participant as two administrators do."""
    backend = get_backend(server, "administrator")
    (found,) = backend.find("spar.participant", [("sender_id", "=", sender_id)])
    backend.call("spar.participant", "write", [found["id"]], values)
    approve_all(server)


def make_participant(server: RealServer, name: str, **values) -> Participant:
    """Return a new participant with a secret and a key, active by two administrators.

    :param values: its rights and limits; the default ones are the backend's
    """
    backend = get_backend(server, "administrator")
    private = make_jwk()
    keys = [[0, 0, {"key_text": json.dumps(get_public_jwk(private))}]]
    participant = {
        "name": name,
        "sender_id": f"{name}.example",
        "key_ids": keys,
        **values,
    }
    (row_id,) = backend.call("spar.participant", "create", [participant])
    secret = get_secret(backend, row_id)
    backend.call("spar.participant", "action_activate", [row_id])
    approve_all(server)
    (made,) = backend.find("spar.participant", [("id", "=", row_id)], "client_id")
    return Participant(
        sender_id=participant["sender_id"],
        client_id=made["client_id"],
        client_secret=secret,
        profile=participant.get("profile", STRICT),
        private_jwk=private,
    )


def get_secret(backend: Backend, participant_id: int) -> str:
    """Return the secret that the administrator is shown once."""
    context = {"active_id": participant_id}
    values = {"participant_id": participant_id}
    (wizard,) = backend.call(
        "spar.participant.secret", "create", [values], context=context
    )
    shown = backend.call("spar.participant.secret", "action_make_secret", [wizard])
    return shown["params"]["message"].partition(" ")[0]
