import hashlib
import logging
from typing import NamedTuple
from urllib.parse import urlencode

from odoo import api, models, tools
from odoo.exceptions import UserError
from odoo.http import request
from odoo.tools.misc import file_open

from ...lib.pages.contrast import readable

_logger = logging.getLogger(__name__)

LANGUAGE_COOKIE = "frontend_lang"
#: Twice the size shown, for high-density screens.
LOGO_SIZE = (256, 80)
STYLE = "spar_mapper_connector/static/src/css/pages.css"
#: Replaces Odoo's placeholder where the organisation has no logo of its own.
ICON = "spar_mapper_connector/static/description/icon.png"


class Logo(NamedTuple):
    """An image and its size in pixels; the name changes with the content."""

    name: str
    image: bytes
    mimetype: str
    size: tuple[int | None, int | None]


class SparPageFrame(models.AbstractModel):
    """The frame of people's pages: name, logo, colour and language.

    They are those of the company; an addon with a website overrides ``_get_site_name``,
    ``_get_logo`` and ``_get_colour``.
    """

    _name = "spar.page.frame"
    _description = "Frame of people's pages"

    @api.model
    def _get_frame(self, language, here: str) -> dict:
        """Return the values for the layout.

        ``language`` is the request's, ``here`` the page's address in another language.
        """
        logo = self._get_logo()
        return {
            "site_name": self._get_site_name(),
            "home_url": "",
            "logo_url": f"/spar/logo/{logo.name}",
            "logo_size": logo.size,
            "style_url": f"/spar/style/{self._get_style()[0]}.css",
            "html_lang": language.code.replace("_", "-").partition("@")[0],
            "html_dir": "rtl" if language.direction == "rtl" else "ltr",
            "language_name": self._get_own_name(language),
            "language_url": f"/spar/language?{urlencode({'back': here})}",
            "said": "",
            "is_logged_in": False,
        }

    @api.model
    def _get_site_name(self) -> str:
        return self.env.company.sudo().name

    @api.model
    def _get_base_url(self) -> str:
        """Return this site's address from its configuration, never from a request."""
        parameters_sudo = self.env["ir.config_parameter"].sudo()
        return parameters_sudo.get_param("web.base.url", "").rstrip("/")

    @api.model
    def _get_staff_base_url(self) -> str:
        """Return the address of staff's screens."""
        return self._get_base_url()

    @api.model
    def _get_own_base_urls(self) -> list[str]:
        """Return every address under which this site has pages, the usual one first."""
        return [self._get_base_url()]

    # === LANGUAGES === #

    @api.model
    def _get_language(self):
        """Return the language of this request; without a website, of the browser."""
        if hasattr(request, "lang"):
            return request.lang
        spoken = self._get_spoken()
        wanted = request.cookies.get(LANGUAGE_COOKIE) or request.best_lang or ""
        similar = [code for code in spoken if code[:2] == wanted[:2]]
        code = wanted if wanted in spoken else next(iter(similar or spoken))
        return spoken[code]

    @api.model
    def _get_spoken(self) -> dict:
        """Return the languages in which pages are shown, by Odoo's code."""
        languages = self.env["res.lang"]
        if hasattr(languages, "_get_frontend"):
            return languages._get_frontend()
        return languages._get_active_by("code")

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
            for language in self._get_spoken().values()
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
        """Return the logo of the organisation."""
        company_sudo = self.env.company.sudo()
        return self._build_company_logo(company_sudo.id, company_sudo.write_date)

    @api.model
    @tools.ormcache("company_id", "written_at")
    def _build_company_logo(self, company_id: int, written_at) -> Logo:
        company_sudo = self.env["res.company"].sudo().browse(company_id)
        is_own = not company_sudo.uses_default_logo
        image = company_sudo.partner_id.with_context(bin_size=False).image_1920
        return self._shrink(image.content if is_own and image else b"")

    @api.model
    def _shrink(self, image: bytes) -> Logo:
        """Return an image as a logo; our icon for no image, and for a broken one.

        Odoo stores whatever somebody uploads as a logo.
        """
        small = image and _make_small(image)
        if not small:
            with file_open(ICON, "rb") as file:
                small = _make_small(file.read())
        mimetype = tools.mimetypes.guess_mimetype(small, default="image/png")
        name = hashlib.sha256(small).hexdigest()[:16]
        return Logo(name, small, mimetype, _measure(small))

    @api.model
    def _get_colour(self) -> str:
        return self.env.company.sudo().primary_color or ""

    @api.model
    def _get_style(self) -> tuple[str, str]:
        """Return ``(name, style sheet)``; the name changes with the content."""
        return self._build_style(readable(self._get_colour()))

    @api.model
    @tools.ormcache("colour")
    def _build_style(self, colour: str) -> tuple[str, str]:
        with file_open(STYLE) as file:
            style = f":root{{--brand:{colour}}}\n{file.read()}"
        return hashlib.sha256(style.encode()).hexdigest()[:16], style


def _make_small(image: bytes) -> bytes:
    """Return an image in the size of a logo; nothing if it cannot be read."""
    try:
        return tools.image.image_process(image, size=LOGO_SIZE)
    except Exception as error:  # of Odoo, of Pillow, or of what decodes the image
        _logger.warning("a logo cannot be shown: %s", type(error).__name__)
        return b""


def _measure(image: bytes) -> tuple[int | None, int | None]:
    """Return width and height in pixels; None for a drawing (SVG), which has none."""
    try:
        return tools.image.binary_to_image(image).size
    except UserError:
        return None, None
