from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from odoo.addons.spar_mapper_connector.exceptions import ServiceUnavailable

from ...lib.records import IN_FORCE

#: Which place is the person's main one: those that can be paid come first.
_STATE_ORDER = ("active", "suspended", "proposed", "ended")
#: The changes that were not applied, and for how long the page says so.
_UNDONE = ("refused", "stale", "expired")
_UNDONE_FOR = timedelta(days=30)


class SparSubject(models.Model):
    """What the person's page shows: all of it computed, masked, and never stored."""

    _inherit = "spar.subject"

    # What the main address shows, with the user's own rights.
    place_id = fields.Many2one(
        "spar.mapping",
        string="Main address",
        compute="_compute_place",
        search="_search_place_id",
        help="The address for any purpose that is paid first; none of a merged record.",
    )
    place_count = fields.Integer(string="Addresses", compute="_compute_place")
    pay_state = fields.Selection(
        selection="_selection_pay_state", string="State", compute="_compute_place"
    )
    is_paid = fields.Boolean(
        string="Payments arrive",
        compute="_compute_place",
        help="Whether a payment to this person would be made now.",
    )
    place_state = fields.Selection(
        related="place_id.state", related_sudo=False, string="State of the address"
    )
    id_masked = fields.Char(related="place_id.id_masked", related_sudo=False)
    fa_masked = fields.Char(related="place_id.fa_masked", related_sudo=False)
    contact_masked = fields.Char(
        related="place_id.contact_masked", related_sudo=False, string="Known contact"
    )
    fa_type_id = fields.Many2one(related="place_id.fa_type_id", related_sudo=False)
    provider_id = fields.Many2one(related="place_id.provider_id", related_sudo=False)
    branch_id = fields.Many2one(related="place_id.branch_id", related_sudo=False)
    state_since = fields.Datetime(related="place_id.state_since", related_sudo=False)
    origin_name = fields.Char(
        related="place_id.origin_name", related_sudo=False, string="Entered by"
    )
    last_kind = fields.Selection(
        related="place_id.last_kind", related_sudo=False, string="Last change"
    )
    last_by = fields.Char(
        related="place_id.last_by", related_sudo=False, string="Changed by"
    )
    last_at = fields.Datetime(
        related="place_id.last_at", related_sudo=False, string="Changed on"
    )
    pay_text = fields.Char(string="Is money paid?", compute="_compute_pay_text")
    lock_text = fields.Char(string="Who can change it", compute="_compute_lock_text")

    person_name = fields.Char(
        string="Name",
        compute="_compute_facts",
        help="From the registry of people in this database, if there is one.",
    )
    household_name = fields.Char(string="Household", compute="_compute_facts")
    birth_year = fields.Char(string="Year of birth", compute="_compute_facts")
    home_place = fields.Char(string="Place", compute="_compute_facts")
    others_text = fields.Char(string="Who can do more", compute="_compute_others_text")

    waiting_ids = fields.Many2many(
        "spar.change", string="Waiting changes", compute="_compute_waiting_ids"
    )
    undone_ids = fields.Many2many(
        "spar.change", string="Not applied", compute="_compute_undone_ids"
    )
    case_ids = fields.Many2many(
        "spar.objection", string="Open cases", compute="_compute_case_ids"
    )
    period_ids = fields.Many2many(
        "spar.mapping.period", string="All periods", compute="_compute_period_ids"
    )

    # === THE MAIN ADDRESS === #

    @api.model
    def _selection_pay_state(self):
        field = self.env["spar.mapping"]._fields["pay_state"]
        states = field._description_selection(self.env)
        return [*states, ("merged", self.env._("Merged"))]

    @api.depends("uuid")
    def _compute_display_name(self):
        for person in self:
            person.display_name = self.env._(
                "Person %(reference)s", reference=(person.uuid or "")[:8]
            )

    @api.depends("mapping_ids.state", "merged_into", "pay_stop", "last_seq")
    def _compute_place(self):
        """Compute the address that is paid first; a merged record has none."""
        for person in self:
            places = person.mapping_ids.sorted(_get_place_order)
            is_merged = bool(person.merged_into)
            person.place_id = places.browse() if is_merged else places[:1]
            person.place_count = len(places)
            state = person.place_id.pay_state or "ended"
            person.pay_state = "merged" if is_merged else state
            person.is_paid = person.pay_state == "active"

    @api.model
    def _search_place_id(self, operator, values):
        """Find people by any of their addresses: which one is paid first can change."""
        if operator != "in":
            return NotImplemented
        return Domain("mapping_ids", "in", values)

    @api.depends("pay_state")
    def _compute_pay_text(self):
        texts = self._get_pay_texts()
        for person in self:
            person.pay_text = texts.get(person.pay_state, "")

    @api.model
    def _get_pay_texts(self) -> dict[str, str]:
        """Return whether money is paid, why not, and the next step, by state."""
        return {
            "active": self.env._("Yes. Payments go to this address."),
            "proposed": self.env._(
                "No. The first address is waiting: see Waiting changes."
            ),
            "suspended": self.env._(
                "No. The address is suspended. An officer can resume it."
            ),
            "stopped": self.env._("No. All payments to this person are stopped."),
            "disputed": self.env._(
                "No. An objection is open. A supervisor must close the case."
            ),
            "closed": self.env._(
                "No. The provider or branch has closed. An officer can change the "
                "address."
            ),
            "unreadable": self.env._(
                "No. The record cannot be opened. See the alarms, or ask an "
                "administrator."
            ),
            "ended": self.env._(
                "No. The last address has ended. An officer can link the person again."
            ),
            "merged": self.env._(
                "No. This record was merged into another one of the same person. Open "
                "that one."
            ),
        }

    @api.depends("change_lock")
    def _compute_lock_text(self):
        texts = {
            "staff": self.env._("Only staff or the beneficiary can change it."),
            "owner": self.env._(
                "Only the beneficiary can change it. What staff change with the "
                "person's document waits for a supervisor."
            ),
            "objection": self.env._(
                "Nobody can change it until a supervisor has closed the case."
            ),
        }
        for person in self:
            person.lock_text = texts.get(person.change_lock, "")

    @api.depends("mapping_ids")
    def _compute_facts(self):
        """Look up who has the ID, in the registry of this database."""
        source = self.env["spar.person.source"]
        for person in self:
            person.person_name = person.household_name = False
            person.birth_year = person.home_place = False
            if person.merged_into or person.pay_state == "unreadable":
                continue
            try:
                shown = person.place_id._show().get(person.place_id.id)
                facts = source._describe(shown.canonical) if shown else None
            except ServiceUnavailable:
                continue
            if facts:
                person.person_name = facts.name
                person.household_name = facts.household
                person.birth_year = facts.birth_year and str(facts.birth_year)
                person.home_place = facts.place

    @api.depends_context("uid")
    @api.depends("waiting_ids", "case_ids")
    def _compute_others_text(self):
        """Compute who may do what this user may not."""
        user = self.env.user
        for person in self:
            person.others_text = " ".join(
                text
                for group, text in person._get_tasks()
                if not user.has_group(f"spar_fa_directory.{group}")
            )

    def _get_tasks(self) -> list[tuple[str, str]]:
        """Return the groups that may do something here now, and what."""
        tasks = [
            ("group_officer", self.env._("An officer changes or suspends an address.")),
            ("group_auditor", self.env._("An auditor reveals the ID or the address.")),
        ]
        if self.waiting_ids or self.case_ids:
            text = self.env._("A supervisor decides what waits, and closes cases.")
            tasks.append(("group_supervisor", text))
        return tasks

    # === WHAT WAITS, AND WHAT WAS === #

    @api.depends("mapping_ids")
    def _compute_waiting_ids(self):
        for person in self:
            changes = person.mapping_ids.change_ids
            person.waiting_ids = changes.filtered(lambda one: one.state == "waiting")

    @api.depends("mapping_ids")
    def _compute_undone_ids(self):
        """Compute the latest proposals that were not applied, newest first."""
        since = self.env["spar.mapper.local"]._get_now() - _UNDONE_FOR
        for person in self:
            changes = person.mapping_ids.change_ids.filtered(
                lambda one: one.state in _UNDONE and one.decided_at >= since
            )
            person.undone_ids = changes.sorted("decided_at", reverse=True)[:5]

    @api.depends("mapping_ids")
    def _compute_case_ids(self):
        cases = self.env["spar.objection"].search(
            [("mapping_id", "in", self.mapping_ids.ids), ("state", "=", "open")]
        )
        for person in self:
            places = person.mapping_ids
            person.case_ids = cases.filtered(
                lambda case, places=places: case.mapping_id in places
            )

    @api.depends("last_seq")
    def _compute_period_ids(self):
        """Compute the time line, newest first, of all the person's addresses."""
        periods = self.env["spar.mapping.period"].search(
            [("subject_id", "in", self.ids)]
        )
        for person in self:
            own = periods.filtered(
                lambda period, person=person: period.subject_id == person
            )
            person.period_ids = own.sorted(
                lambda period: (period.state_since, period.id), reverse=True
            )

    # === ACTIONS === #

    @api.model
    def _open_page(self, person) -> dict:
        """Return the action that opens the page of ``person``."""
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "spar_mapper.spar_subject_action"
        )
        return {**action, "res_id": person.id, "views": [(False, "form")]}

    def action_update(self):
        """Give the person another address."""
        return self._get_place_in_force().action_update()

    def action_suspend(self):
        """Suspend payments."""
        return self._get_place_in_force().action_suspend()

    def action_resume(self):
        """Resume payments."""
        return self._get_place_in_force().action_resume()

    def action_unlink(self):
        """End the address."""
        return self._get_place_in_force().action_unlink()

    def action_unlock(self):
        """Lift the lock that the beneficiary has put on changes."""
        return self._get_place_in_force().action_unlock()

    def action_reveal_id(self):
        """Show the full ID, for auditors."""
        return self._open_reveal("id")

    def action_reveal_address(self):
        """Show the full address, for auditors."""
        return self._open_reveal("fa")

    def _open_reveal(self, what: str) -> dict:
        action = self._get_place_in_force().action_reveal()
        context = {**action["context"], "default_what": what}
        return {**action, "context": context}

    def action_on_date(self):
        """Ask for a date, and show the address of that day."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("On a date"),
            "res_model": "spar.person.date.wizard",
            "view_mode": "form",
            "target": "new",
            "context": {"default_subject_id": self.id},
        }

    def action_receipt(self):
        """Print the receipt of the last change."""
        self.ensure_one()
        return self.env["report.spar_mapper.receipt"]._print_last(self)

    def action_open_merged(self):
        """Open the record into which this one was merged."""
        self.ensure_one()
        return self._open_page(self.merged_into)

    def _get_place_in_force(self):
        """Return the main address; raises UserError without one."""
        self.ensure_one()
        if not self.place_id:
            raise UserError(self._get_pay_texts()[self.pay_state])
        return self.place_id


def _get_place_order(place) -> tuple:
    """Return the order among a person's places."""
    is_in_force = place.state in IN_FORCE
    return (
        not is_in_force,
        place.purpose or "",
        place.rank,
        _STATE_ORDER.index(place.state),
        -place.id,
    )
