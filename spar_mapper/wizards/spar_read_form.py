from odoo import api, models
from odoo.exceptions import UserError


class SparReadForm(models.AbstractModel):
    """The form that somebody who cannot read signs, or marks with a thumb print.

    It is printed before the change is made. Like a receipt it shows masked values, and
    no ID; names are written by hand.
    """

    _name = "report.spar_mapper.read_form"
    _description = "Form to sign"

    @api.model
    def _get_report_values(self, docids, data=None):
        """Return the forms of officers' drafts; raises AccessError and UserError."""
        drafts = self.env["spar.mapping.wizard"].browse(docids).exists()
        drafts.check_access("read")
        if not drafts or not all(drafts.mapped("cannot_read")):
            raise UserError(self.env._("There is no form to print for this."))
        return {"forms": [self._build_form(draft) for draft in drafts]}

    @api.model
    def _build_form(self, draft) -> dict:
        operations = dict(draft._fields["operation"]._description_selection(self.env))
        return {
            "operation": operations[draft.operation],
            "id_masked": draft.id_masked or draft._write_typed_id(),
            "fa_masked": draft._get_masked_address(),
            "officer": self.env.user.name,
            "text": draft.read_text,
        }
