import os

from odoo import api, models

from odoo.addons.spar_fa_directory.lib.row_cache import RowCache

from ..lib.known_participant import KnownParticipant
from .spar_participant import CALLER_FIELDS, DEMO_VARIABLE

#: The fields that are read of a participant, whether it exists or not.
_FIELDS = [*CALLER_FIELDS, "jwks_url"]

#: Look-ups that matched no participant, kept apart so that guesses evict no real one.
_NOBODIES = RowCache()
_NOBODY = KnownParticipant()

#: Relations that are also part of its version.
_RELATIONS = ("own_provider_ids", "id_type_ids")


class SparParticipant(models.Model):
    """The participant as its rows describe it, cached in the process while unchanged.

    Which rows these are, and their versions, is read by the same statement by which a
    call reads every version that it needs. A change takes effect in the next call.
    """

    _name = "spar.participant"
    _inherit = ["spar.participant", "spar.cached.records"]
    _is_whole = False

    @api.model
    def _know(self, condition: str, *values) -> KnownParticipant:
        """Return the participant that matches ``condition``, which is SQL on ``p``.

        Where there is none, an empty one is returned.
        """
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
        """Return the participant, without a query if this transaction has read it."""
        known = self.env["spar.row.versions"]._find(f"participant {participant_id}")
        return known or self._know("p.id = %s", participant_id)

    @api.model
    def _get_marks(self) -> list[str]:
        """Return the SQL of the row versions that ``_build_known`` depends on."""
        keys = self.env["spar.participant.key"]._mark_rows("participant_id = p.id")
        marks = "string_agg(xmin::text || ctid::text, '')"
        relations = (
            f"(SELECT {marks} FROM {field.relation} WHERE {field.column1} = p.id)"
            for field in map(self._fields.get, _RELATIONS)
        )
        return ["p.xmin::text || p.ctid::text", keys, *relations]

    @api.model
    def _get_marked_sources(self) -> tuple[str, ...]:
        """Return the names of the other versions that the participant depends on."""
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
        """Return the empty participant, after as much work as for a real one.

        That holds for the first look-up and for repeated ones.
        """
        key = (self.env.cr.dbname, *asked)
        if _NOBODIES.get(key, ()) is None:
            _NOBODIES.put(key, (), self._build_known(0))
        return _NOBODY
