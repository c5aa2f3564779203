"""Paths of this site, as they come in from outside."""

from __future__ import annotations

import re

_LOCAL = re.compile(r"/spar(?:/[A-Za-z0-9/_-]*)?")
HOME = "/spar"


def get_local(path: str | None) -> str:
    """``path`` where it is one of our own pages, else our door.

    >>> get_local("/spar/history"), get_local("//evil.example"), get_local("/sparx")
    ('/spar/history', '/spar', '/spar')
    """
    return path if path and _LOCAL.fullmatch(path) else HOME
