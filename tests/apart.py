"""The beneficiary's portal in one database and the store in another, with a login."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from setup.apart import PORTAL_ID, admit_portal, build_backend, build_idp_facts
from setup.demo import ADDRESSES_SCRIPT
from setup.id_provider import IdProvider, build_config
from setup.machine import get_free_port
from setup.places import get_places
from setup.serving_apart import build_portal_url

from .backend import get_backend
from .real_server import RealServer
from .second_server import SecondServer


@dataclass(frozen=True)
class PortalApart:
    """A portal at work, which is a participant of the store."""

    store: RealServer
    server: SecondServer
    newcomers: list[dict]

    @property
    def url(self) -> str:
        """Return where browsers find it: on another host than the store."""
        return build_portal_url(self.server.port)

    def count_events(self) -> int:
        return self.store.query("SELECT count(*) FROM spar_event")[0][0]


def set_addresses(server: RealServer, url: str, issuer: str) -> None:
    words = {"SPAR_DEMO_URL": url, "SPAR_DEMO_ISSUER": issuer}
    server.installation.run_script(ADDRESSES_SCRIPT, **words)


def revoke_keys(store: RealServer) -> None:
    """Revoke the portal's keys: another participant may use them afterwards."""
    administrator = get_backend(store, "administrator")
    domain = [("participant_id.sender_id", "=", PORTAL_ID), ("state", "=", "active")]
    keys = administrator.find("spar.participant.key", domain)
    ids = [key["id"] for key in keys]
    administrator.call("spar.participant.key", "action_revoke", ids)


@contextmanager
def portal_apart(store: RealServer, server: SecondServer) -> Iterator[PortalApart]:
    """Yield the second server as a portal of the store, as ``./spar demo --apart``.

    Afterwards the store's clients are at the ID provider where they were before.
    """
    query = "SELECT issuer FROM spar_confirmation_client WHERE enabled"
    before = store.query(query)
    portal = PortalApart(store, server, store.facts["idp"]["newcomers"])
    facts = build_idp_facts(store.facts, server.facts)
    config = build_config(facts, portal.url, get_free_port(), store.url)
    running = IdProvider(get_places(), server.installation.folder, config)
    running.start()
    try:
        running.wait()
        set_addresses(store, store.url, running.issuer)
        set_addresses(server, portal.url, running.issuer)
        participant = admit_portal(
            store.installation, server.facts, portal.url, running.issuer
        )
        values = build_backend(store.api, participant)
        assert server.set_backend("spar.mapper.spar", **values) == ""
        yield portal
        revoke_keys(store)
    finally:
        for (issuer,) in before:
            set_addresses(store, store.url, issuer)
        running.stop()
