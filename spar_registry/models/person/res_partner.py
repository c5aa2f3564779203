from odoo import api, fields, models

from ...exceptions import NoIdentity, NoPayee, SharedIdentity
from ...lib.identity import RegistryIdentity, choose_identity


class ResPartner(models.Model):
    """People of the registry: their IDs, and who is paid for whom.

    Addons for other registries override the methods whose names begin with ``_spar_``:
    each takes a recordset and answers for all of it, in a constant number of queries.
    """

    _inherit = "res.partner"

    spar_identity_ids = fields.One2many(
        "spar.person.identity",
        "partner_id",
        string="IDs",
        groups="spar_registry.group_programme_user",
    )
    spar_account_ids = fields.One2many(
        "spar.payment.account",
        "partner_id",
        string="Collected accounts",
        groups="spar_registry.group_programme_user",
    )
    spar_head_id = fields.Many2one(
        "res.partner",
        string="Head of household",
        groups="spar_registry.group_programme_user",
        domain="[('parent_id', '=', id)]",
        help="Programmes that pay heads of households pay this person.",
    )

    # === HOOKS FOR OTHER REGISTRIES === #

    def _spar_identities(self) -> dict[int, list[RegistryIdentity]]:
        """Return the IDs of each person that are in use, by the person's row id.

        Raises ServiceUnavailable without keys.
        """
        identities = self.env["spar.person.identity"].search(
            [("partner_id", "in", self.ids)]
        )
        found: dict[int, list[RegistryIdentity]] = {row_id: [] for row_id in self.ids}
        for identity in identities._open_identities().values():
            found[identity.partner_id].append(identity)
        return found

    def _spar_head(self) -> dict[int, int]:
        """Return the head of each household, by its row id; those without are omitted.

        A head counts only while they are a member and can be paid.
        """
        heads = {household.id: household.spar_head_id for household in self}
        payable = self.browse(
            [head.id for head in heads.values() if head]
        )._spar_payable()
        return {
            household_id: head.id
            for household_id, head in heads.items()
            if head.id in payable and head.parent_id.id == household_id
        }

    def _spar_payable(self) -> set[int]:
        """Return the row ids of those who can be paid at all: neither dead nor gone."""
        return set(self.filtered("active").ids)

    def _spar_find_by_ids(self, id_values: list[str]) -> dict[str, list[int]]:
        """Return the people who have each ID, by the ID as it was given."""
        return self.env["spar.person.identity"]._find_by_ids(id_values)

    def _spar_phones(self) -> dict[int, str]:
        """Return the phone number at which each person is called."""
        return {person.id: person.phone for person in self if person.phone}

    # === WHO IS PAID === #

    @api.model
    def _spar_choose_identity(
        self, identities: list[RegistryIdentity], type_ids=()
    ) -> RegistryIdentity:
        """Return the ID that a person is paid by.

        Raises NoIdentity, and SharedIdentity where another person has it, too.
        """
        chosen = choose_identity(identities, type_ids)
        if chosen is None:
            raise NoIdentity()
        if chosen.is_shared:
            raise SharedIdentity()
        return chosen

    def _spar_get_payee(self, programme=None):
        """Return who is paid for this person in a programme; raises NoPayee."""
        self.ensure_one()
        programme = programme or self.env["spar.programme"]
        payee_id = programme._find_payees(self).get(self.id)
        if not payee_id:
            raise NoPayee()
        return self.browse(payee_id)

    # === ADDRESS === #

    def get_spar_address(self) -> dict[str, str]:
        """Return the texts of the button *Financial address*: ``state`` and ``text``.

        The web client calls it after the form has been shown. Raises AccessError.
        """
        return self.env["spar.person.address"]._get_button(self)

    def action_open_spar_address(self):
        """Open the person's address, with its history."""
        self.ensure_one()
        return self.env["spar.address.wizard"]._open_for(self)

    def _spar_propose(self, kind: str, programme=None, reason: str = "") -> None:
        """Open a task about each person."""
        for person in self:
            self.env["spar.registry.task"]._propose(
                kind, person, programme, reason=reason
            )
