from odoo import api, models

from odoo.addons.spar_mapper_connector.models.mapper.spar_person_source import (
    SourcePerson,
)


class SparPersonSource(models.AbstractModel):
    """The people of this registry, for staff of a store in the same database."""

    _inherit = "spar.person.source"

    @api.model
    def _describe(self, id_value: str) -> SourcePerson | None:
        people_sudo = self.env["res.partner"].sudo()
        found = people_sudo._spar_find_by_ids([id_value])[id_value]
        if len(found) != 1:
            return super()._describe(id_value)
        person_sudo = people_sudo.browse(found)
        return self._build_person(person_sudo)

    @api.model
    def _build_person(self, person_sudo) -> SourcePerson:
        people_sudo = self.env["res.partner"].sudo()
        household_id = person_sudo._spar_households().get(person_sudo.id)
        household_sudo = people_sudo.browse(household_id) - person_sudo
        return SourcePerson(
            person_sudo.name or "",
            household_sudo.name or "",
            person_sudo._spar_birth_years().get(person_sudo.id),
            person_sudo._spar_places().get(person_sudo.id, ""),
        )

    @api.model
    def _has_names(self) -> bool:
        return True

    @api.model
    def _find_by_name(
        self, name: str, year: int | None, place: str, limit: int
    ) -> list[list[str]]:
        found = self.env["spar.person.name"]._find(name, year, place, limit)
        people_sudo = self.env["res.partner"].sudo().browse(found)
        identities = people_sudo._spar_identities()
        return [
            [identity.id_value for identity in identities.get(row_id, ())]
            for row_id in found
        ]
