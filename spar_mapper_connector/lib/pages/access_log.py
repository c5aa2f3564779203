"""Filtering of secrets in our pages' addresses from the server's access log.

The link of a notice, the page of a proposal and the ID provider's response are secrets
in an address, and what a person searches for is private. Odoo logs every address in
full.
"""

from __future__ import annotations

import logging
import re

#: An address of ours up to its end: scanned once, however often our name occurs in it.
_ADDRESS = re.compile(r"/spar\b[^?\s]*(?:\?\S*)?")
_SECRET = re.compile(r"(/spar/(?:notice|confirm)/)[^/]+")

#: At most this much of each part of a line is kept: an address can be very long.
MAX_LENGTH = 2000


def hide_secrets(line: str) -> str:
    """Return a line of an access log, shortened and without secrets.

    >>> hide_secrets("GET /spar/notice/s3cr3t HTTP/1.1")
    'GET /spar/notice/... HTTP/1.1'
    >>> hide_secrets("POST /spar/confirm/s3cr3t/login HTTP/1.1")
    'POST /spar/confirm/.../login HTTP/1.1'
    >>> hide_secrets("GET /spar/oidc/callback/1?code=a&state=b HTTP/1.1")
    'GET /spar/oidc/callback/1?... HTTP/1.1'
    >>> hide_secrets("GET /spar/spar/notice/s3cr3t/confirm?a=b HTTP/1.1")
    'GET /spar/spar/notice/.../confirm?... HTTP/1.1'
    >>> hide_secrets("GET /web?debug=1 HTTP/1.1")
    'GET /web?debug=1 HTTP/1.1'
    >>> len(hide_secrets("GET /spar" + "/x" * 30_000))
    2003
    """
    shown = _ADDRESS.sub(_hide_in_address, line)
    return shown if len(shown) <= MAX_LENGTH else f"{shown[:MAX_LENGTH]}..."


def _hide_in_address(found: re.Match[str]) -> str:
    path, mark, query = found[0].partition("?")
    return _SECRET.sub(r"\1...", path) + mark + ("..." if query else "")


class SecretsHidden(logging.Filter):
    """A filter that applies ``hide_secrets`` to the web server's access log."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Hide secrets in the record; always return True, as nothing is dropped."""
        if isinstance(record.args, tuple):
            record.args = tuple(
                hide_secrets(arg) if isinstance(arg, str) else arg
                for arg in record.args
            )
        return True


def hide_in_access_log() -> None:
    """Keep secrets of our pages out of the access log of this process."""
    logging.getLogger("werkzeug").addFilter(SecretsHidden())
