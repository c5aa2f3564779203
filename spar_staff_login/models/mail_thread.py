from odoo import api, models
from odoo.exceptions import AccessError


class MailThread(models.AbstractModel):
    _inherit = "mail.thread"

    @api.model
    def message_process(self, *args, **kwargs):
        """Process a mail for Odoo's administrator only, or for the mail server's job.

        Odoo creates, as superuser, a record of any model that takes mail, with the
        values of the caller: scheduled jobs and server actions with their code, too.
        """
        if not (self.env.su or self.env.user._is_system()):
            raise AccessError(
                self.env._("Only Odoo's administrator can pass on incoming mail.")
            )
        return super().message_process(*args, **kwargs)
