"""Ask a store each question of a file; run by Odoo's shell.

SPAR_QUESTIONS names the file: ``{kind: [{"question": {...}}, ...]}``, which is the
format of ``answers.json`` of ``data/demo-36df681.tar.xz``, too: its answers are
ignored. The same with ``"answer"`` beside each question is written to the file named by
SPAR_ANSWER. Times are naive UTC as text; values that are specific to one database (ids)
are left out.

Only methods of models are called, so that the store behind them may be replaced. Calls
to the old store whose names may differ now are in ``Reader``.
"""

import json
import os
from dataclasses import asdict, is_dataclass
from datetime import datetime
from enum import Enum

from odoo.tools import SQL

from odoo.addons.spar_mapper.lib.past import PeriodRecord, group_stays
from odoo.addons.spar_mapper_connector.exceptions import NoSuchNotice
from odoo.addons.spar_mapper_connector.lib.contract import (
    Authority,
    CallContext,
    Operation,
    Reference,
    ResolveRequest,
    TransactionReference,
)

env = globals()["env"]  # Odoo's shell provides it

#: Without the names of actors: those are the participants' present names.
OBJECTION_FIELDS = [
    "uuid",
    "reference",
    "remedy",
    "stop",
    "is_disowned",
    "state",
    "lock_before",
    "stop_before",
    "made_at",
    "channel",
    "actor",
    "on_behalf_of",
    "closed_by",
    "closed_at",
    "close_reason",
    "id_masked",
    "fa_masked",
    "event_kind",
    "event_at",
]
CHANGE_FIELDS = [
    "uuid",
    "operation",
    "base_version",
    "state",
    "needs_approval",
    "why",
    "proposed_at",
    "effective_at",
    "expires_at",
    "asserted_at",
    "proposer",
    "on_behalf_of",
    "channel",
    "authority",
    "authenticated_by",
    "message_reference",
    "reason",
    "decided_by",
    "decided_at",
    "purpose",
    "id_masked",
    "fa_masked",
]
PERIOD_FIELDS = [
    "uuid",
    "purpose",
    "rank",
    "state",
    "version",
    "authority",
    "channel",
    "origin",
    "proof",
    "valid_from",
    "valid_to",
    "asserted_at",
    "strategy_number",
    "id_masked",
    "fa_masked",
    "last_seq",
]
#: Kinds of events that decide whether the address of a period is paid to.
STATES_AFTER = {
    "linked": "active",
    "updated": "active",
    "restored": "active",
    "resumed": "active",
    "suspended": "suspended",
    "updated_suspended": "suspended",
    "restored_suspended": "suspended",
}


def write(value):
    """Return a value in JSON's types."""
    if is_dataclass(value):
        values = asdict(value)
        if type(value).__name__ == "Result":
            # Results have had references of waiting changes only since then.
            values.pop("reference", None)
        return write(values)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, dict):
        return {name: write(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [write(part) for part in value]
    return value


def get_state_at(period, moment: datetime) -> str:
    """Return the state of a period at a moment within it."""
    kinds = [e.kind for e in period.events if e.happened_at <= moment]
    return [STATES_AFTER[kind] for kind in kinds if kind in STATES_AFTER][-1]


class Reader:
    """One method for each kind of question: questions to answers, in their order."""

    def __init__(self):
        self.mapper = env["spar.mapper.local"]
        self.auditor = env.ref("spar_mapper.demo_user_auditor")
        self.supervisor = env.ref("spar_mapper.demo_user_supervisor")

    def build_call(self, actor: str, id_types: list[str] | None = None) -> CallContext:
        types = None
        if id_types is not None:
            found = env["spar.id.type"].search([("code", "in", id_types)])
            types = frozenset(found.ids)
        return CallContext(
            actor, "rest", Authority.PROGRAMME, "bearer", id_type_ids=types
        )

    def build_auditor_call(self) -> CallContext:
        return CallContext(f"user:{self.auditor.id}", "staff", Authority.STAFF, "")

    # === QUESTIONS OF CHANNELS === #

    def resolve(self, questions: list[dict]) -> list:
        """Resolve all questions of one caller in one call."""
        answers: dict[int, object] = {}
        callers: dict[str, list[int]] = {}
        for place, question in enumerate(questions):
            caller = json.dumps([question["actor"], question.get("id_types")])
            callers.setdefault(caller, []).append(place)
        for caller, places in callers.items():
            requests = [self.build_request(questions[place]) for place in places]
            call = self.build_call(*json.loads(caller))
            results = self.mapper._resolve_fa(call, requests)
            answers.update(zip(places, results, strict=True))
        return [answers[place] for place in range(len(questions))]

    def build_request(self, question: dict) -> ResolveRequest:
        return ResolveRequest(
            question.get("id_value"), question.get("fa"), question.get("purpose", "")
        )

    def history(self, questions: list[dict]) -> list:
        return [self.get_history(question["id_value"]) for question in questions]

    def get_history(self, id_value: str) -> list:
        """Return the history as it was then: suspensions were only events."""
        mapper = self.mapper.with_user(self.auditor)
        periods = map(asdict, mapper._history(self.build_auditor_call(), id_value))
        return [
            {name: value for name, value in period.items() if name != "suspensions"}
            for period in periods
        ]

    def as_of(self, questions: list[dict]) -> list:
        """Return the address in force at a moment, and whether it was paid to."""
        return [self.get_address_at(**question) for question in questions]

    def get_address_at(self, id_value: str, purpose: str, moment: str) -> dict | None:
        mapper, then = (
            self.mapper.with_user(self.auditor),
            datetime.fromisoformat(moment),
        )
        call = self.build_auditor_call()
        period = mapper._address_at(call, id_value, then, purpose)
        if period is None:
            return None
        state = get_state_at(period, then)
        return {"period": period.uuid, "fa": period.fa, "state": state}

    def waiting(self, questions: list[dict]) -> list:
        call = self.build_auditor_call()
        mapper = self.mapper.with_user(self.auditor)
        return [mapper._waiting_changes(call, q["id_value"]) for q in questions]

    def notice(self, questions: list[dict]) -> list:
        return [self.read_notice(question["token"]) for question in questions]

    def read_notice(self, token: str):
        try:
            return self.mapper._read_notice(token)
        except NoSuchNotice:
            return {"problem": "no such notice"}

    def message(self, questions: list[dict]) -> list:
        """Return the status of a message's items."""
        return [self.get_status(question) for question in questions]

    def get_status(self, question: dict):
        call = self.build_call(f"participant:{question['sender_id']}")
        values = (question["transaction_id"],)
        operation = Operation(question["operation"])
        reference = TransactionReference(operation, Reference.TRANSACTION, values)
        return self.mapper._transaction_status(call, reference)

    # === THE VIEW OF STAFF === #

    def subject(self, questions: list[dict]) -> list:
        """Return the lock and the stop of an ID's person."""
        return [self.get_guards(question["id_value"]) for question in questions]

    def get_forms(self, id_value: str) -> list[str]:
        """Return the possible stored forms of an ID: older versions have only one."""
        types = env["spar.id.type"]
        if not hasattr(types, "_get_forms"):
            return [types._identify(id_value).canonical]
        return [form.canonical for form in types._get_forms(id_value)]

    def get_guards(self, id_value: str) -> dict | None:
        keyring = env["spar.keyring"]._open()
        found = env["spar.subject.id"]._find_ids(keyring, self.get_forms(id_value))
        subject = env["spar.subject.id"].browse(list(found)).subject_id
        if not subject:
            return None
        return {
            "uuid": subject.uuid,
            "change_lock": subject.change_lock,
            "pay_stop": subject.pay_stop,
            "ids": len(subject.identifier_ids),
        }

    def read(self, model: str, names: list[str], **more) -> list[dict]:
        """Return every record as a supervisor sees it, in the order of uuids."""
        records = env[model].with_user(self.supervisor).search([])
        rows = [
            {name: record[name] for name in names}
            | {name: get(record) for name, get in more.items()}
            for record in records
        ]
        return sorted(rows, key=lambda row: row["uuid"])

    def objections(self, questions: list[dict]) -> list:
        def get_event(case):
            return [case.event_id.period_id.address_uuid, case.event_id.seq]

        def get_disputed(case):
            return case.period_id.address_uuid

        more = {"event": get_event, "disputed": get_disputed}
        return [self.read("spar.objection", OBJECTION_FIELDS, **more)]

    def changes(self, questions: list[dict]) -> list:
        more = {
            "period": lambda change: self.get_proposed_period(change).address_uuid,
            "current_masked": lambda change: self.get_proposed_period(change).fa_masked,
        }
        return [self.read("spar.change", CHANGE_FIELDS, **more)]

    def get_proposed_period(self, change):
        """Return the period for which a change was proposed, by its event."""
        events = env["spar.event"].search(
            [
                ("subject_id", "=", change.mapping_id.subject_id.id),
                ("mapping_id", "=", change.mapping_id.id),
                ("kind", "in", ("held", "proposed")),
                ("happened_at", "=", change.proposed_at),
            ]
        )
        return events.period_id

    def periods(self, questions: list[dict]) -> list:
        """Return every address of a mapping, proposed ones and ended ones too."""
        records = [
            PeriodRecord(
                row_id=period.id,
                head_id=period.mapping_id.id,
                purpose=period.mapping_id.purpose,
                seq=period.seq,
                state=period.state,
                version=period.version,
                since=period.state_since,
                address_uuid=period.address_uuid,
                address_version=period.address_version,
                sealed=None,
                plain=(),
            )
            for period in env["spar.mapping.period"].search([])
        ]
        records.sort(key=lambda record: (record.head_id, record.seq))
        rows = map(self.read_stay, group_stays(records))
        return [sorted(rows, key=lambda row: row["uuid"])]

    def read_stay(self, stay) -> dict:
        period = env["spar.mapping.period"].with_user(self.supervisor)
        period = period.browse(stay.first.row_id)
        events = env["spar.event"].search(
            [
                ("subject_id", "=", period.subject_id.id),
                ("period_id.address_uuid", "=", stay.uuid),
            ]
        )
        facts = {
            "uuid": stay.uuid,
            "purpose": period.mapping_id.purpose,
            "rank": period.mapping_id.rank,
            "state": stay.state,
            "version": stay.version,
            "valid_to": stay.valid_to or False,
            "provider": period.provider_id.code,
            "branch": period.branch_id.code,
            "fa_type": period.fa_type_id.code,
            "events": len(events),
            "last_seq": max(events.mapped("seq")),
        }
        return {
            name: period[name] for name in PERIOD_FIELDS if name not in facts
        } | facts

    def notices(self, questions: list[dict]) -> list:
        """Return every notice with its contact, in the order of its event."""
        keyring = env["spar.keyring"]._open()
        notices = env["spar.notice"].search([])
        contexts = notices._get_seal_contexts(keyring, notices.ids)
        query = SQL("SELECT id, sealed FROM spar_notice WHERE sealed IS NOT NULL")
        contacts = {
            row_id: keyring.unseal(
                contexts[row_id][0], bytes(sealed), contexts[row_id][1]
            )
            for row_id, sealed in env.execute_query(query)
        }
        rows = [
            {
                "period": notice.event_id.period_id.address_uuid,
                "seq": notice.event_id.seq,
                "kind": notice.event_id.kind,
                "state": notice.state,
                "contact": contacts.get(notice.id),
                "link_expires_at": notice.link_expires_at,
            }
            for notice in notices
        ]
        return [sorted(rows, key=lambda row: (row["period"], row["seq"]))]

    def check(self, questions: list[dict]) -> list:
        """Return the findings of the integrity check, with the checkpoints' file."""
        return [env["spar.audit"]._check_store()]


def run() -> None:
    with open(os.environ["SPAR_QUESTIONS"]) as file:
        given = json.load(file)
    reader, answered = Reader(), {}
    readers = {
        "resolve": reader.resolve,
        "history": reader.history,
        "as_of": reader.as_of,
        "waiting": reader.waiting,
        "subject": reader.subject,
        "notice": reader.notice,
        "message": reader.message,
        "objections": reader.objections,
        "changes": reader.changes,
        "periods": reader.periods,
        "notices": reader.notices,
        "check": reader.check,
    }
    for kind, entries in given.items():
        questions = [entry["question"] for entry in entries]
        answers = readers[kind](questions)
        answered[kind] = [
            {"question": question, "answer": write(answer)}
            for question, answer in zip(questions, answers, strict=True)
        ]
    with open(os.environ["SPAR_ANSWER"], "w") as out:
        json.dump(answered, out)


run()
