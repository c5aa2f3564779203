import logging

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.http import request

_logger = logging.getLogger(__name__)

BATCH_SIZE = 100
CRON = "spar_staff_login.ir_cron_password_request"


class SparPasswordRequest(models.Model):
    """A request for a link to set a password.

    The form does the same for every login: it records this request. Whether there is
    such an account is checked later, when the mail is sent, out of the requester's
    sight.
    """

    _name = "spar.password.request"
    _description = "Request for a Link to Set a Password"

    login = fields.Char(required=True, readonly=True)

    @api.model
    def _ask(self, login: str) -> None:
        """Record the request for a link, without any look-up.

        Raises UserError during a pause, which is the same for every login.
        """
        address = request.httprequest.remote_addr if request else ""
        failures = self.env["spar.login.failure"]
        if (left := failures._begin_request(login, address or "")) > 0:
            raise UserError(
                self.env._(
                    "Too many requests for a new password. If you asked for one, look "
                    "for our mail, also among unwanted mails, or ask again in %(n)s "
                    "min.",
                    n=int(left // 60) + 1,
                )
            )
        self.sudo().create({"login": login[:254]})
        self.env.ref(CRON).sudo()._trigger()

    @api.model
    def _cron_send(self) -> None:
        """Send the requested links; each is tried once."""
        requests = self.sudo().search([], order="id", limit=BATCH_SIZE)
        left = self.sudo().search_count([])
        for number, password_request in enumerate(requests, 1):
            login = password_request.login
            password_request.unlink()
            try:
                with self.env.cr.savepoint():
                    self.env["res.users"]._send_password_link(login)
            except UserError as error:
                _logger.warning("A link to set a password was not sent: %s", error)
            self.env["ir.cron"]._commit_progress(1, remaining=left - number)
