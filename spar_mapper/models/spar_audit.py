from odoo import api, models
from odoo.tools import SQL

from odoo.addons.spar_mapper_connector.lib.keyring import OpenKeyring

from ..lib import audit, seals
from ..lib.records import MAPPING_COLUMNS, EventRow, MappingRow

ID_REMOVED = "its ID or its subject was removed"
CHANGE_DOES_NOT_OPEN = "the change does not open: it or its terms were altered"
MAPPING_REMOVED = "its mapping was removed"

_BATCH = 1000
_EVENT_COLUMNS = (
    "uuid seq kind actor on_behalf_of channel authenticated_by message_reference "
    "reason happened_at"
).split()
_EVENT_BYTES = "commitment_before commitment_after previous_mac mac".split()


class SparAudit(models.AbstractModel):
    """What of the store is not what the mapper left: one range of rows at a time.

    Each method takes a keyring, or none, and looks at the rows with an id behind
    ``after`` up to ``until``; it runs in one snapshot. ``spar.audit.run`` walks.
    """

    _name = "spar.audit"
    _description = "Integrity check"

    # === THE CHECK === #

    @api.model
    def _check_store(self) -> list[audit.Finding]:
        """Everything in the store that was tampered with: (table, row id, problem).

        Reads everything in this transaction. Each finding is also raised as an alarm.
        """
        run = self.env["spar.audit.run"]._start()
        return [finding for findings in run._walk() for finding in findings]

    @api.model
    def _cron_check(self) -> None:
        """The nightly check: in kept pieces, which go on where time ended."""
        run = self.env["spar.audit.run"]._get_nightly()
        cron = self.env["ir.cron"]
        for _findings in run._walk():
            if not cron._commit_progress(1, remaining=int(not run.finished_at)):
                return

    # === RANGES === #

    @api.model
    def _check_subjects(
        self, keyring: OpenKeyring, after: int, until: int
    ) -> list[audit.Finding]:
        """What is wrong with the subjects of a range and with all they have."""
        findings = self._search_switched_off(after, until)
        last_id = 0
        while batch := self._fetch_evidence(after, until, last_id):
            for evidence in batch:
                findings += audit.examine(keyring, evidence)
            last_id = batch[-1].row_id
        return findings

    @api.model
    def _check_events(
        self, _keyring: OpenKeyring, after: int, until: int
    ) -> list[audit.Finding]:
        """Events whose notice is gone, or whose mapping is, by the first of each."""
        rows = self.env.execute_query(
            SQL(
                """SELECT e.id FROM spar_event e
                     LEFT JOIN spar_mapping m ON m.id = e.mapping_id
                    WHERE e.id > %s AND e.id <= %s AND m.id IS NULL
                      AND NOT EXISTS (SELECT 1 FROM spar_event p
                                       WHERE p.mapping_id = e.mapping_id
                                         AND p.id < e.id)
                    ORDER BY 1""",
                after,
                until,
            )
        )
        found = [("spar_event", row_id, MAPPING_REMOVED) for (row_id,) in rows]
        return [*found, *self._search_lost_notices(after, until)]

    @api.model
    def _check_mappings(
        self, _keyring: OpenKeyring, after: int, until: int
    ) -> list[audit.Finding]:
        """Mappings whose ID or subject is gone, or whose changes are untrue."""
        rows = self.env.execute_query(
            SQL(
                """SELECT m.id FROM spar_mapping m
                     LEFT JOIN spar_subject_id i ON i.id = m.identifier_id
                     LEFT JOIN spar_subject s ON s.id = m.subject_id
                    WHERE m.id > %s AND m.id <= %s
                      AND (i.id IS NULL OR s.id IS NULL) ORDER BY 1""",
                after,
                until,
            )
        )
        found = [("spar_mapping", row_id, ID_REMOVED) for (row_id,) in rows]
        return [*found, *self._search_untrue_changes(after, until)]

    @api.model
    def _check_changes(
        self, keyring: OpenKeyring, after: int, until: int
    ) -> list[audit.Finding]:
        """Changes that wait and do not open."""
        query = SQL(
            """SELECT id, sealed FROM spar_change
                WHERE state = 'waiting' AND id > %s AND id <= %s ORDER BY id""",
            after,
            until,
        )
        rows = self.env.execute_query(query)
        ids = [row_id for row_id, _sealed in rows]
        contexts = self.env["spar.change"]._get_seal_contexts(keyring, ids)
        opened = seals.unseal_all(keyring, rows, contexts)
        broken = [row_id for row_id in ids if row_id not in opened]
        return [("spar_change", row_id, CHANGE_DOES_NOT_OPEN) for row_id in broken]

    # === READING === #

    @api.model
    def _fetch_evidence(
        self, after: int, until: int, last_id: int
    ) -> list[audit.Evidence]:
        """The next mappings of a range of subjects, with their IDs and events."""
        columns = [SQL.identifier("m", name) for name in MAPPING_COLUMNS]
        rows = self.env.execute_query_dict(
            SQL(
                """SELECT m.id, m.sealed, m.last_mac, m.fa_digest_a, m.fa_digest_b,
                          i.id AS identifier_id, i.uuid AS identifier_uuid,
                          i.sealed AS identifier_sealed, i.digest_a, i.digest_b,
                          holder.uuid AS identifier_subject, holder.change_lock,
                          holder.pay_stop, s.uuid AS subject_uuid, %s
                     FROM spar_mapping m
                     JOIN spar_subject_id i ON i.id = m.identifier_id
                     JOIN spar_subject holder ON holder.id = i.subject_id
                     JOIN spar_subject s ON s.id = m.subject_id
                    WHERE m.subject_id > %s AND m.subject_id <= %s AND m.id > %s
                    ORDER BY m.id LIMIT %s""",
                SQL(", ").join(columns),
                after,
                until,
                last_id,
                _BATCH,
            )
        )
        batch = {row["id"]: self._build_evidence(row) for row in rows}
        self._add_events(batch)
        return list(batch.values())

    @api.model
    def _build_evidence(self, row: dict) -> audit.Evidence:
        mapping = MappingRow(
            **{name: row[name] for name in MAPPING_COLUMNS},
            fa="",
            last_mac=bytes(row["last_mac"] or b""),
            row_id=row["id"],
        )
        return audit.Evidence(
            row_id=row["id"],
            row=mapping,
            sealed=bytes(row["sealed"] or b""),
            digests=_get_digests(row["fa_digest_a"], row["fa_digest_b"]),
            identifier_id=row["identifier_id"],
            identifier_uuid=row["identifier_uuid"],
            identifier_sealed=bytes(row["identifier_sealed"] or b""),
            identifier_digests=_get_digests(row["digest_a"], row["digest_b"]),
            identifier_subject=row["identifier_subject"],
            subject_uuid=row["subject_uuid"],
            change_lock=row["change_lock"],
            pay_stop=row["pay_stop"],
        )

    @api.model
    def _add_events(self, batch: dict[int, audit.Evidence]) -> None:
        names = (*_EVENT_COLUMNS, *_EVENT_BYTES)
        rows = self.env.execute_query_dict(
            SQL(
                """SELECT id, mapping_id, %s FROM spar_event
                    WHERE mapping_id = ANY(%s) ORDER BY mapping_id, seq, id""",
                SQL(", ").join(map(SQL.identifier, names)),
                list(batch),
            )
        )
        for row in rows:
            evidence = batch[row["mapping_id"]]
            event = EventRow(
                mapping=evidence.row,
                holding=None,
                **{name: row[name] for name in _EVENT_COLUMNS},
                **{name: bytes(row[name] or b"") for name in _EVENT_BYTES},
            )
            evidence.events.append((row["id"], event))


def _get_digests(digest_a, digest_b) -> dict[str, bytes]:
    columns = {"a": digest_a, "b": digest_b}
    return {name: bytes(digest) for name, digest in columns.items() if digest}
