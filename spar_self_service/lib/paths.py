"""Which pages are whose."""

from __future__ import annotations

OUR_PATH, API_PATH, AGENT_PATH = "/spar", "/spar/v1", "/spar/agent"
#: Where Odoo's portal lets people change who they are and how they log in.
ACCOUNT_PATHS = (
    "/my/account",
    "/my/address",
    "/my/addresses",
    "/my/deactivate_account",
    "/my/security",
)


def is_our_page(path: str) -> bool:
    """Whether a path is of the beneficiaries' pages.

    >>> is_our_page("/spar"), is_our_page("/spar/change"), is_our_page("/sparrow")
    (True, True, False)
    >>> is_our_page("/spar/v1/mapper/link")
    False
    """
    return _is_below(path, OUR_PATH) and not _is_below(path, API_PATH)


def is_agent_page(path: str) -> bool:
    """Whether a path is of an officer's pages.

    >>> is_agent_page("/spar/agent/1/kind"), is_agent_page("/spar/agents")
    (True, False)
    """
    return _is_below(path, AGENT_PATH)


def is_account_page(path: str) -> bool:
    """Whether a path is of Odoo's pages about one's own user.

    >>> is_account_page("/my/address/submit"), is_account_page("/my/home")
    (True, False)
    """
    return any(_is_below(path, own) for own in ACCOUNT_PATHS)


def _is_below(path: str, place: str) -> bool:
    return path == place or path.startswith(f"{place}/")
