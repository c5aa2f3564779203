"""The answer to a request that needs a busy resource."""

import logging

from odoo.exceptions import UserError
from odoo.http import Response
from odoo.tools import LazyTranslate

from ..lib.busy_page import build_busy_page

# There may be no environment: these are translated when they are shown.
# pylint: disable=prefer-env-translation
_lt = LazyTranslate(__name__)

IN_USE = _lt(
    "Something needed for this is in use at the moment. Nothing was changed. Please "
    "try again shortly."
)
KEYS_AWAY = _lt(
    "The registry is unavailable: its encryption keys cannot be read. Nothing was "
    "changed. Contact an administrator."
)
TITLE = _lt("Please try again")
AGAIN = _lt("Try again")
#: Seconds after which a client may try again.
RETRY_SECONDS = 5


class TryAgain(UserError):
    """A needed resource was in use, or took too long; nothing was changed."""

    http_status = 503
    #: Odoo would log it as a warning: the statement is already in the log.
    loglevel = logging.INFO


class KeysAway(TryAgain):
    """A user cannot be authenticated because the keys are unavailable."""


def show_busy(request, text=IN_USE) -> Response:
    """Return the page that says so, in the language of the session.

    It makes no query to the database.
    """
    language = request.session.context.get("lang") or "en_US"
    texts = [each._translate(language) for each in (TITLE, text, AGAIN)]
    asked = request.httprequest
    path = asked.full_path.rstrip("?") if asked.method == "GET" else ""
    page = build_busy_page(language, *texts, path)
    return finish(Response(page, 503, content_type="text/html; charset=utf-8"))


def finish(response: Response) -> Response:
    """Add when to try again, and forbid caching."""
    response.headers["Retry-After"] = str(RETRY_SECONDS)
    response.headers["Cache-Control"] = "no-store"
    return response
