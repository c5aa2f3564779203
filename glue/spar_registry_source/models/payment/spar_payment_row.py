from odoo import api, models


class SparPaymentRow(models.AbstractModel):
    """A registry's payments: those of our programmes never hold an account number.

    The registry's code copies the number of a bank account into each payment, whatever
    way of paying the programme has.
    """

    _name = "spar.payment.row"
    _description = "Payment of a registry"

    #: The field of a programme with its ways of paying.
    _spar_managers_field = ""

    @api.model_create_multi
    def create(self, vals_list):
        is_ours: dict[int, bool] = {}
        for vals in vals_list:
            if vals.get("account_number"):
                cycle = self._spar_get_cycle(vals)
                if cycle.id not in is_ours:
                    is_ours[cycle.id] = self._spar_is_ours(cycle)
                if is_ours[cycle.id]:
                    vals["account_number"] = False
        return super().create(vals_list)

    def write(self, vals):
        if not vals.get("account_number"):
            return super().write(vals)
        ours = self.filtered(lambda one: self._spar_is_ours(one.cycle_id))
        super(SparPaymentRow, ours).write({**vals, "account_number": False})
        return super(SparPaymentRow, self - ours).write(vals)

    @api.model
    def _spar_get_cycle(self, vals: dict):
        if vals.get("cycle_id"):
            return self.env[self._fields["cycle_id"].comodel_name].browse(
                vals["cycle_id"]
            )
        entitlements = self.env[self._fields["entitlement_id"].comodel_name]
        return entitlements.browse(vals.get("entitlement_id") or ()).cycle_id

    @api.model
    def _spar_is_ours(self, cycle) -> bool:
        """Return whether a cycle's programme pays to financial addresses."""
        managers_sudo = cycle.sudo().program_id[self._spar_managers_field]
        ours = self.env.registry["spar.payment.manager"]._inherit_children
        return any(
            manager.manager_ref_id and manager.manager_ref_id._name in ours
            for manager in managers_sudo
        )
