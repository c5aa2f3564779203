from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain


class SparDirectoryClosing(models.AbstractModel):
    """A record that can be closed: from that day on it takes no new addresses.

    Addresses that name it stay as they are, and it remains readable; archiving is a
    separate matter. A model that inherits this has a ``successor_id`` of its own kind.
    """

    _name = "spar.directory.closing"
    _description = "Can Be Closed"

    closed_on = fields.Date(
        string="Closed on",
        index="btree_not_null",
        help="From this day on, no new address can be stored here. Existing addresses "
        "stay as they are until they are moved.",
    )
    close_reason = fields.Char("Closing reason")
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
                self.env._("A successor cannot itself be taken over by this one.")
            )

    def _get_last_successor(self):
        """Return the last record in the chain of successors; empty if there is none."""
        self.ensure_one()
        last = self.successor_id
        while last.is_closed and last.successor_id:
            last = last.successor_id
        return last

    def _get_closed_text(self) -> str:
        """Return a text about the closing and the successor; "" for an open record."""
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
