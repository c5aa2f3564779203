"""Pages around the staff login, rendered from files on disk.

Users who may edit Odoo's views or the website cannot change them.
"""

from lxml import html

from odoo.tools.misc import file_open

from odoo.addons.base.models.ir_qweb import render

#: Odoo's templates, and our pages that replace them on the staff host.
PAGES = {
    "auth_signup.reset_password": "reset_password",
    "auth_timeout.check_identity": "check_identity",
    "auth_totp.auth_totp_form": "totp",
    "web.login": "login",
}


def render_page(name: str, values: dict):
    """Return the page with this name."""
    return render("frame", {**values, "page": name}, _load)


def _load(name: str):
    with file_open(f"spar_staff_login/pages/{name}.html", "r") as page:
        text = page.read()
    read = html.document_fromstring if name == "frame" else html.fragment_fromstring
    return read(text), name
