"""Answers of people's pages: a template in the frame, with what a browser may do."""

import secrets
from urllib.parse import urlencode

from odoo.http import request

from .rendering import render

#: People's pages: one address for all languages, not in the site map, never cached.
#: Without a website, Odoo ignores what concerns one.
PAGE = {
    "type": "http",
    "auth": "public",
    "website": True,
    "multilang": False,
    "sitemap": False,
    "readonly": False,
}

#: Pages that are also served to staff, without anything of the website around them.
SHARED_PAGE = {**PAGE, "spar_shared": True}

CACHE_FOREVER = "public, max-age=31536000, immutable"

#: Nothing but our style sheet and images, and a script by its nonce. There is no
#: form-action, because submitting a form redirects to the ID provider and to whatever
#: site that one uses.
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": POLICY,
    # Whoever leads to a page does not choose which part of it is in sight.
    "Document-Policy": "force-load-at-top",
    # Whoever opened a page in a window keeps no hold of it.
    "Cross-Origin-Opener-Policy": "same-origin",
    # The address of a page, with a token in it, goes nowhere. With "no-referrer", a
    # browser would not name the form's origin either, by which it is recognised.
    "Referrer-Policy": "strict-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def show_page(
    template: str, status: int = 200, here: str = "", script_url: str = "", **values
):
    """Return the page of a template, in the frame of all pages.

    :param template: the full name of the template
    :param here: where another language leads; by default the page's own address
    :param script_url: the one script that the page runs; by default it runs none
    """
    frames = request.env["spar.page.frame"]
    language = frames._get_language()
    frame = frames._get_frame(language, here or request.httprequest.path)
    nonce = secrets.token_urlsafe(16) if script_url else ""
    values = {
        "csrf_token": request.csrf_token(),
        "script_url": script_url,
        "nonce": nonce,
        **frame,
        **values,
    }
    return request.make_response(
        render(template, values, language.code), _build_headers(nonce), status=status
    )


def _build_headers(nonce: str) -> dict[str, str]:
    """Return the headers of a page, which runs only the script with this nonce."""
    if not nonce:
        return HEADERS
    policy = f"{POLICY}; script-src 'nonce-{nonce}'"
    return {**HEADERS, "Content-Security-Policy": policy}


def go_to(path: str, **parameters: str):
    """Redirect to another page of ours."""
    query = urlencode(parameters)
    return request.redirect(f"{path}?{query}" if query else path, 303)
