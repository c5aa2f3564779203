from odoo import api, models
from odoo.tools import SQL

from odoo.addons.spar_mapper_connector.exceptions import InvalidIdentifier, SealBroken
from odoo.addons.spar_mapper_connector.lib.contract import (
    CallContext,
    HistoryEvent,
    Period,
)

from ..lib import seals
from ..lib.objection import DISPUTABLE

AUDITOR = "spar_fa_directory.group_auditor"


class SparMapperLocal(models.AbstractModel):
    """What was, and who did it."""

    _inherit = "spar.mapper.local"  # pylint: disable=consider-merging-classes-inherited

    @api.model
    def _history(self, call: CallContext, id_value: str) -> list[Period]:
        """Every period that was ever in force, newest first; times are naive UTC.

        A period whose address does not open is left out and raises an alarm. An ID that
        is not known, or is none, has no history.
        """
        self._check_channel(AUDITOR)
        keyring = self.env["spar.keyring"]._open()
        try:
            canonical = self.env["spar.id.type"]._identify(id_value).canonical
        except InvalidIdentifier:
            return []
        rows = self._fetch_periods(keyring, canonical)
        events = self._fetch_events([row["id"] for row in rows])
        # What was only proposed never counted, whatever became of it.
        rows = [row for row in rows if events[row["id"]][0].kind != "proposed"]
        return self._open_periods(keyring, rows, events)

    @api.model
    def _fetch_periods(self, keyring, canonical: str) -> list[dict]:
        column = SQL.identifier("i", f"digest_{keyring.roles.read_column}")
        return self.env.execute_query_dict(
            SQL(
                """SELECT m.id, m.uuid, m.version, m.state, m.purpose, m.valid_from,
                          m.valid_to, m.channel, m.origin, m.sealed
                     FROM spar_subject_id i
                     JOIN spar_mapping m ON m.subject_id = i.subject_id
                    WHERE %s = %s AND m.version > 0
                    ORDER BY m.valid_from DESC, m.id DESC""",
                column,
                keyring.digest(seals.ID, canonical),
            )
        )

    @api.model
    def _fetch_events(self, mapping_ids: list[int]) -> dict[int, list[HistoryEvent]]:
        rows = self.env.execute_query(
            SQL(
                """SELECT e.mapping_id, o.uuid, o.remedy, o.state,
                          e.seq, e.kind, e.happened_at, e.actor, e.on_behalf_of,
                          e.channel, e.reason, e.message_reference
                     FROM spar_event e
                     LEFT JOIN spar_objection o ON o.event_id = e.id
                    WHERE e.mapping_id = ANY(%s) ORDER BY e.seq""",
                mapping_ids,
            )
        )
        events: dict[int, list[HistoryEvent]] = {}
        for mapping_id, *case, seq, kind, at, by, for_, channel, reason, ref in rows:
            event = HistoryEvent(
                *(seq, kind, at, by, for_, channel, reason, ref),
                is_disputable=kind in DISPUTABLE,
                objection=self._build_objection_answer(*case),
            )
            events.setdefault(mapping_id, []).append(event)
        return events

    @api.model
    def _open_periods(self, keyring, rows: list[dict], events: dict) -> list[Period]:
        contexts = self.env["spar.mapping"]._get_seal_contexts(
            keyring, [row["id"] for row in rows]
        )
        periods, problems = [], []
        for row in rows:
            try:
                periods.append(self._build_period(keyring, row, contexts, events))
            except (SealBroken, KeyError):
                problems.append(("spar_mapping", row["id"], "address does not open"))
        self.env["spar.alarm"]._raise_alarms(problems)
        return periods

    @api.model
    def _build_period(self, keyring, row: dict, contexts: dict, events: dict) -> Period:
        purpose, context = contexts[row["id"]]
        text = keyring.unseal(purpose, bytes(row["sealed"]), context)
        fa, _details = seals.unpack(text)
        return Period(
            uuid=row["uuid"],
            fa=fa,
            state=row["state"],
            purpose=row["purpose"],
            version=row["version"],
            valid_from=row["valid_from"],
            valid_to=row["valid_to"],
            channel=row["channel"],
            actor=row["origin"],
            events=tuple(events.get(row["id"], ())),
        )
