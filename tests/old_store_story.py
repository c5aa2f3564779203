"""Fill the store of commit 36df681 with data in every state; run by its shell.

It is kept to show how ``data/demo-36df681.tar.xz`` was made; only that commit runs it.
The store's own methods do everything, at times that the story sets, except where the
old store had no method: a second ID, the locks of staff and of the owner. The story
runs twice, and between the two a rotation of the sealing key begins that never ends.
The questions of ``old_store_questions.py``, and the people who reached each state, are
written to the file named by SPAR_ANSWER.
"""

import json
import os
from contextlib import contextmanager
from datetime import datetime, timedelta

from odoo.tools import SQL

from odoo.addons.spar_mapper.lib import seals
from odoo.addons.spar_mapper.lib.demo_story import build_people
from odoo.addons.spar_mapper.lib.records import new_uuid
from odoo.addons.spar_mapper.models import spar_mapper_local_save
from odoo.addons.spar_mapper.models.spar_mapper_demo import PEOPLE
from odoo.addons.spar_mapper_connector.lib.contract import (
    Authority,
    CallContext,
    Details,
    LinkRequest,
    ObjectionRequest,
    ResumeRequest,
    SuspendRequest,
    UnlinkRequest,
    UpdateRequest,
)

env = globals()["env"]  # Odoo's shell provides it

#: The number of people in each state, for each run of the story.
MANY = (1, 1)
START = datetime(2025, 10, 6, 8, 0, 0, 417)
STEP = timedelta(minutes=7, seconds=11, microseconds=20_011)
YEARS = timedelta(days=30 * 365)

OFFICER = env.ref("spar_mapper.demo_user_officer")
SUPERVISOR = env.ref("spar_mapper.demo_user_supervisor")
AUDITOR = env.ref("spar_mapper.demo_user_auditor")

PROGRAMME = CallContext(
    "participant:programme.demo.example",
    "rest",
    Authority.PROGRAMME,
    "bearer",
    message_reference="enrolment-2026",
)
PAYER = CallContext(
    "participant:payer.demo.example", "rest", Authority.PROGRAMME, "bearer+signature"
)
BANK = CallContext(
    "participant:bank.demo.example", "rest", Authority.INSTITUTION, "bearer"
)
STAFF = CallContext(
    f"user:{OFFICER.id}", "staff", Authority.STAFF, "document", reason="At the counter"
)
DECIDER = CallContext(
    f"user:{SUPERVISOR.id}", "staff", Authority.STAFF, "document", reason="Looked at it"
)
READER = CallContext(f"user:{AUDITOR.id}", "staff", Authority.STAFF, "document")
OWNER = CallContext("person:f0e1d2", "portal", Authority.OWNER, "login")
AGENT = CallContext(
    f"user:{OFFICER.id}",
    "agent",
    Authority.OWNER,
    "login",
    on_behalf_of="person:a9b8c7",
    message_reference="helped-1",
)
LINK_HOLDER = CallContext("notice", "notice", Authority.OWNER, "link")

DETAILS = (
    Details(),
    Details("Ada Example"),
    Details("", "+99955510001"),
    Details("Gràcia Õunapuu", "+99955510002"),
    Details("Li Wei 李伟", "+99955510003", ({"key": "household", "value": "7"}, 4)),
    Details(additional_info=({"bank_note": "ключ"}, {"n": None, "list": [1, 2.5]})),
)
#: Formats of addresses; each number makes another one.
ADDRESSES = (
    "account:{0:012}@BR01.DEMO",
    "account:{0:012}@BR02.PSB",
    "account:{0:012}@BR99.DEMO",
    "mobile:+99957{0:06}@TAVO",
    "email:person{0}@mail.example@LINDOW",
    "account:{0:012}@BR01.NOSUCHBANK",
    "cash at the post office, counter {0}",
    "ACCOUNT:Ab{0:06}@br01.Demo",
    "Почта, окно {0}",
    "account_number:{0:010}.branch_code:BR03.bank_code:DEMO.mobile_number:"
    ".email_address:.fa_type:BANK_ACCOUNT",
)


class Clock:
    """The time of the store: later each time it is read."""

    def __init__(self, now: datetime):
        self.now = now

    def tick(self) -> datetime:
        self.now += STEP
        return self.now

    def let_pass(self, **duration) -> None:
        self.now += timedelta(**duration)


class Words:
    """Short methods for acts on the store; each is a transaction."""

    def __init__(self, clock: Clock):
        self.clock = clock
        self.mapper = env["spar.mapper.local"]
        self.groups: dict[str, list[str]] = {}
        self.addresses: dict[str, None] = {}
        self.tokens: dict[str, str] = {}
        self.many = 0
        self.number = 0

    # === PEOPLE AND ADDRESSES === #

    def get_people(self, group: str, count: int = 0) -> list[str]:
        """Return the next IDs of a group."""
        known = self.groups.setdefault(group, [])
        name = group.replace("_", "-")
        new = [
            f"token:{name}-{len(known) + n}@nationalId"
            for n in range(count or self.many)
        ]
        known.extend(new)
        return new

    def get_new(self, template: str = "") -> str:
        """Return an address that no one had."""
        self.number += 1
        template = template or ADDRESSES[self.number % 2]
        return self.remember(template.format(770_000 + self.number * 13))

    def remember(self, fa: str) -> str:
        self.addresses[fa] = None
        return fa

    # === CHANGES === #

    def do(self, method, call, request, expected: str):
        (result,) = getattr(self.mapper, method)(call, [request])
        env.cr.commit()
        assert result.outcome.value == expected, (request, result)
        return result

    def link(self, id_value, fa="", call=PROGRAMME, expected="linked", **values):
        self.number += 1
        values.setdefault("details", DETAILS[self.number % len(DETAILS)])
        request = LinkRequest(id_value, fa or self.get_new(), **values)
        return self.do("_link_fa", call, request, expected)

    def update(self, id_value, fa="", call=PROGRAMME, expected="updated", **values):
        request = UpdateRequest(id_value, fa or self.get_new(), **values)
        return self.do("_update_fa", call, request, expected)

    def end(self, id_value, call=PROGRAMME, expected="unlinked", **values):
        request = UnlinkRequest(id_value, **values)
        return self.do("_unlink_fa", call, request, expected)

    def suspend(self, id_value, call=STAFF, expected="suspended", **values):
        request = SuspendRequest(id_value, **values)
        return self.do("_suspend_fa", call, request, expected)

    def resume(self, id_value, call=STAFF, expected="resumed", **values):
        request = ResumeRequest(id_value, **values)
        return self.do("_resume_fa", call, request, expected)

    # === RULES, AND PENDING CHANGES === #

    @contextmanager
    def rule(self, decision: str, **values):
        """Put a rule before all others for the block; switch it off afterwards."""
        name = f"Story: {decision}"
        hours = {"hold_hours": 48} if decision == "hold" else {}
        terms = {"sequence": 1, "decision": decision, **hours, **values}
        rule = env["spar.change.rule"].create({"name": name, **terms})
        env.cr.commit()
        yield
        rule.active = False
        env.cr.commit()

    @contextmanager
    def for_years(self):
        """Let proposals of the block never expire: no schedule ends them."""
        usual = spar_mapper_local_save.APPROVAL_TIME
        spar_mapper_local_save.APPROVAL_TIME = YEARS
        yield
        spar_mapper_local_save.APPROVAL_TIME = usual

    def let_pass(self, **duration) -> None:
        """Let time pass, then decide what is due, as the schedule does."""
        self.clock.let_pass(**duration)
        for change_id in self.mapper._search_due():
            self.mapper._decide_due(change_id)
            env.cr.commit()

    def approve(self, id_value, call=DECIDER) -> None:
        self.mapper._approve_change(call, self.get_change(id_value).id)
        env.cr.commit()

    def drop(self, id_value, how: str, call=DECIDER) -> None:
        self.mapper._end_change(call, self.get_change(id_value).id, how)
        env.cr.commit()

    # === OBJECTIONS === #

    def object_to(self, id_value, kind: str, remedy: str, call=OWNER, purpose=""):
        """Object to the newest event of a kind."""
        event = self.get_event(id_value, kind, purpose)
        request = ObjectionRequest(id_value, event.mapping_id.uuid, event.seq)
        answer = self.mapper._object_to(call, request)
        env.cr.commit()
        assert answer.remedy.value == remedy, (id_value, kind, answer)

    def close(self, id_value, is_upheld: bool) -> None:
        domain = [("mapping_id", "in", self.get_mappings(id_value).ids)]
        case = env["spar.objection"].search(
            [*domain, ("state", "=", "open")], limit=1, order="id"
        )
        self.mapper._close_objection(DECIDER, case.id, is_upheld)
        env.cr.commit()

    def make_link(self, name: str, id_value: str, kind: str, days: int = 36_500) -> str:
        """Return the token of a notice's link, for the newest event of a kind."""
        days_sudo = env["ir.config_parameter"].sudo()
        days_sudo.set_param("spar_mapper.objection_days", str(days))
        event = self.get_event(id_value, kind)
        notice = env["spar.notice"].search([("event_id", "=", event.id)])
        self.tokens[name] = notice._make_link()
        days_sudo.set_param("spar_mapper.objection_days", "30")
        env.cr.commit()
        return self.tokens[name]

    def reveal(self, id_value: str) -> None:
        """Reveal the newest address of an ID, as an auditor."""
        mapping = self.get_mappings(id_value)[:1]
        self.mapper.with_user(AUDITOR)._log_reveal(READER, mapping.id)
        env.cr.rollback()

    # === RECORDS === #

    def get_subject(self, id_value: str):
        keyring = env["spar.keyring"]._open()
        canonical = env["spar.id.type"]._identify(id_value).canonical
        found = env["spar.subject.id"]._find_ids(keyring, [canonical])
        return env["spar.subject.id"].browse(list(found)).subject_id

    def get_mappings(self, id_value: str):
        """Return every mapping of an ID, newest first."""
        env.invalidate_all()
        subject = self.get_subject(id_value)
        return env["spar.mapping"].search([("subject_id", "=", subject.id)])

    def get_event(self, id_value: str, kind: str, purpose: str = ""):
        events = self.get_mappings(id_value).event_ids
        fitting = events.filtered(
            lambda e: e.kind == kind and (e.mapping_id.purpose or "") == purpose
        )
        return fitting.sorted("id")[-1:]

    def get_change(self, id_value: str):
        changes = self.get_mappings(id_value).change_ids
        return changes.filtered(lambda change: change.state == "waiting")

    # === PAST THE STORE'S METHODS === #

    def set_subject(self, id_value: str, **values) -> None:
        """Set ``change_lock`` or ``pay_stop``, and seal the ID for it."""
        keyring = env["spar.keyring"]._open()
        subject = self.get_subject(id_value)
        identifier = subject.identifier_ids
        text = identifier._unseal_ids(keyring, identifier.ids)[identifier.id]
        for name, value in values.items():
            column = SQL.identifier(name)
            env.cr.execute(
                SQL(
                    "UPDATE spar_subject SET %s = %s WHERE id = %s",
                    column,
                    value,
                    subject.id,
                )
            )
        _purpose, context = identifier._get_seal_contexts(keyring, identifier.ids)[
            identifier.id
        ]
        env.cr.execute(
            "UPDATE spar_subject_id SET sealed = %s WHERE id = %s",
            (keyring.seal(seals.ID, text, context), identifier.id),
        )
        env.cr.commit()

    def add_id(self, id_value: str, to: str) -> None:
        """Give the subject of the ID ``to`` one more ID."""
        keyring = env["spar.keyring"]._open()
        subject = self.get_subject(to)
        found = env["spar.id.type"]._identify(id_value)
        uuid = new_uuid()
        context = seals.id_context(
            uuid, subject.uuid, subject.change_lock, subject.pay_stop
        )
        env.cr.execute(
            """INSERT INTO spar_subject_id
                      (subject_id, type_id, uuid, active, digest_a, sealed)
               VALUES (%s, %s, %s, true, %s, %s)""",
            (
                subject.id,
                found.type_id,
                uuid,
                keyring.digest(seals.ID, found.canonical),
                keyring.seal(seals.ID, found.canonical, context),
            ),
        )
        env.cr.commit()


class Story(Words):
    """Everything that can happen to a person's address."""

    def add_everything(self, many: int) -> None:
        """Do everything once, for this many people each."""
        self.many = many
        for chapter in (
            self.add_addresses,
            self.add_links,
            self.add_suspensions,
            self.add_purposes,
            self.add_first_links,
            self.add_changes,
            self.add_waiting,
            self.add_ids,
            self.add_locks,
            self.add_reveals,
            self.add_objections,
            self.add_stops,
            self.add_several_objections,
            self.add_notices,
        ):
            chapter()
            self.clock.let_pass(days=2)

    # === ADDRESSES === #

    def add_addresses(self) -> None:
        """Write addresses in every form, with all kinds of details, at other times."""
        for template in ADDRESSES:
            for id_value in self.get_people("address_forms", 1):
                self.link(id_value, self.get_new(template))
        for details in DETAILS:
            for id_value in self.get_people("details", 1):
                self.link(id_value, details=details)
                self.update(id_value, details=Details("", "+99955519999"))
        shared = self.get_new()
        for call in (PROGRAMME, PAYER, STAFF)[: self.many + 1]:
            for id_value in self.get_people("shared_account", 1):
                self.link(id_value, shared, call)
        for id_value in self.get_people("asserted"):
            then = self.clock.now - timedelta(days=20)
            self.link(id_value, asserted_at=then)
            older = then - timedelta(days=1)
            self.update(id_value, expected="conflict", asserted_at=older)
            self.update(id_value, asserted_at=then + timedelta(days=3))
        for id_value in self.get_people("never_linked"):
            self.update(id_value, expected="not_linked")

    def add_links(self) -> None:
        for id_value in self.get_people("linked"):
            self.link(id_value)
        for id_value in self.get_people("updated_once"):
            self.link(id_value)
            self.update(id_value, call=STAFF)
        for id_value in self.get_people("updated_three_times"):
            self.link(id_value, call=BANK)
            for call in (PROGRAMME, STAFF, AGENT):
                self.clock.let_pass(days=1)
                self.update(id_value, call=call)
        for id_value in self.get_people("details_changed"):
            fa = self.get_new()
            self.link(id_value, fa, details=DETAILS[1])
            self.update(id_value, fa, details=DETAILS[3])
            self.update(id_value, fa)
        for id_value in self.get_people("unlinked"):
            self.link(id_value)
            self.end(id_value)
        for id_value in self.get_people("unlinked_and_linked_twice"):
            same = self.get_new()
            self.link(id_value, same)
            for fa in ("", same):
                self.end(id_value, call=STAFF)
                self.clock.let_pass(days=1)
                self.link(id_value, fa)

    def add_suspensions(self) -> None:
        for id_value in self.get_people("suspended"):
            self.link(id_value)
            self.suspend(id_value)
        for id_value in self.get_people("resumed"):
            self.link(id_value)
            for _time in range(2):
                self.suspend(id_value)
                self.clock.let_pass(days=1)
                self.resume(id_value)
        for id_value in self.get_people("updated_while_suspended"):
            self.link(id_value)
            self.suspend(id_value)
            self.update(id_value, call=STAFF)
        for id_value in self.get_people("updated_while_suspended_and_resumed"):
            self.link(id_value)
            self.suspend(id_value)
            self.update(id_value, call=STAFF)
            self.resume(id_value)
        for id_value in self.get_people("unlinked_while_suspended"):
            self.link(id_value)
            self.suspend(id_value)
            self.end(id_value, call=STAFF)

    def add_purposes(self) -> None:
        for id_value in self.get_people("purposes"):
            for purpose in ("", "school", "pension"):
                self.link(id_value, purpose=purpose)
            self.update(id_value, purpose="school")
            self.suspend(id_value, purpose="pension")
        for id_value in self.get_people("purpose_only"):
            self.link(id_value, purpose="school")
        for id_value in self.get_people("purpose_ended"):
            self.link(id_value)
            self.link(id_value, purpose="school")
            self.end(id_value, purpose="school")

    # === PENDING CHANGES === #

    def add_first_links(self) -> None:
        for group in ("approved", "refused", "cancelled", "expired"):
            people = self.get_people(f"first_link_{group}")
            with self.rule("approve"):
                for id_value in people:
                    self.link(id_value, expected="held")
            for id_value in people:
                if group == "approved":
                    self.approve(id_value)
                elif group != "expired":
                    self.drop(id_value, group)
        self.let_pass(days=31)
        for id_value in self.get_people("first_link_overtaken"):
            with self.rule("approve", channel="rest"):
                self.link(id_value, expected="held")
                self.link(id_value, call=STAFF)
        people = self.get_people("first_link_held_and_applied")
        with self.rule("hold", operation="link"):
            for id_value in people:
                self.link(id_value, expected="held")
        self.let_pass(hours=49)
        with self.rule("approve"), self.for_years():
            for id_value in self.get_people("first_link_waiting"):
                self.link(id_value, expected="held")
        with self.rule("hold", hold_hours=YEARS.days * 24):
            for id_value in self.get_people("first_link_waiting_for_time"):
                self.link(id_value, expected="held", purpose="school")
        with self.rule("approve"):
            for id_value in self.get_people("first_link_refused_and_linked"):
                self.link(id_value, expected="held")
                self.drop(id_value, "refused")
        for id_value in self.groups["first_link_refused_and_linked"][-self.many :]:
            self.link(id_value)

    def hold(self, group: str, decision: str = "hold", call=PROGRAMME) -> list[str]:
        """Return linked people, each with a pending change."""
        people = self.get_people(group)
        for id_value in people:
            self.link(id_value, call=call)
        with self.rule(decision):
            for id_value in people:
                self.update(id_value, call=call, expected="held")
        return people

    def add_changes(self) -> None:
        """Create pending changes, and end them in each possible way."""
        for how in ("cancelled", "refused"):
            for id_value in self.hold(f"change_{how}"):
                self.drop(id_value, how)
        for id_value in self.hold("change_approved", "approve"):
            self.approve(id_value)
        for id_value in self.hold("change_refused_by_second_person", "approve", STAFF):
            self.drop(id_value, "refused")
        for id_value in self.hold("change_stale"):
            self.suspend(id_value)
        for id_value in self.hold("change_stale_by_update"):
            self.update(id_value, call=STAFF)
        self.hold("change_applied")
        self.let_pass(hours=49)
        self.hold("change_expired", "approve")
        self.let_pass(days=31)
        people = self.get_people("change_unlink_applied")
        for id_value in people:
            self.link(id_value)
        with self.rule("hold"):
            for id_value in people:
                self.end(id_value, expected="held")
        self.let_pass(hours=49)
        with self.rule("refuse"):
            for id_value in self.get_people("refused_by_rule"):
                self.link(id_value, expected="forbidden")

    def add_waiting(self) -> None:
        """Create changes that stay pending; nothing else happens to them."""
        ways = {
            "hold": {"hold_hours": YEARS.days * 24},
            "approve": {},
        }
        for decision, terms in ways.items():
            self.wait_with("update", decision, terms)
            self.wait_with("unlink", decision, terms)
            self.wait_with("resume", decision, terms)
        with self.for_years():
            for id_value in self.get_people("waiting_for_higher_authority"):
                self.link(id_value, call=STAFF)
                self.update(id_value, call=BANK, expected="held")

    def wait_with(self, operation: str, decision: str, terms: dict) -> None:
        people = self.get_people(f"waiting_{operation}_{decision}")
        for id_value in people:
            self.link(id_value, fa := self.get_new())
            if operation == "resume":
                self.suspend(id_value)
        with self.rule(decision, **terms), self.for_years():
            for id_value in people:
                if operation == "update":
                    details = Details("New Name", "+99955518888", ({"a": 1},))
                    claimed = {"details": details, "asserted_at": self.clock.now}
                    self.update(id_value, expected="held", **claimed)
                elif operation == "resume":
                    self.resume(id_value, expected="held")
                else:
                    last = id_value == people[-1]
                    self.end(id_value, expected="held", fa=fa if last else None)

    def add_overdue(self) -> None:
        """Let time pass without the schedule; this comes last."""
        self.hold("overdue_update")
        self.hold("overdue_approval", "approve")
        self.clock.let_pass(days=32)

    # === IDS AND SUBJECTS === #

    def add_ids(self) -> None:
        for id_value in self.get_people("id_types", 1):
            number = id_value.partition("-types-")[2].partition("@")[0]
            others = [f"vat:{number}@Tax", f"Card {number} / Ä", f"voter:{number}@roll"]
            self.groups["id_types"] += others
            for other in (id_value, *others):
                self.link(other)
                self.update(other)
        for first in self.get_people("two_ids", 3):
            second = first.replace("two-ids", "two-ids-second")
            self.groups.setdefault("two_ids_second", []).append(second)
            self.link(first)
            self.add_id(second, first)
        for second in self.groups["two_ids_second"][-2:]:
            self.update(second, call=STAFF)
        for id_value in self.groups["two_ids_second"][-1:]:
            self.object_to(id_value, "updated", "restored")

    def add_locks(self) -> None:
        for lock, call in (("staff", STAFF), ("owner", AGENT)):
            for id_value in self.get_people(f"lock_{lock}"):
                self.link(id_value)
                self.set_subject(id_value, change_lock=lock)
                self.update(id_value, expected="locked")
                self.update(id_value, call=call)
        for id_value in self.get_people("pay_stop"):
            self.link(id_value)
            self.set_subject(id_value, pay_stop=True)
            self.update(id_value)

    def add_reveals(self) -> None:
        for id_value in self.get_people("revealed"):
            self.link(id_value)
            self.reveal(id_value)
            self.update(id_value)
            self.reveal(id_value)
            self.reveal(id_value)
        for id_value in self.get_people("revealed_when_ended"):
            self.link(id_value)
            self.end(id_value)
            self.reveal(id_value)
        with self.rule("approve"), self.for_years():
            for id_value in self.get_people("revealed_when_proposed", 1):
                self.link(id_value, expected="held")
                self.reveal(id_value)

    # === OBJECTIONS === #

    def add_objections(self) -> None:
        """Create each remedy, in each way to it; open, upheld and rejected."""
        ways = (
            ("cancelled_held", self.reach_cancelled_held, "held", "cancelled"),
            ("cancelled_first", self.reach_cancelled_first, "proposed", "cancelled"),
            ("restored_updated", self.reach_restored_updated, "updated", "restored"),
            ("restored_replaced", self.reach_restored_updated, "replaced", "restored"),
            (
                "restored_suspended",
                self.reach_restored_suspended,
                "updated_suspended",
                "restored",
            ),
            ("restored_unlinked", self.reach_restored_unlinked, "unlinked", "restored"),
            ("stopped_all", self.reach_stopped_all, "linked", "stopped"),
            ("stopped_one", self.reach_stopped_one, "linked", "stopped"),
            ("stopped_suspended", self.reach_stopped_suspended, "linked", "stopped"),
            ("noted_suspended", self.reach_stopped_suspended, "suspended", "noted"),
            ("noted_resumed", self.reach_noted_resumed, "resumed", "noted"),
            ("noted_linked", self.reach_restored_updated, "linked", "noted"),
        )
        for way, reach, kind, remedy in ways:
            for end in ("open", "upheld", "rejected"):
                count = self.many if end == "open" else 1
                for id_value in self.get_people(f"objection_{way}_{end}", count):
                    reach(id_value)
                    call = OWNER if self.number % 2 else LINK_HOLDER
                    self.object_to(id_value, kind, remedy, call)
                    if end != "open":
                        self.clock.let_pass(hours=20)
                        self.close(id_value, end == "upheld")

    def reach_cancelled_held(self, id_value) -> None:
        self.link(id_value)
        with self.rule("hold"):
            self.update(id_value, expected="held")

    def reach_cancelled_first(self, id_value) -> None:
        with self.rule("approve"):
            self.link(id_value, expected="held")

    def reach_restored_updated(self, id_value) -> None:
        self.link(id_value)
        self.update(id_value)

    def reach_restored_suspended(self, id_value) -> None:
        self.link(id_value)
        self.suspend(id_value)
        self.update(id_value, call=STAFF)

    def reach_restored_unlinked(self, id_value) -> None:
        self.link(id_value)
        self.end(id_value)

    def reach_stopped_all(self, id_value) -> None:
        self.link(id_value)

    def reach_stopped_one(self, id_value) -> None:
        self.link(id_value, purpose="school")
        self.link(id_value)

    def reach_stopped_suspended(self, id_value) -> None:
        """Object to an address that is not paid to already."""
        self.link(id_value)
        self.suspend(id_value)

    def reach_noted_resumed(self, id_value) -> None:
        self.reach_stopped_suspended(id_value)
        self.resume(id_value)

    def add_stops(self) -> None:
        """Link after an upheld objection; be refused before."""
        for id_value in self.get_people("stopped_upheld_and_linked"):
            self.link(id_value)
            self.object_to(id_value, "linked", "stopped")
            self.update(id_value, expected="locked")
            self.close(id_value, is_upheld=True)
            self.link(id_value, call=STAFF)

    def add_several_objections(self) -> None:
        for id_value in self.get_people("two_objections_open"):
            self.reach_restored_updated(id_value)
            self.object_to(id_value, "updated", "restored")
            self.object_to(id_value, "restored", "stopped")
        for id_value in self.get_people("two_objections_one_closed"):
            self.link(id_value)
            self.link(id_value, purpose="school")
            self.object_to(id_value, "linked", "stopped")
            self.object_to(id_value, "linked", "stopped", LINK_HOLDER, "school")
            self.close(id_value, is_upheld=False)
        for id_value in self.get_people("restored_twice"):
            self.link(id_value)
            self.update(id_value)
            self.update(id_value, call=STAFF)
            self.object_to(id_value, "updated", "restored")
            self.object_to(id_value, "restored", "restored")
        for id_value in self.hold("waiting_cancelled_by_stop"):
            self.object_to(id_value, "linked", "stopped")
            assert not self.get_change(id_value)
        with self.rule("hold", hold_hours=YEARS.days * 24, operation="resume"):
            for id_value in self.get_people("waiting_while_locked"):
                self.link(id_value)
                self.suspend(id_value)
                self.resume(id_value, expected="held")
                self.object_to(id_value, "suspended", "noted")
        for id_value in self.get_people("waiting_noted_and_refused"):
            self.link(id_value)
            self.suspend(id_value)
            with self.rule("hold"):
                self.resume(id_value, expected="held")
            self.object_to(id_value, "suspended", "noted")
        self.let_pass(hours=49)

    # === NOTICES === #

    def add_notices(self) -> None:
        place = len(self.tokens)
        for kind, group in (
            ("linked", "linked"),
            ("updated", "updated_once"),
            ("replaced", "updated_three_times"),
            ("unlinked", "unlinked"),
            ("suspended", "suspended"),
            ("held", "waiting_update_hold"),
            ("proposed", "first_link_waiting"),
            ("updated", "objection_restored_updated_open"),
            ("updated", "objection_restored_updated_upheld"),
            ("linked", "objection_stopped_all_rejected"),
            ("updated_suspended", "updated_while_suspended"),
        ):
            id_value = self.groups[group][-1]
            self.make_link(f"{kind} {group} {place}", id_value, kind)
        for id_value in self.get_people("objected_by_link"):
            self.reach_restored_updated(id_value)
            token = self.make_link(f"used {id_value}", id_value, "updated")
            self.mapper._object_to_notice(LINK_HOLDER, token)
            env.cr.commit()
        id_value = self.groups["shared_account"][-1]
        self.make_link(f"expired {place}", id_value, "linked", days=1)
        id_value = self.groups["unlinked_while_suspended"][-1]
        self.make_link(f"superseded {place}", id_value, "unlinked")
        self.make_link(f"newest {place}", id_value, "unlinked")


# === KEYS === #


def begin_rotation() -> None:
    """Start sealing with a new key, and reseal a dozen rows of each table."""
    keyrings = env["spar.keyring"]
    keyrings._start_rotation()
    keyring, retiring = keyrings._open(for_write=True), keyrings._get_retiring_keys()
    for storage in keyrings._get_sealed_models():
        storage._reseal(keyring, retiring, 0, 12)
    env.cr.commit()


def count_sealed() -> dict:
    """Return how many rows of each table are sealed with each key."""
    keys = env["spar.keyring.key"].search([("kind", "=", "seal")]).mapped("key_id")
    return {
        storage._table: {key: storage._count_sealed_with([key]) for key in keys}
        for storage in env["spar.keyring"]._get_sealed_models()
    }


# === QUESTIONS === #

UNKNOWN = ("token:nobody@nationalId", "", "   ", " token:x@nationalId", "a\u202eb")


def build_id_questions(story: Story, demo: list[str]) -> list[dict]:
    ids = [i for group in story.groups.values() for i in group]
    questions = [{"actor": PAYER.actor, "id_value": i} for i in (*ids, *demo, *UNKNOWN)]
    questions += [{"actor": PROGRAMME.actor, "id_value": i} for i in ids]
    for group in ("purpose", "stopped_one", "first_link_waiting_for_time", "two_obj"):
        questions += [
            {"actor": PAYER.actor, "id_value": i, "purpose": purpose}
            for name, members in story.groups.items()
            if group in name
            for i in members
            for purpose in ("school", "pension", "unheard of")
        ]
    return questions


def build_address_questions(story: Story) -> list[dict]:
    questions = []
    for fa in (*story.addresses, "", "  ", "account:000@BR01.DEMO", "x" * 1001):
        questions.append({"actor": PAYER.actor, "fa": fa})
        questions.append({"actor": PROGRAMME.actor, "fa": fa, "purpose": "school"})
        questions.append(
            {"actor": PAYER.actor, "fa": fa, "id_types": ["other", "voter"]}
        )
    return questions


def build_pair_questions(story: Story) -> list[dict]:
    """Return the questions whether an ID and each of its addresses belong together."""
    call, mapper = READER, story.mapper
    return [
        {"actor": PAYER.actor, "id_value": id_value, "fa": fa}
        for group in story.groups.values()
        for id_value in group
        for fa in dict.fromkeys(p.fa for p in mapper._history(call, id_value))
    ] + [
        {"actor": PAYER.actor, "id_value": group[0], "fa": "account:1@BR01.DEMO"}
        for group in story.groups.values()
    ]


def build_day_questions(mapper, id_value: str) -> list[dict]:
    """Return questions about moments before, between, after and at an ID's events."""
    periods = mapper._history(READER, id_value)
    times = sorted({event.happened_at for p in periods for event in p.events})
    if not times:
        return []
    hour = timedelta(hours=1)
    between = [a + (b - a) / 2 for a, b in zip(times, times[1:], strict=False)]
    moments = sorted([times[0] - hour, *times, *between, times[-1] + hour])
    return [
        {"id_value": id_value, "purpose": purpose, "moment": moment.isoformat()}
        for purpose in dict.fromkeys(period.purpose for period in periods)
        for moment in moments
    ]


def build_questions(story: Story, demo: list[str], messages: list[dict]) -> dict:
    ids = [i for group in story.groups.values() for i in group]
    some = [*demo[:75], *demo[-5:]]
    by_kind = {
        "resolve": build_id_questions(story, demo)
        + build_address_questions(story)
        + build_pair_questions(story),
        "history": [{"id_value": i} for i in (*ids, *some)],
        "as_of": [
            q for i in (*ids, *some) for q in build_day_questions(story.mapper, i)
        ],
        "waiting": [{"id_value": i} for i in (*ids, *demo)],
        "subject": [{"id_value": i} for i in (*ids, *demo)],
        "notice": [{"token": t, "name": n} for n, t in story.tokens.items()],
        "message": messages,
        "objections": [{}],
        "changes": [{}],
        "periods": [{}],
        "notices": [{}],
        "check": [{}],
    }
    return {
        kind: [{"question": question} for question in questions]
        for kind, questions in by_kind.items()
    }


def make_id_types() -> None:
    """Create ID types; IDs of voters are stored as tokens."""
    env["spar.id.type"].create(
        [
            {"name": "Tax number", "code": "vat", "strategy": "vat:{sub}@tax"},
            {
                "name": "Voter ID",
                "code": "voter",
                "strategy": "voter:{sub}@roll",
                "tokeniser": "openg2p-sha3-256",
                "tokeniser_parameter": "spar",
            },
        ]
    )
    env.cr.commit()


def decide_messages(story: Story, messages: list[dict]) -> None:
    """Decide the changes that REST messages requested: done, refused, or pending."""
    people = {question["id_value"] for question in messages}
    done, refused, _waiting, _waiting_too, refused_too = sorted(people)
    story.approve(done)
    for id_value in (refused, refused_too):
        story.drop(id_value, "refused")


def run() -> None:
    make_id_types()
    messages = json.loads(os.environ["SPAR_MESSAGES"])
    demo = [person.id_value for person in build_people(PEOPLE)]
    env["spar.audit"]._take_checkpoint()
    env.cr.commit()
    clock = Clock(START)
    story = Story(clock)
    decide_messages(story, messages)
    type(env["spar.mapper.local"])._get_now = lambda _self: clock.tick()
    before, after = MANY
    story.add_everything(before)
    begin_rotation()
    story.add_everything(after)
    story.add_overdue()
    assert clock.now < datetime.now(), clock.now
    assert env["spar.audit"]._check_store() == []
    env["spar.audit"]._take_checkpoint()
    env.cr.commit()
    facts = {
        "groups": story.groups,
        "sealed_with": count_sealed(),
        "asked": build_questions(story, demo, messages),
    }
    with open(os.environ["SPAR_ANSWER"], "w") as out:
        json.dump(facts, out)


run()
