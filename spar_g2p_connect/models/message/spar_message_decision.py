from odoo import api, models
from odoo.tools import SQL

from odoo.addons.spar_mapper_connector.exceptions import SealBroken
from odoo.addons.spar_mapper_connector.lib.g2p_connect.headers import (
    get_callback_action,
)
from odoo.addons.spar_mapper_connector.lib.g2p_connect.held import (
    finish_answer,
    finish_at,
    finish_items,
    get_items,
    get_waiting,
)
from odoo.addons.spar_mapper_connector.lib.id_rules import Identifier

from ...lib.bindings import DONE, MessageBinding
from .spar_message import BOUND, DOES_NOT_OPEN

#: Whether message m of participant p requested change c, on its own or again while c
#: was waiting. It is matched by the message ID that the change recorded, because the
#: clocks of server and database may differ; but an ID that several messages share
#: (OpenG2P 1.x) identifies none of them.
_REQUESTED_BY = SQL(
    """c.proposer = 'participant:' || p.sender_id
       AND (m.claims_id AND c.message_reference = m.message_id
            OR c.proposed_at <= m.answered_at
               AND coalesce(c.decided_at, 'infinity') >= m.received_at)"""
)


class SparMessage(models.Model):
    """A message whose changes waited for approval, and have now been decided.

    From then on its status reports the decision; a participant that was answered by
    callback gets another callback.
    """

    _name = "spar.message"
    _inherit = ["spar.message", "spar.change.listener"]

    # === WAITING CHANGES === #

    @api.model
    def _store_waiting_ids(self, row_id: int, action: str, answer: dict) -> None:
        """Store the IDs whose changes wait: the message is found by them later."""
        waiting = get_waiting(get_items(answer, action))
        if waiting:
            keyring = self.env["spar.keyring"]._open()
            row_ids = list(self._find_identifiers(keyring, waiting))
            self.env.cr.execute(
                SQL(
                    "UPDATE spar_message SET waiting_ids = %s WHERE id = %s",
                    row_ids,
                    row_id,
                )
            )

    @api.model
    def _find_identifiers(self, keyring, texts: list[str]) -> dict[int, str]:
        """Return the store's row of each stored ID -> the canonical ID."""
        found = self.env["spar.mapper.local"]._identify(texts)
        canonicals = [one.canonical for one in found if isinstance(one, Identifier)]
        return self.env["spar.subject.id"]._find_ids(keyring, canonicals)

    @api.model
    def _identify(self, text: str) -> str:
        (found,) = self.env["spar.mapper.local"]._identify([text])
        return found.canonical if isinstance(found, Identifier) else ""

    # === DECISIONS === #

    @api.model
    def _finish_items(self, keyring, row: dict, operation: str, items: list) -> list:
        """Return the answered ``items`` of message ``row`` with their final state.

        Items whose changes wait elsewhere have nothing to do with the store's changes,
        even if these are of the same ID.
        """
        if not get_waiting(items):
            return items
        elsewhere = self.env["spar.message.change"]._get_states(row["id"])
        items = finish_at(items, elsewhere)
        own = [item for place, item in enumerate(items) if place not in elsewhere]
        finished = iter(self._finish_own(keyring, row["id"], operation, own))
        return [
            item if place in elsewhere else next(finished)
            for place, item in enumerate(items)
        ]

    @api.model
    def _finish_own(self, keyring, row_id: int, operation: str, items: list) -> list:
        """Return items with the decisions on changes that wait in the store."""
        waiting = get_waiting(items)
        if not waiting:
            return items
        decisions = self._get_decisions(keyring, row_id, operation, waiting)
        return finish_items(items, lambda text: decisions.get(self._identify(text), ""))

    @api.model
    def _get_decisions(
        self, keyring, row_id: int, operation: str, waiting: list
    ) -> dict:
        """Return canonical ID -> how its change ended, for the changes of a message.

        These are the changes that it requested, and those that it requested again while
        they waited.
        """
        identifiers = self._find_identifiers(keyring, waiting)
        rows = self.env.execute_query(
            SQL(
                """SELECT i.id, c.state
                     FROM spar_message m
                     JOIN spar_participant p ON p.id = m.participant_id
                     JOIN spar_subject_id i ON i.id = ANY(%s)
                     JOIN spar_mapping g ON g.subject_id = i.subject_id
                     JOIN spar_change c ON c.mapping_id = g.id
                    WHERE m.id = %s AND c.operation = %s AND %s ORDER BY c.id""",
                list(identifiers),
                row_id,
                operation,
                _REQUESTED_BY,
            )
        )
        return {identifiers[identifier]: state for identifier, state in rows}

    # === ANOTHER CALLBACK === #

    @api.model
    def _on_changes_ended(self, change_ids: list[int]) -> None:
        """Queue another callback for each asynchronous message behind these changes.

        Where the first callback has not been answered yet, it will report the decision
        itself.
        """
        rows = self.env.execute_query_dict(
            SQL(
                """SELECT DISTINCT m.id, m.sealed_answer, %s
                     FROM spar_change c
                     JOIN spar_mapping g ON g.id = c.mapping_id
                     JOIN spar_subject_id i ON i.subject_id = g.subject_id
                     JOIN spar_message m ON m.waiting_ids @> ARRAY[i.id]
                      AND m.action = c.operation
                     JOIN spar_participant p ON p.id = m.participant_id
                    WHERE c.id = ANY(%s) AND m.mode = 'async' AND m.state = 'done'
                      AND %s""",
                BOUND,
                change_ids,
                _REQUESTED_BY,
            )
        )
        for row in rows:
            self._try_to_queue_decision(row)

    @api.model
    def _try_to_queue_decision(self, row: dict) -> None:
        """Queue the callback, or raise an alarm if the stored answer was altered.

        An altered answer must not prevent the decision itself.
        """
        try:
            with self.env.cr.savepoint():
                self._queue_decision(row)
        except SealBroken:
            problem = (self._table, row["id"], DOES_NOT_OPEN)
            self.env["spar.alarm"]._raise_alarms([problem])

    @api.model
    def _queue_decision(self, row: dict) -> None:
        keyring = self.env["spar.keyring"]._open(for_write=True)
        binding = MessageBinding(*(row[name] for name in MessageBinding._fields))
        context = binding.build_context(DONE)
        answer = self._unseal(keyring, context, row["sealed_answer"])
        operation = row["action"]
        items = get_items(answer, operation)
        items = self._finish_items(keyring, row, operation, items)
        final = finish_answer(answer, operation, items)
        action = get_callback_action(row["action"])
        self.env["spar.callback"]._queue(row["id"], binding, action, document=final)
