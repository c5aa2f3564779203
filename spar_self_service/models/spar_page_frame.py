import base64
import os
from urllib.parse import urlsplit

from odoo import api, models, tools

from odoo.addons.spar_mapper_connector.models.pages.spar_page_frame import Logo
from odoo.addons.spar_staff_login.lib.settings import get_staff_host

from ..exceptions import NotLoggedIn
from .auth_oauth_provider import LOGIN_PAGE_PATH
from .spar_self_service_demo import DEMO_VARIABLE


class SparPageFrame(models.AbstractModel):
    """The frame of the pages: the website's name, logo and colour."""

    _inherit = "spar.page.frame"

    @api.model
    def _get_frame(self, language, here: str) -> dict:
        own = {"home_url": LOGIN_PAGE_PATH, "is_logged_in": self.env.user._is_portal()}
        return {**super()._get_frame(language, here), **own}

    @api.model
    def _get_website(self):
        return self.env["website"].sudo().get_current_website()

    @api.model
    def _get_site_name(self) -> str:
        return self._get_website().name

    @api.model
    def _get_base_url(self) -> str:
        return self._get_website().get_base_url().rstrip("/")

    @api.model
    def _get_staff_base_url(self) -> str:
        """Return the address of staff's screens, on their own host if they have one."""
        host, base = get_staff_host(self.env.cr.dbname), self._get_base_url()
        return f"{urlsplit(base).scheme}://{host}" if host else base

    @api.model
    def _get_own_base_urls(self) -> list[str]:
        return [*super()._get_own_base_urls(), self._get_staff_base_url()]

    @api.model
    def _get_colour(self) -> str:
        return self._get_website().company_id.primary_color or ""

    @api.model
    def _get_logo(self) -> Logo:
        """Return the logo of the website of this request."""
        website_sudo = self._get_website()
        return self._build_logo(website_sudo.id, website_sudo.write_date)

    @api.model
    @tools.ormcache("website_id", "written_at")
    def _build_logo(self, website_id: int, written_at) -> Logo:
        website_sudo = self.env["website"].sudo().browse(website_id)
        image = base64.b64decode(website_sudo.logo or b"")
        is_own = image != base64.b64decode(website_sudo._default_logo())
        return self._shrink(image if is_own else b"")

    @api.model
    def _is_beneficiary(self) -> bool:
        try:
            self.env["spar.beneficiary"]._get_current()
        except NotLoggedIn:
            return False
        return True

    @api.model
    def _is_demo(self) -> bool:
        """Return whether all data here is invented, which visitors are informed of."""
        return os.environ.get(DEMO_VARIABLE) == "1"
