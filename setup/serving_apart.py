"""Serving the demo whose portal and store are apart: two servers, one ID provider."""

import json
import signal
from collections.abc import Callable
from dataclasses import dataclass, replace

from .apart import (
    NAME,
    PORTAL,
    STORE,
    Apart,
    build_idp_facts,
    get_apart,
    introduce,
    prepare_apart,
    record_store,
)
from .demo_facts import build_apart_file, build_apart_greeting
from .demo_kind import DemoKind, ServingOptions
from .front_server import FrontServer, build_fronted_odoo
from .id_provider import IdProvider, build_config, choose_port
from .odoo_server import SIGNALS, Keeper, OdooServer
from .places import Places, write_private
from .postgres import running


@dataclass(frozen=True)
class ApartServers:
    """The processes, and the URLs at which browsers reach them.

    Cookies do not depend on ports: portal and store have different hosts.
    """

    store: OdooServer
    store_front: FrontServer
    portal: OdooServer
    portal_front: FrontServer
    id_provider: IdProvider

    @property
    def store_url(self) -> str:
        return self.store_front.url

    @property
    def portal_url(self) -> str:
        return build_portal_url(self.portal_front.port)

    @property
    def beside(self) -> tuple:
        """Return what runs beside the store."""
        fronts = (self.store_front, self.portal_front)
        return (*fronts, self.id_provider, self.portal)


def build_portal_url(port: int) -> str:
    return f"http://localhost:{port}"


def _build_servers(apart: Apart, options: ServingOptions) -> ApartServers:
    """Return the portal at the given port, and the store at the next one."""
    port, workers = options.port, options.workers
    portal, portal_front = build_fronted_odoo(apart.portal, port, workers)
    store, store_front = build_fronted_odoo(apart.store, port + 1, workers)
    facts = apart.get_facts()
    config = build_config(
        build_idp_facts(facts[STORE], facts[PORTAL]),
        build_portal_url(port),
        choose_port(apart.folder),
        store_front.url,
    )
    id_provider = IdProvider(apart.store.places, apart.folder, config)
    return ApartServers(store, store_front, portal, portal_front, id_provider)


def _start(apart: Apart, servers: ApartServers, keeper: Keeper) -> None:
    """Start everything; portal and store get to know each other at their URLs."""
    urls = [servers.store_url, servers.portal_url, servers.id_provider.issuer]
    facts = apart.get_facts()
    is_known = facts.get("addresses") == urls
    servers.id_provider.start()
    servers.id_provider.wait(keeper.ending)
    if not is_known:
        record_store(apart, servers.store_url, servers.id_provider.issuer)
    servers.store_front.start()
    servers.store.start()
    servers.store.wait(keeper.ending)
    servers.store_front.wait(keeper.ending)
    if not is_known and not keeper.ending.is_set():
        introduce(apart, *urls)
        apart.write_facts({**facts, "addresses": urls})
    servers.portal_front.start()
    servers.portal.start()
    servers.portal.wait(keeper.ending)
    servers.portal_front.wait(keeper.ending)


def _write_description(apart: Apart, servers: ApartServers) -> None:
    facts = apart.get_facts()
    document = build_apart_file(
        facts[STORE],
        facts[PORTAL],
        servers.store_url,
        servers.portal_url,
        servers.id_provider.issuer,
        {
            part: {"name": each.database, "dsn": each.server.get_dsn(each.database)}
            for part, each in ((STORE, apart.store), (PORTAL, apart.portal))
        },
    )
    file = apart.store.places.apart_file
    write_private(file, json.dumps(document, indent=2) + "\n")


def _serve(
    places: Places, options: ServingOptions, when_ready: Callable[[], None]
) -> None:
    """Serve portal and store until a signal ends them, leaving no process behind."""
    found = get_apart(places)
    asks = {"second_factor": options.second_factor}
    apart = replace(
        found, store=replace(found.store, **asks), portal=replace(found.portal, **asks)
    )
    with running(apart.store.server):
        servers = _build_servers(apart, options)
        keeper = Keeper(servers.store, apart.store.server, servers.beside)
        for number in SIGNALS:
            signal.signal(number, lambda *_received: keeper.ending.set())
        try:
            _start(apart, servers, keeper)
            _write_description(apart, servers)
            when_ready()
            keeper.keep()
        finally:
            keeper.stop()


def _describe(places: Places) -> list[str]:
    return build_apart_greeting(json.loads(places.apart_file.read_text()))


APART = DemoKind(
    NAME, ("--apart",), 2, ("", STORE, PORTAL), prepare_apart, _serve, _describe
)
