"""A mapper with a protocol of its own, connected: see docs/connect-a-mapper.md."""

from odoo import models

from odoo.addons.spar_mapper_connector.exceptions import (
    RemoteAnswerUnusable,
    RemoteMapperError,
)
from odoo.addons.spar_mapper_connector.lib.contract import (
    PROCESSING,
    UNKNOWN_CODE,
    UNKNOWN_EFFECT,
    Capability,
    ChangeState,
    ChangeStatus,
    Outcome,
    Result,
)

_ABLE = ("link", "update", "unlink", "resolve", "change_status")
_OUTCOMES = {
    31: Outcome.ALREADY_LINKED,
    32: Outcome.NOT_LINKED,
    33: Outcome.INVALID_FA,
    34: Outcome.INVALID_ID,
    35: Outcome.RETRY,  # an earlier change of this person is not made yet
    36: Outcome.FA_MISMATCH,
}
_STATES = {
    10: ChangeState.WAITING,
    20: ChangeState.APPLIED,
    40: ChangeState.REFUSED,
}


class SparMapperForeign(models.AbstractModel):
    """The foreign mapper of the examples."""

    _name = "spar.mapper.foreign"
    _description = "The foreign mapper of the examples"
    _inherit = ["spar.mapper"]
    _is_remote = True

    def _capabilities(self):
        return frozenset(map(Capability, _ABLE))

    def _check_connection(self):
        self._ask("accounts", "people", {})

    def _resolve_fa(self, call, requests):
        people = {n: request.id_value for n, request in enumerate(requests)}
        answers = self._ask("accounts", "people", people)
        return [self._read_account(r, answers.get(n)) for n, r in enumerate(requests)]

    def _link_fa(self, call, requests):
        return self._change("add", requests)

    def _update_fa(self, call, requests):
        return self._change("replace", requests)

    def _unlink_fa(self, call, requests):
        return self._change("remove", requests)

    def _change_status(self, call, references):
        answers = self._ask("tickets", "tickets", dict(enumerate(references)))
        states = [_look_up(_STATES, answers.get(n)) for n in range(len(references))]
        return [
            ChangeStatus(reference, state or ChangeState.UNKNOWN)
            for reference, state in zip(references, states, strict=True)
        ]

    def _change(self, act, requests):
        changes = {
            n: {"act": act, "person": request.id_value, "account": request.fa}
            for n, request in enumerate(requests)
            if not _find_condition(request)
        }
        try:
            answers = self._ask("changes", "changes", changes)
        except RemoteMapperError as error:
            if not error.was_sent:
                raise
            answers = {}  # whether anything was accepted is not known
        return [_read_ticket(r, answers.get(n)) for n, r in enumerate(requests)]

    def _read_account(self, request, answer):
        if not isinstance(answer, str):
            return _read_code(request, answer)
        is_same = self.env["spar.fa.strategy"]._is_same_address
        if request.fa and not is_same(answer, request.fa):
            return Result(Outcome.FA_MISMATCH, request.id_value, same_fa=False)
        same_fa = True if request.fa else None
        return Result(Outcome.FOUND, request.id_value, answer, same_fa)

    def _ask(self, path, batch, items):
        """Return the answers by the numbers of their items; some may be missing."""
        backend_sudo = self._get_backend().sudo()
        document = {batch: {str(n): item for n, item in items.items()}}
        answer = backend_sudo._open_exchange().post(f"/{path}", document)
        answers = answer.get("answers")
        if not isinstance(answers, dict):
            raise RemoteAnswerUnusable("not_an_answer", was_sent=True)
        return {n: answers.get(str(n)) for n in items}


def _find_condition(request):
    """Return a condition of a change that the mapper would not observe."""
    if request.purpose:
        return "no_purposes"
    return "no_versions" if request.expected_version is not None else ""


def _read_ticket(request, answer):
    """Return what the answer to a change means: a ticket, a number, or none."""
    result = _read_code(request, answer)
    if condition := _find_condition(request):
        result.outcome, result.problem = Outcome.FORBIDDEN, condition
    elif isinstance(answer, str):
        result.outcome, result.problem = Outcome.HELD, PROCESSING
        result.reference = answer
    return result


def _read_code(request, code):
    """Return the result for a number; what is not agreed is no success."""
    known = _look_up(_OUTCOMES, code)
    unknown = UNKNOWN_CODE if isinstance(code, int) else UNKNOWN_EFFECT
    problem = "" if known else unknown
    return Result(known or Outcome.RETRY, request.id_value, request.fa, problem=problem)


def _look_up(table, code):
    return table.get(code) if isinstance(code, int) else None
