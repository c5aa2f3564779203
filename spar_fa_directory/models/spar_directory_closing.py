from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain


class SparDirectoryClosing(models.AbstractModel):
    """What closes one day: from then on it takes no new addresses.

    Those that name it stay as they are, and it stays readable; archiving is another
    matter. A model that inherits this has a `successor_id` of its own kind.
    """

    _name = "spar.directory.closing"
    _description = "Closes One Day"

    closed_on = fields.Date(
        index="btree_not_null",
        help="From this day on no new address can be kept here. Those that are stay as "
        "they are until they are moved.",
    )
    close_reason = fields.Char("Reason of Closing")
    is_closed = fields.Boolean(
        "Closed", compute="_compute_is_closed", search="_search_is_closed"
    )

    @api.depends("closed_on")
    def _compute_is_closed(self):
        today = fields.Date.today()
        for record in self:
            record.is_closed = bool(record.closed_on and record.closed_on <= today)

    @api.model
    def _search_is_closed(self, operator, value):
        if operator not in ("in", "not in"):
            return NotImplemented
        wanted = {bool(each) for each in value}
        if operator == "not in":
            wanted = {True, False} - wanted
        today = fields.Date.today()
        domains = {
            True: Domain("closed_on", "<=", today),
            False: Domain("closed_on", "=", False) | Domain("closed_on", ">", today),
        }
        return Domain.OR(domains[each] for each in wanted)

    @api.constrains("successor_id")
    def _check_successor(self):
        if self._has_cycle("successor_id"):
            raise ValidationError(
                self.env._("What takes over cannot itself be taken over by this one.")
            )

    def _get_last_successor(self):
        """Return what takes over in the end; nothing where nothing does."""
        self.ensure_one()
        last = self.successor_id
        while last.is_closed and last.successor_id:
            last = last.successor_id
        return last

    def _get_closed_text(self) -> str:
        """Return that the record is closed and what took over; "" for an open one."""
        if not self.is_closed:
            return ""
        if successor := self._get_last_successor():
            return self.env._(
                "%(name)s has closed. %(successor)s has taken over: choose that one.",
                name=self.display_name,
                successor=successor.display_name,
            )
        return self.env._(
            "%(name)s has closed. Choose another one.", name=self.display_name
        )
