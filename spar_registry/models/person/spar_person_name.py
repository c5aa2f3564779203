from odoo import api, fields, models
from odoo.tools import SQL

from ...lib.name_keys import get_fact_keys, get_name_keys

#: How many people are indexed in one statement.
_BATCH = 5_000
#: The fields of a person that the keys are made of.
NAMED_BY = {"name", "city", "spar_birth_year", "is_company"}


class SparPersonName(models.Model):
    """The keys by which a person is found by a name and a second fact.

    One row for each person who is no company. The keys are those of ``lib.name_keys``,
    in a column that is no field: nobody reads, exports or groups by them. They are not
    sealed, because the name itself is in the same database in clear.
    """

    _name = "spar.person.name"
    _description = "Name of a person"
    _inherit = ["spar.of.person"]
    _rec_name = "partner_id"
    _log_access = False

    partner_id = fields.Many2one(
        "res.partner", string="Person", required=True, ondelete="cascade"
    )

    _partner_uniq = models.UniqueIndex(
        "(partner_id)", "A person can have only one row of keys."
    )

    def init(self):
        result = super().init()
        self.env.cr.execute(
            """ALTER TABLE spar_person_name ADD COLUMN IF NOT EXISTS keys text[];
               CREATE INDEX IF NOT EXISTS spar_person_name_keys_index
                   ON spar_person_name USING gin (keys)"""
        )
        return result

    @api.model
    def _index(self, people) -> None:
        """Write the keys of ``people`` anew, in a constant number of statements."""
        people_sudo = people.sudo().with_context(active_test=False)
        for start in range(0, len(people_sudo), _BATCH):
            self._index_batch(people_sudo[start : start + _BATCH])

    @api.model
    def _index_batch(self, people_sudo) -> None:
        named_sudo = people_sudo.filtered(lambda one: one.name and not one.is_company)
        years = named_sudo._spar_birth_years()
        places = named_sudo._spar_places()
        rows = []
        for person_sudo in named_sudo:
            facts = get_fact_keys(
                years.get(person_sudo.id), places.get(person_sudo.id, "")
            )
            keys = get_name_keys(person_sudo.name) | facts
            rows.append((person_sudo.id, sorted(keys)))
        self._forget(people_sudo)
        if rows:
            self.env.cr.execute_values(
                "INSERT INTO spar_person_name (partner_id, keys) VALUES %s", rows
            )
        self.invalidate_model()

    @api.model
    def _forget(self, people) -> None:
        """Delete the keys of ``people``, who are then found by no name."""
        self.env.cr.execute(
            "DELETE FROM spar_person_name WHERE partner_id = ANY(%s)", (people.ids,)
        )
        self.invalidate_model()

    @api.model
    def _index_all(self) -> None:
        """Write the keys of everybody who has none."""
        people_sudo = self.env["res.partner"].sudo().with_context(active_test=False)
        query = SQL(
            """SELECT p.id FROM res_partner p
                WHERE p.is_company IS NOT TRUE AND NOT EXISTS (
                      SELECT FROM spar_person_name n WHERE n.partner_id = p.id)
                ORDER BY p.id"""
        )
        found = [row_id for (row_id,) in self.env.execute_query(query)]
        for start in range(0, len(found), _BATCH):
            self._index_batch(people_sudo.browse(found[start : start + _BATCH]))
            people_sudo.invalidate_model()

    @api.model
    def _find(self, name: str, year: int | None, place: str, limit: int) -> list[int]:
        """Return at most ``limit`` people by all words of a name and by the facts.

        They are row ids, of people in use. There are none without a name or a fact.
        """
        words, facts = get_name_keys(name), get_fact_keys(year, place)
        if not words or not facts:
            return []
        query = SQL(
            """SELECT n.partner_id FROM spar_person_name n
                 JOIN res_partner p ON p.id = n.partner_id AND p.active
                WHERE n.keys @> %s::text[] LIMIT %s""",
            sorted(words | facts),
            limit,
        )
        return sorted(row_id for (row_id,) in self.env.execute_query(query))
