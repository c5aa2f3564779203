from odoo import api, models

from .auth_oauth_provider_login import DOOR_PATH

#: Odoo's codes of the languages that the pages speak.
LANGUAGES = ("en_US", "fr_FR", "es_ES", "ar_001", "hi_IN", "tl_PH")
ADDONS = ("spar_fa_directory", "spar_mapper_connector", "spar_self_service")


class SparSelfServiceDemo(models.AbstractModel):
    """The demo's website speaks every language of the pages, and begins with them."""

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

    @api.model
    def _set_front_page(self) -> None:
        """Let the website begin where beneficiaries do, in place of Odoo's filler.

        A front page that somebody has chosen stays.
        """
        self._check_demo()
        website = self.env.ref("website.default_website")
        website.homepage_url = website.homepage_url or DOOR_PATH
