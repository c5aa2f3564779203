from odoo import api, models

#: Odoo's codes of the languages that the pages speak.
LANGUAGES = ("en_US", "fr_FR", "es_ES", "ar_001", "hi_IN", "tl_PH")
ADDONS = ("spar_fa_directory", "spar_mapper_connector", "spar_self_service")


class SparSelfServiceDemo(models.AbstractModel):
    """The demo's website speaks every language of the pages."""

    _inherit = "spar.self.service.demo"

    @api.model
    def _add_languages(self) -> None:
        """Switch the languages on, and read what our addons say in them.

        Odoo's own addons stay as they are: their words are for staff, and many.
        """
        self._check_demo()
        languages = self.env["res.lang"]
        for code in LANGUAGES:
            languages |= self.env["res.lang"]._activate_lang(code)
        self.env.ref("website.default_website").language_ids |= languages
        addons = self.env["ir.module.module"].search([("name", "in", ADDONS)])
        addons._update_translations(list(LANGUAGES))
