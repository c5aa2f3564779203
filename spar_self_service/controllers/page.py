"""What all pages of beneficiaries have in common: their frame, and plain refusals."""

import logging
from functools import wraps
from urllib.parse import urlencode

from odoo.http import request

from odoo.addons.spar_mapper_connector.exceptions import MapperError, NoSuchEvent

from ..exceptions import (
    DraftClosed,
    DraftOutdated,
    LoginRefused,
    NoSuchDraft,
    NotLoggedIn,
    OutcomeUnknown,
    SelfServiceError,
)
from ..lib.paths import AGENT_PATH, is_agent_page
from ..rendering import render

_logger = logging.getLogger(__name__)

#: Pages of ours: one address for all languages, in no site map, never of a cache.
PAGE = {
    "type": "http",
    "auth": "public",
    "website": True,
    "multilang": False,
    "sitemap": False,
    "readonly": False,
}

#: Pages of ours for staff; where they have a host of their own, these are there.
STAFF_PAGE = {**PAGE, "auth": "user", "spar_staff": True}

#: Pages that are there for staff as well, whom nothing of the website surrounds.
SHARED_PAGE = {**PAGE, "spar_shared": True}

#: Nothing but our style sheet and pictures. No form-action: a form's answer leads on to
#: the ID provider and to whatever site that one uses.
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; frame-ancestors 'none'"
)


#: What is kept of a page's address where it is shown again in another language.
_KEPT = ("q", "said")


def show(template: str, status: int = 200, here: str = "", **values):
    """The page of a template, in the frame of all pages.

    ``here`` is where another language leads; by itself it is the page's own address.
    """
    frame = request.env["spar.page.frame"]._get_frame(request.lang, here or get_here())
    values = {"csrf_token": request.csrf_token(), **frame, **values}
    return request.make_response(
        render(template, values, request.lang.code),
        {"Content-Security-Policy": POLICY, "Cache-Control": "no-store"},
        status=status,
    )


def get_here(form: str = "/spar") -> str:
    """The address of this page; the answer to a form is found again at ``form``."""
    asked = request.httprequest
    if asked.method != "GET":
        return form
    kept = {name: asked.args[name] for name in _KEPT if asked.args.get(name)}
    return f"{asked.path}?{urlencode(kept)}" if kept else asked.path


def go_to(path: str, said: str = ""):
    """To another page of ours, which begins by saying ``said``."""
    return request.redirect(f"{path}?said={said}" if said else path, 303)


def get_home() -> str:
    """Where whoever uses this page begins: a person, or an officer who helps one."""
    is_agent = is_agent_page(request.httprequest.path)
    return AGENT_PATH if is_agent else "/spar/address"


def page(handler):
    """Answer what goes wrong with a page that says what happened and what to do."""

    @wraps(handler)
    def answer(self, *args, **kwargs):
        try:
            return handler(self, *args, **kwargs)
        except NotLoggedIn:
            return go_to("/spar", "ended")
        except NoSuchDraft:
            return go_to(get_home(), "gone")
        except (DraftOutdated, DraftClosed):
            return go_to(get_home(), "outdated")
        except NoSuchEvent:
            return go_to("/spar/history", "gone")
        except (MapperError, OutcomeUnknown) as error:
            return show_unavailable(error)
        except LoginRefused as error:
            explanation = request.env["spar.login"]._explain(error)
            return show("not_possible", 400, explanation=explanation)
        except SelfServiceError as error:
            _logger.info("a page was refused: %s", error.code)
            return go_to(get_home(), "refused")

    return answer


def show_unavailable(error: MapperError | OutcomeUnknown):
    """The mapper cannot work: what was sent is as if it had not been, or nobody knows
    whether it is."""
    _logger.warning("the mapper did not answer a page: %s", error.code)
    request.env.cr.rollback()
    path = request.httprequest.path
    again = path if request.httprequest.method == "GET" else ""
    is_known = not isinstance(error, OutcomeUnknown)
    return show("unavailable", 503, is_known=is_known, again=again)


def get_number(text: str | None) -> int:
    """A whole number from a form; 0 for anything else.

    >>> get_number("12"), get_number("x"), get_number(None), get_number("9" * 30)
    (12, 0, 0, 0)
    """
    return int(text) if text and text.isdecimal() and len(text) < 10 else 0
