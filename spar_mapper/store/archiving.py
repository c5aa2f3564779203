"""The archive of issuers' keys: read, extended and checked."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from odoo.addons.spar_mapper_connector.lib.jose.keys import PublicKey
from odoo.addons.spar_mapper_connector.lib.keyring import OpenKeyring

from ..lib import audit
from ..lib.key_archive import ArchivedKey, archive_key
from .database import Row, StoreCursor, copy_rows, fetch

TABLE = "spar_issuer_key"
#: How often it is noted that a key is still in use.
NOTED_EVERY = timedelta(hours=1)
#: The columns that never change.
COLUMNS = (
    "seq",
    "issuer",
    "kid",
    "thumbprint",
    "algorithms",
    "jwk",
    "certificates",
    "first_seen",
    "previous",
    "mac",
)
_ALL = f"SELECT {', '.join(COLUMNS)}, id, last_seen FROM {TABLE}"


def read_archive(cr: StoreCursor, issuer: str | None = None) -> list[ArchivedKey]:
    """Return the archived keys in their order: all, or those of one issuer."""
    condition = "" if issuer is None else "WHERE issuer = %s"
    values = () if issuer is None else (issuer,)
    rows = fetch(cr, f"{_ALL} {condition} ORDER BY seq", *values)
    return [ArchivedKey(*row) for row in rows]


def read_genuine(
    cr: StoreCursor, keyring: OpenKeyring, issuer: str | None = None
) -> list[ArchivedKey]:
    """Return the archived keys that the registry itself wrote."""
    return [key for key in read_archive(cr, issuer) if key.is_genuine(keyring)]


def note_keys(
    cr: StoreCursor,
    keyring: OpenKeyring,
    issuer: str,
    keys: Iterable[PublicKey],
    now: datetime,
) -> None:
    """Note that ``issuer`` uses ``keys``: new ones are archived."""
    known = {
        (key.kid, key.thumbprint): key for key in read_genuine(cr, keyring, issuer)
    }
    # ID token and userinfo may be signed with the same new key.
    for key in {(key.kid, key.thumbprint): key for key in keys}.values():
        archived = known.get((key.kid, key.thumbprint))
        if archived is None:
            _add(cr, keyring, issuer, key, now)
        elif archived.last_seen is None or archived.last_seen < now - NOTED_EVERY:
            _mark_seen(cr, archived, now)


def _add(
    cr: StoreCursor, keyring: OpenKeyring, issuer: str, key: PublicKey, now: datetime
) -> None:
    # One at a time: each row holds the MAC of the one before.
    cr.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", (TABLE,))
    rows = fetch(cr, f"SELECT seq, mac FROM {TABLE} ORDER BY seq DESC LIMIT 1")
    new = archive_key(key, issuer, now, rows[0] if rows else (0, ""))
    row: Row = (
        *(getattr(new, name) for name in COLUMNS[:-1]),
        new.build_mac(keyring),
        now,
    )
    copy_rows(cr, TABLE, (*COLUMNS, "last_seen"), [row])


def _mark_seen(cr: StoreCursor, key: ArchivedKey, now: datetime) -> None:
    """Move on when a key was last seen: the only value of the archive that changes."""
    cr.execute("SELECT set_config('spar.key_seen', 'yes', true)")
    cr.execute(
        f"""UPDATE {TABLE} SET last_seen = %s
             WHERE id = (SELECT id FROM {TABLE} WHERE id = %s AND last_seen < %s
                            FOR UPDATE SKIP LOCKED)""",
        (now, key.row_id, now),
    )
    cr.execute("SELECT set_config('spar.key_seen', '', true)")


def check_archive(cr: StoreCursor, keyring: OpenKeyring) -> list[audit.Finding]:
    """Return what is wrong with the archive: altered, added or missing keys."""
    found: list[audit.Finding] = []
    seq, previous = 0, ""
    for key in read_archive(cr):
        if not key.is_genuine(keyring):
            found.append((TABLE, key.row_id, audit.KEY_ALTERED))
        if (key.seq, key.previous) != (seq + 1, previous):
            found.append((TABLE, key.row_id, audit.KEY_GAP))
        seq, previous = key.seq, key.mac
    return found
