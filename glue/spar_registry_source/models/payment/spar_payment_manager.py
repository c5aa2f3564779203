from odoo import api, fields, models
from odoo.exceptions import UserError

from ...lib.orders import PaymentOrder
from .spar_held_payment import is_held


class SparPaymentManager(models.AbstractModel):
    """A programme's way of paying: to the addresses that a mapper has for people.

    It stands before the default one of a registry, which copies the number of a bank
    account into each payment. Here nobody's payment is prepared who would not be paid,
    and a payment holds no account. Only when payments are sent, the mapper is asked for
    the addresses; they go on in ``_spar_send_orders``, and nowhere else.
    """

    _name = "spar.payment.manager"
    _description = "Payments to financial addresses"

    #: The field of a batch that says that it has begun.
    _spar_started_field = ""

    spar_programme_id = fields.Many2one(
        "spar.programme",
        string="SPAR programme",
        required=True,
        ondelete="restrict",
        help="Its purpose, who is paid, and by which IDs.",
    )

    @api.model
    def default_get(self, fields_list):
        values = super().default_get(fields_list)
        if "name" in fields_list:
            values["name"] = self.env._("Financial addresses (SPAR)")
        return values

    # === PREPARING === #

    def prepare_payments(self, cycle, entitlements=None):
        """Prepare the payments, and say how many people are held back."""
        result = super().prepare_payments(cycle, entitlements)
        held = self.env["spar.held.payment"]._count_open(cycle).get(cycle.id)
        if held and isinstance(result, dict) and "params" in result:
            said = result["params"].get("message", "")
            more = self.env._(
                "%(count)s people are held back: see Held payments.", count=held
            )
            result["params"].update(
                message=f"{said} {more}", sticky=True, type="warning"
            )
        return result

    def _prepare_payments(self, cycle, entitlements):
        """Prepare payments for those who would be paid now; list the others."""
        due = entitlements.filtered(_is_due) if entitlements else entitlements
        ready = self._spar_hold_back(due) if due else due
        if due and ready != due:
            cycle.message_post(
                body=self.env._(
                    "Payments: %(held)s of %(all)s are held back. See Held payments.",
                    held=len(due - ready),
                    all=len(due),
                )
            )
        if not ready:
            return None, None
        return super()._prepare_payments(cycle, ready)

    def _spar_hold_back(self, entitlements):
        """Return the entitlements whose payees would be paid now."""
        self.ensure_one()
        finder = self.env["spar.payee.finder"]
        people = entitlements.partner_id
        findings, payees = finder._examine(self.spar_programme_id, people)
        self.env["spar.held.payment"]._record(
            self, entitlements, findings, payees, "prepare"
        )
        return entitlements.filtered(
            lambda one: not is_held(findings[one.partner_id.id])
        )

    # === SENDING === #

    def _send_payments(self, batches):
        """Send the payments of batches that are not sent yet."""
        self.ensure_one()
        if not batches:
            return super()._send_payments(batches)
        dispatches = self.env["spar.payment.dispatch"]
        dispatches._check_sender()
        for batch in batches:
            dispatches |= self._spar_send_batch(batch)
        if not dispatches:
            raise UserError(
                self.env._(
                    "No payment was sent: all were sent before, or are held back. See "
                    "Held payments."
                )
            )
        return self._spar_show(dispatches)

    def _spar_send_batch(self, batch):
        """Send those payments of a batch that can be paid now; list the others."""
        payments = batch.payment_ids.filtered(lambda one: one.state == "issued")
        finder = self.env["spar.payee.finder"]
        orders, held, payees = finder._resolve(self.spar_programme_id, payments)
        self.env["spar.held.payment"]._record(
            self, payments.entitlement_id, held, payees, "send"
        )
        if not orders:
            return self.env["spar.payment.dispatch"]
        dispatch = self.env["spar.payment.dispatch"]._record(
            self, batch, orders, len(payments) - len(orders)
        )
        self._spar_send_orders(dispatch, orders)
        sent = payments.browse([order.payment_id for order in orders])
        sent.write({"state": "sent"})
        batch.write({self._spar_started_field: True})
        return dispatch

    def _spar_send_orders(self, dispatch, orders: list[PaymentOrder]) -> None:
        """Hand the orders of one batch to whoever pays them, each with its address.

        By default they go into a payment file. Override this for a payment system with
        an API. An exception ends the sending, and nothing is marked as sent. Store and
        log nothing of an order but its ``payment_id`` and ``reference``.
        """
        dispatch._keep_file(orders)

    @api.model
    def _spar_show(self, dispatches):
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "spar_registry_source.action_payment_dispatch"
        )
        action["domain"] = [("id", "in", dispatches.ids)]
        return action


def _is_due(entitlement) -> bool:
    """Return whether an approved entitlement has no payment that may still arrive."""
    statuses = entitlement.payment_ids.mapped("status")
    return entitlement.state == "approved" and all(one == "failed" for one in statuses)
