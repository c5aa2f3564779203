import psycopg2

from odoo.tools import mute_logger

from odoo.addons.spar_mapper_connector.lib.contract import (
    Authority,
    CallContext,
)

from ..exceptions import DirectWriteRefused
from .common import FA, ID, StoreCase

SWAP = """UPDATE %(table)s one SET %(column)s = other.%(column)s
            FROM %(table)s other
           WHERE one.id IN (%%s, %%s) AND other.id IN (%%s, %%s)
             AND one.id != other.id"""


class TestGuards(StoreCase):
    """The constraints that the database and the ORM enforce by themselves."""

    def setUp(self):
        super().setUp()
        self.link(ID, FA)
        self.mapping = self.mapping_of(ID)
        self.env.cr.execute("SET CONSTRAINTS ALL IMMEDIATE")
        self.env.cr.execute("SET CONSTRAINTS ALL DEFERRED")

    def assert_database_refuses(self, query, *values, text=""):
        with (
            mute_logger("odoo.sql_db"),
            self.assertRaises(psycopg2.Error) as caught,
            self.env.cr.savepoint(),
        ):
            self.env.cr.execute(query, values)
            self.env.cr.execute("SET CONSTRAINTS ALL IMMEDIATE")
        self.assertIn(text, str(caught.exception))

    def test_events_are_not_rewritten(self):
        text = "history is not rewritten"
        for query in (
            "UPDATE spar_event SET actor = 'x'",
            "UPDATE spar_event SET seq = seq",
            "DELETE FROM spar_event",
            "TRUNCATE spar_event CASCADE",
        ):
            with self.subTest(query):
                self.assert_database_refuses(query, text=text)

    def test_mappings_are_not_deleted(self):
        for query in ("DELETE FROM spar_mapping", "TRUNCATE spar_mapping CASCADE"):
            with self.subTest(query):
                self.assert_database_refuses(query, text="ended, not deleted")

    def test_mappings_change_with_an_event_only(self):
        for assignment in (
            "state = 'suspended'",
            "version = 2",
            "subject_id = subject_id + 1",
            "period_id = period_id + 1",
            "purpose = 'school'",
            "rank = 2",
            "authority = 40",
            "origin = 'x'",
            "valid_from = '2020-01-01'",
            "state_since = '2020-01-01'",
            "address_uuid = 'x'",
            "mac = 'x'",
            "asserted_at = '2020-01-01'",
            "provider_id = NULL",
            "uuid = 'x'",
            "state = 'ended', last_seq = 0",
        ):
            with self.subTest(assignment):
                self.assert_database_refuses(
                    f"UPDATE spar_mapping SET {assignment}",
                    text="a change comes with its event",
                )

    def test_a_mapping_names_an_event_and_a_period_that_exist(self):
        for assignment in (
            "state = 'suspended', last_seq = 2",
            "state = 'suspended', last_seq = 2, mac = 'x'",
            "last_seq = 2, period_id = NULL",
        ):
            with self.subTest(assignment):
                self.assert_database_refuses(
                    f"UPDATE spar_mapping SET {assignment}",
                    text="spar_mapping_last_event_fk",
                )

    def test_a_person_s_record_changes_with_an_event_only(self):
        for assignment in (
            "change_lock = 'owner'",
            "pay_stop = true",
            "merged_into = id",
            "marks = ''",
            "last_mac = 'x'",
            "mac = 'x'",
            "uuid = 'x'",
        ):
            with self.subTest(assignment):
                self.assert_database_refuses(
                    f"UPDATE spar_subject SET {assignment}",
                    text="a change comes with its event",
                )
        for assignment in ("last_seq = 2", "last_seq = 2, pay_stop = true"):
            with self.subTest(assignment):
                self.assert_database_refuses(
                    f"UPDATE spar_subject SET {assignment}",
                    text="spar_subject_last_event_fk",
                )

    def test_an_id_changes_with_an_event_only(self):
        for assignment in (
            "active = false",
            "form = 1",
            "type_id = type_id + 1",
            "subject_id = (SELECT max(id) FROM spar_subject)",
            "digest_a = 'x'",
            "digest_a = 'x', form = form + 1",
            "last_seq = 0, digest_a = 'x'",
        ):
            with self.subTest(assignment):
                self.link("token:bystander@nationalId", FA)
                self.assert_database_refuses(
                    f"UPDATE spar_subject_id SET {assignment} WHERE id = %s",
                    self.identifier_of(ID).id,
                    text="a change comes with its event",
                )
        for assignment in (
            "active = false, last_seq = 2",
            "digest_a = 'x', form = form + 1, last_seq = 2",
            "subject_id = (SELECT max(id) FROM spar_subject), last_seq = 2",
        ):
            with self.subTest(assignment):
                self.assert_database_refuses(
                    f"UPDATE spar_subject_id SET {assignment} WHERE id = %s",
                    self.identifier_of(ID).id,
                    text="spar_subject_id_last_event_fk",
                )
        self.assert_database_refuses(
            "UPDATE spar_subject_id SET uuid = 'x'", text="whose row it is"
        )

    def test_periods_are_not_rewritten(self):
        columns = ("state", "version", "seq", "provider_id", "address_uuid", "form")
        for column in columns:
            with self.subTest(column):
                self.assert_database_refuses(
                    f"UPDATE spar_mapping_period SET {column} = {column}",
                    text="history is not rewritten",
                )

    def test_a_period_without_an_event_is_not_inserted(self):
        self.assert_database_refuses(
            """INSERT INTO spar_mapping_period (subject_id, mapping_id, seq, state,
                                                state_since, address_uuid)
               SELECT subject_id, mapping_id, 2, state, state_since, address_uuid
                 FROM spar_mapping_period WHERE mapping_id = %s""",
            self.mapping.id,
            text="spar_mapping_period_event_fk",
        )

    INSERT = """INSERT INTO spar_mapping (uuid, subject_id, purpose, rank, state,
                                          version, state_since, address_uuid,
                                          last_seq, mac)
               SELECT 'x', subject_id, {purpose}, 1, 'active', 1, state_since,
                      address_uuid, 1, 'x'
                 FROM spar_mapping WHERE id = %s"""

    def test_a_mapping_without_an_event_is_not_inserted(self):
        self.assert_database_refuses(
            self.INSERT.format(purpose="'x'"),
            self.mapping.id,
            text="spar_mapping_last_event_fk",
        )

    def test_there_is_one_place_for_a_purpose(self):
        self.assert_database_refuses(
            self.INSERT.format(purpose="purpose"),
            self.mapping.id,
            text="spar_mapping_place_uniq",
        )

    def test_an_active_id_belongs_to_one_person(self):
        self.assert_database_refuses(
            """INSERT INTO spar_subject_id (subject_id, type_id, uuid, active, last_seq,
                                            digest_a)
               SELECT subject_id, type_id, 'x', true, 0, digest_a
                 FROM spar_subject_id WHERE id = %s""",
            self.identifier_of(ID).id,
            text="digest_a_once",
        )

    def test_people_and_ids_with_addresses_are_not_deleted(self):
        for table, row in (
            ("spar_subject", self.mapping.subject_id),
            ("spar_subject_id", self.identifier_of(ID)),
        ):
            with self.subTest(table):
                query = f"DELETE FROM {table} WHERE id = %s"
                self.assert_database_refuses(query, row.id, text="not deleted")

    def test_a_value_is_sealed_anew_without_an_event(self):
        for table in ("spar_subject_id", "spar_mapping", "spar_mapping_period"):
            self.env.cr.execute(f"UPDATE {table} SET sealed = sealed")
        self.env.cr.execute("SET CONSTRAINTS ALL IMMEDIATE")

    def test_the_orm_writes_no_table_of_the_store(self):
        models = (
            "spar.subject",
            "spar.subject.id",
            "spar.mapping",
            "spar.mapping.period",
            "spar.event",
            "spar.change",
            "spar.notice",
        )
        for name in models:
            rows = self.env[name].search([], limit=1)
            for word, arguments in (
                ("create", [{}]),
                ("write", [{"uuid": "x"}]),
                ("copy", []),
                ("unlink", []),
            ):
                if word in ("copy", "unlink") and not rows:
                    continue
                with self.subTest(model=name, word=word):
                    method = getattr(rows.sudo(), word)
                    self.assert_refused(DirectWriteRefused, method, *arguments)
        self.assertEqual(self.get_fa(ID), FA)

    def test_loading_and_importing_write_no_table_of_the_store(self):
        before = self.env["spar.subject"].search_count([])
        data = [["x", "none", "0", "2026-01-01", "0"]]
        fields = ["uuid", "change_lock", "pay_stop", "since", "last_seq"]
        with mute_logger("odoo.models", "odoo.orm.models"):
            loaded = self.env["spar.subject"].load(fields, data)
        self.assertFalse(loaded["ids"])
        self.assertEqual(self.env["spar.subject"].search_count([]), before)

    def test_a_migration_lifts_the_guard_by_name_and_puts_it_back(self):
        events = self.env["spar.event"]
        events._lift_append_only()
        self.env.cr.execute("UPDATE spar_event SET seq = seq")
        events._make_append_only()
        self.assert_database_refuses("UPDATE spar_event SET seq = seq")

    def test_the_guards_are_put_up_again_by_an_upgrade(self):
        self.env["spar.event"].init()
        self.env["spar.mapping"].init()
        self.env["spar.mapping.period"].init()
        self.assert_database_refuses("UPDATE spar_event SET seq = seq")
        self.assert_database_refuses("UPDATE spar_mapping SET version = 7")
        self.assert_database_refuses("UPDATE spar_mapping SET mac = NULL")

    def test_sealed_values_are_no_fields(self):
        call = CallContext("user:1", "staff", Authority.STAFF)
        self.assertEqual(self.get_fa(ID), FA, call)
        for name in (
            "spar.subject",
            "spar.subject.id",
            "spar.mapping",
            "spar.mapping.period",
            "spar.event",
            "spar.change",
            "spar.notice",
        ):
            fields = set(self.env[name].fields_get())
            hidden = {"sealed", "digest_a", "digest_b", "fa_digest_a", "fa_digest_b"}
            hidden |= {"mac", "last_mac", "commitment_before", "commitment_after"}
            with self.subTest(name):
                self.assertFalse(fields & hidden)
