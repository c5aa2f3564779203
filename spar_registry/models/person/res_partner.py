from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.fields import Domain
from odoo.http import request

from odoo.addons.spar_fa_directory.lib.exceptions import LoadStopped
from odoo.addons.spar_mapper_connector.closed_fields import (
    ClosedDate,
    ClosedInteger,
    ClosedMany2one,
    ClosedOne2many,
)
from odoo.addons.spar_mapper_connector.expressions import (
    get_person,
    is_at_run_time,
    is_called_from_expression,
    refuse_expressions,
)

from ...exceptions import (
    NoIdentity,
    NoPayee,
    NotOfProgramme,
    SharedIdentity,
    UnverifiedIdentity,
)
from ...lib.identity import RegistryIdentity, choose_identity
from ...lib.name_keys import FIRST_YEAR
from ..task.spar_life_events import WATCHED
from .spar_person_name import NAMED_BY

_USER = "spar_registry.group_programme_user"
#: The fields of ours that decide who is paid.
_DECIDING = {"spar_died_on", "spar_head_id"}
#: What makes a contact a person of the registry: models, and their fields.
_REGISTERED = (
    ("spar.person.identity", "partner_id"),
    ("spar.payment.account", "partner_id"),
    ("spar.payment.account", "payee_id"),
    ("spar.consent", "partner_id"),
    ("spar.programme.member", "partner_id"),
    ("spar.programme.member", "recipient_id"),
    ("spar.registry.task", "partner_id"),
)


class ResPartner(models.Model):
    """People of programmes: their IDs, and who is paid for whom.

    Addons for other registries override the methods whose names begin with ``_spar_``:
    each takes a recordset and answers for all of it, in a constant number of queries.
    """

    _inherit = "res.partner"

    spar_identity_ids = ClosedOne2many(
        "spar.person.identity",
        "partner_id",
        string="IDs",
        groups="spar_registry.group_programme_user",
    )
    spar_account_ids = ClosedOne2many(
        "spar.payment.account",
        "partner_id",
        string="Collected accounts",
        groups="spar_registry.group_programme_viewer",
    )
    spar_head_id = ClosedMany2one(
        "res.partner",
        string="Head of household",
        groups="spar_registry.group_programme_viewer",
        domain="[('parent_id', '=', id)]",
        copy=False,
        help="Programmes that pay heads of households pay this person.",
    )

    spar_member_ids = ClosedOne2many(
        "spar.programme.member",
        "partner_id",
        string="Programmes",
        groups="spar_registry.group_programme_viewer",
    )
    spar_consent_ids = ClosedOne2many(
        "spar.consent",
        "partner_id",
        string="Consents",
        groups="spar_registry.group_programme_user",
    )
    spar_task_ids = ClosedOne2many(
        "spar.registry.task",
        "partner_id",
        string="Tasks",
        groups="spar_registry.group_programme_user",
    )
    spar_died_on = ClosedDate(
        string="Died on",
        copy=False,
        groups="spar_registry.group_programme_user",
        help="Nobody who died is paid. A task proposes to suspend the payments.",
    )

    spar_birth_year = ClosedInteger(
        string="Year of birth",
        copy=False,
        groups="spar_registry.group_programme_viewer",
        help="Staff who search for a person by name have to know this or the place.",
    )

    @api.constrains("spar_birth_year")
    def _check_birth_year(self):
        """Raise ValidationError for a year in which nobody who lives was born."""
        this_year = fields.Date.context_today(self).year
        for person in self:
            year = person.spar_birth_year
            if year and not FIRST_YEAR <= year <= this_year:
                raise ValidationError(
                    self.env._(
                        "Year of birth: enter a year from %(first)s to %(last)s.",
                        first=str(FIRST_YEAR),
                        last=str(this_year),
                    )
                )

    @api.model_create_multi
    def create(self, vals_list):
        """Create people who can be found by name."""
        people = super().create(vals_list)
        people.parent_id._refuse_rows_to_add()
        self.env["spar.person.name"]._index(people)
        return people

    def write(self, vals):
        """Write, and do what follows: see ``spar.life.events`` and the names' keys."""
        self._check_deciding(vals)
        events = self.env["spar.life.events"]
        is_watched = bool(vals.keys() & WATCHED)
        before = events._observe(self) if is_watched else None
        result = super().write(vals)
        if is_watched:
            events._compare(self, before)
        if vals.keys() & self._spar_get_naming_fields():
            self.env["spar.person.name"]._index(self)
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_except_registered(self):
        """Raise UserError for people of whom the registry has something.

        Their IDs, accounts and tasks would be deleted with them. Raises AccessError for
        their household, unless a programme's user deletes it.
        """
        if not is_at_run_time(self.env):
            return
        self._check_households_kept()
        if self.sudo()._find_registered():
            raise UserError(
                self.env._(
                    "People with IDs, accounts, consents or tasks cannot be deleted: "
                    "these would be deleted, too. Archive the person."
                )
            )

    # === WHO DECIDES WHO IS PAID === #

    def _check_deciding(self, vals: dict) -> None:
        """Raise an error if somebody without a role would decide who is paid.

        Whoever may edit contacts edits their names and addresses. Who is the head of a
        household, and to which household a person of a programme belongs, decides where
        money goes. Raises CalledFromExpression and AccessError.
        """
        is_moving = "parent_id" in vals and self._find_moved(vals["parent_id"])
        if vals.keys() & _DECIDING or is_moving:
            self._check_may_decide()
        if vals.get("parent_id"):
            self.browse(vals["parent_id"])._refuse_rows_to_add()

    @api.model
    def _check_may_decide(self) -> None:
        """Raise an error for expressions, and for users without a programme's role."""
        refuse_expressions()
        if not request:
            return
        # Not the user of this environment: superuser code of a request may be its own.
        user = self.env["res.users"].browse(get_person(self.env))
        if not user.has_group(_USER):
            raise AccessError(
                self.env._(
                    "This decides who is paid by a programme, so only a programme's "
                    "users can change it. Ask an administrator."
                )
            )

    def _check_households_kept(self) -> None:
        """Raise an error if somebody without a role ends households of these contacts.

        Their members would belong to none, or to the contact that is kept.
        """
        members_sudo = self.sudo().with_context(active_test=False)
        if members_sudo.search([("parent_id", "in", self.ids)])._find_registered():
            self._check_may_decide()

    def _refuse_rows_to_add(self) -> None:
        """Raise CalledFromExpression if a row puts contacts into such a household.

        An automation would do so before they are registered: nobody sees it.
        """
        if not (self and is_called_from_expression()):
            return
        members_sudo = self.sudo().with_context(active_test=False)
        members_sudo = members_sudo.search([("parent_id", "in", self.ids)])
        if (members_sudo | self.sudo())._find_registered():
            refuse_expressions()

    def _find_moved(self, parent_id) -> bool:
        """Return whether people of the registry would get another household."""
        people_sudo = self.sudo()
        moved_sudo = people_sudo.filtered(
            lambda person: person.parent_id.id != (parent_id or False)
        )
        return bool(moved_sudo and moved_sudo._find_registered())

    def _find_registered(self) -> set[int]:
        """Return the row ids of those of whom the registry has something."""
        found: set[int] = set()
        for model, name in _REGISTERED:
            rows_sudo = self.env[model].sudo().with_context(active_test=False)
            found |= set(rows_sudo.search([(name, "in", self.ids)])[name].ids)
        return found

    # === HOOKS FOR OTHER REGISTRIES === #

    def _spar_identities(self) -> dict[int, list[RegistryIdentity]]:
        """Return the IDs of each person that are in use, by the person's row id.

        Raises ServiceUnavailable without keys.
        """
        rows = self.env["spar.person.identity"].with_context(active_test=True)
        found: dict[int, list[RegistryIdentity]] = {row_id: [] for row_id in self.ids}
        for identity in rows._open_found(rows._search_of(self)).values():
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

    def _spar_headed(self):
        """Return the households of which one of these people is the head."""
        households_sudo = self.sudo().with_context(active_test=False)
        found_sudo = households_sudo.search([("spar_head_id", "in", self.ids)])
        return self.browse(found_sudo.ids)

    def _spar_households(self) -> dict[int, int]:
        """Return each person's household, by row ids.

        A household, or somebody alone, is their own; those of whom it is not certain
        are omitted.
        """
        return {person.id: (person.parent_id or person).id for person in self}

    def _spar_payable(self) -> set[int]:
        """Return the row ids of those who can be paid at all: neither dead nor gone."""
        people_sudo = self.sudo().with_context(active_test=False)
        domain = Domain("id", "in", self.ids) & Domain("active", "=", True)
        query = people_sudo._search(domain & Domain("spar_died_on", "=", False))
        return set(query.get_result_ids())

    def _spar_find_by_ids(self, id_values: list[str]) -> dict[str, list[int]]:
        """Return the people who have each ID, by the ID as it was given."""
        return self.env["spar.person.identity"]._find_by_ids(id_values)

    def _spar_birth_years(self) -> dict[int, int]:
        """Return the year in which each person was born; unknown ones are omitted."""
        return {one.id: one.spar_birth_year for one in self if one.spar_birth_year}

    def _spar_places(self) -> dict[int, str]:
        """Return the place where each person lives; unknown ones are omitted."""
        return {one.id: one.city for one in self if one.city}

    @api.model
    def _spar_get_naming_fields(self) -> set[str]:
        """Return the fields by which people are found by name: see those above."""
        return NAMED_BY

    def _spar_phones(self) -> dict[int, str]:
        """Return the phone number at which each person is called."""
        return {person.id: person.phone for person in self if person.phone}

    @api.model
    def _spar_add_people(self, vals_list: list[dict]):
        """Return new people, in the same order, who were named in a file.

        They belong to no household, whatever defaults and automations say: who is paid
        for them is decided where somebody sees it. Raises LoadStopped.
        """
        quiet = self.with_context(
            tracking_disable=True, mail_create_nolog=True, mail_create_nosubscribe=True
        )
        alone = dict.fromkeys(("parent_id", "spar_died_on", "spar_head_id"), False)
        people = quiet.create([{**alone, "active": True, **vals} for vals in vals_list])
        if any(person.parent_id or person.spar_head_id for person in people):
            raise LoadStopped(
                self.env._(
                    "An automation of this database puts new contacts under another "
                    "contact, so people cannot be added from a file. Ask an "
                    "administrator to leave contacts out of it."
                )
            )
        return people.with_env(self.env)

    # === WHO IS PAID === #

    @api.model
    def _spar_choose_identity(
        self, identities: list[RegistryIdentity], type_ids=(), with_expired=False
    ) -> RegistryIdentity:
        """Return the ID that a person is paid by.

        Raises NoIdentity, and SharedIdentity where another person has it, too.
        """
        chosen = choose_identity(identities, type_ids, with_expired)
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

    def _spar_get_paid(self, programme) -> tuple:
        """Return who is paid for this person, and the ID; raises RegistryError."""
        payee = self._spar_get_payee(programme)
        identities = payee._spar_identities()[payee.id]
        chosen = payee._spar_choose_identity(identities, programme.id_type_ids.ids)
        return payee, chosen

    def _spar_get_last_paid(self, programme) -> tuple:
        """Return whose payments are to be stopped or ended, and the ID.

        Raises RegistryError, also where this is no matter of the programme: whoever
        types somebody else's ID stops nobody's payments by it.
        """
        payee, identity = self._spar_find_last_paid(programme)
        if not self.env["spar.payment.account"]._is_paid_by(programme, payee, identity):
            if not self._spar_is_of_programme(programme):
                raise NotOfProgramme()
            if not identity.is_verified or identity.verified_by == self.env.uid:
                raise UnverifiedIdentity()
        return payee, identity

    def _spar_find_last_paid(self, programme) -> tuple:
        """Return who was paid last, and by which ID; raises RegistryError.

        Also somebody who can no longer be paid, because they died or their ID has
        expired.
        """
        last = self.env["spar.payment.account"].search(
            [
                ("partner_id", "=", self.id),
                ("programme_id", "=", programme.id),
                ("payee_id", "!=", False),
            ],
            limit=1,
        )
        payee = last.payee_id
        if not payee:
            payee_id = programme._find_payees(self).get(self.id)
            payee = self.browse(payee_id or self.id)
        identities = payee._spar_identities()[payee.id]
        for identity in identities:
            if last and identity.row_id == last.identity_row:
                return payee, identity
        types = programme.id_type_ids.ids
        return payee, payee._spar_choose_identity(identities, types, with_expired=True)

    def _spar_is_of_programme(self, programme) -> bool:
        """Return whether a person is in a programme, or receives for somebody who is.

        A household is in it for its people. Without a programme, any programme counts.
        """
        self.ensure_one()
        households = self.browse(self._spar_households().values())
        groups = self | households | self._spar_headed()
        domain = Domain("partner_id", "in", groups.ids)
        domain |= Domain("recipient_id", "=", self.id)
        if programme:
            domain &= Domain("programme_id", "=", programme.id)
        return bool(self.env["spar.programme.member"].search_count(domain, limit=1))

    def _spar_get_usual_programme(self):
        """Return the programme whose address is shown for this person at first.

        The only one in which they, or the household of which they are the head, are;
        or the one for which they gave an account last.
        """
        self.ensure_one()
        households = self._spar_headed()._filtered_access("read")
        programmes = (self | households).spar_member_ids.programme_id
        if len(programmes) == 1:
            return programmes
        return self.spar_account_ids[:1].programme_id

    # === ADDRESS === #

    def get_spar_address(self) -> dict[str, str]:
        """Return the texts of the button *Financial address*: ``state`` and ``text``.

        The web client calls it after the form has been shown. Raises AccessError.
        """
        return self.env["spar.person.address"]._get_button(self)

    def action_open_spar_address(self):
        """Open the person's address, with its history."""
        self.ensure_one()
        return self.env["spar.address.wizard"]._open_for(
            self, self._spar_get_usual_programme()
        )

    def action_record_spar_consent(self):
        """Open the form on which the person's consent is recorded."""
        self.ensure_one()
        self.env["spar.consent"].check_access("create")
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Record a consent"),
            "res_model": "spar.consent",
            "view_mode": "form",
            "target": "new",
            "context": {"default_partner_id": self.id},
        }

    def _spar_propose(self, kind: str, programme=None, reason: str = "") -> None:
        """Open a task about each person."""
        for person in self:
            self.env["spar.registry.task"]._propose(
                kind, person, programme, reason=reason
            )
