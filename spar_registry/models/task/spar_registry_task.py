from odoo import api, fields, models


class SparRegistryTask(models.Model):
    """Something that a person of the programme's staff has to decide.

    Nothing that happens in the registry ends or moves an address by itself: it proposes
    what to do, and somebody does it, or dismisses it with a reason.
    """

    _name = "spar.registry.task"
    _description = "Task of a programme"
    _inherit = ["spar.of.person"]
    _order = "state, id"

    kind = fields.Selection(
        [
            ("conflict", "Another address is in force"),
            ("failed", "An account could not be sent"),
            ("consent_withdrawn", "Consent withdrawn: remove the address?"),
            ("identity_replaced", "ID replaced: move the address to the new ID?"),
            ("identity_expired", "ID expired"),
            ("merged", "Contacts merged: which address counts?"),
            ("disabled", "Person archived or disabled: suspend payments?"),
            ("died", "Person died: suspend payments?"),
            ("no_head", "The household has no head"),
            ("drift", "The registry resolves to another address"),
        ],
        required=True,
        readonly=True,
    )
    partner_id = fields.Many2one(
        "res.partner",
        string="Person",
        required=True,
        readonly=True,
        index=True,
        ondelete="cascade",
    )
    programme_id = fields.Many2one("spar.programme", readonly=True, ondelete="cascade")
    account_id = fields.Many2one(
        "spar.payment.account", readonly=True, ondelete="cascade"
    )
    reason = fields.Char(readonly=True)
    user_id = fields.Many2one("res.users", string="Assigned to", index=True)
    state = fields.Selection(
        [("open", "Open"), ("done", "Done"), ("dismissed", "Dismissed")],
        default="open",
        required=True,
        readonly=True,
    )
    answer = fields.Char(help="What was done, or why nothing has to be done.")
    closed_by = fields.Many2one("res.users", readonly=True)
    closed_at = fields.Datetime(readonly=True)

    _open_uniq = models.UniqueIndex(
        "(kind, partner_id, coalesce(programme_id, 0)) WHERE state = 'open'",
        "This task is open.",
    )

    @api.model
    def _propose(self, kind: str, partner, programme=None, account=None, reason=""):
        """Open a task, unless the same one is open; return it."""
        programme = programme or self.env["spar.programme"]
        tasks_sudo = self.sudo()
        domain = [
            ("kind", "=", kind),
            ("partner_id", "=", partner.id),
            ("programme_id", "=", programme.id),
            ("state", "=", "open"),
        ]
        found_sudo = tasks_sudo.search(domain, limit=1)
        if found_sudo:
            return found_sudo
        return tasks_sudo.create(
            {
                "kind": kind,
                "partner_id": partner.id,
                "programme_id": programme.id,
                "account_id": account.id if account else False,
                "reason": reason,
                "user_id": programme.sudo().manager_ids[:1].id,
            }
        )

    def action_done(self):
        """Close the tasks: what they propose was done."""
        self._close("done")

    def action_dismiss(self):
        """Close the tasks: nothing has to be done."""
        self._close("dismissed")

    def _close(self, state: str) -> None:
        self.filtered(lambda task: task.state == "open").write(
            {
                "state": state,
                "closed_by": self.env.uid,
                "closed_at": fields.Datetime.now(),
            }
        )
