"""A small mapper for tests: these pages run on anything that fulfils the contract."""

from dataclasses import replace
from datetime import datetime
from itertools import count

from odoo import models

from odoo.addons.spar_mapper_connector.exceptions import NoSuchEvent, NoSuchNotice
from odoo.addons.spar_mapper_connector.lib.contract import (
    Capability,
    ChangeLock,
    HistoryEvent,
    NoticeInfo,
    ObjectionAnswer,
    Outcome,
    Period,
    Remedy,
    Result,
)

NOW = datetime(2026, 3, 1, 12, 0)
EVERYTHING = frozenset(
    {
        Capability.LINK,
        Capability.UPDATE,
        Capability.UNLINK,
        Capability.RESOLVE,
        Capability.VERSIONS,
        Capability.HISTORY,
        Capability.WAITING_CHANGES,
        Capability.OBJECTION,
    }
)


class Store:
    """The stand-in's content and configured answers, new for each test."""

    def __init__(self):
        self.periods: dict[str, list[Period]] = {}
        self.waiting: dict[str, list] = {}
        self.calls: list[tuple] = []
        self.capabilities = EVERYTHING
        self.outcome: Outcome | None = None
        self.stopped: set[str] = set()
        self.failing: dict[str, Exception] = {}
        self.acts_before_failing = False
        self.notices: dict[str, NoticeInfo] = {}
        self.numbers = count(1)
        self.lock = ChangeLock.NONE

    def get_fa(self, id_value: str) -> str | None:
        period = self.get_period(id_value)
        return period and period.fa

    def get_period(self, id_value: str) -> Period | None:
        known = self.periods.get(id_value, [])
        return next((p for p in known if p.valid_to is None), None)

    def add(self, id_value: str, fa: str, call, kind: str = "linked") -> Period:
        before = self.get_period(id_value)
        event = HistoryEvent(
            1,
            kind,
            NOW,
            call.actor,
            call.on_behalf_of,
            call.channel,
            "",
            "",
            is_disputable=True,
        )
        version = before.version + 1 if before else 1
        self.end(id_value)
        uuid = f"period{next(self.numbers)}"
        period = Period(
            uuid,
            fa,
            "active",
            "",
            version,
            NOW,
            None,
            call.channel,
            call.actor,
            (event,),
        )
        self.periods.setdefault(id_value, []).insert(0, period)
        return period

    def end(self, id_value: str) -> None:
        self.periods[id_value] = [
            replace(p, valid_to=p.valid_to or NOW, state="ended")
            for p in self.periods.get(id_value, [])
        ]


class StandIn(models.AbstractModel):
    _name = "spar.mapper.stand.in"
    _description = "Stand-in of the tests"
    _inherit = ["spar.mapper"]

    store = Store()

    def _capabilities(self):
        return self.store.capabilities

    def _note(self, word, call, request):
        """Record the call; fail or answer as the test has configured."""
        self.store.calls.append((word, call, request))
        if word in self.store.failing and not self.store.acts_before_failing:
            raise self.store.failing[word]
        outcome = self.store.outcome
        is_read = word in ("resolve", "get_lock")
        return None if is_read or not outcome else Result(outcome, request.id_value)

    def _fail_late(self, word):
        if word in self.store.failing:
            raise self.store.failing[word]

    def _resolve_fa(self, call, requests):
        (request,) = requests
        self._note("resolve", call, request)
        self._fail_late("resolve")
        period = self.store.get_period(request.id_value)
        if period is None:
            return [Result(Outcome.NOT_LINKED, request.id_value)]
        has_versions = Capability.VERSIONS in self.store.capabilities
        version = period.version if has_versions else None
        if request.id_value in self.store.stopped:
            return [Result(Outcome.SUSPENDED, version=version)]
        found = Result(Outcome.FOUND, request.id_value, period.fa, version=version)
        return [found]

    def _link_fa(self, call, requests):
        return [self._set("link", call, requests[0], Outcome.LINKED)]

    def _update_fa(self, call, requests):
        (request,) = requests
        period = self.store.get_period(request.id_value)
        expected = request.expected_version
        if expected is not None and (period is None or period.version != expected):
            return [Result(Outcome.CONFLICT, problem="version")]
        return [self._set("update", call, request, Outcome.UPDATED)]

    def _set(self, word, call, request, outcome):
        result = self._note(word, call, request)
        if result:
            return result
        kind = {"link": "linked", "update": "updated"}[word]
        self.store.add(request.id_value, request.fa, call, kind)
        self._fail_late(word)
        return Result(outcome, request.id_value, request.fa)

    def _unlink_fa(self, call, requests):
        (request,) = requests
        result = self._note("unlink", call, request)
        if not result:
            self.store.end(request.id_value)
        self._fail_late("unlink")
        return [result or Result(Outcome.UNLINKED, request.id_value)]

    def _history(self, call, id_value):
        return self.store.periods.get(id_value, [])

    def _waiting_changes(self, call, id_value):
        return self.store.waiting.get(id_value, [])

    def _get_change_lock(self, call, id_value):
        self._note("get_lock", call, id_value)
        return self.store.lock

    def _lock_changes(self, call, requests):
        (request,) = requests
        result = self._note("lock", call, request)
        self._fail_late("lock")
        if not result:
            self.store.lock = ChangeLock.OWNER
        return [result or Result(Outcome.LOCK_SET, request.id_value)]

    def _object_to(self, call, request):
        self.store.calls.append(("object", call, request))
        for period in self.store.periods.get(request.id_value, []):
            if (period.uuid, period.events[0].seq) == (request.period, request.seq):
                is_proved = call.authenticated_by == "login"
                remedy = Remedy.RESTORED if is_proved else Remedy.FROZEN
                return ObjectionAnswer(remedy, "CASE0001")
        raise NoSuchEvent()

    def _read_notice(self, token):
        if token not in self.store.notices:
            raise NoSuchNotice()
        return self.store.notices[token]

    def _object_to_notice(self, call, token):
        notice = self._read_notice(token)
        self.store.calls.append(("notice", call, token))
        is_person = notice.kind.startswith("representative")
        remedy = Remedy.NOTED if is_person else Remedy.FROZEN
        answer = notice.answer or ObjectionAnswer(remedy, "CASE0002")
        self.store.notices[token] = replace(notice, answer=answer)
        return answer
