from odoo import api, models


class IrActionsActWindow(models.Model):
    """Actions that open a form can fill it in, and show help beside it."""

    _name = "ir.actions.act_window"
    _inherit = [
        "ir.actions.act_window",
        "spar.closed.customising",
        "spar.shipped.record",
    ]

    def _get_closed_models(self):
        return set(filter(None, self.mapped("res_model")))

    @api.constrains(
        "res_model",
        "context",
        "domain",
        "help",
        "view_id",
        "view_mode",
        "search_view_id",
        "name",
        "limit",
        "res_id",
        "group_ids",
    )
    def _check_not_ours(self):
        self._check_closed()


class IrActionsActUrl(models.Model):
    _name = "ir.actions.act_url"
    _inherit = ["ir.actions.act_url", "spar.shipped.record"]


class IrActionsClient(models.Model):
    _name = "ir.actions.client"
    _inherit = ["ir.actions.client", "spar.shipped.record"]


class IrActionsReport(models.Model):
    _name = "ir.actions.report"
    _inherit = ["ir.actions.report", "spar.shipped.record"]
