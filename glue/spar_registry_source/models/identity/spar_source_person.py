from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from odoo.addons.spar_mapper_connector.expressions import is_called_from_expression
from odoo.addons.spar_registry.lib.identity import RegistryIdentity
from odoo.addons.spar_registry.lib.name_keys import YEAR
from odoo.addons.spar_registry.models.person.spar_person_identity import IDENTITY

#: The registry's own fields of which names and years of birth are made.
NAMED_BY = {"birthdate", "family_name", "given_name", "addl_name", "is_registrant"}


class SparSourcePerson(models.AbstractModel):
    """People of another registry: their IDs, households and phones are its own.

    Its glue adds this to contacts and names the models. Contacts that are not in the
    registry are as before.
    """

    _name = "spar.source.person"
    _description = "Person of another registry"

    #: Rows with ``group``, ``individual`` and ``ended_date``.
    _spar_membership_model = ""
    #: Rows with ``partner_id``, ``phone_no``, ``phone_sanitized`` and ``disabled``.
    _spar_phone_model = ""

    def _spar_get_head_domain(self) -> Domain:
        """Return which memberships are those of heads of households."""
        return Domain.FALSE

    # === LIFE EVENTS === #

    def write(self, vals):
        """Write; tasks are opened about people whom the registry disables."""
        is_disabling = vals.get("disabled") and not is_called_from_expression()
        disabled = self.filtered(lambda one: not one.disabled) if is_disabling else None
        result = super().write(vals)
        if disabled:
            self.env["spar.life.events"]._notice_gone(disabled, "disabled")
        return result

    # === SEARCH BY NAME === #

    def _spar_birth_years(self) -> dict[int, int]:
        """Return the year of the registry's date of birth; ours for those without."""
        found = super()._spar_birth_years()
        born = self.filtered(lambda one: one.is_registrant and one.birthdate)
        return found | {one.id: one.birthdate.year for one in born}

    @api.model
    def _spar_get_naming_fields(self) -> set[str]:
        return super()._spar_get_naming_fields() | NAMED_BY

    @api.model
    def _spar_index_births(self) -> None:
        """Index registrants who are not found by their year of birth yet.

        They were there before this addon, or were written by SQL.
        """
        query = SQL(
            """SELECT p.id FROM res_partner p
                 LEFT JOIN spar_person_name n ON n.partner_id = p.id
                WHERE p.is_registrant AND p.birthdate IS NOT NULL
                  AND p.is_company IS NOT TRUE
                  AND NOT coalesce(
                      n.keys @> ARRAY[%s || date_part('year', p.birthdate)], false)
                ORDER BY p.id""",
            YEAR,
        )
        found = [row_id for (row_id,) in self.env.execute_query(query)]
        self.env["spar.person.name"]._index(self.browse(found))

    # === IDS === #

    def _spar_identities(self) -> dict[int, list[RegistryIdentity]]:
        found = super()._spar_identities()
        for source in self.env["spar.source.index"]._get_sources():
            for identity in source._spar_open(self):
                found[identity.partner_id].append(identity)
        return self._spar_mark_shared(found)

    def _spar_mark_shared(
        self, found: dict[int, list[RegistryIdentity]]
    ) -> dict[int, list[RegistryIdentity]]:
        """Return the same IDs, with those that other people have marked."""
        digest = self.env["spar.keyring"]._open().digester(IDENTITY)
        keys = {
            identity.id_value: bytes(digest(identity.id_value))
            for identities in found.values()
            for identity in identities
        }
        identities_model = self.env["spar.source.identity"]
        owners = identities_model._find_owners(list(set(keys.values())))
        return {
            partner_id: [
                one._replace(
                    is_shared=bool(owners.get(keys[one.id_value], set()) - {partner_id})
                )
                for one in identities
            ]
            for partner_id, identities in found.items()
        }

    def _spar_find_by_ids(self, id_values: list[str]) -> dict[str, list[int]]:
        found = super()._spar_find_by_ids(id_values)
        others = self.env["spar.source.identity"]._find_by_ids(id_values)
        return {
            text: [*people, *(one for one in others[text] if one not in people)]
            for text, people in found.items()
        }

    # === HOUSEHOLDS === #

    def _spar_memberships_sudo(self, domain: Domain):
        """Return memberships that have not ended, of people whom the user may read."""
        memberships_sudo = self.env[self._spar_membership_model].sudo()
        now = fields.Datetime.now()
        lasting = Domain("ended_date", "=", False) | Domain("ended_date", ">", now)
        return memberships_sudo.search(domain & lasting, order="id")

    def _spar_households(self) -> dict[int, int]:
        """Return each person's household; of several groups, none is the household."""
        found = super()._spar_households()
        people = self.filtered(lambda one: one.is_registrant and not one.is_group)
        groups: dict[int, set[int]] = {}
        own = Domain("individual", "in", people.ids)
        for membership_sudo in self._spar_memberships_sudo(own):
            member = groups.setdefault(membership_sudo.individual.id, set())
            member.add(membership_sudo.group.id)
        for person_id, group_ids in groups.items():
            if len(group_ids) == 1:
                found[person_id] = next(iter(group_ids))
            else:
                found.pop(person_id, None)
        return found

    def _spar_head(self) -> dict[int, int]:
        """Return the head of each household; one with two heads has none."""
        groups = self.filtered(lambda one: one.is_registrant and one.is_group)
        found = super(SparSourcePerson, self - groups)._spar_head()
        heads: dict[int, set[int]] = {}
        ours = Domain("group", "in", groups.ids) & self._spar_get_head_domain()
        for membership_sudo in self._spar_memberships_sudo(ours):
            of_group = heads.setdefault(membership_sudo.group.id, set())
            of_group.add(membership_sudo.individual.id)
        one_head = {
            group_id: next(iter(head_ids))
            for group_id, head_ids in heads.items()
            if len(head_ids) == 1
        }
        payable = self.browse(list(set(one_head.values())))._spar_payable()
        return found | {
            group_id: head for group_id, head in one_head.items() if head in payable
        }

    def _spar_headed(self):
        """Return the households of which one of these people is the head."""
        own = Domain("individual", "in", self.ids) & self._spar_get_head_domain()
        groups_sudo = self._spar_memberships_sudo(own).group
        return super()._spar_headed() | self.browse(groups_sudo.ids)

    def _spar_is_of_programme(self, programme) -> bool:
        """Return whether a person is of a programme: the registry keeps its own."""
        return self.is_registrant or super()._spar_is_of_programme(programme)

    def _spar_payable(self) -> set[int]:
        """Return those who can be paid: nobody whom the registry has disabled."""
        # Not every field of each contact, as reading one of them would fetch.
        self.fetch(["active", "disabled"])
        disabled = self.filtered("disabled")
        return super(SparSourcePerson, self - disabled)._spar_payable()

    # === PHONES === #

    def _spar_phones(self) -> dict[int, str]:
        """Return the newest number of each person that is in use."""
        found = super()._spar_phones()
        if not self._spar_phone_model:
            return found
        seen = self._filtered_access("read")
        phones_sudo = self.env[self._spar_phone_model].sudo()
        domain = [("partner_id", "in", seen.ids), ("disabled", "=", False)]
        for phone_sudo in phones_sudo.search(domain, order="id"):
            number = phone_sudo.phone_sanitized or phone_sudo.phone_no
            found[phone_sudo.partner_id.id] = number
        return found
