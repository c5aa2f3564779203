"""The paths of beneficiaries', officers' and account pages."""

from __future__ import annotations

import re

from odoo.addons.spar_staff_login.lib.hosts import LOGIN_PATHS, is_below

OUR_PATH, API_PATH, AGENT_PATH = "/spar", "/spar/v1", "/spar/agent"
#: Pages of Odoo's portal on which users change their own data and login.
ACCOUNT_PATHS = (
    "/my/account",
    "/my/address",
    "/my/addresses",
    "/my/deactivate_account",
    "/my/security",
)


def is_our_page(path: str) -> bool:
    """Return whether a path belongs to the beneficiaries' pages.

    >>> is_our_page("/spar"), is_our_page("/spar/change"), is_our_page("/sparrow")
    (True, True, False)
    >>> is_our_page("/spar/v1/mapper/link")
    False
    """
    return _is_below(path, OUR_PATH) and not _is_below(path, API_PATH)


def looks_like_ours(path: str) -> bool:
    """Return whether people take a path for one of ours, or for the login.

    >>> [looks_like_ours(path) for path in ("/spar/x", "/SPAR/x", "/spar.", "/sparrow")]
    [True, True, True, False]
    >>> looks_like_ours("/Web/Login"), looks_like_ours("/web/second-factor/zz")
    (True, True)
    """
    path = path.strip().lower()
    first = path.lstrip("/").partition("/")[0]
    return is_below(path, LOGIN_PATHS) or re.sub(r"[\W_]", "", first) == OUR_PATH[1:]


def is_agent_page(path: str) -> bool:
    """Return whether a path belongs to an officer's pages.

    >>> is_agent_page("/spar/agent/1/kind"), is_agent_page("/spar/agents")
    (True, False)
    """
    return _is_below(path, AGENT_PATH)


def is_account_page(path: str) -> bool:
    """Return whether a path belongs to Odoo's pages about one's own user.

    >>> is_account_page("/my/address/submit"), is_account_page("/my/home")
    (True, False)
    """
    return any(_is_below(path, own) for own in ACCOUNT_PATHS)


def _is_below(path: str, place: str) -> bool:
    return path == place or path.startswith(f"{place}/")
