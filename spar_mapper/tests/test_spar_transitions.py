"""Every operation from every state through every channel, as one table."""

from odoo.addons.spar_mapper_connector.lib.contract import Outcome

from .common import FA, ID, OTHER_FA, StoreCase

CHANNELS = ("call", "staff")

#: (state, operation) -> (outcome, problem, state after it, new events).
#: A held link is "proposed"; "waiting" is active, and an update to OTHER_FA waits.
TABLE = {
    ("none", "link"): (Outcome.LINKED, "", "active", ["linked"]),
    ("none", "update"): (Outcome.NOT_LINKED, "", "none", []),
    ("none", "unlink"): (Outcome.NOT_LINKED, "", "none", []),
    ("none", "suspend"): (Outcome.NOT_LINKED, "", "none", []),
    ("none", "resume"): (Outcome.NOT_LINKED, "", "none", []),
    ("active", "link"): (Outcome.ALREADY_LINKED, "", "active", []),
    ("active", "update"): (Outcome.UPDATED, "", "active", ["updated"]),
    ("active", "unlink"): (Outcome.UNLINKED, "", "ended", ["unlinked"]),
    ("active", "suspend"): (Outcome.SUSPENDED, "", "suspended", ["suspended"]),
    ("active", "resume"): (Outcome.RESUMED, "", "active", []),
    ("suspended", "link"): (Outcome.ALREADY_LINKED, "", "suspended", []),
    ("suspended", "update"): (
        Outcome.UPDATED,
        "",
        "suspended",
        ["updated_suspended"],
    ),
    ("suspended", "unlink"): (Outcome.UNLINKED, "", "ended", ["unlinked"]),
    ("suspended", "suspend"): (Outcome.SUSPENDED, "", "suspended", []),
    ("suspended", "resume"): (Outcome.RESUMED, "", "active", ["resumed"]),
    ("ended", "link"): (Outcome.LINKED, "", "active", ["linked"]),
    ("ended", "update"): (Outcome.NOT_LINKED, "", "ended", []),
    ("ended", "unlink"): (Outcome.NOT_LINKED, "", "ended", []),
    ("ended", "suspend"): (Outcome.NOT_LINKED, "", "ended", []),
    ("ended", "resume"): (Outcome.NOT_LINKED, "", "ended", []),
    ("proposed", "link"): (Outcome.CONFLICT, "change_waiting", "proposed", []),
    ("proposed", "update"): (Outcome.NOT_LINKED, "", "proposed", []),
    ("proposed", "unlink"): (Outcome.NOT_LINKED, "", "proposed", []),
    ("proposed", "suspend"): (Outcome.NOT_LINKED, "", "proposed", []),
    ("proposed", "resume"): (Outcome.NOT_LINKED, "", "proposed", []),
    ("waiting", "link"): (Outcome.ALREADY_LINKED, "", "waiting", []),
    ("waiting", "update"): (Outcome.HELD, "", "waiting", []),
    ("waiting", "unlink"): (Outcome.CONFLICT, "change_waiting", "waiting", []),
    ("waiting", "suspend"): (
        Outcome.SUSPENDED,
        "",
        "suspended",
        ["change_stale", "suspended"],
    ),
    ("waiting", "resume"): (Outcome.RESUMED, "", "waiting", []),
    ("waiting_suspended", "link"): (
        Outcome.ALREADY_LINKED,
        "",
        "waiting_suspended",
        [],
    ),
    ("waiting_suspended", "update"): (Outcome.HELD, "", "waiting_suspended", []),
    ("waiting_suspended", "unlink"): (
        Outcome.CONFLICT,
        "change_waiting",
        "waiting_suspended",
        [],
    ),
    ("waiting_suspended", "suspend"): (
        Outcome.SUSPENDED,
        "",
        "waiting_suspended",
        [],
    ),
    ("waiting_suspended", "resume"): (
        Outcome.CONFLICT,
        "change_waiting",
        "waiting_suspended",
        [],
    ),
}

#: The answer to a payer in each state: outcome, address.
RESOLVED = {
    "none": (Outcome.NOT_LINKED, None),
    "ended": (Outcome.NOT_LINKED, None),
    "proposed": (Outcome.NOT_LINKED, None),
    "suspended": (Outcome.SUSPENDED, None),
    "waiting_suspended": (Outcome.SUSPENDED, None),
    "waiting": (Outcome.FOUND, FA),
}


class TestSparTransitions(StoreCase):
    def setUp(self):
        super().setUp()
        # One officer acts for everybody here, and always with the same account.
        limits = {"changes": 1000, "people_to_provider": 1000, "people_to_account": 100}
        for name, value in limits.items():
            self.set_limit(f"officer_{name}", value)

    def reach(self, state, id_value, stopper=None):
        """Bring the ID into ``state``; ``stopper`` suspends it, where that is so."""
        if state == "none":
            return
        if state == "proposed":
            self.hold_everything()
        self.link(id_value, FA)
        if state in ("suspended", "waiting_suspended"):
            self.suspend(id_value, stopper)
        if state == "ended":
            self.unlink(id_value)
        if state in ("waiting", "waiting_suspended"):
            self.hold_everything()
            self.update(id_value, OTHER_FA)

    def do(self, operation, id_value, call):
        if operation in ("link", "update"):
            return getattr(self, operation)(id_value, OTHER_FA, call)
        return getattr(self, operation)(id_value, call=call)

    def get_state(self, id_value):
        newest = self.mapping_of(id_value)
        if newest.change_ids.filtered(lambda change: change.state == "waiting"):
            waiting = {"active": "waiting", "suspended": "waiting_suspended"}
            return waiting.get(newest.state, newest.state)
        return newest.state or "none"

    def assert_transition(self, state, operation, channel):
        id_value = f"token:{state}-{operation}-{channel}@nationalId"
        self.reach(state, id_value, getattr(self, channel))
        self.assertEqual(self.get_state(id_value), state)
        before = self.events_of(id_value)
        result = self.do(operation, id_value, getattr(self, channel))
        outcome, problem, after, events = TABLE[state, operation]
        self.assertEqual((result.outcome, result.problem), (outcome, problem))
        self.assertEqual(self.events_of(id_value), before + events)
        self.assertEqual(self.get_state(id_value), after)
        linked = (Outcome.FOUND, OTHER_FA if operation in ("link", "update") else FA)
        if after == "active" and outcome is Outcome.ALREADY_LINKED:
            linked = (Outcome.FOUND, FA)
        resolved = self.resolve(id_value)
        self.assertEqual((resolved.outcome, resolved.fa), RESOLVED.get(after, linked))
        self.rules.search([("sequence", "=", 1)]).unlink()

    def test_the_table_names_every_operation_in_every_state(self):
        states = {state for state, _operation in TABLE}
        operations = {operation for _state, operation in TABLE}
        self.assertEqual(len(TABLE), len(states) * len(operations))
        self.assertEqual(len(TABLE), 35)

    def test_every_operation_in_every_state_over_rest_and_by_staff(self):
        for channel in CHANNELS:
            for state, operation in TABLE:
                with self.subTest(state=state, operation=operation, channel=channel):
                    self.assert_transition(state, operation, channel)

    def test_database_accepts_every_sequence_at_commit(self):
        for state, operation in TABLE:
            id_value = f"token:{state}-{operation}-commit@nationalId"
            self.reach(state, id_value)
            self.do(operation, id_value, self.call)
            self.rules.search([("sequence", "=", 1)]).unlink()
        self.env.cr.execute("SET CONSTRAINTS ALL IMMEDIATE")

    def test_every_event_has_its_notice(self):
        self.reach("waiting", ID)
        self.suspend(ID)
        self.unlink(ID, call=self.staff)
        events = self.mappings_of(ID).event_ids
        notices = self.env["spar.notice"].search([("event_id", "in", events.ids)])
        self.assertEqual(notices.event_id, events)
        self.assertEqual(len(notices), len(events))
