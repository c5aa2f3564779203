from odoo import models
from odoo.tools import format_datetime

from .spar_change import SUPERVISOR


class SparChange(models.Model):
    """The decisions of a supervisor or the proposer on a change, and their result."""

    # One file per concern: pylint: disable-next=consider-merging-classes-inherited
    _inherit = "spar.change"

    def action_approve(self):
        """Approve the change as a second person; it is applied at once."""
        self._check_supervisor()
        with self.env["spar.staff.answers"]._say_errors():
            mapper = self.env["spar.mapper.local"]
            mapper._approve_change(self._get_staff_call(), self.id)
        return self._notify_decision()

    def action_refuse(self):
        """Refuse the change as a second person."""
        self._check_supervisor()
        self._end(self._get_staff_call(), "refused")
        return self._notify_decision()

    def action_cancel(self):
        """Cancel the change, as its proposer or as a supervisor."""
        call = self._get_staff_call()
        if self.proposer != call.actor:
            self._check_supervisor()
        self._end(call, "cancelled")
        return self._notify_decision()

    def _end(self, call, end: str) -> None:
        with self.env["spar.staff.answers"]._say_errors():
            self.env["spar.mapper.local"]._end_change(call, self.id, end)

    def _check_supervisor(self):
        self.env["spar.mapper.local"]._check_member(SUPERVISOR)

    def _get_staff_call(self):
        self.ensure_one()
        with self.env["spar.staff.answers"]._say_errors():
            return self.env["spar.mapper.local"]._build_staff_call()

    def _notify_decision(self) -> dict:
        """Notify the user of the change's new state, as the database has it now."""
        self.env.invalidate_all()
        texts = {
            "refused": self.env._("Refused. Everything stays as it was."),
            "cancelled": self.env._("Taken back. Everything stays as it was."),
        }
        if self.state == "applied":
            return self._notify_applied()
        answers = self.env["spar.staff.answers"]
        if self.state in texts:
            return answers._notify(texts[self.state])
        text = self.env._(
            "Nothing was changed: the address is not what it was when this was "
            "proposed."
        )
        return answers._notify(text, is_warning=True)

    def _notify_waiting(self) -> dict:
        """Notify the user what this change waits for: a second person, or its time."""
        if self.needs_approval:
            text = self.env._("The change waits until a supervisor approves it.")
        elif self.effective_at:
            text = self.env._(
                "The change waits until %(time)s.",
                time=format_datetime(self.env, self.effective_at),
            )
        else:
            text = self.env._("The change waits.")
        return self.env["spar.staff.answers"]._notify(text, is_warning=True)

    def _notify_applied(self) -> dict:
        """Notify the user what now applies in the place that was changed."""
        return self.mapping_id._notify_done(self.operation)
