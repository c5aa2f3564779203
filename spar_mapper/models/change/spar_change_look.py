from odoo import api, fields, models
from odoo.tools import SQL

from odoo.addons.spar_mapper_connector.transactions import count_alone

from ...fields import StoreMany2one
from ...lib.comparing import MAX_MISTYPED
from ...lib.provisional import WHY_PROVISIONAL

#: The kinds that prove that somebody compared a change with its evidence.
COMPARED = ("compared", "revealed")
#: The kind that proves that somebody saw who vouched for a person without an ID card.
WITNESSES = "witnesses"


class SparChangeLook(models.Model):
    """One look of a supervisor at a waiting change; never rewritten, never removed.

    Approving requires one in which this supervisor compared the change, at the address
    as it still is.
    """

    _name = "spar.change.look"
    _description = "Look at a waiting change"
    _inherit = ["spar.store.table", "spar.by.whom"]
    _rec_name = "kind"
    _order = "id desc"
    _log_access = False
    _refuses_delete = "looks at changes are not deleted"
    _references = {"change_id": "spar_change"}
    _whom = "change_id.mapping_id.subject_id"

    change_id = StoreMany2one(
        "spar.change", required=True, readonly=True, index=True, ondelete="restrict"
    )
    version = fields.Integer(
        string="Version of the address", required=True, readonly=True
    )
    looked_at = fields.Datetime(string="When", required=True, readonly=True)
    kind = fields.Selection(
        [
            ("opened", "Opened"),
            ("compared", "Compared with the evidence"),
            ("mistyped", "Typed other characters"),
            ("revealed", "Revealed"),
            (WITNESSES, "Saw the witnesses"),
        ],
        required=True,
        readonly=True,
    )

    def init(self):
        result = super().init()
        self.env.cr.execute(
            """
            CREATE OR REPLACE FUNCTION spar_change_look_no_update()
                RETURNS trigger AS $$
            BEGIN
                RAISE EXCEPTION 'spar_change_look: looks are not rewritten';
            END $$ LANGUAGE plpgsql;
            CREATE OR REPLACE TRIGGER spar_change_look_no_update
                BEFORE UPDATE ON spar_change_look
                FOR EACH STATEMENT EXECUTE FUNCTION spar_change_look_no_update();
            """
        )
        return result

    @api.model
    def _record(self, change, kind: str) -> None:
        """Record that the user who is logged in looked at ``change``."""
        self.env.cr.execute(
            SQL(
                """INSERT INTO spar_change_look
                          (change_id, version, actor, looked_at, kind)
                   SELECT c.id, m.version, %s, %s, %s
                     FROM spar_change c JOIN spar_mapping m ON m.id = c.mapping_id
                    WHERE c.id = %s""",
                self._get_actor(),
                self.env["spar.mapper.local"]._get_now(),
                kind,
                change.id,
            )
        )
        self.invalidate_model()
        change.invalidate_recordset(["look_ids", "is_compared"])

    @api.model
    def _find_compared(self, changes) -> set[int]:
        """Return which changes the user compared, at the address as it still is.

        Of somebody without an ID card they must have seen the witnesses as well.
        """
        query = SQL(
            """SELECT DISTINCT l.change_id
                 FROM spar_change_look l
                 JOIN spar_change c ON c.id = l.change_id
                 JOIN spar_mapping m ON m.id = c.mapping_id
                WHERE l.change_id = ANY(%s) AND l.actor = %s AND l.kind = ANY(%s)
                  AND l.version = m.version
                  AND (c.why IS DISTINCT FROM %s OR EXISTS (
                       SELECT FROM spar_change_look w
                        WHERE w.change_id = l.change_id AND w.actor = l.actor
                          AND w.kind = %s))""",
            changes.ids,
            self._get_actor(),
            list(COMPARED),
            WHY_PROVISIONAL,
            WITNESSES,
        )
        return {change_id for (change_id,) in self.env.execute_query(query)}

    @api.model
    def _count_attempt(self, change, is_right: bool) -> bool:
        """Count an attempt of the user to retype characters; return whether it counts.

        It does not if their attempts are used up. This runs in a transaction of its
        own, which has ended when the answer is known: whatever the caller does, and
        however many attempts are made at once, only so many wrong ones get an answer.
        """
        with self._open_cursor() as cr:
            count_alone(cr, self._table, f"{change.id} {self._get_actor()}")
            looks = self.with_env(self.env(cr=cr))
            if looks._count(change, "mistyped") >= MAX_MISTYPED:
                return False
            if not is_right:
                looks._record(change, "mistyped")
        return True

    @api.model
    def _open_cursor(self):
        return self.env.registry.cursor()

    @api.model
    def _count(self, change, kind: str) -> int:
        """Return how often the user has looked at a change in this way."""
        query = SQL(
            """SELECT count(*) FROM spar_change_look
                WHERE change_id = %s AND actor = %s AND kind = %s""",
            change.id,
            self._get_actor(),
            kind,
        )
        return self.env.execute_query(query)[0][0]

    @api.model
    def _has_since(self, change, kind: str, since) -> bool:
        """Return whether the user has looked at a change in this way since then."""
        query = SQL(
            """SELECT EXISTS (
                      SELECT FROM spar_change_look
                       WHERE change_id = %s AND actor = %s AND kind = %s
                         AND looked_at > %s)""",
            change.id,
            self._get_actor(),
            kind,
            since,
        )
        return self.env.execute_query(query)[0][0]
