import logging
import os
from datetime import timedelta

from odoo import api, fields, models

from odoo.addons.spar_mapper_connector.exceptions import MapperError

from ..lib.demo_families import DemoFamily, build_families

DEMO_VARIABLE = "SPAR_DEMO"
#: The ID of somebody whose old one was replaced.
_NEW_NUMBER = "5100999321"
#: A provider that closed after accounts there were collected.
_CLOSING = "RURAL"
#: A person whose address staff entered, so that a programme's waits for approval.
_KNOWN_TO_STAFF = ("Vesna Tavori", "account:410000777123@BR02.DEMO")
_CONSENT = """<p>I agree that the programme sends my account number to the national
    registry of payment accounts, so that my benefits are paid there. I can withdraw
    this at any office, at any time.</p>"""

_logger = logging.getLogger(__name__)


class SparRegistryDemo(models.AbstractModel):
    """The story of the demo's programmes: families, consents and collected accounts.

    Accounts are queued as staff do it; the outbox sends them.
    """

    _name = "spar.registry.demo"
    _description = "Demo of the programmes"

    @api.model
    def _load(self) -> None:
        """Load the story once; do nothing without the demo's variable and a mapper."""
        if os.environ.get(DEMO_VARIABLE) != "1":
            _logger.info("no demo programmes: %s is not 1", DEMO_VARIABLE)
            return
        programmes = self.env["spar.programme"].with_context(active_test=False)
        if programmes.search_count([("code", "=", "CHILD")]):
            return
        try:
            self.env["spar.mapper.backend"]._get_mapper()
            self.env["spar.keyring"]._open()
        except MapperError:
            _logger.info("no demo programmes: there are no keys or no mapper")
            return
        families = build_families()
        households = [self._create_household(family) for family in families]
        self._load_child_grant(families, households)
        self._load_pension(families, households)

    @api.model
    def _load_known_to_staff(self, number: str) -> None:
        """Load somebody once whose address staff entered: a programme's has to wait.

        :param number: their ID, which the mapper knows
        """
        programme = self.env["spar.programme"].search([("code", "=", "PENSION")])
        name, fa = _KNOWN_TO_STAFF
        people = self.env["res.partner"].with_context(active_test=False)
        if not programme or people.search_count([("name", "=", name)], limit=1):
            return
        person = self.env["res.partner"].create({"name": name})
        self._add_id(person, number)
        programme.member_ids = [(0, 0, {"partner_id": person.id})]
        self._collect(person, fa, programme, 3)._queue()

    # === PEOPLE === #

    @api.model
    def _create_household(self, family: DemoFamily):
        """Return a household; the first of its members is its head."""
        household = self.env["res.partner"].create(
            {"name": family.name, "is_company": True}
        )
        people = self.env["res.partner"].create(
            [
                {"name": one.name, "phone": one.phone, "parent_id": household.id}
                for one in family.members
            ]
        )
        for person, member in zip(people, family.members, strict=True):
            self._add_id(person, member.number)
        household.spar_head_id = people[0]
        return household

    @api.model
    def _add_id(self, person, number: str):
        national_id = self.env.ref("spar_mapper_connector.id_type_national_id")
        return self.env["spar.person.identity"].create(
            {
                "partner_id": person.id,
                "id_type_id": national_id.id,
                "value": number,
                "is_verified": True,
            }
        )

    @api.model
    def _create_programme(self, name: str, code: str, people, **values):
        manager = self.env.ref("spar_registry.demo_user_programme_manager")
        return self.env["spar.programme"].create(
            {
                "name": name,
                "code": code,
                "manager_ids": [(4, manager.id)],
                "member_ids": [(0, 0, {"partner_id": one.id}) for one in people],
                **values,
            }
        )

    @api.model
    def _collect(self, person, fa: str, programme, days: int):
        """Return an account that was collected ``days`` ago, not sent yet."""
        user = self.env.ref("spar_registry.demo_user_programme")
        return self.env["spar.payment.account"]._collect(
            person,
            fa,
            programme_id=programme.id,
            origin="field",
            collected_at=fields.Datetime.now() - timedelta(days=days),
            collected_by=user.id,
        )

    # === PROGRAMMES === #

    @api.model
    def _load_child_grant(self, families, households) -> None:
        """Load a grant that is paid to heads of households who consented.

        The last household has not consented yet, and the one before withdrew its
        consent, so their accounts are not sent.
        """
        programme = self._create_programme(
            "Child Grant",
            "CHILD",
            households,
            payee_rule="head",
            needs_consent=True,
            consent_text=_CONSENT,
        )
        for place, household in enumerate(households):
            member = families[place].members[0]
            account = self._collect(household, member.fa, programme, 9 - place)
            if place == len(households) - 1:
                continue
            consent = self._give_consent(household, programme, 9 - place)
            account._queue()
            if place == len(households) - 2:
                consent.action_withdraw()

    @api.model
    def _give_consent(self, person, programme, days: int):
        return self.env["spar.consent"].create(
            {
                "partner_id": person.id,
                "programme_id": programme.id,
                "given_how": "signed",
                "given_at": fields.Datetime.now() - timedelta(days=days),
            }
        )

    @api.model
    def _load_pension(self, families, households) -> None:
        """Load a pension that is paid to each person.

        One account is at a bank that has closed since, one person has a new ID, and one
        has died.
        """
        people = self.env["res.partner"]
        for household in households[:4]:
            people |= household.child_ids.sorted("id")[1:2]
        programme = self._create_programme("Old-Age Pension", "PENSION", people)
        for place, person in enumerate(people):
            fa = families[place].members[1].fa
            self._collect(person, fa, programme, 5)._queue()
        self._load_closed_bank(households[4], programme)
        people[2].spar_identity_ids.active = False
        self._add_id(people[2], _NEW_NUMBER)
        people[3].spar_died_on = fields.Date.today() - timedelta(days=2)

    @api.model
    def _load_closed_bank(self, household, programme) -> None:
        """Queue an account at a bank, which then closes."""
        bank = self.env["spar.fsp"].create(
            {
                "name": "Rural Savings of Tavoria",
                "code": _CLOSING,
                "kind": "bank",
                "country_id": self._get_country(),
            }
        )
        person = household.child_ids.sorted("id")[1]
        programme.member_ids = [(0, 0, {"partner_id": person.id})]
        account = self._collect(
            person, f"account:550012345678@.{_CLOSING}", programme, 4
        )
        account._queue()
        bank.closed_on = fields.Date.today() - timedelta(days=1)

    @api.model
    def _get_country(self) -> int | bool:
        country = self.env.ref(
            "spar_fa_directory.country_tavoria", raise_if_not_found=False
        )
        return country.id if country else False
