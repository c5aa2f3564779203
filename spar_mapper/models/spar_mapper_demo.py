import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from datetime import timedelta
from itertools import islice

from odoo import api, models

from odoo.addons.spar_mapper_connector.exceptions import ServiceUnavailable
from odoo.addons.spar_mapper_connector.lib.contract import (
    Authority,
    CallContext,
    Details,
    LinkRequest,
    ResumeRequest,
    SuspendRequest,
    UnlinkRequest,
    UpdateRequest,
)

from ..lib.demo_story import DemoPerson, build_people

DEMO_VARIABLE = "SPAR_DEMO"

PEOPLE = 1200
#: The number of these who came to a counter instead of being enrolled by a programme.
WALKED_IN = 200
#: The number of these who are linked in one day.
WALKED_IN_A_DAY = 40

_PROGRAMME = CallContext(
    "participant:programme.demo.example",
    "rest",
    Authority.PROGRAMME,
    "bearer",
    message_reference="enrolment-2026",
)
_BANK = CallContext(
    "participant:bank.demo.example", "rest", Authority.INSTITUTION, "bearer"
)

#: The format of the demo's national IDs.
CARD = {
    "card_look": "10 digits, for example 2007760620",
    "card_pattern": "[0-9]+",
    "card_min_length": 10,
    "card_max_length": 10,
}

_logger = logging.getLogger(__name__)
#: How many days the clock of the demo is behind. No context of a request sets it: the
#: clock decides which changes have waited long enough.
_days_ago: ContextVar[int] = ContextVar("days by which the demo's clock is behind")


@contextmanager
def _clock_set(days: int) -> Iterator[None]:
    """Set the clock of the demo ``days`` ago for what is written in the block."""
    before = _days_ago.set(days)
    try:
        yield
    finally:
        _days_ago.reset(before)


class SparMapperDemo(models.AbstractModel):
    """The story of the demo, written to the store through its only interface.

    It is the store with a clock of its own, because the demo has a past.
    """

    _name = "spar.mapper.demo"
    _description = "Demo of the store"
    _inherit = ["spar.mapper.local"]
    _is_offered = False

    @api.model
    def _get_now(self):
        return super()._get_now() - timedelta(days=_days_ago.get(0))

    @api.model
    def _load(self) -> None:
        """Load the story once; do nothing without the demo's variable and a keyring."""
        if os.environ.get(DEMO_VARIABLE) != "1":
            _logger.info("no demo people: %s is not 1", DEMO_VARIABLE)
            return
        try:
            self.env["spar.keyring"]._open()
        except ServiceUnavailable:
            _logger.info("no demo people: this database has no keyring")
            return
        self._set_card_rule()
        if not self.env["spar.subject"].search_count([], limit=1):
            self._load_story(build_people(PEOPLE))

    @api.model
    def _set_card_rule(self) -> None:
        """Give everybody in the demo's country a number of ten digits.

        A rule that has been set meanwhile is left alone.
        """
        national_id = self.env.ref("spar_mapper_connector.id_type_national_id")
        if not national_id.has_card_rule:
            national_id.write(CARD)

    @api.model
    def _get_people(self, limit: int = 20) -> list[dict]:
        """Return some enrolled people whose address never changed.

        The values are those that the people themselves know.
        """
        people = build_people(PEOPLE)[:-WALKED_IN][-limit:]
        return [
            {
                "name": person.name,
                "individual_id": person.individual_id,
                "id_value": person.id_value,
            }
            for person in people
        ]

    # === THE STORY === #

    @api.model
    def _get_staff(self, reason: str) -> CallContext:
        officer = self.env.ref("spar_mapper.demo_user_officer")
        return CallContext(
            f"user:{officer.id}", "staff", Authority.STAFF, "document", reason=reason
        )

    @api.model
    def _load_story(self, people: list[DemoPerson]) -> None:
        enrolled, walked_in = people[:-WALKED_IN], people[-WALKED_IN:]
        for number, start in enumerate(range(0, len(enrolled), 250)):
            self._link_people(120 - number * 20, _PROGRAMME, enrolled[start:][:250])
        staff = self._get_staff("Registered at the social-welfare office")
        # As many a day as one officer may link.
        starts = range(0, len(walked_in), WALKED_IN_A_DAY)
        for number, start in enumerate(starts):
            one_day = walked_in[start:][:WALKED_IN_A_DAY]
            self._link_people(30 + len(starts) - number, staff, one_day)
        cast = iter(enrolled)
        self._load_changes(cast)
        self._load_suspensions(cast)
        self._load_departures(cast)
        self._load_waiting(cast)

    @api.model
    def _link_people(
        self, days: int, call: CallContext, people: list[DemoPerson]
    ) -> None:
        requests = [
            LinkRequest(p.id_value, p.fa, Details(p.name, p.phone_number))
            for p in people
        ]
        with _clock_set(days):
            self._link_fa(call, requests)

    @api.model
    def _load_changes(self, cast) -> None:
        """Record that forty people moved or changed their bank."""
        moved = list(islice(cast, 40))
        staff = self._get_staff("Moved; new account shown at the counter")
        for days, call, people in (
            (21, _PROGRAMME, moved[:25]),
            (9, staff, moved[25:]),
        ):
            requests = [UpdateRequest(p.id_value, p.new_fa) for p in people]
            with _clock_set(days):
                self._update_fa(call, requests)

    @api.model
    def _load_suspensions(self, cast) -> None:
        """Record the programme's list of closed accounts; three were cleared up."""
        doubtful = list(islice(cast, 15))
        call = replace(_PROGRAMME, reason="The bank reports the account as closed")
        requests = [SuspendRequest(p.id_value) for p in doubtful]
        with _clock_set(14):
            self._suspend_fa(call, requests)
        call = replace(_PROGRAMME, reason="Cleared up with the branch")
        requests = [ResumeRequest(p.id_value) for p in doubtful[:3]]
        with _clock_set(7):
            self._resume_fa(call, requests)

    @api.model
    def _load_departures(self, cast) -> None:
        """Record that twelve left the programme and two came back."""
        gone = list(islice(cast, 12))
        requests = [UnlinkRequest(p.id_value) for p in gone]
        with _clock_set(18):
            self._unlink_fa(_PROGRAMME, requests)
        self._link_people(4, self._get_staff("Eligible again"), gone[:2])

    @api.model
    def _load_waiting(self, cast) -> None:
        """Record a bank's requests that await a decision by a higher authority."""
        requests = [UpdateRequest(p.id_value, p.new_fa) for p in islice(cast, 3)]
        with _clock_set(1):
            self._update_fa(_BANK, requests)
