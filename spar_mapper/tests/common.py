import base64
import json
import os
from contextlib import contextmanager, nullcontext
from datetime import datetime, timedelta
from unittest.mock import patch

from odoo.tools import SQL, mute_logger

from odoo.addons.spar_mapper_connector.lib.contract import (
    Authority,
    CallContext,
    LinkRequest,
    ResolveRequest,
    Result,
    ResumeRequest,
    SuspendRequest,
    UnlinkRequest,
    UpdateRequest,
)
from odoo.addons.spar_mapper_connector.models.spar_keyring import KEYRING_VARIABLE
from odoo.addons.spar_mapper_connector.tests.common import KeyringCase

from ..lib import seals
from ..lib.chain import mac_subject, mark_id, write_marks
from ..lib.records import Head, StoredAddress, Subject
from ..store.loading import Loader

ALARM_LOGGER = "odoo.addons.spar_mapper.models.audit.spar_alarm"

ID, OTHER_ID = "token:Ada-1815@nationalId", "token:Grace-1906@nationalId"
#: As it is stored: in national IDs gaps do not count.
CANONICAL = "token:Ada1815@nationalid"
FA, OTHER_FA, THIRD_FA = (
    "account:111100001111@BR01.TESTBANK",
    "account:222200002222@BR02.TESTBANK",
    "account:333300003333@BR01.TESTBANK",
)


def type_address(fa: str) -> dict[str, str]:
    """Return what an officer types for a whole address: the same text twice."""
    return {"fa_text": fa, "fa_text_again": fa}


#: For the pure parts: a moment, and the caller.
NOW = datetime(2026, 3, 1, 12, 0, 0, 123456)
CALL = CallContext("participant:x", "rest", Authority.PROGRAMME, "bearer")


def build_address(**values) -> StoredAddress:
    """Return an address, with ``values`` instead of the usual ones."""
    defaults = {
        "uuid": "u1",
        "version": 1,
        "fa": "account:1@b",
        "authority": 20,
        "channel": "rest",
        "origin": "participant:x",
        "proof": "bearer",
        "valid_from": NOW,
        "asserted_at": NOW,
    }
    return StoredAddress(**{**defaults, **values})


def build_head(**values) -> Head:
    """Return a place with an active address; ``values`` replace the usual ones."""
    address = values.pop("address", build_address())
    defaults = {
        "uuid": "h1",
        "purpose": "",
        "state": "active",
        "version": 1,
        "address": address,
        "address_uuid": address.uuid if address else "u1",
        "state_since": NOW,
    }
    return Head(**{**defaults, **values})


def get_clear_forms(value: str) -> set[str]:
    """Return every text in which ``value`` may occur in a dump, in lower case.

    It may be plain, as JSON escapes it, in hexadecimal, or in both alphabets of base64,
    after 0, 1 or 2 other bytes, without the characters that depend on its neighbours.
    """
    data = value.encode()
    forms = {value, json.dumps(value)[1:-1], data.hex()}
    for before, begin in ((0, 0), (1, 2), (2, 3)):
        coded = base64.b64encode(b"\0" * before + data).decode()
        inner = coded[begin : len(coded) - (0, 3, 2)[(before + len(data)) % 3]]
        forms |= {inner, inner.replace("+", "-").replace("/", "_")}
    return {form.lower() for form in forms}


class StoreCase(KeyringCase):
    """The store, a provider with two branches, and short methods for the operations.

    A method takes the ID and what it needs, acts as ``self.call`` (a programme over
    REST) unless ``call`` is given, and returns the one result.
    """

    #: Whether staff stop and resume payments alone here, as two administrators may say.
    staff_stop_alone = True

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.mapper = cls.env["spar.mapper.local"]
        cls.rules = cls.env["spar.change.rule"]
        if cls.staff_stop_alone:
            cls.get_stop_rules().decision = "apply"
        cls.bank = cls.env["spar.fsp"].create(
            {
                "name": "Test Bank",
                "code": "TESTBANK",
                "branch_ids": [
                    (0, 0, {"name": "North", "code": "BR01"}),
                    (0, 0, {"name": "South", "code": "BR02"}),
                ],
            }
        )
        cls.north, cls.south = cls.bank.branch_ids
        cls.other_call = CallContext(
            "participant:other.example", "rest", Authority.PROGRAMME, "bearer"
        )
        cls.institution = CallContext(
            "participant:bank.example", "rest", Authority.INSTITUTION, "bearer"
        )
        cls.staff = CallContext("user:7", "staff", Authority.STAFF, "document")
        cls.supervisor = CallContext("user:8", "staff", Authority.STAFF, "document")
        cls.owner = CallContext("subject:1", "portal", Authority.OWNER, "login")

    def setUp(self):
        super().setUp()
        # In the test's own transaction: nothing is left in the test database.
        for name in ("spar.lookup", "spar.change.look"):
            self.patch(
                type(self.env[name]),
                "_open_cursor",
                lambda counter: nullcontext(counter.env.cr),
            )
        self.env.cr.execute("SELECT coalesce(max(id), 0) FROM spar_alarm")
        (self.alarms_before,) = self.env.cr.fetchone()

    # === SHORT METHODS === #

    def set_limit(self, code: str, value: int) -> None:
        """Set a limit as if two people had done so."""
        self.env.ref(f"spar_mapper.limit_{code}").value = value

    def link(self, id_value, fa, call=None, **values) -> Result:
        request = LinkRequest(id_value, fa, **values)
        return self.mapper._link_fa(call or self.call, [request])[0]

    def update(self, id_value, fa, call=None, **values) -> Result:
        request = UpdateRequest(id_value, fa, **values)
        return self.mapper._update_fa(call or self.call, [request])[0]

    # A method of the store, not the ORM's: pylint: disable-next=method-required-super
    def unlink(self, id_value, fa=None, call=None, **values) -> Result:
        request = UnlinkRequest(id_value, fa, **values)
        return self.mapper._unlink_fa(call or self.call, [request])[0]

    def suspend(self, id_value, call=None, **values) -> Result:
        request = SuspendRequest(id_value, **values)
        return self.mapper._suspend_fa(call or self.call, [request])[0]

    def resume(self, id_value, call=None, **values) -> Result:
        request = ResumeRequest(id_value, **values)
        return self.mapper._resume_fa(call or self.call, [request])[0]

    def resolve(self, id_value=None, fa=None, call=None, purpose="") -> Result:
        request = ResolveRequest(id_value, fa, purpose)
        return self.mapper._resolve_fa(call or self.call, [request])[0]

    def get_fa(self, id_value, purpose=""):
        """Return the address that a payer gets now, or None."""
        return self.resolve(id_value, purpose=purpose).fa

    # === RULES AND TIME === #

    @classmethod
    def get_stop_rules(cls):
        """Return the three shipped rules for what staff suspend, resume and unlink."""
        names = ("suspend", "resume", "unlink")
        rules = [cls.env.ref(f"spar_mapper.change_rule_staff_{name}") for name in names]
        return cls.rules.union(*rules)

    def add_rule(self, decision, **values):
        """Add a rule before all others."""
        if decision == "hold":
            values.setdefault("hold_hours", 48)
        name = f"Test: {decision}"
        return self.rules.create(
            {"name": name, "sequence": 1, "decision": decision, **values}
        )

    def hold_everything(self, **values):
        return self.add_rule("hold", **values)

    def pdf_files(self, state):
        """Return a context in which the server can, or cannot, make PDF files."""
        reports = type(self.env["ir.actions.report"])
        return patch.object(reports, "get_wkhtmltopdf_state", lambda _self: state)

    def let_pass(self, **duration) -> None:
        """Let time pass for the mapper: hours=48, days=31, ..."""
        later = self.mapper._get_now() + timedelta(**duration)
        self.patch(type(self.mapper), "_get_now", lambda _self: later)

    def run_schedule(self) -> None:
        """Decide what is due, as the scheduled job does."""
        with self.enter_registry_test_mode(), self.registry.cursor() as cr:
            self.env(cr=cr)["spar.mapper.local"]._cron_decide_due()

    # === STORED ROWS === #

    def subject_of(self, id_value):
        """Return the subject of an ID, or an empty record."""
        canonical = self.env["spar.id.type"]._identify(id_value).canonical
        self.env.cr.execute(
            "SELECT subject_id FROM spar_subject_id WHERE digest_a = %s",
            (self.keyring.digest(seals.ID, canonical),),
        )
        return self.env["spar.subject"].browse(
            [subject for (subject,) in self.env.cr.fetchall()]
        )

    def mappings_of(self, id_value):
        """Return every place of an ID, newest first; read as the superuser."""
        domain = [("subject_id", "in", self.subject_of(id_value).ids)]
        return self.env["spar.mapping"].search(domain)

    def identifier_of(self, id_value):
        """Return the row of the first ID of an ID's subject."""
        return self.subject_of(id_value).identifier_ids.sorted("id")[:1]

    def periods_of(self, id_value):
        """Return every period of an ID, newest first."""
        domain = [("subject_id", "in", self.subject_of(id_value).ids)]
        return self.env["spar.mapping.period"].search(domain, order="seq desc")

    def mapping_of(self, id_value):
        """Return the newest place of an ID."""
        return self.mappings_of(id_value)[:1]

    def events_of(self, id_value) -> list[str]:
        """Return the kinds of all events of an ID, in chronological order."""
        events = self.subject_of(id_value).event_ids
        return events.sorted("id").mapped("kind")

    def change_of(self, id_value):
        """Return the newest change of an ID, pending or not."""
        return self.mappings_of(id_value).change_ids.sorted("id")[-1:]

    def compare(self, change):
        """Record that the user of ``change`` compared it; return it."""
        looks = self.env["spar.change.look"].with_user(change.env.user)
        looks._record(change, "compared")
        return change

    # === BYPASSING THE MAPPER === #

    def remove_subject(self, subject) -> None:
        """Remove a person with all their rows; what remains is consistent in itself."""
        events = "SELECT id FROM spar_event WHERE subject_id = %(id)s"
        for statement in (
            f"DELETE FROM spar_notice WHERE event_id IN ({events})",
            "DELETE FROM spar_event WHERE subject_id = %(id)s",
            "DELETE FROM spar_mapping_period WHERE subject_id = %(id)s",
            """DELETE FROM spar_change WHERE mapping_id IN (
                      SELECT id FROM spar_mapping WHERE subject_id = %(id)s)""",
            "DELETE FROM spar_mapping WHERE subject_id = %(id)s",
            "DELETE FROM spar_subject_id WHERE subject_id = %(id)s",
            "DELETE FROM spar_subject WHERE id = %(id)s",
        ):
            self.tamper(statement.replace("%(id)s", str(subject.id)))

    def set_subject(self, id_value, **values) -> None:
        """Set ``change_lock`` or ``pay_stop`` as the store would, without an event."""
        subject = self.load_subject(id_value)
        for name, value in values.items():
            setattr(subject, name, value)
        self.write_subject(subject)

    def merge(self, id_value, into) -> None:
        """Merge the record of an ID into another one, without an event."""
        subject = self.load_subject(id_value)
        subject.merged_into = self.subject_of(into).id
        self.tamper(
            "UPDATE spar_subject SET merged_into = %s, mac = %s WHERE id = %s",
            subject.merged_into,
            mac_subject(self.keyring, subject),
            subject.row_id,
        )

    def load_subject(self, id_value) -> Subject:
        """Return the subject of an ID as the store reads it."""
        loader = Loader(
            self.call,
            self.env.cr,
            self.keyring,
            self.env["spar.mapper.local"]._build_keys,
        )
        return loader.load_subject(self.subject_of(id_value).id).subject

    def write_subject(self, subject: Subject) -> None:
        """Write a subject without the mapper, but with a correct MAC."""
        self.tamper(
            """UPDATE spar_subject
                  SET change_lock = %s, pay_stop = %s, marks = %s, mac = %s
                WHERE id = %s""",
            subject.change_lock,
            subject.pay_stop,
            write_marks(subject.marks),
            mac_subject(self.keyring, subject),
            subject.row_id,
        )

    def add_id(self, id_value, to) -> None:
        """Give the subject of the ID ``to`` one more ID."""
        subject = self.load_subject(to)
        found = self.env["spar.id.type"]._identify(id_value)
        uuid = found.canonical.encode().hex()[:32]
        context = seals.id_context(uuid, subject.uuid, True, 0)
        self.env.cr.execute(
            """INSERT INTO spar_subject_id
                      (subject_id, type_id, uuid, active, last_seq, form, digest_a,
                       sealed)
               VALUES (%s, %s, %s, true, 0, 2, %s, %s) RETURNING id""",
            (
                subject.row_id,
                found.type_id,
                uuid,
                self.keyring.digest(seals.ID, found.canonical),
                self.keyring.seal(seals.ID, found.canonical, context),
            ),
        )
        subject.marks[mark_id(self.env.cr.fetchone()[0])] = 0
        self.write_subject(subject)

    def tamper(self, query, *values) -> None:
        """Run ``query`` as someone who controls the database: no trigger, no key."""
        self.env.cr.execute("SET CONSTRAINTS ALL IMMEDIATE")
        self.env.cr.execute("SET LOCAL session_replication_role = replica")
        self.env.cr.execute(query, values)
        self.env.cr.execute("SET LOCAL session_replication_role = origin")
        self.env.cr.execute("SET CONSTRAINTS ALL DEFERRED")
        self.env.invalidate_all()

    @contextmanager
    def past_triggers(self):
        """Run the block's statements as someone who has switched off the triggers."""
        self.env.cr.execute("SET LOCAL session_replication_role = replica")
        yield
        self.env.cr.execute("SET LOCAL session_replication_role = origin")
        self.env.invalidate_all()

    @contextmanager
    def undone(self):
        """Undo everything done in the block at its end."""
        self.env.cr.execute("SAVEPOINT before_attempt")
        yield
        self.env.cr.execute("ROLLBACK TO SAVEPOINT before_attempt")
        self.env.invalidate_all()

    @contextmanager
    def catch_alarms(self):
        """Collect ``(table, row id)`` of alarms raised in the block, unlogged."""
        caught = []
        with mute_logger(ALARM_LOGGER), self.enter_registry_test_mode():
            yield caught
        self.env.cr.execute(
            "SELECT table_name, row_id FROM spar_alarm WHERE id > %s ORDER BY id",
            (self.alarms_before,),
        )
        caught.extend(self.env.cr.fetchall())

    @contextmanager
    def keyring_away(self):
        """Make the keyring unavailable to the server during the block."""
        with patch.dict(os.environ, {KEYRING_VARIABLE: "/nowhere/keyring"}):
            yield

    # === THE SCANNER === #

    def find_clear(self, *values: str, tables: str = "spar%") -> list[tuple[str, str]]:
        """Return ``(table, value)`` for each of ``values`` that a table holds in clear.

        It searches every column of every row of the tables whose names are like
        ``tables``, for each of ``get_clear_forms``.
        """
        self.env.flush_all()
        self.env.cr.execute(
            """SELECT c.oid::regclass::text FROM pg_class c
                WHERE c.relkind IN ('r', 'p', 'm') AND c.relname LIKE %s
                  AND c.relnamespace = 'public'::regnamespace ORDER BY 1""",
            (tables,),
        )
        names = [name for (name,) in self.env.cr.fetchall()]
        return [
            (name, value)
            for name in names
            for value in values
            if self._holds_clear(name, get_clear_forms(value))
        ]

    def _holds_clear(self, table: str, forms: set[str]) -> bool:
        """Return whether a row of ``table``, as text, contains one of ``forms``."""
        query = SQL(
            """SELECT EXISTS (SELECT FROM %s t, unnest(%s) AS scanned (clear_text)
                               WHERE strpos(lower(t::text), clear_text) > 0)""",
            SQL.identifier(table),
            list(forms),
        )
        return self.env.execute_query(query)[0][0]
