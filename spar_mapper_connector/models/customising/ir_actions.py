from odoo import api, models
from odoo.exceptions import AccessError
from odoo.fields import Domain
from odoo.http import request

from ...expressions import get_person, is_on_command_line, refuse_expressions

#: Odoo's pages of reports.
_REPORTS = "/report/"


class IrActionsActions(models.Model):
    """Actions of every kind, in the table that their tables inherit from."""

    _name = "ir.actions.actions"
    _inherit = ["ir.actions.actions", "spar.shipped.record"]

    def _list_external_ids(self):
        """Return those under any kind: the kinds share their ids."""
        domain = Domain("model", "=like", "ir.actions.%") & Domain(
            "res_id", "in", self.ids
        )
        return self.env["ir.model.data"].sudo().search(domain).mapped("complete_name")

    @api.constrains("binding_model_id", "name")
    def _check_menus_not_ours(self):
        """Raise ValidationError for an action in the menus of one of our lists."""
        closed = self.env["spar.closed.customising"]
        closed._check_closed_models(set(self.mapped("binding_model_id.model")))


class IrActionsReport(models.Model):
    """A report shows records with a template that anybody may have written."""

    _name = "ir.actions.report"
    _inherit = ["ir.actions.report", "spar.closed.customising"]

    def _get_closed_models(self):
        return set(filter(None, self.mapped("model")))

    @api.constrains("model", "report_name", "report_type", "attachment", "group_ids")
    def _check_not_ours(self):
        self._check_closed()

    def _is_report_of_ours(self) -> bool:
        """Return whether a report shows records of the registry."""
        names = (self.model or "", self.report_name or "")
        return names[0].startswith("spar.") or names[1].startswith("spar_")

    @api.model
    def _get_rendering_context(self, report, docids, data):
        """Have our reports made only for the person who opens them.

        Code of Odoo makes a report of whatever numbers it has, such as that of the
        contact whom somebody writes to, and stores or sends it. Every way to make one
        comes here.
        """
        if report._is_report_of_ours():
            self._check_reader()
        return super()._get_rendering_context(report, docids, data)

    @api.model
    def _check_reader(self) -> None:
        """Raise AccessError unless somebody opens a report by its own address.

        That is the address to which our buttons lead; the numbers in it are those of
        the report's own records. Raises CalledFromExpression for an expression.
        """
        refuse_expressions()
        is_opened = bool(request) and request.httprequest.path.startswith(_REPORTS)
        is_person = not self.env.su and get_person(self.env) == self.env.uid
        if not is_person or not (is_opened or is_on_command_line()):
            raise AccessError(
                self.env._(
                    "This report shows people's accounts: open it on SPAR's own "
                    "screens. It cannot be attached to a mail."
                )
            )


class IrActionsClient(models.Model):
    """Actions in the browser, whose parameters can hold the action that follows."""

    _inherit = "ir.actions.client"

    def _compute_params(self):
        """Leave out parameters that open a form of ours: they could fill it in."""
        result = super()._compute_params()
        closed = self.env["spar.closed.customising"]
        for action in self:
            if any(map(closed._is_ours, closed._find_opened(action.params))):
                action.params = False
        return result


class IrActionsActWindow(models.Model):
    """Actions that open a form can fill it in, and show help beside it."""

    _name = "ir.actions.act_window"
    _inherit = ["ir.actions.act_window", "spar.closed.customising"]

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


class IrActionsActWindowView(models.Model):
    """The views that an action opens."""

    _name = "ir.actions.act_window.view"
    _inherit = ["ir.actions.act_window.view", "spar.shipped.record"]

    def _list_external_ids(self):
        return self.act_window_id._list_external_ids()
