"""The opening of the store's rows: verify them, and return their content."""

from __future__ import annotations

from odoo.addons.spar_mapper_connector.exceptions import SealBroken
from odoo.addons.spar_mapper_connector.lib.contract import CallContext
from odoo.addons.spar_mapper_connector.lib.keyring import OpenKeyring

from ..exceptions import RowBroken
from ..lib import seals
from ..lib.chain import (
    describe,
    mac_head,
    mac_subject,
    mark_head,
    mark_id,
    read_marks,
)
from ..lib.records import (
    ADDRESS_COLUMNS,
    Head,
    PeriodRow,
    StoredAddress,
    Subject,
)
from .database import Row


def name_columns(alias: str, columns: tuple[str, ...]) -> str:
    """Return columns of a table as they stand in a SELECT."""
    return ", ".join([f"{alias}.{column}" for column in columns])


#: Columns of table ``s`` for :meth:`Opener.open_subject`; they are followed by the MAC
#: of the subject's newest event.
SUBJECT_COLUMNS = name_columns(
    "s",
    (
        "id",
        "uuid",
        "change_lock",
        "pay_stop",
        "merged_into",
        "last_seq",
        "last_mac",
        "marks",
        "mac",
    ),
)
NEWEST_MAC = """(SELECT e.mac FROM spar_event e
                  WHERE e.subject_id = s.id AND e.format > 1
                  ORDER BY e.seq DESC LIMIT 1)"""
SUBJECT_WIDTH = 10
#: Columns of table ``i`` for :meth:`Opener.open_id`.
ID_COLUMNS = name_columns("i", ("id", "uuid", "sealed", "active", "last_seq"))
ID_WIDTH = 5
#: Columns of table ``m`` for :meth:`Opener.open_head`.
HEAD_COLUMNS = name_columns(
    "m",
    (
        "id",
        "uuid",
        "purpose",
        "state",
        "version",
        "rank",
        "address_uuid",
        "state_since",
        "last_seq",
        "period_id",
        "address_version",
        "sealed",
        "mac",
        *ADDRESS_COLUMNS,
    ),
)
_PLAIN = 13
HEAD_WIDTH = _PLAIN + len(ADDRESS_COLUMNS)
#: The start of the head in rows of ID, subject, newest MAC and head, in this order.
HEAD_START = ID_WIDTH + SUBJECT_WIDTH

SUBJECT_ALTERED = "the person's record was altered"
SUBJECT_BEHIND = "the last event is missing or is not the one that the row names"
SUBJECT_LACKS = "some of the person's addresses or IDs are missing"
ID_ALTERED = "the ID cannot be decrypted: the row was moved or altered"
ID_OFF = "the ID was deactivated outside SPAR"
ID_OTHER = "the digest does not match the ID"
HEAD_ALTERED = "the address cannot be decrypted: the row was moved or altered"
HEAD_OLD = "the address has later events than the one that the row names"


class Opener:
    """Opens rows for a call, with the keys.

    :param call: on whose behalf; nothing is opened without one
    """

    def __init__(self, call: CallContext, keyring: OpenKeyring):
        self.call = call
        self.keyring = keyring

    def open_subject(self, row: Row) -> Subject:
        """Return the subject of a row; raises RowBroken.

        :param row: ``SUBJECT_COLUMNS`` and ``NEWEST_MAC``
        """
        row_id, uuid, lock, stop, merged, seq, last_mac, marks, mac, newest = row
        subject = Subject(
            uuid,
            row_id,
            lock,
            stop,
            merged,
            seq,
            bytes(last_mac or b""),
            read_marks(marks),
        )
        if bytes(mac or b"") != mac_subject(self.keyring, subject, marks or ""):
            raise RowBroken("spar_subject", row_id, SUBJECT_ALTERED)
        if subject.last_mac != bytes(newest or b""):
            raise RowBroken("spar_subject", row_id, SUBJECT_BEHIND)
        return subject

    def open_id(self, subject: Subject, row: Row, expected: str | None = None) -> str:
        """Return the canonical ID of a row; raises RowBroken.

        :param row: ``ID_COLUMNS``
        :param expected: the ID by whose digest the row was found
        """
        canonical, _typed = self.read_id(subject, row)
        if expected is not None and not row[3]:
            raise RowBroken("spar_subject_id", row[0], ID_OFF)
        if expected is not None and canonical != expected:
            raise RowBroken("spar_subject_id", row[0], ID_OTHER)
        return canonical

    def read_id(self, subject: Subject, row: Row) -> tuple[str, str]:
        """Return the canonical ID of a row, and its previous stored text.

        A deactivated ID opens, too; it cannot be found by its digest. Raises RowBroken.

        :param row: ``ID_COLUMNS``
        """
        row_id, uuid, sealed, active, last_seq = row
        context = seals.id_context(uuid, subject.uuid, bool(active), last_seq or 0)
        try:
            text = self.keyring.unseal(seals.ID, bytes(sealed or b""), context)
        except SealBroken as error:
            problem = ID_ALTERED if active else ID_OFF
            raise RowBroken("spar_subject_id", row_id, problem) from error
        if subject.marks.get(mark_id(row_id)) != last_seq:
            raise RowBroken("spar_subject_id", row_id, ID_ALTERED)
        return seals.split_id(text)

    def open_head(self, subject: Subject, row: Row) -> Head:
        """Return the head of a row with its address, if it has one; raises RowBroken.

        :param row: ``HEAD_COLUMNS``
        """
        row_id, uuid, purpose, state, version, rank, address_uuid = row[:7]
        since, last_seq, period_id, address_version, sealed, mac = row[7:_PLAIN]
        head = Head(
            uuid, purpose, state, version, rank, None, address_uuid, since, last_seq
        )
        head.row_id = row_id
        # Of the present period, only this and the fact that it has this address are
        # needed.
        head.period = PeriodRow(last_seq, period_id, state, version, address_uuid)
        try:
            if sealed is not None:
                head.address = self.open_address(
                    subject, address_uuid, address_version, sealed, row[_PLAIN:]
                )
        except SealBroken as error:
            raise RowBroken("spar_mapping", row_id, HEAD_ALTERED) from error
        head.description = describe(subject.uuid, head)
        if bytes(mac or b"") != mac_head(self.keyring, head.description, last_seq):
            raise RowBroken("spar_mapping", row_id, HEAD_ALTERED)
        if subject.marks.get(mark_head(row_id)) != last_seq:
            raise RowBroken("spar_mapping", row_id, HEAD_OLD)
        return head

    def open_address(
        self, subject: Subject, uuid: str, version: int, sealed: bytes, plain: Row
    ) -> StoredAddress:
        """Return an address; raises SealBroken.

        :param plain: ``ADDRESS_COLUMNS``
        """
        sealed = bytes(sealed)
        context = seals.address_context(uuid, subject.uuid, version)
        text = self.keyring.unseal(seals.ADDRESS, sealed, context)
        form, key, typed, text = seals.split_address(text)
        fa, details, packed = seals.split(text)
        # By position, in the order of the fields: by name it costs twice as much.
        rest: Row = (details, key, typed, form, sealed, "", (details, packed))
        return StoredAddress(uuid, version, fa, *plain, *rest)


def check_complete(subject: Subject, heads: int) -> None:
    """Raise RowBroken if fewer places were found than the subject's marks name."""
    if len([name for name in subject.marks if name[0] == "h"]) != heads:
        raise RowBroken("spar_subject", subject.row_id, SUBJECT_LACKS)
