"""Pages around the staff login, rendered from files on disk.

Users who may edit Odoo's views or the website cannot change them, and the browser runs
no script in them but their own (``lib/content_policy.py``).
"""

from weakref import WeakSet

from lxml import html

from odoo.tools.misc import file_open

from odoo.addons.base.models.ir_qweb import render

CHECK_IDENTITY = "check_identity"
#: Odoo's templates, and our pages that replace them.
PAGES = {
    "auth_signup.reset_password": "reset_password",
    "auth_timeout.check_identity": CHECK_IDENTITY,
    "auth_totp.auth_totp_form": "totp",
    "web.login": "login",
}
#: The requests that are answered with such a page.
_answered: WeakSet = WeakSet()


def note_page(served) -> None:
    """Note that a request is answered with one of these pages."""
    _answered.add(served)


def is_page(served) -> bool:
    return served in _answered


def render_page(name: str, values: dict):
    """Return the page with this name."""
    return render("frame", {**values, "page": name}, _load)


def _load(name: str):
    with file_open(f"spar_staff_login/pages/{name}.html", "r") as page:
        text = page.read()
    read = html.document_fromstring if name == "frame" else html.fragment_fromstring
    return read(text), name
