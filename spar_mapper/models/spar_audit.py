import os
from collections.abc import Iterator
from pathlib import Path

from odoo import api, fields, models
from odoo.tools import SQL

from odoo.addons.spar_mapper_connector.lib.keyring import OpenKeyring

from ..exceptions import HistoryDiffers
from ..lib import audit, checkpoint, seals
from ..lib.records import MAPPING_COLUMNS, EventRow, MappingRow

CHECKPOINT_VARIABLE = "SPAR_CHECKPOINTS"

ID_REMOVED = "its ID or its subject was removed"
CHANGE_DOES_NOT_OPEN = "the change does not open: it or its terms were altered"
MAPPING_REMOVED = "its mapping was removed"
EVENTS_DIFFER = "events of this range were removed or altered since the checkpoint"
CHECKPOINT_FORGED = "the newest checkpoint was not written by this registry"

_BATCH = 1000
_EVENT_COLUMNS = (
    "uuid seq kind actor on_behalf_of channel authenticated_by message_reference "
    "reason happened_at"
).split()
_EVENT_BYTES = "commitment_before commitment_after previous_mac mac".split()


class SparAudit(models.AbstractModel):
    """Proving that the store is what the mapper left; naming what is not."""

    _name = "spar.audit"
    _description = "Integrity check"

    # === THE CHECK === #

    @api.model
    def _check_store(self) -> list[audit.Finding]:
        """Everything in the store that was tampered with: (table, row id, problem).

        Reads all mappings and events. Each finding is also raised as an alarm.
        """
        keyring = self.env["spar.keyring"]._open()
        findings = [
            *self._check_checkpoint(keyring),
            *self._check_orphans(),
            *self._check_rows(),
            *self._check_changes(keyring),
            *self._check_mappings(keyring),
        ]
        findings = list(dict.fromkeys(findings))
        self.env["spar.alarm"]._raise_alarms(findings)
        self.env["spar.check"]._add_check(len(findings))
        return findings

    @api.model
    def _cron_check(self) -> None:
        """The nightly check, and a new checkpoint where everything is in order."""
        if not self._check_store():
            self._take_checkpoint()

    @api.model
    def _check_orphans(self) -> list[audit.Finding]:
        """Rows whose counterpart is gone."""
        return [*self._search_lost_mappings(), *self._search_lost_identifiers()]

    @api.model
    def _search_lost_mappings(self) -> list[audit.Finding]:
        rows = self.env.execute_query(
            SQL(
                """SELECT min(e.id) FROM spar_event e
                     LEFT JOIN spar_mapping m ON m.id = e.mapping_id
                    WHERE m.id IS NULL GROUP BY e.mapping_id ORDER BY 1"""
            )
        )
        return [("spar_event", row_id, MAPPING_REMOVED) for (row_id,) in rows]

    @api.model
    def _search_lost_identifiers(self) -> list[audit.Finding]:
        rows = self.env.execute_query(
            SQL(
                """SELECT m.id FROM spar_mapping m
                     LEFT JOIN spar_subject_id i ON i.id = m.identifier_id
                     LEFT JOIN spar_subject s ON s.id = m.subject_id
                    WHERE i.id IS NULL OR s.id IS NULL ORDER BY 1"""
            )
        )
        return [("spar_mapping", row_id, ID_REMOVED) for (row_id,) in rows]

    @api.model
    def _check_changes(self, keyring: OpenKeyring) -> list[audit.Finding]:
        query = SQL("SELECT id, sealed FROM spar_change WHERE state = 'waiting'")
        rows = self.env.execute_query(query)
        ids = [row_id for row_id, _sealed in rows]
        contexts = self.env["spar.change"]._get_seal_contexts(keyring, ids)
        opened = seals.unseal_all(keyring, rows, contexts)
        broken = [row_id for row_id in ids if row_id not in opened]
        return [("spar_change", row_id, CHANGE_DOES_NOT_OPEN) for row_id in broken]

    @api.model
    def _check_mappings(self, keyring: OpenKeyring) -> Iterator[audit.Finding]:
        last_id = 0
        while batch := self._fetch_evidence(last_id):
            for evidence in batch:
                yield from audit.examine(keyring, evidence)
            last_id = batch[-1].row_id

    # === READING === #

    @api.model
    def _fetch_evidence(self, after_id: int) -> list[audit.Evidence]:
        """The next mappings behind ``after_id`` with their IDs and events."""
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
                    WHERE m.id > %s ORDER BY m.id LIMIT %s""",
                SQL(", ").join(columns),
                after_id,
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

    # === CHECKPOINTS === #

    @api.model
    def _get_checkpoint_path(self) -> Path:
        """Outside the database: where the variable says, else beside the keyring."""
        folder = os.environ.get(CHECKPOINT_VARIABLE)
        if not folder:
            folder = self.env["spar.keyring"]._get_path().parent / "checkpoints"
        return Path(folder) / f"{self.env.cr.dbname}.jsonl"

    @api.model
    def _take_checkpoint(self) -> checkpoint.Checkpoint:
        """Write down what the history is now.

        Raises HistoryDiffers when it is not what the last checkpoint says: a new one
        would cover that up.
        """
        keyring = self.env["spar.keyring"]._open()
        if self._check_checkpoint(keyring):
            raise HistoryDiffers("the history differs from the last checkpoint")
        last_id = self._get_settled_event_id()
        taken = checkpoint.Checkpoint(
            taken_at=fields.Datetime.to_string(fields.Datetime.now()),
            last_event_id=last_id,
            chunks=self._hash_events(last_id),
        )
        checkpoint.append(self._get_checkpoint_path(), taken.sign(keyring))
        return taken

    @api.model
    def _get_settled_event_id(self) -> int:
        """The newest event before which no other can still appear.

        A number is drawn before its transaction commits; the lock waits for those that
        are on their way.
        """
        self.env.cr.execute("LOCK TABLE spar_event IN SHARE MODE")
        query = SQL("SELECT coalesce(max(id), 0) FROM spar_event")
        return self.env.execute_query(query)[0][0]

    @api.model
    def _hash_events(self, last_id: int) -> dict[str, list]:
        rows = self.env.execute_query(
            SQL(
                """SELECT id / %s, count(*),
                          encode(sha256(string_agg(mac, ''::bytea ORDER BY id)), 'hex')
                     FROM spar_event WHERE id <= %s GROUP BY 1 ORDER BY 1""",
                checkpoint.CHUNK,
                last_id,
            )
        )
        return {str(number): [count, digest] for number, count, digest in rows}

    @api.model
    def _check_checkpoint(self, keyring: OpenKeyring) -> list[audit.Finding]:
        """Chunks of events that are not as the newest checkpoint says, by first id."""
        try:
            last = checkpoint.read_last(self._get_checkpoint_path(), keyring)
        except checkpoint.CheckpointForged:
            return [("spar_event", 0, CHECKPOINT_FORGED)]
        if last is None:
            return []
        differing = last.differing_chunks(self._hash_events(last.last_event_id))
        return [
            ("spar_event", int(number) * checkpoint.CHUNK, EVENTS_DIFFER)
            for number in differing
        ]


def _get_digests(digest_a, digest_b) -> dict[str, bytes]:
    columns = {"a": digest_a, "b": digest_b}
    return {name: bytes(digest) for name, digest in columns.items() if digest}
