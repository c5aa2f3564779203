"""Fixtures of the tests against a real server."""

import shutil
from collections.abc import Iterator
from dataclasses import replace

import pytest

from setup.demo import ADDRESSES_SCRIPT
from setup.errors import Failure
from setup.id_provider import IdProvider, build_config
from setup.machine import get_free_port
from setup.places import get_places
from setup.pytest_spar import MISSING_BROWSER
from setup.testing import get_test_server

from .client import Client
from .hostile_portal import CLIENT
from .person import ProviderAtWork
from .real_server import RealServer
from .second_server import SecondServer, second_server

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@pytest.fixture(scope="session")
def server() -> Iterator[RealServer]:
    """Yield Odoo with two workers and a PostgreSQL that tests may stop.

    Fails at the end if its log contains a warning or an error that no test expected.
    """
    try:
        installation, facts = get_test_server(get_places())
    except Failure as failure:
        pytest.exit(str(failure), returncode=1)
    real = RealServer(installation, facts, get_free_port())
    real.start()
    try:
        yield real
        unexpected = real.get_unexpected()
    finally:
        real.stop()
    assert not unexpected, "\n".join(unexpected)


@pytest.fixture(scope="session")
def second() -> Iterator[SecondServer]:
    """Yield a second Odoo: programmes and pages in a database without the store."""
    with second_server() as running:
        yield running


@pytest.fixture
def programme(server: RealServer) -> Client:
    """Return the participant with every right and no daily limit."""
    return server.get_client("programme")


@pytest.fixture
def payer(server: RealServer) -> Client:
    """Return the participant that may only resolve, and receives details."""
    return server.get_client("payer")


@pytest.fixture
def bank(server: RealServer) -> Client:
    """Return the participant that may link and update, and resolves to yes or no."""
    return server.get_client("bank")


@pytest.fixture(scope="session")
def browser() -> str:
    """Return the path of a Chromium; the test fails if there is none."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if not found:
        pytest.fail(MISSING_BROWSER, pytrace=False)
    return found


@pytest.fixture(scope="session")
def id_provider(server: RealServer) -> Iterator[ProviderAtWork]:
    """Yield the running ID provider of the demo, with the server as its client."""
    idp = server.facts["idp"]
    facts = {**server.facts, "idp": {**idp, "clients": [*idp["clients"], CLIENT]}}
    config = build_config(facts, server.url, get_free_port())
    running = IdProvider(get_places(), server.installation.folder, config)
    running.start()
    try:
        running.wait()
        addresses = {"SPAR_DEMO_URL": server.url, "SPAR_DEMO_ISSUER": running.issuer}
        server.installation.run_script(ADDRESSES_SCRIPT, **addresses)
        built = ProviderAtWork.build(server.facts, server.url, running.issuer)
        yield replace(built, running=running)
    finally:
        running.stop()
