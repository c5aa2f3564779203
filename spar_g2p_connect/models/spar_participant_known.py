import os

from odoo import api, models

from odoo.addons.spar_fa_directory.lib.row_cache import RowCache

from ..lib.known_participant import KnownParticipant
from .spar_participant import CALLER_FIELDS, DEMO_VARIABLE

#: What is read of a participant, known or not.
_FIELDS = [*CALLER_FIELDS, "jwks_url"]

#: Look-ups that matched no participant, kept apart so that guesses evict nobody real.
_NOBODIES = RowCache()
_NOBODY = KnownParticipant()

#: What else it is made of: rows that tie it to others.
_RELATIONS = ("own_provider_ids", "id_type_ids")


class SparParticipant(models.Model):
    """Whoever may call, as its rows say: kept in the process while they are the same.

    Which rows they are and what version they have is asked in the one statement by
    which a call reads every version it needs. What is changed holds in the next call.
    """

    _name = "spar.participant"
    _inherit = ["spar.participant", "spar.cached.records"]
    _is_whole = False

    @api.model
    def _know(self, condition: str, *values) -> KnownParticipant:
        """The participant that fulfils ``condition``, SQL on ``p``; nobody for none."""
        versions = self.env["spar.row.versions"]
        columns = ", ".join(("p.id", *self._get_marks()))
        source = f"LEFT JOIN spar_participant p ON {condition}"
        participant_id, *marks = versions._read(columns, source, values)
        if not participant_id:
            return self._know_nobody(condition, *values)
        others = map(versions._get, self._get_marked_sources())
        version = (*marks, *others, os.environ.get(DEMO_VARIABLE))
        known = versions._reuse_version(version, self, "_build_known", participant_id)
        versions._note(f"participant {participant_id}", known)
        return known

    @api.model
    def _know_by_id(self, participant_id: int) -> KnownParticipant:
        """The participant; no statement where this transaction has asked for it."""
        known = self.env["spar.row.versions"]._find(f"participant {participant_id}")
        return known or self._know("p.id = %s", participant_id)

    @api.model
    def _get_marks(self) -> list[str]:
        """SQL of the versions of the rows that ``_build_known`` reads for ``p``."""
        keys = self.env["spar.participant.key"]._mark_rows("participant_id = p.id")
        marks = "string_agg(xmin::text || ctid::text, '')"
        relations = (
            f"(SELECT {marks} FROM {field.relation} WHERE {field.column1} = p.id)"
            for field in map(self._fields.get, _RELATIONS)
        )
        return ["p.xmin::text || p.ctid::text", keys, *relations]

    @api.model
    def _get_marked_sources(self) -> tuple[str, ...]:
        """The names of the other versions that it depends on."""
        return ("receiver", "spar.fa.strategy", "spar.settings.seal")

    @api.model
    def _build_known(self, participant_id: int) -> KnownParticipant:
        participant = self.search_fetch([("id", "=", participant_id)], _FIELDS, limit=1)
        keys = self.env["spar.participant.key"]._read_keys(participant_id)
        is_true = bool(participant.sudo()._filter_true())
        if not participant:
            return _NOBODY
        return KnownParticipant(
            participant_id=participant_id,
            caller=participant._build_caller(participant._get_operations()),
            may_call=is_true and participant._may_call(),
            proof=participant.proof,
            signature_place=participant.signature_place,
            jwks_url=participant.jwks_url or "",
            keys=keys,
        )

    @api.model
    def _know_nobody(self, *asked) -> KnownParticipant:
        """Nobody, after as much work as somebody takes: the first time and later."""
        key = (self.env.cr.dbname, *asked)
        if _NOBODIES.get(key, ()) is None:
            _NOBODIES.put(key, (), self._build_known(0))
        return _NOBODY
