from odoo import api, fields, models

from odoo.addons.spar_mapper_connector.lib import addon_code

from ..lib import settings


class SparSetupCheck(models.TransientModel):
    """The warnings that administrators see about settings of the machine's operator.

    Another addon adds a warning by extending ``_get_warnings``.
    """

    _name = "spar.setup.check"
    _description = "Set-up check"

    setup_warnings = fields.Text(
        string="Set-up warnings", compute="_compute_setup_warnings"
    )

    def _compute_display_name(self):
        self.display_name = self.env._("Set-up check")

    def _compute_setup_warnings(self):
        self.setup_warnings = "\n".join(self._get_warnings())

    @api.model
    def _get_warnings(self) -> list[str]:
        """Return a sentence for every missing setting."""
        warnings = []
        if not settings.get_staff_host(self.env.cr.dbname):
            warnings.append(
                self.env._(
                    "The staff screens have no host of their own: a script in a "
                    "website page can act as the officer who opens it, and a page can "
                    "imitate the login. Ask the operator to set %(variable)s.",
                    variable=settings.STAFF_HOST_VARIABLE,
                )
            )
        if not settings.needs_second_factor():
            warnings.append(
                self.env._(
                    "Staff can log in with a password alone. Ask the operator to "
                    "remove %(variable)s=off.",
                    variable=settings.SECOND_FACTOR_VARIABLE,
                )
            )
        if not addon_code.is_addon_code_only():
            warnings.append(
                self.env._(
                    "Odoo's administrators and editors can add code to this database. "
                    "Ask the operator to remove %(variable)s=off.",
                    variable=addon_code.VARIABLE,
                )
            )
        return warnings
