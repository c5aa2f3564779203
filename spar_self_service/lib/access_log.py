"""What the server's own access log says of our pages: that, not with which secret.

The link of a notice and the ID provider's answer are secrets in an address, and what a
person searches for is theirs. Odoo logs every address whole.
"""

from __future__ import annotations

import logging
import re

_SECRETS = re.compile(r"(?P<page>/spar/notice/)[^/?\s]+|(?P<rest>/spar\b[^?\s]*\?)\S+")


def hide_secrets(line: str) -> str:
    """``line`` of an access log, without what no log may hold.

    >>> hide_secrets("GET /spar/notice/s3cr3t HTTP/1.1")
    'GET /spar/notice/... HTTP/1.1'
    >>> hide_secrets("GET /spar/oidc/callback/1?code=a&state=b HTTP/1.1")
    'GET /spar/oidc/callback/1?... HTTP/1.1'
    >>> hide_secrets("GET /web?debug=1 HTTP/1.1")
    'GET /web?debug=1 HTTP/1.1'
    """
    return _SECRETS.sub(lambda m: f"{m['page'] or m['rest']}...", line)


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
