from odoo import fields, models


class SparGiveUpWizard(models.TransientModel):
    """End entries of the outbox that will not be sent, with a reason."""

    _name = "spar.give.up.wizard"
    _description = "Give up accounts"

    _spar_given = frozenset({"entry_ids"})

    entry_ids = fields.Many2many("spar.outbox.entry", readonly=True)
    reason = fields.Char(
        help="Kept with the accounts, unencrypted. It must not contain an ID or an "
        "account number.",
    )

    def action_confirm(self):
        self.ensure_one()
        self.entry_ids._give_up(self.reason or "")
        return {"type": "ir.actions.act_window_close"}
