"""The server's log is watched: no alarming line stays unnoticed."""

import re

import pytest
import requests

from .real_server import RealServer

ODD = "2026-01-01 10:00:00,000 7 WARNING db x: odd\n"
EVEN = "2026-01-01 10:00:01,000 7 ERROR db x: even\n"
CALM = "2026-01-01 10:00:02,000 7 INFO db x: calm\n"


@pytest.fixture
def watched(tmp_path):
    """Return a server that consists only of its log."""
    server = RealServer.__new__(RealServer)
    server.log, server._expected = tmp_path / "odoo.log", []
    server.log.write_text(CALM)
    return server


def write(server, *lines):
    with open(server.log, "a") as log:
        log.writelines(lines)


def test_unexpected_alarm_is_found(watched):
    write(watched, ODD)
    with watched.expecting("odd"):
        write(watched, ODD, CALM)
    write(watched, EVEN)
    assert watched.get_unexpected() == [ODD.strip(), EVEN.strip()]


def test_unexpected_alarm_fails(watched):
    with pytest.raises(AssertionError, match="even"), watched.expecting("odd"):
        write(watched, ODD, EVEN)


def test_inner_expectation_excuses_its_own_block(watched):
    with watched.expecting("odd"):
        write(watched, ODD)
        with watched.expecting("even"):
            write(watched, EVEN)
        write(watched, ODD)
    assert watched.get_unexpected() == []


def test_inner_expectation_does_not_excuse_the_outer_block(watched):
    with pytest.raises(AssertionError, match="even"), watched.expecting("odd"):
        with watched.expecting("even"):
            write(watched, EVEN)
        write(watched, EVEN)


def test_pages_do_not_wait_for_their_bundles(server):
    """The assets of a website page were built once for all databases of tests."""
    page = requests.get(f"{server.url}/web/signup", timeout=60).text
    links = set(re.findall(r"/web/assets/[^\"'?]+", page))
    made = server.query(
        "SELECT url FROM ir_attachment WHERE url = ANY(%s)", list(links)
    )
    assert {url for (url,) in made} == links and len(links) >= 3
