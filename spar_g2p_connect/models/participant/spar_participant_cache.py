import os

from odoo import api, models

from odoo.addons.spar_fa_directory.lib.row_cache import RowCache

from ...lib.cached_participant import CachedParticipant
from .spar_participant import DEMO_VARIABLE
from .spar_participant_rights import RIGHTS_FIELDS

#: Relations whose rows are also part of a participant's version.
_RELATIONS = ("own_provider_ids", "id_type_ids")

#: The fields that are read of a participant, whether it exists or not.
_FIELDS = [
    "sender_id",
    "state",
    "demo_only",
    "proof",
    "signature_place",
    "answer_algorithm",
    "jwks_url",
    "origin_networks",
    "callback_url",
    *(name for name in RIGHTS_FIELDS if name not in _RELATIONS),
]

#: Lookups that matched no participant, kept apart so that guesses evict no real one.
_UNKNOWN_LOOKUPS = RowCache()
_UNKNOWN = CachedParticipant()


class SparParticipantCache(models.AbstractModel):
    """Participants as their rows describe them, cached in the process while unchanged.

    Which rows these are, and their versions, is read by the same statement by which a
    call reads every version that it needs. A change takes effect in the next call.
    """

    _name = "spar.participant.cache"
    _description = "Cache of participants"

    @api.model
    def _find(self, condition: str, *values) -> CachedParticipant:
        """Return the participant that matches ``condition``, which is SQL on ``p``.

        Where there is none, an empty one is returned.
        """
        versions = self.env["spar.row.versions"]
        columns = ", ".join(("p.id", *self._get_marks()))
        source = f"LEFT JOIN spar_participant p ON {condition}"
        participant_id, *marks = versions._read(columns, source, values)
        if not participant_id:
            return self._get_unknown(condition, *values)
        others = map(versions._get, self._get_marked_sources())
        version = (*marks, *others, os.environ.get(DEMO_VARIABLE))
        found = versions._reuse_version(
            version, self, "_build_participant", participant_id
        )
        versions._note(f"participant {participant_id}", found)
        return found

    @api.model
    def _find_by_id(self, participant_id: int) -> CachedParticipant:
        """Return the participant, without a query if this transaction has read it."""
        found = self.env["spar.row.versions"]._find(f"participant {participant_id}")
        return found or self._find("p.id = %s", participant_id)

    @api.model
    def _get_marks(self) -> list[str]:
        """Return the SQL of the row versions that ``_build_participant`` depends on."""
        keys = self.env["spar.participant.key"]._mark_rows("participant_id = p.id")
        marks = "string_agg(xmin::text || ctid::text, '')"
        participant_fields = self.env["spar.participant"]._fields
        relations = (
            f"(SELECT {marks} FROM {field.relation} WHERE {field.column1} = p.id)"
            for field in map(participant_fields.get, _RELATIONS)
        )
        return ["p.xmin::text || p.ctid::text", keys, *relations]

    @api.model
    def _get_marked_sources(self) -> tuple[str, ...]:
        """Return the names of the other versions that the participant depends on."""
        return ("receiver", "spar.fa.strategy", "spar.settings.seal")

    @api.model
    def _build_participant(self, participant_id: int) -> CachedParticipant:
        participants = self.env["spar.participant"]
        participant = participants.search_fetch(
            [("id", "=", participant_id)], _FIELDS, limit=1
        )
        keys = self.env["spar.participant.key"]._read_keys(participant_id)
        is_true = bool(participant.sudo()._filter_true())
        if not participant:
            return _UNKNOWN
        return CachedParticipant(
            participant_id=participant_id,
            caller=participant._build_caller(),
            may_call=is_true and participant._may_call(),
            jwks_url=participant.jwks_url or "",
            keys=keys,
        )

    @api.model
    def _get_unknown(self, *lookup) -> CachedParticipant:
        """Return the empty participant, after as much work as for a real one.

        That holds for the first lookup and for repeated ones.
        """
        key = (self.env.cr.dbname, *lookup)
        if _UNKNOWN_LOOKUPS.get(key, ()) is None:
            _UNKNOWN_LOOKUPS.put(key, (), self._build_participant(0))
        return _UNKNOWN
