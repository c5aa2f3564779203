"""Pages around staff's login, drawn from files on disk.

Whoever may edit Odoo's views or the website can put nothing into them.
"""

from lxml import html

from odoo.tools.misc import file_open

from odoo.addons.base.models.ir_qweb import render

#: Odoo's templates, and our pages in their place on the host of staff's screens.
PAGES = {
    "auth_signup.reset_password": "reset_password",
    "auth_timeout.check_identity": "check_identity",
    "auth_totp.auth_totp_form": "totp",
    "web.login": "login",
}


def draw(name: str, values: dict):
    """Return the page of a name."""
    return render("frame", {**values, "page": name}, _load)


def _load(name: str):
    with file_open(f"spar_staff_login/pages/{name}.html", "r") as page:
        text = page.read()
    read = html.document_fromstring if name == "frame" else html.fragment_fromstring
    return read(text), name
