"""Making the demo's database, and keeping it true to the code."""

import hashlib
import json
import os
import secrets
from pathlib import Path

from .demo_facts import check_counts
from .errors import DemoIncomplete
from .id_provider import prepare_id_provider
from .installation import Installation
from .odoo_source import get_odoo
from .packages import get_postgres_binaries, prepare_packages
from .places import Places, get_addons, write_private
from .postgres import Cluster, ExternalServer, get_server, running
from .progress import say, step

SCRIPT = Path(__file__).with_name("demo_secrets.py")
ADDRESSES_SCRIPT = Path(__file__).with_name("demo_addresses.py")


def get_folder(places: Places) -> Path:
    return places.state / "demo"


def get_facts_file(places: Places) -> Path:
    """What the database holds; there once the demo was made whole."""
    return get_folder(places) / "facts.json"


def get_database_name(folder: Path, server: ExternalServer, wanted: str) -> str:
    """A database's name: one's own on a shared server, kept from run to run."""
    if isinstance(server, Cluster):
        return wanted
    note = folder / "database-name"
    if not note.exists():
        write_private(note, f"{wanted}_{secrets.token_hex(4)}")
    return note.read_text()


def get_installation(places: Places) -> Installation:
    """The demo's database and Odoo, with all that must be on the machine for it.

    :raises Failure: when something of it cannot be had
    """
    source = get_odoo(places)
    prepare_packages(places, source, testing=False)
    prepare_id_provider(places)
    folder = get_folder(places)
    server = get_server(folder / "postgres", get_postgres_binaries(places))
    name = get_database_name(folder, server, "spar_demo")
    return Installation(places, source, server, folder, name)


def get_digest(root: Path) -> str:
    """A digest of everything in the addons that a database is made from."""
    digest = hashlib.sha256()
    for addon in get_addons(root):
        for path in sorted((root / addon).rglob("*")):
            kept = "tests" not in path.parts and "__pycache__" not in path.parts
            if kept and path.is_file():
                digest.update(str(path.relative_to(root)).encode())
                digest.update(path.read_bytes())
    return digest.hexdigest()


def _write_facts(installation: Installation, facts: dict) -> None:
    root = installation.places.root
    known = {"digest": get_digest(root), "addons": get_addons(root)}
    facts_file = get_facts_file(installation.places)
    write_private(facts_file, json.dumps({**facts, **known}))


def tell_addresses(installation: Installation, url: str, issuer: str) -> None:
    """Tell the database where the demo and its ID provider are, unless it knows.

    :raises Failure: when the provider's own description cannot be read
    """
    facts_file = get_facts_file(installation.places)
    facts = json.loads(facts_file.read_text())
    if facts.get("addresses") == [url, issuer]:
        return
    words = {"SPAR_DEMO_URL": url, "SPAR_DEMO_ISSUER": issuer}
    installation.run_script(ADDRESSES_SCRIPT, **words)
    write_private(facts_file, json.dumps({**facts, "addresses": [url, issuer]}))


def _make_secrets(installation: Installation) -> dict:
    """Fresh passwords and secrets, and what the demo holds.

    :raises Failure: when the demo data did not load
    """
    with step("Making the demo's passwords and secrets"):
        facts = installation.run_script(SCRIPT)
    check_counts(facts)
    return facts


def _make(installation: Installation) -> None:
    """Make the demo's database from nothing; its facts are written last."""
    with running(installation.server, hasty=True):
        with step("Making the demo's database (takes a minute or two)"):
            installation.create()
            installation.install_suite(demo=True)
        facts = _make_secrets(installation)
    os.sync()  # what was made in haste is on the disk before it counts as made
    _write_facts(installation, facts)


def _upgrade(installation: Installation, facts: dict) -> None:
    """Bring a demo that was made from other code to the code of now."""
    addons = get_addons(installation.places.root)
    with running(installation.server):
        with step("The addons have changed: upgrading the demo's database"):
            # First what is there: a new addon is loaded together with all of it.
            installation.upgrade([name for name in addons if name in facts["addons"]])
            if new := [name for name in addons if name not in facts["addons"]]:
                installation.install(new, demo=True)
        _write_facts(installation, _make_secrets(installation))


def _renew(installation: Installation, facts: dict) -> None:
    """Upgrade a demo, or make it anew: Odoo loads no demo data into what is there."""
    try:
        _upgrade(installation, facts)
    except DemoIncomplete:
        say("- The upgraded demo lacks what is new in it: making it anew")
        get_facts_file(installation.places).unlink()
        _make(installation)


def prepare_demo(places: Places) -> Installation:
    """The demo, ready to be served; a broken first run begins again.

    :raises Failure: saying what to do
    """
    installation = get_installation(places)
    facts_file = get_facts_file(places)
    if not facts_file.exists():
        _make(installation)
    elif (facts := json.loads(facts_file.read_text()))["digest"] != get_digest(
        places.root
    ):
        _renew(installation, facts)
    return installation
