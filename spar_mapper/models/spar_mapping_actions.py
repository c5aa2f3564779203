from odoo import models


class SparMapping(models.Model):
    """The buttons of a mapping: each opens the window where it is confirmed."""

    _inherit = "spar.mapping"

    def _open_wizard(self, operation: str, name: str) -> dict:
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": name,
            "res_model": "spar.mapping.wizard",
            "view_mode": "form",
            "target": "new",
            "context": {
                "default_operation": operation,
                "default_mapping_id": self.id,
                "default_seen_version": self.version,
            },
        }

    def action_update(self):
        """Give the person another address."""
        return self._open_wizard("update", self.env._("Change the address"))

    def action_suspend(self):
        """Suspend payments."""
        return self._open_wizard("suspend", self.env._("Suspend the address"))

    def action_resume(self):
        """Resume payments."""
        return self._open_wizard("resume", self.env._("Resume the address"))

    def action_unlink(self):
        """End the address."""
        return self._open_wizard("unlink", self.env._("Unlink the address"))

    def action_reveal(self):
        """Show the full ID and address, for auditors."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Reveal"),
            "res_model": "spar.reveal.wizard",
            "view_mode": "form",
            "target": "new",
            "context": {"default_mapping_id": self.id},
        }
