"""Who may change where a person is paid, as their row states it."""

from __future__ import annotations

from odoo.addons.spar_mapper_connector.exceptions import SealBroken
from odoo.addons.spar_mapper_connector.lib.contract import ChangeLock

from ..exceptions import RowBroken
from ..lib import seals
from .database import fetch
from .opening import ID_COLUMNS, ID_WIDTH, NEWEST_MAC, SUBJECT_COLUMNS
from .work import Work


def read_lock(work: Work, canonical: str) -> ChangeLock:
    """Return the lock of the owner of an ID, NONE for an unknown ID.

    Nothing is locked in the database. Raises SealBroken if the row was altered.
    """
    rows = fetch(
        work.cr,
        f"""SELECT {ID_COLUMNS}, {SUBJECT_COLUMNS}, {NEWEST_MAC}
              FROM spar_subject_id i JOIN spar_subject s ON s.id = i.subject_id
             WHERE i.digest_{work.keyring.roles.read_column} = %s""",
        work.keyring.digest(seals.ID, canonical),
    )
    if not rows:
        return ChangeLock.NONE
    opener = work.load().opener
    try:
        subject = opener.open_subject(rows[0][ID_WIDTH:])
        opener.open_id(subject, rows[0][:ID_WIDTH], canonical)
    except RowBroken as error:
        work.problems.append(error.problem)
        raise SealBroken("the person's record cannot be verified") from error
    return ChangeLock(subject.change_lock)
