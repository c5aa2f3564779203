from odoo import api, fields, models
from odoo.tools import SQL

from odoo.addons.spar_registry.models.task.spar_life_events import BATCH


class SparLifeEvents(models.AbstractModel):
    """IDs of another registry that expire: nobody writes anything on that day."""

    _inherit = "spar.life.events"

    @api.model
    def _notice_expired(self) -> int:
        """Open the tasks about the next IDs that have expired, ours before theirs."""
        examined = super()._notice_expired()
        for source in self.env["spar.source.index"]._get_sources():
            examined = examined or self._notice_expired_of(source)
        return examined

    @api.model
    def _notice_expired_of(self, source) -> int:
        """Open the tasks about the next expired IDs of a table; return how many."""
        row_ids = self._find_expired_of(source)
        for identity in source._spar_read([("id", "in", row_ids)]):
            self._notice_identity(identity, "identity_expired")
        self._store_noticed(source, row_ids)
        return len(row_ids)

    @api.model
    def _find_expired_of(self, source) -> list[int]:
        """Return rows whose ID counts, and has expired since they were examined."""
        types = source._spar_get_types()
        source.flush_model()
        types.flush_model(["spar_is_indexed"])
        query = SQL(
            """SELECT r.id
                 FROM %(table)s r
                 JOIN spar_source_identity i
                   ON i.row_id = r.id AND i.source = %(source)s
                 JOIN %(types)s t ON t.id = r.%(type)s
                WHERE r.%(expiry)s < %(today)s
                  AND i.expiry_noticed IS DISTINCT FROM r.%(expiry)s
                  AND r.%(status)s IS DISTINCT FROM %(invalid)s
                  AND coalesce(i.digest_a, i.digest_b) IS NOT NULL
                  AND t.spar_is_indexed
                ORDER BY r.id LIMIT %(limit)s""",
            table=SQL.identifier(source._table),
            source=source._name,
            types=SQL.identifier(types._table),
            type=SQL.identifier(source._spar_type_field),
            expiry=SQL.identifier(source._spar_expiry_field),
            status=SQL.identifier(source._spar_status_field),
            invalid=source._spar_invalid,
            today=fields.Date.context_today(self),
            limit=BATCH,
        )
        return [row_id for (row_id,) in self.env.execute_query(query)]

    @api.model
    def _store_noticed(self, source, row_ids: list[int]) -> None:
        """Note the expiry of rows, so that each is examined once."""
        self.env.cr.execute(
            SQL(
                """UPDATE spar_source_identity i SET expiry_noticed = r.%(expiry)s
                     FROM %(table)s r
                    WHERE i.source = %(source)s AND i.row_id = r.id
                      AND r.id = ANY(%(ids)s)""",
                expiry=SQL.identifier(source._spar_expiry_field),
                table=SQL.identifier(source._table),
                source=source._name,
                ids=row_ids,
            )
        )
        self.env["spar.source.identity"].invalidate_model(["expiry_noticed"])
