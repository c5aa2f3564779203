"""The content security policy of staff's screens, and of the pages of their login.

The browser runs the scripts that the server wrote into the page, those that they load,
and no other: neither one in a stored text that the web client shows
(``<img onerror=…>``, or a frame with an uploaded script), nor one of another host. Nor
does anything send what a page shows to another host, as a style sheet with pictures
could.
"""

from __future__ import annotations

import re

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
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_SCRIPT = re.compile(rb"<script(?=[\s>])", re.IGNORECASE)


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
    """Return the page with the nonce on each of its scripts.

    Only for a page of which every part comes from an addon's file.

    >>> mark_scripts(b"<script>1</script><scripts/>", "Zm9v")
    b'<script nonce="Zm9v">1</script><scripts/>'
    """
    return _SCRIPT.sub(b'<script nonce="' + nonce.encode() + b'"', page)
