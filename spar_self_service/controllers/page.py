"""Common parts of all pages for beneficiaries: the frame and plain error pages."""

import logging
from functools import wraps
from urllib.parse import urlencode

from odoo.http import request

from odoo.addons.spar_mapper_connector.exceptions import (
    MapperError,
    NoSuchEvent,
    OwnerLoginRefused,
    VisitNeeded,
)
from odoo.addons.spar_mapper_connector.lib.oidc.exceptions import LoginRefused
from odoo.addons.spar_mapper_connector.pages.showing import PAGE, show_page

from ..exceptions import (
    DraftClosed,
    DraftOutdated,
    NoSuchDraft,
    NotLoggedIn,
    OutcomeUnknown,
    SelfServiceError,
)
from ..lib.browser import WANTED
from ..lib.paths import AGENT_PATH, is_agent_page

_logger = logging.getLogger(__name__)

#: Our pages for staff; where staff have a host of their own, it serves these.
STAFF_PAGE = {**PAGE, "auth": "user", "spar_staff": True}

#: The message of a session, or of a login, that does not count any more.
ENDED = "ended"
#: The message to a person who is to allow the visit (again).
VISITED = "visit"
#: Query parameters that are kept when a page is shown in another language.
_KEPT_PARAMETERS = ("q", "said")


def show(template: str, status: int = 200, here: str = "", **values):
    """Return the page of a template, in the frame of all pages.

    ``here`` is where another language leads; by default it is the page's own address.
    """
    name = f"spar_self_service.{template}"
    return show_page(name, status, here=here or get_here(), **values)


def get_here(form: str = "/spar") -> str:
    """Return the address of this page; the response to a form is shown at ``form``."""
    httprequest = request.httprequest
    if httprequest.method != "GET":
        return form
    kept = {
        name: httprequest.args[name]
        for name in _KEPT_PARAMETERS
        if httprequest.args.get(name)
    }
    return f"{httprequest.path}?{urlencode(kept)}" if kept else httprequest.path


def go_to(path: str, message: str = ""):
    """Redirect to another page of ours, which begins with the message of this code."""
    return request.redirect(f"{path}?said={message}" if message else path, 303)


def get_home() -> str:
    """Return the start page of the current user: a person, or an officer."""
    is_agent = is_agent_page(request.httprequest.path)
    return AGENT_PATH if is_agent else "/spar/address"


def page(handler):
    """Answer an error with a page that says what happened and what to do."""

    @wraps(handler)
    def answer(self, *args, **kwargs):
        try:
            return handler(self, *args, **kwargs)
        except VisitNeeded:
            return ask_for_visit()
        except (NotLoggedIn, OwnerLoginRefused):
            return go_to("/spar", ENDED)
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
            _logger.info("page request refused: %s", error.code)
            return go_to(get_home(), "refused")

    return answer


def ask_for_visit():
    """Show the login page, whose button leads to the mapper's page and back here.

    Without a press of that button nobody is led on: there is no way round in a circle.
    """
    if is_agent_page(request.httprequest.path):
        return go_to(AGENT_PATH, "proof")
    request.session[WANTED] = get_here("/spar/address")
    return go_to("/spar", VISITED)


def show_unavailable(error: MapperError | OutcomeUnknown):
    """Show that the mapper is unavailable.

    What was sent had no effect, or its outcome is unknown.
    """
    _logger.warning("mapper unavailable for a page: %s", error.code)
    request.env.cr.rollback()
    path = request.httprequest.path
    again = path if request.httprequest.method == "GET" else ""
    is_known = not isinstance(error, OutcomeUnknown)
    return show("unavailable", 503, is_known=is_known, again=again)
