from odoo import api, models
from odoo.tools import SQL

from odoo.addons.spar_mapper_connector.exceptions import InvalidIdentifier
from odoo.addons.spar_mapper_connector.lib.g2p_connect.held import (
    finish_answer,
    finish_items,
    has_waiting,
)


class SparMessage(models.Model):
    """Changes of a message that waited for somebody, when they are decided.

    The status tells it from then on; who was answered by callback gets another one.
    """

    _inherit = "spar.message"  # pylint: disable=consider-merging-classes-inherited

    @api.model
    def _finish_items(self, keyring, row: dict, operation: str, items: list) -> list:
        """``items`` of the answer to message ``row`` with what has become of them."""
        if not any(item["status"] == "pdng" for item in items):
            return items
        ends = self._get_ends(keyring, row["id"], operation)
        return finish_items(items, lambda text: ends.get(self._identify(text), ""))

    @api.model
    def _get_ends(self, keyring, row_id: int, operation: str) -> dict[str, str]:
        """Canonical ID -> how its change ended, for the changes of a message: those it
        asked for, and those it asked for again while they waited."""
        rows = self.env.execute_query(
            SQL(
                """SELECT g.identifier_id, c.state
                     FROM spar_message m
                     JOIN spar_participant p ON p.id = m.participant_id
                     JOIN spar_change c ON c.proposer = 'participant:' || p.sender_id
                      AND (c.message_reference = m.message_id
                           OR c.proposed_at <= m.answered_at
                              AND coalesce(c.decided_at, 'infinity') >= m.received_at)
                     JOIN spar_mapping g ON g.id = c.mapping_id
                    WHERE m.id = %s AND c.operation = %s ORDER BY c.id""",
                row_id,
                operation,
            )
        )
        states = dict(rows)
        identifiers = self.env["spar.subject.id"]
        canonicals = identifiers._unseal_ids(keyring, list(states))
        return {canonicals[row]: state for row, state in rows if row in canonicals}

    @api.model
    def _identify(self, text: str) -> str:
        try:
            return self.env["spar.id.type"]._identify(text).canonical
        except InvalidIdentifier:
            return ""

    # === ANOTHER CALLBACK === #

    @api.model
    def _tell_ends(self, change_ids: list[int]) -> None:
        """Queue another callback for each asynchronous message whose changes these are.

        Where the first one is not answered yet, it will say it itself.
        """
        rows = self.env.execute_query_dict(
            SQL(
                """SELECT DISTINCT m.id, m.uuid, m.participant_id, m.action,
                          m.callback, m.sealed_answer
                     FROM spar_change c
                     JOIN spar_participant p
                       ON c.proposer = 'participant:' || p.sender_id
                     JOIN spar_message m ON m.participant_id = p.id
                      AND m.message_id = c.message_reference AND m.claims_id
                    WHERE c.id = ANY(%s) AND m.mode = 'async' AND m.state = 'done'""",
                change_ids,
            )
        )
        for row in rows:
            self._tell_end(row)

    @api.model
    def _tell_end(self, row: dict) -> None:
        keyring = self.env["spar.keyring"]._open(for_write=True)
        answer = self._unseal(keyring, row["uuid"], row["sealed_answer"])
        if not has_waiting(answer, row["action"]):
            return
        ends = self._get_ends(keyring, row["id"], row["action"])
        final = finish_answer(
            answer, row["action"], lambda text: ends.get(self._identify(text), "")
        )
        action = final["header"]["action"]
        place = (row["participant_id"], row["id"], row["callback"], action)
        self.env["spar.callback"]._queue(*place, document=final)


class SparMapperLocal(models.AbstractModel):
    _inherit = "spar.mapper.local"  # pylint: disable=consider-merging-classes-inherited

    @api.model
    def _end_changes(self, changes, ledger):
        result = super()._end_changes(changes, ledger)
        if changes:
            rows = [change.row_id for change in changes]
            self.env["spar.message"]._tell_ends(rows)
        return result
