"""Making the demo's database, and keeping it in step with the code."""

import contextlib
import hashlib
import json
import os
import secrets
from pathlib import Path

from .demo_aside import (
    DATABASE_NOTE,
    finish_moving,
    get_dated_name,
    set_aside,
    take_back,
)
from .demo_facts import check_counts
from .demo_upgrade import SECRETS_SCRIPT, upgrade
from .errors import Failure, ServerUnavailable
from .id_provider import prepare_id_provider
from .installation import Installation
from .odoo_source import get_odoo
from .packages import get_postgres_binaries, prepare_packages
from .places import Places, get_addons, write_private
from .postgres import Cluster, ExternalServer, get_server, running
from .progress import say, step

SCRIPT = SECRETS_SCRIPT
ADDRESSES_SCRIPT = Path(__file__).with_name("demo_addresses.py")


def get_folder(places: Places) -> Path:
    return places.state / "demo"


def get_facts_file(places: Places) -> Path:
    """Return the file of the database's facts, which exists once the demo is made."""
    return get_folder(places) / "facts.json"


def get_database_name(folder: Path, server: ExternalServer, wanted: str) -> str:
    """Return the database's name: unique on a shared server, and stable across runs."""
    if isinstance(server, Cluster):
        return wanted
    note = folder / DATABASE_NOTE
    if not note.exists():
        write_private(note, f"{wanted}_{secrets.token_hex(4)}")
    return note.read_text()


def get_installation(places: Places) -> Installation:
    """Return the demo's database and Odoo, with everything that they need installed.

    :raises Failure: when a requirement is not met
    """
    source = get_odoo(places)
    prepare_packages(places, source, testing=False)
    prepare_id_provider(places)
    folder = get_folder(places)
    server = get_server(folder / "postgres", get_postgres_binaries(places))
    name = get_database_name(folder, server, "spar_demo")
    return Installation(places, source, server, folder, name)


def get_digest(root: Path) -> str:
    """Return a digest of everything in the addons that a database is made from."""
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


def record_addresses(installation: Installation, url: str, issuer: str) -> None:
    """Record the URLs of the demo and its ID provider in the database, if they changed.

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
    """Make new passwords and secrets; return what the demo contains.

    :raises Failure: when the demo data did not load
    """
    with step("Making the demo's passwords and secrets"):
        facts = installation.run_script(SCRIPT)
    check_counts(facts)
    return facts


def _make(installation: Installation) -> None:
    """Make the demo's database from scratch; its facts are written last."""
    with running(installation.server, hasty=True):
        with step("Making the demo's database (takes a minute or two)"):
            installation.create()
            installation.install_suite(demo=True)
        facts = _make_secrets(installation)
    os.sync()  # written with fsync off: flush it before it counts as made
    _write_facts(installation, facts)


def _upgrade(installation: Installation, facts: dict) -> None:
    """Upgrade a demo that was made from other code to the current code."""
    with running(installation.server):
        upgraded = upgrade(installation, facts, get_facts_file(installation.places))
        _write_facts(installation, upgraded)


def _describe_location(installation: Installation, place: Path) -> str:
    """Return the location of a demo that was set aside."""
    if isinstance(installation.server, Cluster):
        return f"database, keyring and checkpoints stay in {place}"
    name = get_dated_name(installation.database, place)
    return f"keyring and checkpoints stay in {place}, its database is now called {name}"


def _replace(installation: Installation, problem: str) -> Installation:
    """Set a demo aside and make a new one; if that also fails, restore the old one."""
    places = installation.places
    place = set_aside(installation)
    problem = problem.replace(str(installation.folder), str(place))
    say(f"- The demo cannot be upgraded: {problem}")
    say(f"- Its {_describe_location(installation, place)}; making a new one")
    fresh = get_installation(places)
    try:
        _make(fresh)
    except (Failure, OSError) as failure:
        take_back(installation, fresh, place)
        raise Failure(
            "The demo cannot be upgraded and was not changed, because a new one "
            f"cannot be made either: {failure}"
        ) from failure
    return fresh


def _renew(installation: Installation, facts: dict) -> Installation:
    """Upgrade a demo; if that fails, set it aside and make a new one in its place.

    :raises Failure: when the server is unavailable, or no demo can be made at all
    """
    try:
        _upgrade(installation, facts)
    except ServerUnavailable:
        raise
    except (Failure, OSError) as problem:
        return _replace(installation, str(problem))
    return installation


def _read_facts(places: Places) -> dict | None:
    """Return the facts of the demo; None if there are none, empty if unreadable."""
    with contextlib.suppress(FileNotFoundError):
        try:
            facts = json.loads(get_facts_file(places).read_text())
        except ValueError:
            return {}
        return facts if isinstance(facts, dict) and "digest" in facts else {}
    return None


def check_server(folder: Path, noted: Path) -> None:
    """Check that a demo was made on the server that is now configured.

    :param noted: the folder with the name of its database on an external server
    :raises Failure: when it was made on another server
    """
    is_own = (folder / "postgres").exists()
    is_shared = (noted / DATABASE_NOTE).exists()
    if os.environ.get("PGHOST") and is_own and not is_shared:
        raise Failure(
            f"The demo's database is in .spar/{folder.name}: unset PGHOST to serve it."
        )
    if not os.environ.get("PGHOST") and is_shared and not is_own:
        raise Failure(
            "The demo's database is on an external server: set PGHOST as before."
        )


def prepare_demo(places: Places) -> Installation:
    """Return the demo, ready to be served; a broken first run starts over.

    :raises Failure: stating what to do
    """
    if (facts := _read_facts(places)) is not None:
        check_server(get_folder(places), get_folder(places))
    installation = get_installation(places)
    if place := finish_moving(installation):
        say(f"- A demo that could not be upgraded is in {place}")
        return prepare_demo(places)
    if facts is None:
        _make(installation)
    elif not facts:
        return _replace(installation, f"{get_facts_file(places)} cannot be read")
    elif facts["digest"] != get_digest(places.root):
        return _renew(installation, facts)
    return installation
