"""The demo with portal and store apart: two databases, and what makes them partners."""

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from .demo import (
    ADDRESSES_SCRIPT,
    SCRIPT,
    check_server,
    get_database_name,
    get_digest,
)
from .demo_facts import (
    API,
    PORTAL_ROLES,
    STORE_COUNTS,
    STORE_ROLES,
    check_counts,
    check_staff,
)
from .errors import Failure
from .id_provider import prepare_id_provider
from .installation import Installation
from .odoo_source import get_odoo
from .packages import get_postgres_binaries, prepare_packages
from .places import Places, get_addons, write_private
from .postgres import get_server, running
from .progress import say, step

NAME, STORE, PORTAL = "apart", "store", "portal"
#: What is installed in each database, with what these need.
STORE_ADDONS = (
    "spar_mapper",
    "spar_g2p_connect",
    "spar_confirmation",
    "spar_staff_login",
)
PORTAL_ADDONS = ("spar_self_service",)
#: What a portal is at the store.
PORTAL_NAME, PORTAL_ID = "Payments of Tavoria", "portal.demo.example"
LOGINS_SCRIPT = Path(__file__).with_name("apart_logins.py")
ADMISSION_SCRIPT = Path(__file__).with_name("apart_admission.py")
BACKEND_SCRIPT = Path(__file__).with_name("apart_backend.py")
STORE_SCRIPT = Path(__file__).with_name("apart_store.py")


@dataclass(frozen=True)
class Apart:
    """The two installations, on one PostgreSQL."""

    folder: Path
    store: Installation
    portal: Installation

    @property
    def facts_file(self) -> Path:
        """Return the file of what the databases contain: it exists once both do."""
        return self.folder / "facts.json"

    def read_facts(self) -> dict | None:
        """Return what the databases contain; None if they are not complete."""
        try:
            facts = json.loads(self.facts_file.read_text())
        except (FileNotFoundError, ValueError):
            return None
        return facts if isinstance(facts, dict) and "digest" in facts else None

    def get_facts(self) -> dict:
        """Return what the databases contain.

        :raises Failure: if they are not complete
        """
        if (facts := self.read_facts()) is None:
            raise Failure("There is no such demo yet: run ./spar demo --apart.")
        return facts

    def write_facts(self, facts: dict) -> None:
        write_private(self.facts_file, json.dumps(facts))


def get_apart(places: Places) -> Apart:
    """Return both installations, with everything that they need installed.

    :raises Failure: when a requirement is not met
    """
    source = get_odoo(places)
    prepare_packages(places, source, testing=False)
    prepare_id_provider(places)
    folder = places.state / NAME
    server = get_server(folder / "postgres", get_postgres_binaries(places))

    def build(name: str) -> Installation:
        database = get_database_name(folder / name, server, f"spar_{name}")
        return Installation(places, source, server, folder / name, database)

    return Apart(folder, build(STORE), build(PORTAL))


# === MAKING === #


def prepare_apart(places: Places) -> Apart:
    """Return the demo, ready to be served; a broken first run starts over.

    One that was made from other code is set aside, and a new one is made.

    :raises Failure: stating what to do
    """
    apart = get_apart(places)
    digest = get_digest(places.root)
    facts = apart.read_facts()
    if facts is not None:
        check_server(apart.folder, apart.folder / STORE)
    if facts is not None and facts["digest"] == digest:
        return apart
    if facts is not None:
        place = _set_aside(apart)
        say(f"- The demo was made from other code: it stays in {place}")
        apart = get_apart(places)
    _make(apart, digest)
    return apart


def _set_aside(apart: Apart) -> Path:
    """Move the databases with their keys to a dated folder; return that folder."""
    apart.store.server.stop()
    place = apart.folder.with_name(f"{NAME}-{datetime.now():%Y-%m-%d-%H%M%S}")
    place.mkdir(mode=0o700)
    # The facts are moved first: without them, whatever is left is made anew.
    for name in (apart.facts_file.name, "postgres", STORE, PORTAL):
        if (path := apart.folder / name).exists():
            path.rename(place / name)
    return place


def _make(apart: Apart, digest: str) -> None:
    """Make both databases from scratch; their facts are written last."""
    with running(apart.store.server, hasty=True):
        with step("Making the demo's two databases (takes some minutes)"):
            with ThreadPoolExecutor(2) as pool:
                made = [
                    pool.submit(_install, apart.store, STORE_ADDONS),
                    pool.submit(_install, apart.portal, PORTAL_ADDONS),
                ]
            for each in made:
                each.result()
        with step("Making the demo's passwords and secrets"):
            store = apart.store.run_script(SCRIPT)
            apart.store.run_script(STORE_SCRIPT)
            portal = apart.portal.run_script(LOGINS_SCRIPT)
    check_counts(store, STORE_COUNTS, STORE_ROLES)
    check_staff(portal, PORTAL_ROLES)
    apart.write_facts({STORE: store, PORTAL: portal, "digest": digest})


def _install(installation: Installation, addons: Sequence[str]) -> None:
    installation.create()
    ours = get_addons(installation.places.root)
    installation.install_suite(
        demo=True, only=[name for name in addons if name in ours]
    )


# === PARTNERS === #


def build_idp_facts(store: dict, portal: dict) -> dict:
    """Return what the ID provider is configured with: clients of both, and people."""
    idp = {**store["idp"], "clients": portal["idp"]["clients"]}
    return {"beneficiaries": store["beneficiaries"], "idp": idp}


def build_backend(api: str, participant: dict) -> dict:
    """Return the settings of a mapper backend that calls the store at ``api``.

    :param participant: what the caller is there: sender ID and client credentials
    """
    return {
        "url": api,
        "sender_id": participant["sender_id"],
        "authentication": "oauth2",
        "token_url": f"{api}/oauth2/client/token",
        "client_id": participant["client_id"],
        "secret": participant["client_secret"],
        "answer_keys_url": f"{api}/.well-known/jwks.json",
    }


def admit_portal(store: Installation, portal: dict, url: str, issuer: str) -> dict:
    """Let a portal at ``url`` be a participant of the store; return its credentials.

    :param portal: what the portal's database contains
    """
    clients = portal["idp"]["clients"]
    document = {
        "name": PORTAL_NAME,
        "sender_id": PORTAL_ID,
        "public_jwk": portal["public_jwk"],
        "return_url": f"{url}/spar/confirmed",
        "client_ids": [client["metadata"]["client_id"] for client in clients],
        "issuer": issuer,
    }
    return store.run_script(ADMISSION_SCRIPT, SPAR_PORTAL=json.dumps(document))


def set_backend(installation: Installation, implementation: str, **values) -> str:
    """Let a mapper be called for all IDs; return what is wrong with the connection.

    :param values: of the backend; ``secret`` is stored sealed
    """
    document = json.dumps({"implementation": implementation, **values})
    made = installation.run_script(BACKEND_SCRIPT, SPAR_BACKEND=document)
    return made["problem"]


def record_store(apart: Apart, url: str, issuer: str) -> None:
    """Record the URLs of the store and of its ID provider, which must respond."""
    words = {"SPAR_DEMO_URL": url, "SPAR_DEMO_ISSUER": issuer}
    apart.store.run_script(ADDRESSES_SCRIPT, **words)


def introduce(apart: Apart, store_url: str, portal_url: str, issuer: str) -> None:
    """Let portal and store know each other at these URLs; the store must respond.

    :raises Failure: when the portal cannot call the store
    """
    facts = apart.get_facts()
    words = {"SPAR_DEMO_URL": portal_url, "SPAR_DEMO_ISSUER": issuer}
    apart.portal.run_script(ADDRESSES_SCRIPT, **words)
    participant = admit_portal(apart.store, facts[PORTAL], portal_url, issuer)
    values = build_backend(f"{store_url}{API}", participant)
    if problem := set_backend(apart.portal, "spar.mapper.spar", **values):
        raise Failure(f"The portal cannot call the store ({problem}). Run this again.")
