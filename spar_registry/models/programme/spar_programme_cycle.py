from dataclasses import dataclass

from odoo import fields, models


@dataclass(frozen=True)
class ReadinessWarning:
    """Who is not ready to be paid, before a payment; nobody is left out because of it.

    :param text: one sentence for the user; "" if everybody is ready
    :param reasons: why each person is not ready, in words, by row id
    :param run_id: the run with the list
    """

    text: str = ""
    reasons: dict[int, str] | None = None
    run_id: int | None = None

    def __bool__(self) -> bool:
        return bool(self.text)


class SparProgrammeCycle(models.Model):
    """A pay day of a programme: its people are checked before it."""

    _name = "spar.programme.cycle"
    _description = "Cycle of a programme"
    _inherit = ["mail.thread"]
    _order = "date desc, id desc"

    name = fields.Char(required=True)
    programme_id = fields.Many2one(
        "spar.programme", required=True, index=True, ondelete="restrict"
    )
    company_id = fields.Many2one(related="programme_id.company_id", store=True)
    date = fields.Date(
        string="Pay day", required=True, default=fields.Date.context_today
    )
    active = fields.Boolean(default=True)
    run_ids = fields.One2many(
        "spar.readiness.run",
        "cycle_id",
        string="Readiness",
        groups="spar_registry.group_readiness",
    )

    _name_uniq = models.UniqueIndex(
        "(programme_id, name)", "The programme already has a cycle with this name."
    )

    def action_check_readiness(self):
        """Ask which people of the programme are to be checked."""
        self.ensure_one()
        return self.env["spar.readiness.wizard"]._open_for(
            "cycle", programme=self.programme_id, cycle=self
        )

    # === BEFORE A PAYMENT === #

    def _spar_check_ready(self, partners) -> ReadinessWarning:
        """Return who of ``partners`` is not ready to be paid in this cycle.

        Payment managers call it before they prepare payments, and show the text. It
        never raises because of what a mapper answers, and it leaves nobody out: the
        caller decides. It is empty unless the programme asks for this check.
        """
        self.ensure_one()
        if not self.programme_id.sudo().readiness_gate or not partners:
            return ReadinessWarning()
        run_sudo = self.env["spar.readiness.run"]._check_at_once(self, partners)
        reasons = run_sudo._get_reasons()
        if not reasons:
            return ReadinessWarning(run_id=run_sudo.id)
        text = self.env._(
            "%(count)s of %(total)s people are not ready to be paid. See the list "
            "before you pay.",
            count=len(reasons),
            total=run_sudo.people_count,
        )
        self.sudo().message_post(body=text)
        return ReadinessWarning(text, reasons, run_sudo.id)
