"""Visits: what a person allows on the mapper's own page, before the login here."""

from odoo.http import request

from ..lib.browser import PENDING_VISIT, VISIT
from ..models.auth_oauth_provider import LOGIN_PAGE_PATH
from .confirmed import lead_to
from .page import show


def lead_to_visit(provider, finish: str, for_staff: bool = False, **begun):
    """Redirect to the mapper's page; what was begun goes on at ``finish``.

    The last one that this session began is the one that counts.
    """
    proposed = request.env["spar.my.visit"]._propose(provider, for_staff)
    request.session[PENDING_VISIT] = {
        **begun,
        "provider": provider.id,
        "reference": proposed.reference,
    }
    return lead_to(proposed, finish)


def take_visit(reference: str) -> dict | None:
    """Return what this session began with that visit, once; None for nothing.

    The visit is in the session afterwards, if the person allowed it. Raises
    MapperError.
    """
    begun = request.session.get(PENDING_VISIT)
    if not begun or begun["reference"] != reference:
        return None
    visits = request.env["spar.my.visit"]
    is_allowed = visits._is_allowed(find_provider(begun), reference)
    del request.session[PENDING_VISIT]
    request.session.pop(VISIT, None)
    if is_allowed:
        kept = {name: begun[name] for name in ("provider", "reference")}
        request.session[VISIT] = kept
    return begun


def end_visit() -> None:
    """End the visit of this session, if there is one."""
    visit = request.session.pop(VISIT, None)
    if visit:
        request.env["spar.my.visit"]._end(visit)


def find_provider(begun: dict):
    """Return the provider at which a person logs in."""
    providers = request.env["auth.oauth.provider"]
    return providers._search_usable([("id", "=", begun["provider"])])


def show_not_allowed():
    """Show that the person did not allow the visit, and how to try again."""
    explanation = request.env["spar.my.visit"]._explain()
    return show(
        "login_problem",
        here=LOGIN_PAGE_PATH,
        explanation=explanation,
        return_to=LOGIN_PAGE_PATH,
    )
