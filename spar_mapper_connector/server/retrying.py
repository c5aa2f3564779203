"""The immediate answer to a request that met a lock: *try again*.

Odoo would run it up to five times with pauses of up to half a minute, and its worker
would serve no other request meanwhile.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps

from werkzeug.exceptions import HTTPException

from odoo.http import RegistryError, Request
from odoo.service import model as service_model

from ..transactions import STOPPED
from .busy import IN_USE, TryAgain, show_busy


def answer_at_once() -> None:
    """Install this in front of Odoo's handling of a request that met a lock."""
    service_model.retrying = _build_retrying(service_model.retrying)
    Request._serve_db = _build_serving(Request._serve_db)


def _build_retrying(run: Callable) -> Callable:
    @wraps(run)
    def retrying(func: Callable, env):
        def run_once():
            with _asking_again(env):
                result = func()
                if not env.cr.closed:
                    env.cr.flush()
                return result

        with _asking_again(env):  # committing can meet a lock, too
            return run(run_once, env)

    return retrying


@contextmanager
def _asking_again(env) -> Iterator[None]:
    try:
        yield
    except STOPPED:
        if not env.cr.closed:
            env.cr.rollback()
        raise TryAgain(env._(IN_USE)) from None


def _build_serving(serve: Callable) -> Callable:
    """Return ``serve`` with the same answer, as Odoo queries before it routes."""

    @wraps(serve)
    def serve_or_report(self):
        try:
            return serve(self)
        except STOPPED:
            raise _build_error(self) from None
        except RegistryError as error:
            if isinstance(error.__cause__, STOPPED):
                raise _build_error(self) from None
            raise

    return serve_or_report


def _build_error(request) -> TryAgain:
    """Return the error with its answer: a page, or the endpoint's own format."""
    error = TryAgain(str(IN_USE._translate("en_US")))
    answer = request.dispatcher.handle_error(error)
    is_odoos = isinstance(answer, HTTPException)
    error.error_response = show_busy(request) if is_odoos else answer
    return error
