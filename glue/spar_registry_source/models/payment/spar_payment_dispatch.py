from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from odoo.addons.spar_mapper_connector.expressions import check_person

from ...lib.orders import PaymentOrder, write_payment_file

#: The purpose of the seals. It must never change.
DISPATCH = "payment_file"
#: A payment file is destroyed after so many hours.
KEPT_HOURS = 24
SENDER = "spar_registry_source.group_payment_sender"


class SparPaymentDispatch(models.Model):
    """Payments that somebody sent: who, when and how many.

    Where they went out as a file, it is kept sealed until its time is over, so that the
    payments marked as sent are exactly those in the file.
    """

    _name = "spar.payment.dispatch"
    _description = "Payments sent"
    _inherit = ["spar.sealed.storage"]
    _order = "id desc"
    _rec_name = "batch_name"
    _seal_purpose = DISPATCH
    _seal_prefix = (DISPATCH,)
    _seal_context_columns = ("id", "sent_by", "batch_name")

    batch_name = fields.Char(string="Batch", readonly=True)
    batch_model = fields.Char(readonly=True)
    batch_id = fields.Many2oneReference(
        "Batch record", model_field="batch_model", readonly=True
    )
    programme_id = fields.Many2one("spar.programme", readonly=True, ondelete="restrict")
    sent_by = fields.Many2one("res.users", readonly=True, required=True)
    sent_at = fields.Datetime(readonly=True, required=True)
    payment_count = fields.Integer(string="Payments", readonly=True)
    held_count = fields.Integer(string="Held back", readonly=True)
    has_file = fields.Boolean(compute="_compute_has_file", string="File available")
    download_count = fields.Integer(string="Downloads", readonly=True)
    downloaded_at = fields.Datetime(string="Last downloaded at", readonly=True)

    def _compute_has_file(self):
        sealed_ids = self._get_sealed_ids()
        for dispatch in self:
            dispatch.has_file = dispatch.id in sealed_ids

    @api.model
    def _record(self, manager, batch, orders: list[PaymentOrder], held_count: int):
        """Record that the payments of a batch were sent."""
        dispatches_sudo = self.sudo()
        return dispatches_sudo.create(
            {
                "batch_name": batch.name,
                "batch_model": batch._name,
                "batch_id": batch.id,
                "programme_id": manager.spar_programme_id.id,
                "sent_by": self.env.uid,
                "sent_at": fields.Datetime.now(),
                "payment_count": len(orders),
                "held_count": held_count,
            }
        ).sudo(False)

    def _keep_file(self, orders: list[PaymentOrder]) -> None:
        """Seal a file with the orders, for whoever sent them."""
        self._write_sealed(write_payment_file(orders))

    # === DOWNLOADING === #

    @api.model
    def _check_sender(self) -> None:
        """Raise AccessError unless the user may receive addresses in clear."""
        if not self.env.user.has_group(SENDER):
            raise AccessError(
                self.env._(
                    "You do not have permission to send payments. Ask an administrator "
                    "for the group Payment sender."
                )
            )

    def action_download(self):
        """Return the action that downloads the payment file."""
        self.ensure_one()
        self._check_sender()
        return {
            "type": "ir.actions.act_url",
            "url": f"/spar/payment_file/{self.id}",
            "target": "download",
        }

    def _download(self) -> str:
        """Return the payment file, and count the download.

        Only whoever sent the payments gets it. Raises AccessError, UserError if it was
        destroyed, NotThePerson, and ServiceUnavailable.
        """
        self.ensure_one()
        check_person(self.env)
        self._check_sender()
        self.check_access("read")
        if self.sent_by != self.env.user:
            raise AccessError(
                self.env._("Only the person who sent these payments gets their file.")
            )
        text = self._read_sealed()
        if text is None:
            raise UserError(
                self.env._(
                    "This payment file was destroyed after %(hours)s hours. Ask the "
                    "office that pays whether it has the payments.",
                    hours=KEPT_HOURS,
                )
            )
        dispatch_sudo = self.sudo()
        dispatch_sudo.write(
            {
                "download_count": self.download_count + 1,
                "downloaded_at": fields.Datetime.now(),
            }
        )
        return text

    @api.autovacuum
    def _destroy_files(self) -> None:
        """Destroy the payment files whose time is over."""
        limit = fields.Datetime.now() - timedelta(hours=KEPT_HOURS)
        self.sudo().search([("sent_at", "<", limit)])._write_sealed(None)
