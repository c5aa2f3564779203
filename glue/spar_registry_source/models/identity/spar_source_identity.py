from collections.abc import Callable

from odoo import api, fields, models
from odoo.tools import SQL
from odoo.tools.sql import create_index

from odoo.addons.spar_mapper_connector.exceptions import (
    InvalidIdentifier,
    ServiceUnavailable,
)
from odoo.addons.spar_mapper_connector.expressions import is_called_from_expression
from odoo.addons.spar_mapper_connector.lib import identifier
from odoo.addons.spar_mapper_connector.lib.id_rules import CardCheck
from odoo.addons.spar_mapper_connector.models.spar_sealed_storage import add_columns
from odoo.addons.spar_registry.models.person.spar_person_identity import IDENTITY

DIGESTS = ("digest_a", "digest_b")


class SparSourceIdentity(models.Model):
    """The keyed digests of the IDs in another registry's table.

    Its table holds IDs in clear, as somebody typed them. Digests are of the canonical
    form, under the purpose of our own IDs: one question finds people in both. A row
    without digests stands for an ID that cannot be used.
    """

    _name = "spar.source.identity"
    _description = "Digest of an ID in another registry"
    _log_access = False

    source = fields.Char(required=True, readonly=True)
    row_id = fields.Integer(required=True, readonly=True)
    partner_id = fields.Many2one(
        "res.partner", required=True, readonly=True, index=True, ondelete="cascade"
    )
    #: The expiry about which a task was opened.
    expiry_noticed = fields.Date(string="Expiry noticed", readonly=True)

    _row_uniq = models.UniqueIndex("(source, row_id)")

    def init(self):
        result = super().init()
        add_columns(self.env.cr, self._table, DIGESTS)
        for column in DIGESTS:
            name = f"{self._table}_{column}_index"
            create_index(self.env.cr, name, self._table, [column])
        return result

    # === READING IDS === #

    @api.model
    def _build_reader(self) -> Callable[[int, str], str | None]:
        """Return a function from an ID type and a typed ID to the canonical form.

        It returns None for a text that is no ID of that type.
        """
        read = self.env["spar.id.type"]._build_reader()
        types_sudo = self.env["spar.id.type"].sudo()
        templates = {
            one.id: identifier.parse_template(one.strategy)
            for one in types_sudo.search([("strategy", "!=", False)])
        }

        def canonicalise(type_id: int, text: str) -> str | None:
            text, template = text.strip(), templates.get(type_id)
            # As ``_write_id`` of the type, for many.
            is_value = template and ":" not in text and "@" not in text
            try:
                travelling = template.build(text) if is_value else text
                found = read(travelling, CardCheck.PEOPLE)
            except InvalidIdentifier:
                return None
            return found.canonical if found.type_id == type_id else None

        return canonicalise

    # === WRITING === #

    @api.model
    def _update(self, source, row_ids: list[int]) -> int:
        """Index rows of a source; return how many were not indexed as they are.

        Raises KeyringUnavailable or KeyringMismatch.
        """
        if not row_ids:
            return 0
        keyring = self.env["spar.keyring"]._open(for_write=True)
        canonicalise = self._build_reader()
        values = []
        for row_id, partner_id, type_id, text in source._spar_fetch(row_ids):
            canonical = canonicalise(type_id, text) if type_id and text else None
            digests = keyring.digests(IDENTITY, canonical) if canonical else {}
            values.append(
                (
                    source._name,
                    row_id,
                    partner_id,
                    digests.get("a"),
                    digests.get("b"),
                )
            )
        return self._store(values)

    @api.model
    def _try_update(self, source, row_ids: list[int]) -> bool:
        """Index rows; return False where there are no keys, or none for the caller.

        An expression may write another registry's IDs, but uses no keys.
        """
        if is_called_from_expression():
            return False
        try:
            self._update(source, row_ids)
        except ServiceUnavailable:
            return False
        return True

    @api.model
    def _store(self, values: list[tuple]) -> int:
        changed = self.env.cr.execute_values(
            """INSERT INTO spar_source_identity AS i
                      (source, row_id, partner_id, digest_a, digest_b) VALUES %s
               ON CONFLICT (source, row_id) DO UPDATE
                  SET partner_id = excluded.partner_id, digest_a = excluded.digest_a,
                      digest_b = excluded.digest_b
                WHERE (i.partner_id, i.digest_a, i.digest_b) IS DISTINCT FROM
                      (excluded.partner_id, excluded.digest_a, excluded.digest_b)
            RETURNING id""",
            values,
            template="(%s, %s, %s, %s::bytea, %s::bytea)",
            fetch=True,
        )
        self.invalidate_model()
        return len(changed)

    @api.model
    def _drop(self, source, row_ids: list[int]) -> None:
        self.env.cr.execute(
            SQL(
                "DELETE FROM spar_source_identity WHERE source = %s"
                " AND row_id = ANY(%s)",
                source._name,
                row_ids,
            )
        )
        self.invalidate_model()

    @api.model
    def _drop_missing(self, source, row_ids: list[int], after: int, last: int) -> int:
        """Delete the index of rows between two that no longer exist; return how many.

        :param row_ids: the rows that do exist
        :param last: the end of the stretch after ``after``; 0 for no end
        """
        upper = SQL("AND row_id <= %s", last) if last else SQL()
        query = SQL(
            "SELECT row_id FROM spar_source_identity"
            " WHERE source = %s AND row_id > %s %s",
            source._name,
            after,
            upper,
        )
        indexed = {row_id for (row_id,) in self.env.execute_query(query)}
        missing = list(indexed - set(row_ids))
        self._drop(source, missing)
        return len(missing)

    # === FINDING PEOPLE === #

    @api.model
    def _find_by_ids(self, id_values: list[str]) -> dict[str, list[int]]:
        """Return the people who have each ID, by the ID as it was given."""
        wanted = self.env["spar.person.identity"]._digest_ids(id_values)
        found: dict[str, list[int]] = {text: [] for text in id_values}
        for digest, partner_ids in self._find_owners(list(wanted), ours=False).items():
            for text in wanted[digest]:
                found[text] = sorted(partner_ids)
        return found

    @api.model
    def _find_owners(
        self, digests: list[bytes], ours: bool = True
    ) -> dict[bytes, set[int]]:
        """Return the people who have each ID, by its digest.

        :param ours: whether IDs that were entered in SPAR count, too
        """
        keyring = self.env["spar.keyring"]._open()
        column = SQL.identifier(f"digest_{keyring.roles.read_column}")
        query = SQL(
            "SELECT %s, partner_id FROM spar_source_identity WHERE %s = ANY(%s)",
            column,
            column,
            digests,
        )
        if ours:
            query = SQL(
                "%s UNION SELECT %s, partner_id FROM spar_person_identity"
                " WHERE %s = ANY(%s) AND active",
                query,
                column,
                column,
                digests,
            )
        owners: dict[bytes, set[int]] = {}
        for digest, partner_id in self.env.execute_query(query):
            owners.setdefault(bytes(digest), set()).add(partner_id)
        return owners
