from odoo import api, fields, models
from odoo.tools import SQL

#: The purpose of the digests.
SEEN = "registry_file_row"


class SparSealedImportSeen(models.Model):
    """The row of a file in which an ID occurred first; only while the file is loaded.

    A file of a million rows is searched for repeated IDs without keeping them in
    memory. The digest is a keyed one.
    """

    _name = "spar.sealed.import.seen"
    _description = "ID of a sealed file"
    _inherit = ["spar.sealed.import.part", "spar.sealed.storage"]
    _log_access = False
    _sealed_columns = ()
    _digest_columns = ("digest", "fa_digest")
    _rec_name = "row"

    row = fields.Integer(required=True, readonly=True)
    is_disputed = fields.Boolean(
        readonly=True,
        help="Rows with this ID have different addresses.",
        string="Disputed",
    )

    def init(self):
        result = super().init()
        self.env.cr.execute(
            """CREATE UNIQUE INDEX IF NOT EXISTS spar_sealed_import_seen_digest_index
                   ON spar_sealed_import_seen (job_model, job_id, digest)"""
        )
        return result

    @api.model
    def _note(self, job, rows: dict[int, str]) -> dict[int, int]:
        """Note the IDs of rows; return the first row of those that occurred before.

        :param rows: the ID in its canonical form, by the number of the row
        """
        digest = self.env["spar.keyring"]._open().digester(SEEN)
        digests = [digest(canonical) for canonical in rows.values()]
        self.env.cr.execute(
            SQL(
                """INSERT INTO spar_sealed_import_seen (job_model, job_id, row, digest)
                   SELECT %s, %s, row, digest
                     FROM unnest(%s::int[], %s::bytea[]) AS new (row, digest)
                    ORDER BY row ON CONFLICT DO NOTHING""",
                job._name,
                job.id,
                list(rows),
                digests,
            )
        )
        query = SQL(
            """SELECT new.row, seen.row
                 FROM unnest(%s::int[], %s::bytea[]) AS new (row, digest)
                 JOIN spar_sealed_import_seen seen
                   ON seen.job_model = %s AND seen.job_id = %s
                  AND seen.digest = new.digest
                WHERE seen.row <> new.row""",
            list(rows),
            digests,
            job._name,
            job.id,
        )
        return dict(self.env.execute_query(query))

    @api.model
    def _note_addresses(self, job, rows: dict[int, tuple[str, str]]) -> None:
        """Note the ID and the address of rows, and which IDs have several addresses.

        :param rows: both in their canonical form, by the number of the row
        """
        digest = self.env["spar.keyring"]._open().digester(SEEN)
        noted: dict[bytes, tuple[int, bytes, bool]] = {}
        for number, (canonical, key) in sorted(rows.items()):
            mine = digest(canonical), digest(key)
            first, address, is_disputed = noted.get(mine[0], (number, mine[1], False))
            noted[mine[0]] = (first, address, is_disputed or address != mine[1])
        self.env.cr.execute(
            SQL(
                """INSERT INTO spar_sealed_import_seen AS seen
                          (job_model, job_id, digest, row, fa_digest, is_disputed)
                   SELECT %s, %s, new.*
                     FROM unnest(%s::bytea[], %s::int[], %s::bytea[], %s::bool[]) AS new
                       ON CONFLICT (job_model, job_id, digest) DO UPDATE
                      SET is_disputed = seen.is_disputed OR excluded.is_disputed
                                        OR seen.fa_digest <> excluded.fa_digest""",
                job._name,
                job.id,
                list(noted),
                *map(list, zip(*noted.values(), strict=True)),
            )
            if noted
            else SQL("SELECT")
        )

    @api.model
    def _find_addresses(self, job, rows: dict[int, tuple[str, str]]) -> dict:
        """Return the first row of each ID, and whether it has several addresses."""
        digest = self.env["spar.keyring"]._open().digester(SEEN)
        query = SQL(
            """SELECT new.row, seen.row, seen.is_disputed
                 FROM unnest(%s::int[], %s::bytea[]) AS new (row, digest)
                 JOIN spar_sealed_import_seen seen
                   ON seen.job_model = %s AND seen.job_id = %s
                  AND seen.digest = new.digest""",
            list(rows),
            [digest(canonical) for canonical, _key in rows.values()],
            job._name,
            job.id,
        )
        found = self.env.execute_query(query)
        return {number: (first, disputed) for number, first, disputed in found}

    @api.model
    def _forget(self, job) -> None:
        """Delete what was noted of a file."""
        self.env.cr.execute(
            SQL(
                "DELETE FROM spar_sealed_import_seen"
                " WHERE job_model = %s AND job_id = %s",
                job._name,
                job.id,
            )
        )
