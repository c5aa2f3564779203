"""Serving the demo that has everything in one database."""

import json
import signal
from collections.abc import Callable
from dataclasses import replace

from .demo import (
    get_facts_file,
    get_installation,
    prepare_demo,
    record_addresses,
)
from .demo_facts import build_demo_file, build_greeting
from .demo_kind import DemoKind, ServingOptions
from .front_server import FrontServer, build_fronted_odoo
from .id_provider import IdProvider, build_config, choose_port
from .installation import Installation
from .odoo_server import SIGNALS, Keeper
from .places import Places, write_private
from .postgres import running


def _write_demo_file(installation: Installation, url: str, issuer: str) -> None:
    facts = json.loads(get_facts_file(installation.places).read_text())
    name = installation.database
    dsn = installation.server.get_dsn(name)
    document = build_demo_file(facts, url, issuer, name, dsn)
    write_private(installation.places.demo_file, json.dumps(document, indent=2) + "\n")


def _build_id_provider(installation: Installation, url: str) -> IdProvider:
    facts = json.loads(get_facts_file(installation.places).read_text())
    folder = installation.folder
    config = build_config(facts, url, choose_port(folder))
    return IdProvider(installation.places, folder, config)


def _build_keeper(
    installation: Installation, port: int, workers: int
) -> tuple[Keeper, FrontServer, IdProvider]:
    odoo, front = build_fronted_odoo(installation, port, workers)
    id_provider = _build_id_provider(installation, front.url)
    keeper = Keeper(odoo, installation.server, (front, id_provider))
    return keeper, front, id_provider


def _start(
    keeper: Keeper,
    front: FrontServer,
    id_provider: IdProvider,
    installation: Installation,
) -> None:
    """Start the ID provider, record both URLs in Odoo, start Odoo and its front."""
    id_provider.start()
    id_provider.wait(keeper.ending)
    record_addresses(installation, front.url, id_provider.issuer)
    front.start()
    keeper.odoo.start()
    keeper.odoo.wait(keeper.ending)
    front.wait(keeper.ending)
    _write_demo_file(installation, front.url, id_provider.issuer)


def _serve(
    places: Places, options: ServingOptions, when_ready: Callable[[], None]
) -> None:
    """Serve the demo until a signal ends it, leaving no process behind.

    :param when_ready: called once, when Odoo responds
    """
    installation = replace(
        get_installation(places), second_factor=options.second_factor
    )
    with running(installation.server):
        keeper, front, id_provider = _build_keeper(
            installation, options.port, options.workers
        )
        for number in SIGNALS:
            signal.signal(number, lambda *_received: keeper.ending.set())
        try:
            _start(keeper, front, id_provider, installation)
            when_ready()
            keeper.keep()
        finally:
            keeper.stop()


def _describe(places: Places) -> list[str]:
    return build_greeting(json.loads(places.demo_file.read_text()))


ONE = DemoKind("demo", (), 1, ("",), prepare_demo, _serve, _describe)
