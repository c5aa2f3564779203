from odoo import models


class ResLang(models.Model):
    _inherit = "res.lang"

    def _get_frontend(self):
        """Return the active languages where a website offers none of them.

        Odoo takes whatever a designer enters, and no page could be shown at all.
        """
        found = super()._get_frontend()
        if found:
            return found
        return self.with_context(web_force_installed_langs=True)._get_frontend()
