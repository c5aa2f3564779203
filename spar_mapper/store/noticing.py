"""The one-time links of notices: each is good for its own notice, and no other."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from odoo.addons.spar_mapper_connector.exceptions import NoSuchNotice
from odoo.addons.spar_mapper_connector.lib.keyring import OpenKeyring, bind

from ..exceptions import RowBroken
from ..lib import audit
from ..lib.chain import bind_moment
from .database import Row, StoreCursor, build_array, build_bytes_array, fetch

_LINKS = """
    SELECT n.id, e.uuid, n.link_digest, n.link_expires_at, n.link_mac, e.kind,
           e.happened_at, e.id, e.seq, e.mapping_id, p.address_uuid,
           coalesce(o.uuid, c.uuid),
           coalesce(o.remedy, CASE WHEN c.id IS NOT NULL THEN 'noted' END),
           coalesce(o.state, c.state)
      FROM spar_notice n
      JOIN spar_event e ON e.id = n.event_id
      LEFT JOIN spar_mapping_period p ON p.id = e.period_id
      LEFT JOIN spar_objection o ON o.event_id = e.id
      LEFT JOIN spar_complaint c ON c.event_id = e.id
"""


class NoticeLink(NamedTuple):
    """A notice's link, the event behind it, and its case, if there is one.

    An event that concerns no address has neither ``head_id`` nor ``address_uuid``.
    """

    notice_id: int
    event_uuid: str
    digest: bytes
    expires_at: datetime
    mac: bytes | None
    kind: str
    happened_at: datetime
    event_id: int
    seq: int
    head_id: int | None
    address_uuid: str | None
    reference: str | None
    remedy: str | None
    state: str | None


def find_link(
    cr: StoreCursor, keyring: OpenKeyring, token: str, now: datetime
) -> NoticeLink:
    """Return what a token is for.

    Raises NoSuchNotice, and RowBroken if the link was set on another notice.
    """
    query = f"{_LINKS} WHERE n.link_digest = %s AND n.link_expires_at > %s"
    rows = fetch(cr, query, keyring.link_digest(token), now)
    if not rows:
        raise NoSuchNotice("unknown or expired")
    link = NoticeLink(*rows[0])
    if not _is_own(keyring, link):
        raise RowBroken("spar_notice", link.notice_id, audit.LINK_ALTERED)
    return link


def sign_links(
    cr: StoreCursor, keyring: OpenKeyring, notice_ids: Iterable[int]
) -> None:
    """Tie links to their notices."""
    query = f"{_LINKS} WHERE n.id = ANY(%s::bigint[])"
    links = [NoticeLink(*row) for row in fetch(cr, query, build_array(notice_ids))]
    macs = [_build_mac(keyring, link) for link in links]
    values: Row = (build_array([x.notice_id for x in links]), build_bytes_array(macs))
    cr.execute(
        """UPDATE spar_notice n SET link_mac = v.mac
             FROM unnest(%s::bigint[], %s::bytea[]) AS v (id, mac) WHERE n.id = v.id""",
        values,
    )


def find_altered_links(
    cr: StoreCursor, keyring: OpenKeyring, after: int, until: int
) -> list[audit.Finding]:
    """Return the notices of a range of events whose links are not their own."""
    query = f"""{_LINKS} WHERE n.event_id > %s AND n.event_id <= %s
                         AND n.link_digest IS NOT NULL"""
    links = [NoticeLink(*row) for row in fetch(cr, query, after, until)]
    return [
        ("spar_notice", link.notice_id, audit.LINK_ALTERED)
        for link in links
        if not _is_own(keyring, link)
    ]


def _is_own(keyring: OpenKeyring, link: NoticeLink) -> bool:
    return bytes(link.mac or b"") == _build_mac(keyring, link)


def _build_mac(keyring: OpenKeyring, link: NoticeLink) -> bytes:
    digest, until = bytes(link.digest).hex(), bind_moment(link.expires_at)
    return keyring.mac(
        "notice link", bind(link.notice_id, link.event_uuid, digest, until)
    )
