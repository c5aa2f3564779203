from odoo import SUPERUSER_ID, api, fields, models
from odoo.tools import SQL

from odoo.addons.spar_mapper_connector.exceptions import InvalidIdentifier
from odoo.addons.spar_mapper_connector.transactions import count_alone, lock_counters

from ...exceptions import LookupLimit
from ...lib.lookups import DAY, has_too_many_unknown, is_spent

#: The purpose of the digests.
LOOKUP = "registry_lookup"


class SparRegistryLookup(models.Model):
    """An ID that a programme's user looked up, on a person's form or in a file.

    Whoever types an ID into a contact of their own learns whether it exists and where
    it is paid; whoever checks a file learns which of its IDs are known. So each user
    has a budget for 24 hours, in which an ID of nobody costs more. The same ID is free
    for that time, whichever contact has it.

    It counts with any mapper. A mapper that keeps a record of who looked for whom adds
    its own, see ``spar.mapper._look_up``. There is one row for each user and ID, with
    a keyed digest of it; rows are removed once they no longer count.
    """

    _name = "spar.registry.lookup"
    _description = "ID that a programme's user looked up"
    _inherit = ["spar.sealed.storage"]
    _log_access = False
    _rec_name = "kind"
    _sealed_columns = ()
    _digest_columns = ("commitment",)

    # No foreign key: the row is written by a transaction of its own.
    actor = fields.Char(required=True, readonly=True)
    kind = fields.Selection(
        [("person", "On a person's form"), ("file", "In a file")],
        required=True,
        readonly=True,
    )
    looked_at = fields.Datetime(string="Looked up at", required=True, readonly=True)
    is_found = fields.Boolean(string="Found", readonly=True)

    def init(self):
        result = super().init()
        self.env.cr.execute(
            """CREATE UNIQUE INDEX IF NOT EXISTS spar_registry_lookup_actor_index
                   ON spar_registry_lookup (actor, kind, commitment)"""
        )
        return result

    # === ONE PERSON === #

    @api.model
    def _charge(self, id_value: str) -> None:
        """Count that the user looks up an ID, before anything of it is read.

        It counts as a miss until ``_note_found`` says otherwise, and stays whatever the
        caller does afterwards. Raises LookupLimit where the budget is used up.
        """
        if self.env.uid == SUPERUSER_ID:
            return
        budget = self.env["spar.registry.setting"]._get_number("address_lookups")
        digests = self._digest([self._get_canonical(id_value)])
        with self._open_cursor() as cr:
            count_alone(cr, self._table, self._get_actor("person"))
            lookups = self.with_env(self.env(cr=cr))
            is_known = bool(lookups._find_counted("person", digests))
            is_over = not is_known and is_spent(*lookups._count("person"), budget)
            if not (is_known or is_over):
                lookups._record("person", digests, [False])
        if is_over:
            self._raise_alarm("people looked up by ID")
            raise LookupLimit()

    @api.model
    def _note_found(self, id_value: str) -> None:
        """Note that an ID that was charged is somebody's: it costs less."""
        if self.env.uid == SUPERUSER_ID:
            return
        (digest,) = self._digest([self._get_canonical(id_value)])
        with self._open_cursor() as cr:
            cr.execute(
                """UPDATE spar_registry_lookup SET is_found = TRUE
                    WHERE actor = %s AND kind = 'person' AND commitment = %s
                      AND is_found IS NOT TRUE""",
                (self._get_actor(), digest),
            )

    @api.model
    def _open_cursor(self):
        return self.env.registry.cursor()

    # === FILES === #

    @api.model
    def _count_file(self, found: dict[str, bool]) -> set[str]:
        """Count IDs of a file; return those of which the user may learn the result.

        They count in their order, until too many were of nobody. IDs that count already
        are free. Files of one user are compared one after the other, until this
        transaction ends.

        :param found: whether people have an ID, by its canonical form
        """
        lock_counters(self.env.cr, self._table, self._get_actor("file"))
        limit = self.env["spar.registry.setting"]._get_number("unknown_ids")
        digests = dict(zip(found, self._digest(list(found)), strict=True))
        counted = self._find_counted("file", list(digests.values()))
        hits, misses = self._count("file")
        new = {}
        for canonical, is_found in found.items():
            if digests[canonical] in counted:
                continue
            if has_too_many_unknown(hits, misses, limit):
                break
            new[canonical] = is_found
            hits, misses = hits + is_found, misses + (not is_found)
        self._record("file", [digests[one] for one in new], list(new.values()))
        answered = {one for one in found if one in new or digests[one] in counted}
        if len(answered) < len(found):
            self._raise_alarm("unknown IDs checked by files")
        return answered

    # === COUNTING === #

    @api.model
    def _get_actor(self, kind: str = "") -> str:
        return f"user:{self.env.uid} {kind}".rstrip()

    @api.model
    def _get_canonical(self, id_value: str) -> str:
        """Return an ID in its canonical form, or as it is written if it is none."""
        try:
            return self.env["spar.id.type"]._identify(id_value).canonical
        except InvalidIdentifier:
            return id_value

    @api.model
    def _digest(self, canonicals: list[str]) -> list[bytes]:
        digest = self.env["spar.keyring"]._open().digester(LOOKUP)
        return [digest(canonical) for canonical in canonicals]

    @api.model
    def _find_counted(self, kind: str, digests: list[bytes]) -> set[bytes]:
        """Return those that the user has looked up in 24 hours."""
        query = SQL(
            """SELECT commitment FROM spar_registry_lookup
                WHERE actor = %s AND kind = %s AND commitment = ANY(%s)
                  AND looked_at > %s""",
            self._get_actor(),
            kind,
            digests,
            fields.Datetime.now() - DAY,
        )
        return {bytes(digest) for (digest,) in self.env.execute_query(query)}

    @api.model
    def _count(self, kind: str) -> tuple[int, int]:
        """Return the user's hits and misses in 24 hours."""
        query = SQL(
            """SELECT count(*) FILTER (WHERE is_found),
                      count(*) FILTER (WHERE is_found IS NOT TRUE)
                 FROM spar_registry_lookup
                WHERE actor = %s AND kind = %s AND looked_at > %s""",
            self._get_actor(),
            kind,
            fields.Datetime.now() - DAY,
        )
        return self.env.execute_query(query)[0]

    @api.model
    def _record(self, kind: str, digests: list[bytes], found: list[bool]) -> None:
        """Note IDs that were looked up; one that counts already counts on."""
        if not digests:
            return
        now = fields.Datetime.now()
        self.env.cr.execute(
            SQL(
                """INSERT INTO spar_registry_lookup AS known
                          (actor, kind, looked_at, commitment, is_found)
                   SELECT DISTINCT ON (commitment) %s, %s, %s::timestamp, new.*
                     FROM unnest(%s::bytea[], %s::bool[]) AS new (commitment, is_found)
                    ORDER BY commitment, is_found DESC
                       ON CONFLICT (actor, kind, commitment) DO UPDATE
                      SET looked_at = excluded.looked_at, is_found = excluded.is_found
                    WHERE known.looked_at <= %s""",
                self._get_actor(),
                kind,
                now,
                digests,
                found,
                now - DAY,
            )
        )

    @api.model
    def _raise_alarm(self, what: str) -> None:
        """Alert supervisors, or the log where there is no store in this database."""
        problem = f"programmes: the limit of 24 hours is reached: {what}"
        seals_sudo = self.env["spar.settings.seal"].sudo()
        seals_sudo._raise_alarms([("res_users", self.env.uid, problem)])

    @api.autovacuum
    def _remove_old(self) -> None:
        """Remove what no longer counts."""
        self.env.cr.execute(
            "DELETE FROM spar_registry_lookup WHERE looked_at <= %s",
            (fields.Datetime.now() - DAY,),
        )
