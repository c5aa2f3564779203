"""The demo's OpenID provider: npm's ``oidc-provider`` with its own pages (``idp/``)."""

import hashlib
import json
import secrets
import shutil
from pathlib import Path

from .commands import run
from .machine import get_free_port, is_port_free
from .odoo_server import Companion
from .packages import get_node_binaries, get_npm
from .places import Places, write_private
from .progress import step

SOURCES = Path(__file__).with_name("idp")


class IdProvider(Companion):
    """The provider as a running process."""

    name = "The demo's ID provider"
    path = "/.well-known/openid-configuration"

    def __init__(self, places: Places, folder: Path, config: dict):
        file = folder / "idp.conf"
        write_private(file, json.dumps(config))
        node = get_node_binaries(places) / "node"
        script = _get_folder(places) / "server.mjs"
        env = {"NODE_ENV": "production"}
        super().__init__(file, [node, script, file], env, config["port"])
        # A host other than Odoo's: for browsers the login is cross-site, as in
        # production.
        self.issuer = config["issuer"]


def _get_folder(places: Places) -> Path:
    """Return the folder where the provider runs, beside its npm packages."""
    return places.state / "idp"


def prepare_id_provider(places: Places) -> None:
    """Install the packages pinned in npm's lock file, unless they are installed.

    :raises Failure: when there is no network or no room
    """
    folder = _get_folder(places)
    stamp, lock = folder / ".installed", SOURCES / "package-lock.json"
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()
    shutil.copytree(SOURCES, folder, dirs_exist_ok=True)
    if stamp.exists() and stamp.read_text() == digest:
        return
    with step("Getting the demo's ID provider"):
        words = [
            "ci",
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
            "--loglevel=error",
        ]
        run(
            [*get_npm(places), *words],
            cwd=folder,
            log=places.logs / "npm.log",
            failing="Cannot get the demo's ID provider: check the network and npm's "
            "settings and run this again",
        )
    stamp.write_text(digest)


def choose_port(folder: Path) -> int:
    """Return the previously used port if it is free, so that URLs stay the same."""
    note = folder / "idp-port"
    if note.exists() and is_port_free(port := int(note.read_text())):
        return port
    port = get_free_port()
    note.parent.mkdir(parents=True, exist_ok=True)
    note.write_text(str(port))
    return port


def build_config(facts: dict, url: str, port: int, store_url: str = "") -> dict:
    """Return the provider's configuration: its clients at ``url``, and its people.

    :param facts: what the demo's database contains
    :param store_url: where the store's own page is, if it is not at ``url``
    """
    idp = facts["idp"]
    # A demo from before there was a page of confirmation has no client for it.
    confirming = idp.get("confirmation_clients", ())
    return {
        "issuer": f"http://localhost:{port}",
        "port": port,
        "salt": secrets.token_hex(16),
        "clients": [
            *(_build_client(client, url) for client in idp["clients"]),
            *(_build_client(client, store_url or url) for client in confirming),
        ],
        "people": [
            _build_person(person)
            for person in [*facts["beneficiaries"], *idp["newcomers"]]
        ],
    }


def _build_client(client: dict, url: str) -> dict:
    return {
        "grant_types": ["authorization_code"],
        "response_types": ["code"],
        "redirect_uris": [url + client["redirect_path"]],
        "post_logout_redirect_uris": [url + client["logout_path"]],
        **client["metadata"],
    }


def _build_person(person: dict) -> dict:
    number = person["individual_id"]
    return {
        "individual_id": number,
        "otp": person["otp"],
        "name": person["name"],
        "email": f"{number}@people.example",
        "phone_number": f"+999{number[-9:]}",
    }
