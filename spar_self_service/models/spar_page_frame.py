import base64
import hashlib
import os
from typing import NamedTuple
from urllib.parse import urlencode

from odoo import api, models, tools
from odoo.exceptions import UserError
from odoo.tools.misc import file_open

from ..exceptions import NotLoggedIn
from ..lib.contrast import readable
from .spar_self_service_demo import DEMO_VARIABLE

#: Twice the size shown, for high-density screens.
LOGO_SIZE = (256, 80)
STYLE = "spar_self_service/static/src/css/pages.css"
#: Replaces Odoo's placeholder where the website has no logo of its own.
ICON = "spar_self_service/static/description/icon.png"


class Logo(NamedTuple):
    """An image and its size in pixels; the name changes with the content."""

    name: str
    image: bytes
    mimetype: str
    size: tuple[int | None, int | None]


class SparPageFrame(models.AbstractModel):
    """The frame of every page: the website's name, logo, colour and language."""

    _name = "spar.page.frame"
    _description = "Frame of the beneficiary's pages"

    @api.model
    def _get_frame(self, language, here: str) -> dict:
        """Return the values for the layout.

        ``language`` is the request's, ``here`` the page's address in another language.
        """
        website_sudo = self.env["website"].sudo().get_current_website()
        logo = self._get_logo()
        return {
            "site_name": website_sudo.name,
            "logo_url": f"/spar/logo/{logo.name}",
            "logo_size": logo.size,
            "style_url": f"/spar/style/{self._get_style()[0]}.css",
            "html_lang": language.code.replace("_", "-").partition("@")[0],
            "html_dir": "rtl" if language.direction == "rtl" else "ltr",
            "language_name": self._get_own_name(language),
            "language_url": f"/spar/language?{urlencode({'back': here})}",
            "said": "",
            "is_logged_in": self.env.user._is_portal(),
        }

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

    # === LANGUAGES === #

    @api.model
    def _get_languages(self) -> list[tuple[str, str, str, str]]:
        """Return ``(code, name in itself, html lang, direction)`` of each language."""
        return [
            (
                language.code,
                self._get_own_name(language),
                language.code.replace("_", "-").partition("@")[0],
                "rtl" if language.direction == "rtl" else "ltr",
            )
            for language in self.env["res.lang"]._get_frontend().values()
        ]

    @api.model
    def _get_own_name(self, language) -> str:
        """Return a language's name in itself: Odoo names some in two languages.

        "Arabic / الْعَرَبيّة" becomes "الْعَرَبيّة".
        """
        return language.name.rpartition("/")[2].partition("(")[0].strip()

    # === LOGO AND STYLE === #

    @api.model
    def _get_logo(self) -> Logo:
        """Return the logo of the website of this request."""
        website_sudo = self.env["website"].sudo().get_current_website()
        return self._build_logo(website_sudo.id, website_sudo.write_date)

    @api.model
    @tools.ormcache("website_id", "written_at")
    def _build_logo(self, website_id: int, written_at) -> Logo:
        website_sudo = self.env["website"].sudo().browse(website_id)
        image = base64.b64decode(website_sudo.logo or b"")
        if not image or image == base64.b64decode(website_sudo._default_logo()):
            with file_open(ICON, "rb") as file:
                image = file.read()
        small = tools.image.image_process(image, size=LOGO_SIZE)
        mimetype = tools.mimetypes.guess_mimetype(small, default="image/png")
        name = hashlib.sha256(small).hexdigest()[:16]
        return Logo(name, small, mimetype, _measure(small))

    @api.model
    def _get_style(self) -> tuple[str, str]:
        """Return ``(name, style sheet)``; the name changes with the content."""
        company_sudo = self.env["website"].sudo().get_current_website().company_id
        return self._build_style(readable(company_sudo.primary_color))

    @api.model
    @tools.ormcache("colour")
    def _build_style(self, colour: str) -> tuple[str, str]:
        with file_open(STYLE) as file:
            style = f":root{{--brand:{colour}}}\n{file.read()}"
        return hashlib.sha256(style.encode()).hexdigest()[:16], style


def _measure(image: bytes) -> tuple[int | None, int | None]:
    """Return width and height in pixels; None for a drawing (SVG), which has none."""
    try:
        return tools.image.binary_to_image(image).size
    except UserError:
        return None, None
