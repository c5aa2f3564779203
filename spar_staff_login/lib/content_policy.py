"""The content security policy of staff's screens, and of the pages of their login.

The browser runs the scripts that the server wrote into the page, those that they load,
and no other: neither one in a stored text that the web client shows
(``<img onerror=…>``, or a frame with an uploaded script), nor one of another host. Nor
does anything send what a page shows to another host, as a style sheet with pictures
could.
"""

from __future__ import annotations

import re

from odoo.addons.spar_mapper_connector.lib.bundles import is_of_websites

#: Odoo's web client compiles its templates in the browser: hence ``unsafe-eval``.
_POLICY = (
    "script-src 'nonce-{nonce}' 'strict-dynamic' 'unsafe-eval'; default-src 'self'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "font-src 'self' data:; media-src 'self' data: blob:; "
    "frame-src 'self' data: blob:; worker-src 'self' blob:; object-src 'none'; "
    "base-uri 'self'; form-action 'self'; frame-ancestors 'self'"
)
#: The media types of which a browser runs the scripts, beside those that are XML.
_DOCUMENTS = frozenset({"application/xml", "text/html", "text/xml"})
_XML = "+xml"
#: What is neither the web client nor one of our pages: a report, for one. It shows
#: what it holds, and neither runs nor sends anything.
DOCUMENT_POLICY = (
    "script-src 'none'; default-src 'self' data:; style-src 'self' 'unsafe-inline'; "
    "object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
#: The pages on which people type a password or a code. No page frames them, and none
#: that opened them reaches into them.
_PAGE_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'nonce-{nonce}' 'strict-dynamic'; "
        "style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    # The address of a page, with a token in it, goes nowhere. With "no-referrer", a
    # browser would not name the form's origin either, by which it is recognised.
    "Referrer-Policy": "strict-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_SCRIPT = re.compile(rb"<script(?=[\s>])([^>]*)", re.IGNORECASE)
_SOURCE = re.compile(rb"""\bsrc\s*=\s*["']?([^"'\s>]*)""", re.IGNORECASE)
#: The addresses of what addons ship: their files, and bundles of them.
_SHIPPED = re.compile(rb"/(?:web/assets/(?:\w+/)+|\w+/static/[\w./-]*?)([\w.-]+)")


def build_policy(nonce: str) -> str:
    """Return the header's value for a page whose scripts carry this nonce.

    >>> build_policy("Zm9v").partition(";")[0]
    "script-src 'nonce-Zm9v' 'strict-dynamic' 'unsafe-eval'"
    """
    return _POLICY.format(nonce=nonce)


def is_document(media_type: str) -> bool:
    """Return whether a browser runs the scripts in what has this media type.

    >>> [is_document(kind) for kind in ("text/html", "image/svg+xml", "text/plain")]
    [True, True, False]
    >>> is_document("application/rss+xml")
    True
    """
    return media_type in _DOCUMENTS or media_type.endswith(_XML)


def build_page_headers(nonce: str) -> dict[str, str]:
    """Return the headers of a page on which somebody types a password or a code.

    >>> build_page_headers("Zm9v")["Content-Security-Policy"].split("; ")[1]
    "script-src 'nonce-Zm9v' 'strict-dynamic'"
    """
    return {name: value.format(nonce=nonce) for name, value in _PAGE_HEADERS.items()}


def mark_scripts(page: bytes, nonce: str) -> bytes:
    """Return the page with the nonce on each of its scripts that an addon ships.

    Only for a page of which every part comes from an addon's file. It may still load a
    bundle that editors of websites may change: that one gets no nonce.

    >>> mark_scripts(b"<script>1</script><scripts/>", "Zm9v")
    b'<script nonce="Zm9v">1</script><scripts/>'
    >>> bundle = b'<script src="/web/assets/1f/web.assets_web.min.js"></script>'
    >>> mark_scripts(bundle, "Zm9v").startswith(b'<script nonce="Zm9v" src=')
    True
    >>> other = b'<script src="/web/assets/1f/web.assets_frontend.min.js"></script>'
    >>> mark_scripts(other, "Zm9v") == other
    True
    """
    mark = b'<script nonce="' + nonce.encode() + b'"'

    def mark_one(script: re.Match[bytes]) -> bytes:
        return mark + script[1] if _is_shipped(script[1]) else script[0]

    return _SCRIPT.sub(mark_one, page)


def _is_shipped(attributes: bytes) -> bool:
    """Return whether a script is in the page, or at an address of what addons ship.

    >>> [_is_shipped(b' src="%b"' % source) for source in (
    ...     b"/web/static/src/boot.js", b"/web/content/7", b"//x.example/web/static/x")]
    [True, False, False]
    >>> _is_shipped(b' defer="1"')
    True
    """
    source = _SOURCE.search(attributes)
    if not source:
        return True
    shipped = _SHIPPED.fullmatch(source[1])
    if not shipped or b".." in source[1]:
        return False
    return not is_of_websites(shipped[1].decode())
