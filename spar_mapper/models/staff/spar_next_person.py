from odoo import models


class SparNextPerson(models.AbstractModel):
    """A page or form that staff leave for the next person who comes to the desk."""

    _name = "spar.next.person"
    _description = "Page of one person"

    def action_next_person(self):
        """Destroy what was typed, and return the empty box to find a person.

        It replaces everything that is open, so that no path leads back. The browser's
        own history holds no ID and no account, and each page in it asks the server
        again. Raises AccessError for those who may not find people.
        """
        self.env["spar.find.wizard"].check_access("create")
        if self._transient:
            self._destroy_drafts()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "spar_mapper.spar_find_wizard_action"
        )
        return {**action, "target": "main"}

    def _destroy_drafts(self) -> None:
        """Delete these forms; raises AccessError for those of other users."""
        drafts = self.exists()
        if drafts:
            drafts.check_access("write")
            drafts_sudo = drafts.sudo()
            drafts_sudo.unlink()
