from odoo import api, models
from odoo.tools import SQL

from odoo.addons.spar_mapper_connector.exceptions import SealBroken
from odoo.addons.spar_mapper_connector.lib.keyring import OpenKeyring

from ..lib import seals
from ..lib.records import (
    MAPPING_COLUMNS,
    OCCUPYING,
    ChangeRow,
    Holding,
    MappingRow,
    new_uuid,
)

_CHANGE_COLUMNS = (
    "id uuid operation base_version asserted_at needs_approval effective_at why"
).split()


class SparMapperLocal(models.AbstractModel):
    """Reading what a batch works on, under lock."""

    _inherit = "spar.mapper.local"  # pylint: disable=consider-merging-classes-inherited

    @api.model
    def _insert_identifiers(self, keyring: OpenKeyring, identifiers: dict) -> None:
        """Make a subject for each ID that has none: one statement, in digest order.

        Whoever races for the same ID waits here for the other's end, and then finds it.
        """
        if not identifiers:
            return
        rows = sorted(self._build_identifier_rows(keyring, identifiers.values()))
        self.env.cr.execute_values(
            """
            WITH given (digest_a, digest_b, uuid, sealed, type_id, subject)
                        AS (VALUES %s),
                 added AS (
                    INSERT INTO spar_subject_id (subject_id, digest_a, digest_b, uuid,
                                                 sealed, type_id, active)
                    SELECT nextval('spar_subject_id_seq'), digest_a, digest_b, uuid,
                           sealed, type_id, true
                      FROM given
                        ON CONFLICT DO NOTHING
                 RETURNING subject_id, uuid)
            INSERT INTO spar_subject (id, uuid, change_lock, pay_stop, since)
            SELECT added.subject_id, given.subject, 'none', false,
                   now() AT TIME ZONE 'UTC'
              FROM added JOIN given ON given.uuid = added.uuid
            """,
            rows,
            template="(%s::bytea, %s::bytea, %s, %s::bytea, %s, %s)",
            page_size=len(rows),
        )

    @api.model
    def _build_identifier_rows(self, keyring: OpenKeyring, identifiers) -> list[tuple]:
        rows = []
        for identifier in identifiers:
            digests = keyring.digests(seals.ID, identifier.canonical)
            uuid, subject = new_uuid(), new_uuid()
            context = seals.id_context(uuid, subject, "none", False)
            sealed = keyring.seal(seals.ID, identifier.canonical, context)
            columns = (digests.get("a"), digests.get("b"))
            rows.append((*columns, uuid, sealed, identifier.type_id, subject))
        return rows

    @api.model
    def _load_holdings(
        self, keyring: OpenKeyring, canonicals: list[str]
    ) -> dict[str, Holding]:
        """Lock the IDs, then read what is known of them: two statements.

        Two, because a row that was waited for is read anew, and what is joined to it is
        not. IDs that are not known are left out. What does not open raises an alarm.
        """
        holdings, problems = self._lock_identifiers(keyring, canonicals)
        by_subject = self._group_by_subject(holdings.values())
        for row in self._fetch_occupying(list(by_subject)):
            same = by_subject[row["subject_id"]]
            try:
                self._add_mapping(keyring, same[0], row)
            except SealBroken:
                for holding in same:
                    holding.is_broken = True
                problems.append(("spar_mapping", row["id"], "address does not open"))
        self.env["spar.alarm"]._raise_alarms(problems)
        return holdings

    @api.model
    def _group_by_subject(self, holdings) -> dict[int, list[Holding]]:
        """The holdings of each subject; IDs of one subject hold the same addresses."""
        by_subject: dict[int, list[Holding]] = {}
        for holding in holdings:
            same = by_subject.setdefault(holding.subject_id, [])
            same.append(holding)
            holding.mappings, holding.changes = same[0].mappings, same[0].changes
        return by_subject

    @api.model
    def _lock_identifiers(self, keyring: OpenKeyring, canonicals: list[str]) -> tuple:
        """``(holdings by canonical ID, problems)``; rows locked in digest order."""
        digest = keyring.digester(seals.ID)
        wanted = {digest(canonical): canonical for canonical in canonicals}
        column = SQL.identifier("i", f"digest_{keyring.roles.read_column}")
        rows = self.env.execute_query(
            SQL(
                """SELECT %s, i.id, i.uuid, i.subject_id, i.sealed,
                          s.uuid, s.change_lock, s.pay_stop
                     FROM spar_subject_id i JOIN spar_subject s ON s.id = i.subject_id
                    WHERE %s = ANY(%s) AND i.active ORDER BY 1 FOR UPDATE""",
                column,
                column,
                list(wanted),
            )
        )
        holdings, problems = {}, []
        for found, row_id, uuid, subject_id, sealed, *subject in rows:
            canonical = wanted[bytes(found)]
            holding = Holding(canonical, row_id, subject_id, *subject)
            context = seals.id_context(uuid, *subject)
            if not self._is_sealed_id(keyring, sealed, context, canonical):
                holding.is_broken = True
                problems.append(("spar_subject_id", row_id, "ID does not open"))
            holdings[canonical] = holding
        return holdings, problems

    @api.model
    def _is_sealed_id(self, keyring, sealed, context: bytes, canonical: str) -> bool:
        try:
            return keyring.unseal(seals.ID, bytes(sealed), context) == canonical
        except SealBroken:
            return False

    @api.model
    def _fetch_occupying(self, subject_ids: list[int]) -> list[dict]:
        """The mappings that occupy a place, each with the change that waits for it."""
        return self._fetch_mappings(
            SQL(
                "m.subject_id = ANY(%s) AND m.state IN %s AND m.rank = 1",
                subject_ids,
                OCCUPYING,
            )
        )

    @api.model
    def _fetch_mappings(self, condition: SQL) -> list[dict]:
        columns = [SQL.identifier("m", name) for name in MAPPING_COLUMNS]
        columns += [
            SQL("%s AS %s", SQL.identifier("c", name), SQL.identifier(f"change_{name}"))
            for name in dict.fromkeys(
                (*_CHANGE_COLUMNS, *seals.ChangeTerms._fields, "sealed")
            )
        ]
        return self.env.execute_query_dict(
            SQL(
                """SELECT m.id, m.subject_id, m.identifier_id, m.sealed, m.last_mac,
                          i.uuid AS identifier_uuid, i.sealed AS identifier_sealed, %s
                     FROM spar_mapping m
                     JOIN spar_subject_id i ON i.id = m.identifier_id
                     LEFT JOIN spar_change c
                            ON c.mapping_id = m.id AND c.state = 'waiting'
                    WHERE %s""",
                SQL(", ").join(columns),
                condition,
            )
        )

    @api.model
    def _add_mapping(self, keyring: OpenKeyring, holding: Holding, row: dict) -> None:
        mapping = self._open_mapping(keyring, holding, row)
        holding.mappings[mapping.purpose] = mapping
        if row["change_id"]:
            change = self._build_change_row(keyring, mapping, row)
            holding.changes[mapping.purpose] = change

    @api.model
    def _open_mapping(self, keyring: OpenKeyring, holding: Holding, row: dict):
        """The row, opened; raises SealBroken."""
        canonical = self._get_sealing_id(keyring, holding, row)
        fa, details = seals.unseal_address(
            keyring,
            bytes(row["sealed"]),
            row["uuid"],
            holding.subject_uuid,
            row["version"],
            row["state"],
            canonical,
        )
        return MappingRow(
            **{name: row[name] for name in MAPPING_COLUMNS},
            fa=fa,
            details=details,
            last_mac=bytes(row["last_mac"]),
            row_id=row["id"],
            canonical=canonical,
        )

    @api.model
    def _get_sealing_id(self, keyring, holding: Holding, row: dict) -> str:
        """The ID under which the address was sealed: usually the one asked for."""
        if row["identifier_id"] == holding.identifier_row_id:
            return holding.canonical
        context = seals.id_context(
            row["identifier_uuid"],
            holding.subject_uuid,
            holding.change_lock,
            holding.pay_stop,
        )
        return keyring.unseal(seals.ID, bytes(row["identifier_sealed"]), context)

    @api.model
    def _build_change_row(self, keyring, mapping: MappingRow, row: dict) -> ChangeRow:
        values = {name: row[f"change_{name}"] for name in _CHANGE_COLUMNS}
        terms = seals.ChangeTerms(
            *(row[f"change_{name}"] for name in seals.ChangeTerms._fields)
        )
        context = seals.change_context(values["uuid"], mapping.canonical, terms)
        text = keyring.unseal(seals.CHANGE, bytes(row["change_sealed"]), context)
        fa, details = seals.unpack(text)
        row_id = values.pop("id")
        return ChangeRow(
            **values, mapping=mapping, fa=fa, details=details, row_id=row_id
        )
