from odoo import api, models
from odoo.http import request, root


class IrActionsReport(models.Model):
    _inherit = "ir.actions.report"

    @api.model
    def _run_wkhtmltopdf(self, *args, **kwargs):
        """Print without the session of a user with a role.

        Odoo's administrator writes the templates, whose scripts run while a file is
        made, and decides to which host the session is sent.
        """
        if not (request and self._is_printed_by_staff(request.session.uid)):
            return super()._run_wkhtmltopdf(*args, **kwargs)
        served = request._get_current_object()
        session, served.session = served.session, root.session_store.new()
        try:
            return super()._run_wkhtmltopdf(*args, **kwargs)
        finally:
            served.session = session

    @api.model
    def _is_printed_by_staff(self, uid: int | None) -> bool:
        return bool(uid) and self.env["res.users"].browse(uid)._has_spar_role()
