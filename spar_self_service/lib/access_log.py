"""What the server's own access log says of our pages: that, not with which secret.

The link of a notice and the ID provider's answer are secrets in an address, and what a
person searches for is theirs. Odoo logs every address whole.
"""

from __future__ import annotations

import logging
import re

#: An address of ours to its end: read once, however often our name stands in it.
_ADDRESS = re.compile(r"/spar\b[^?\s]*(?:\?\S*)?")
_NOTICE = re.compile(r"(/spar/notice/)[^/]+")

#: Of each part of a line, at most so much is kept: an address can be as long as a book.
MOST = 2000


def hide_secrets(line: str) -> str:
    """``line`` of an access log, without what no log may hold, and not too long.

    >>> hide_secrets("GET /spar/notice/s3cr3t HTTP/1.1")
    'GET /spar/notice/... HTTP/1.1'
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
    return shown if len(shown) <= MOST else f"{shown[:MOST]}..."


def _hide_in_address(found: re.Match[str]) -> str:
    path, mark, query = found[0].partition("?")
    return _NOTICE.sub(r"\1...", path) + mark + ("..." if query else "")


class SecretsHidden(logging.Filter):
    """Applies ``hide_secrets`` to what the web server logs of a request."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Always true: nothing is left out but secrets."""
        if isinstance(record.args, tuple):
            record.args = tuple(
                hide_secrets(arg) if isinstance(arg, str) else arg
                for arg in record.args
            )
        return True


def hide_in_access_log() -> None:
    """Let the web server of this process log no secrets of our pages."""
    logging.getLogger("werkzeug").addFilter(SecretsHidden())
