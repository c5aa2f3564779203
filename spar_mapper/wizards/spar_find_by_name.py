from odoo import api, fields, models
from odoo.exceptions import UserError

from odoo.addons.spar_mapper_connector.lib.keyring import bind
from odoo.addons.spar_mapper_connector.models.forms.spar_sealed_draft import (
    sealed_text,
)

from ..lib.typed_search import read_year
from ..models.staff.spar_lookup import FoundPlace
from .spar_find_wizard import Finder, Notes

#: The most people whom a name lists; beyond it, another fact is asked for.
MAX_NAMED = 10
#: The most people of a name whose addresses are looked at. Others may see more of them.
_MAX_COMPARED = 200


class SparFindWizard(models.TransientModel):
    """Find a person by name, where the database has a registry of people.

    A name proves nothing: a second fact, the year of birth or the place, is asked for
    before anybody is shown, and the user always chooses.
    """

    _inherit = "spar.find.wizard"

    person_name = sealed_text(
        "person_name",
        string="Name",
        help="In any script, with or without accents, the words in any order.",
    )
    birth_year = sealed_text("birth_year", string="Year of birth")
    place = sealed_text("place", help="The town or village where the person lives.")
    has_names = fields.Boolean(string="Finds by name", compute="_compute_has_names")

    @api.depends("uuid")
    def _compute_has_names(self):
        self.has_names = self.env["spar.person.source"]._has_names()

    @api.model
    def _get_text_fields(self) -> tuple[str, ...]:
        return (*super()._get_text_fields(), "person_name")

    def _get_name_finder(self, notes: Notes) -> list[Finder]:
        """Return the criterion of a name with its facts; raises UserError without."""
        name = (self.person_name or "").strip()
        if not name:
            return []
        typed_year, place = (self.birth_year or "").strip(), (self.place or "").strip()
        year = read_year(typed_year, fields.Date.context_today(self).year)
        if typed_year and not year:
            raise UserError(
                self.env._("Year of birth: enter all four digits, for example 1980.")
            )
        if not (year or place):
            raise UserError(
                self.env._(
                    "Enter the year of birth or the place as well: a name alone finds "
                    "nobody."
                )
            )
        text = bind(name, str(year or ""), place).decode()
        return [("name", text, lambda: self._find_named(name, year, place, notes))]

    @api.model
    def _find_named(self, name, year, place, notes: Notes) -> list[FoundPlace]:
        """Return the places of those people of a name whom the user may see.

        There are none if they are too many: only that is noted then.
        """
        source = self.env["spar.person.source"]
        found = source._find_by_name(name, year, place, _MAX_COMPARED + 1)
        notes.is_by_name = True
        id_values = [id_value for one in found for id_value in one]
        mappings = self.env["spar.mapping"]
        places = mappings._find_by_ids(id_values) if id_values else []
        subjects = [place.subject_id for place in places]
        seen = self.env["spar.subject"].search([("id", "in", subjects)])
        notes.is_too_many = len(found) > _MAX_COMPARED or len(seen) > MAX_NAMED
        if notes.is_too_many:
            return []
        return [place for place in places if place.subject_id in set(seen.ids)]

    def _get_named_text(self) -> str:
        return self.env._(
            "People of this name. Compare the document, and open the right one: a name "
            "proves nothing."
        )

    def _get_many_text(self) -> str:
        if self.birth_year and self.place:
            return self.env._(
                "More than %(max)s people have this name. Find the person by an ID, an "
                "account or a reference.",
                max=MAX_NAMED,
            )
        return self.env._(
            "More than %(max)s people have this name. Enter the year of birth and the "
            "place.",
            max=MAX_NAMED,
        )

    def _get_no_name_text(self) -> str:
        return self.env._(
            "No person of this name was found with this year of birth or place. "
            "Compare them with the document, try fewer names, or find the person by a "
            "number."
        )


class SparFindWizardLine(models.TransientModel):
    """What tells people of one name apart."""

    _inherit = "spar.find.wizard.line"

    person_name = fields.Char(related="subject_id.person_name", related_sudo=False)
    birth_year = fields.Char(related="subject_id.birth_year", related_sudo=False)
    home_place = fields.Char(related="subject_id.home_place", related_sudo=False)
