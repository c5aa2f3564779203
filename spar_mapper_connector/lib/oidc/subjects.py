"""Whether one person has one subject (``sub``) at all clients of a registry.

A provider with pairwise subjects gives each *sector* of clients another subject for the
same person (OpenID Connect Core 8.1). Where the ID is the subject, clients of several
sectors make several people of one. A sector has a document that lists the redirect URLs
of all its clients (``sector_identifier_uri``).
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from .discovery import get_origin

PUBLIC, PAIRWISE, BOTH = "public", "pairwise", "both"
#: Problems: nobody knows, the clients differ, they may differ.
UNKNOWN, DIFFERS, MAY_DIFFER = "unknown", "differs", "may_differ"
MAX_BYTES = 256 * 1024


class SectorUnreadable(ValueError):
    """A document is not the list of a sector."""


def choose_kind(offered: Iterable[str]) -> str:
    """Return the kind of the subjects that a provider's metadata offers; "" if none.

    >>> choose_kind(["public"]), choose_kind(["pairwise", "public"]), choose_kind([])
    ('public', 'both', '')
    """
    known = [kind for kind in (PUBLIC, PAIRWISE) if kind in set(offered)]
    return BOTH if len(known) > 1 else "".join(known)


def find_problem(claim: str, kind: str, clients: int, sector: str) -> str:
    """Return why one person may have several IDs, "" for no reason.

    :param claim: the claim that holds the ID
    :param kind: the kind of the provider's subjects
    :param clients: how many clients' logins count
    :param sector: the address of the sector's document, or ""

    >>> find_problem("individual_id", PAIRWISE, 3, ""), find_problem("sub", "", 1, "")
    ('', '')
    >>> find_problem("sub", PAIRWISE, 2, ""), find_problem("sub", BOTH, 2, "")
    ('differs', 'may_differ')
    >>> find_problem("sub", "", 2, ""), find_problem("sub", PUBLIC, 2, "")
    ('unknown', '')
    >>> find_problem("sub", PAIRWISE, 2, "https://store.example/sector.json")
    ''
    """
    if claim != "sub" or clients < 2 or sector or kind == PUBLIC:
        return ""
    return {PAIRWISE: DIFFERS, BOTH: MAY_DIFFER}.get(kind, UNKNOWN)


def read_sector(body: bytes) -> tuple[str, ...]:
    """Return the redirect URLs of a sector; raises SectorUnreadable.

    >>> read_sector(b'["https://a.example/back"]')
    ('https://a.example/back',)
    >>> read_sector(b'{"redirect_uris": []}')
    Traceback (most recent call last):
    ...
    odoo.addons.spar_mapper_connector.lib.oidc.subjects.SectorUnreadable: not a list
    """
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        raise SectorUnreadable("not JSON") from None
    if not isinstance(document, list):
        raise SectorUnreadable("not a list")
    return tuple(each for each in document if isinstance(each, str))


def find_missing(
    listed: Iterable[str], redirects: Iterable[str], sites: Iterable[str]
) -> list[str]:
    """Return which redirect URLs, and which other sites, a sector does not list.

    Of a site elsewhere only an address is known, not the whole redirect URL.

    >>> listed = ["https://a.example/back/1", "https://b.example/oidc"]
    >>> find_missing(listed, ["https://a.example/back/2"], ["https://b.example/spar"])
    ['https://a.example/back/2']
    >>> find_missing(listed, [], ["https://c.example/spar/confirmed"])
    ['https://c.example']
    """
    known = tuple(listed)
    origins = {get_origin(each) for each in known}
    missing = [each for each in redirects if each not in known]
    for site in sites:
        if get_origin(site) not in origins:
            missing.append("://".join(get_origin(site)))
    return list(dict.fromkeys(missing))
