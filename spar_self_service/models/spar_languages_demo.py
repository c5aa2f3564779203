from odoo import api, models

#: Odoo's codes of the languages in which the pages are available.
LANGUAGES = ("en_US", "fr_FR", "es_ES", "ar_001", "hi_IN", "tl_PH")
ADDONS = ("spar_fa_directory", "spar_mapper_connector", "spar_self_service")

#: The class that marks an empty page of Odoo's website.
_EMPTY = "oe_empty"
_FRONT_PAGE = """<t name="Home" t-name="website.homepage">
    <t t-call="website.layout">
        <t t-set="pageName" t-value="'homepage'"/>
        <t t-set="no_footer" t-value="True"/>
        <div id="wrap" class="oe_structure">
            <section class="container py-5">
                <h1>Where your payments go</h1>
                <p>Do you receive payments? See and choose the account they go to.</p>
                <a class="btn btn-primary" href="/spar">My financial address</a>
                <p class="mt-5">
                    This is a demonstration: its people, banks and accounts are
                    invented.
                </p>
                <a class="btn btn-secondary" href="/web/login">Sign in as staff</a>
            </section>
        </div>
    </t>
</t>"""


class SparSelfServiceDemo(models.AbstractModel):
    """The demo's website in every language of the pages, with a front page for them."""

    _inherit = "spar.self.service.demo"

    @api.model
    def _add_languages(self) -> None:
        """Switch the languages on, and load our addons' translations.

        Translations of Odoo's own addons are not loaded: they are for staff, and many.
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
        """Replace Odoo's placeholder on the front page by links for each audience.

        A front page that a user has edited is kept. It is a page of Odoo's website, so
        its menus for editors work there.
        """
        self._check_demo()
        website = self.env.ref("website.default_website")
        views = self.env["website"].with_context(website_id=website.id)
        view = views.viewref("website.homepage")
        if _EMPTY in view.arch_db:
            view.arch_db = _FRONT_PAGE
