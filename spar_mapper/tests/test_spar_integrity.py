from contextlib import contextmanager
from typing import NamedTuple

import psycopg2

from odoo.exceptions import UserError
from odoo.tools import SQL, mute_logger

from ..fields import CheckedMany2one
from ..lib.integrity import DIRECTORY
from ..store import auditing, following, history, loading, resolving
from .common import FA, ID, OTHER_FA, StoreCase

NOWHERE = 2_000_000_000
STORE = (
    "spar_subject",
    "spar_subject_id",
    "spar_mapping",
    "spar_mapping_period",
    "spar_event",
    "spar_notice",
    "spar_change",
    "spar_objection",
    "spar_alarm",
)
HOT = STORE[1:6]


class Copy(NamedTuple):
    """A row of a table, inserted again with other values."""

    table: str
    changed: dict[str, str]


class IntegrityCase(StoreCase):
    def setUp(self):
        super().setUp()
        self.link(ID, FA)
        self.settle()

    def settle(self):
        """Make the database perform now the checks of a commit."""
        self.env.cr.execute("SET CONSTRAINTS ALL IMMEDIATE")
        self.env.cr.execute("SET CONSTRAINTS ALL DEFERRED")

    @contextmanager
    def refused(self, error=psycopg2.Error, text=""):
        with (
            mute_logger("odoo.sql_db"),
            self.assertRaises(error) as caught,
            self.env.cr.savepoint(),
        ):
            yield
            self.settle()
        self.assertIn(text, str(caught.exception))

    def insert_again(self, copy: Copy):
        """Insert a copy of the newest row, with the changed columns."""
        self.env.cr.execute(
            """SELECT column_name FROM information_schema.columns
                WHERE table_name = %s AND column_name != 'id'""",
            (copy.table,),
        )
        columns = [name for (name,) in self.env.cr.fetchall()]
        values = [copy.changed.get(name, f'"{name}"') for name in columns]
        names = ", ".join(f'"{name}"' for name in columns)
        self.env.cr.execute(
            f"""INSERT INTO {copy.table} ({names})
                SELECT {", ".join(values)} FROM {copy.table}
                 ORDER BY id DESC LIMIT 1"""
        )


class TestReferences(IntegrityCase):
    """Dangling references are refused, as foreign keys refused them."""

    FRESH = {
        "spar_subject_id": {
            "uuid": "'x'",
            "digest_a": "sha256(digest_a)",
            "digest_b": "NULL",
        },
        "spar_mapping": {"uuid": "'x'", "purpose": "'x'"},
        "spar_mapping_period": {"seq": "seq + 1"},
        "spar_event": {"uuid": "'x'", "seq": "seq + 1"},
        "spar_notice": {"link_digest": "NULL"},
    }

    def get_references(self):
        for model in self.env.values():
            if model._table not in STORE[:6] or model._abstract:
                continue
            for field in model._fields.values():
                if isinstance(field, CheckedMany2one):
                    yield model._table, field.name

    def test_every_reference_is_known(self):
        self.assertEqual(
            set(self.get_references()),
            {
                ("spar_subject_id", "subject_id"),
                ("spar_subject_id", "type_id"),
                ("spar_mapping", "subject_id"),
                ("spar_mapping", "period_id"),
                ("spar_mapping", "fa_type_id"),
                ("spar_mapping", "provider_id"),
                ("spar_mapping", "branch_id"),
                ("spar_mapping_period", "subject_id"),
                ("spar_mapping_period", "mapping_id"),
                ("spar_mapping_period", "fa_type_id"),
                ("spar_mapping_period", "provider_id"),
                ("spar_mapping_period", "branch_id"),
                ("spar_event", "subject_id"),
                ("spar_event", "mapping_id"),
                ("spar_event", "period_id"),
                ("spar_notice", "event_id"),
            },
        )

    def test_a_row_that_refers_to_nothing_is_refused(self):
        for table, column in self.get_references():
            changed = {**self.FRESH[table], column: str(NOWHERE)}
            with (
                self.subTest(table=table, column=column),
                self.refused(psycopg2.errors.ForeignKeyViolation, "foreign key"),
            ):
                self.insert_again(Copy(table, changed))

    def test_one_bad_row_among_many_is_refused(self):
        with self.refused(psycopg2.errors.ForeignKeyViolation):
            self.env.cr.execute(
                """INSERT INTO spar_notice (event_id, state)
                   SELECT id, 'letter' FROM spar_event UNION ALL SELECT %s, 'letter'""",
                (NOWHERE,),
            )

    def test_references_of_a_row_do_not_change(self):
        for table, column in self.get_references():
            with self.subTest(table=table, column=column), self.refused():
                self.env.cr.execute(
                    f"UPDATE {table} SET {column} = {column} + 1"
                    if table != "spar_notice"
                    else "DELETE FROM spar_notice"
                )

    def test_an_event_beyond_its_mapping_is_refused(self):
        changed = self.FRESH["spar_event"]
        with self.refused(psycopg2.errors.ForeignKeyViolation, "chain"):
            self.insert_again(Copy("spar_event", changed))

    def test_no_row_of_the_store_is_deleted(self):
        for table in STORE[:6]:
            for word in ("DELETE FROM", "TRUNCATE"):
                with self.subTest(table=table, word=word), self.refused():
                    cascade = " CASCADE" if word == "TRUNCATE" else ""
                    self.env.cr.execute(f"{word} {table}{cascade}")


class TestDirectoryRows(IntegrityCase):
    """Directory rows can be deleted until they are first used, and never after that."""

    def delete(self, table, row_id):
        query = SQL("DELETE FROM %s WHERE id = %s", SQL.identifier(table), row_id)
        self.env.cr.execute(query)

    def get_used(self):
        mapping = self.periods_of(ID)[-1]
        return {
            "spar_fsp": mapping.provider_id.id,
            "spar_fsp_branch": mapping.branch_id.id,
            "spar_fa_type": mapping.fa_type_id.id,
            "spar_id_type": self.identifier_of(ID).type_id.id,
        }

    def test_used_rows_are_not_deleted(self):
        used = self.get_used()
        self.assertEqual(set(used), set(DIRECTORY))
        for table, row_id in used.items():
            with self.subTest(table), self.refused(text="foreign key"):
                self.delete(table, row_id)

    def test_a_row_that_was_used_once_stays(self):
        self.unlink(ID)
        for table, row_id in self.get_used().items():
            with self.subTest(table), self.refused(text="foreign key"):
                self.delete(table, row_id)

    def test_a_row_that_nothing_uses_goes(self):
        branch = self.env["spar.fsp.branch"].create(
            {"provider_id": self.bank.id, "name": "Spare", "code": "SPARE"}
        )
        branch.unlink()
        self.assertFalse(branch.exists())

    def test_a_row_that_went_is_not_used_any_more(self):
        """A transaction that still has its id is refused."""
        branch = self.env["spar.fsp.branch"].create(
            {"provider_id": self.bank.id, "name": "Spare", "code": "SPARE"}
        )
        gone = branch.id
        branch.unlink()
        changed = {
            **TestReferences.FRESH["spar_mapping_period"],
            "branch_id": str(gone),
        }
        with self.refused(psycopg2.errors.ForeignKeyViolation):
            self.insert_again(Copy("spar_mapping_period", changed))

    def test_rows_keep_their_ids_and_tables_their_rows(self):
        for table, row_id in self.get_used().items():
            for statement in (
                f"UPDATE {table} SET id = {NOWHERE} WHERE id = {row_id}",
                f"TRUNCATE {table} CASCADE",
            ):
                with self.subTest(statement), self.refused():
                    self.env.cr.execute(statement)

    def test_directory_refuses_with_an_explanation(self):
        with self.assertRaises(UserError), self.env.cr.savepoint():
            self.north.unlink()

    def test_uses_are_recorded_once(self):
        self.update(ID, OTHER_FA)
        self.env.cr.execute(
            """SELECT used_table, count(*), count(DISTINCT row_id)
                 FROM spar_store_use WHERE row_id = ANY(%s) GROUP BY used_table""",
            ([*self.north.ids, *self.south.ids],),
        )
        counts = {table: (rows, ids) for table, rows, ids in self.env.cr.fetchall()}
        self.assertEqual(counts["spar_fsp_branch"], (2, 2))


class TestCatalogue(IntegrityCase):
    """The catalogue after an upgrade is the same as before it."""

    def read_catalogue(self):
        """Return columns, constraints, indexes and triggers of the store's tables."""
        queries = (
            """SELECT table_name, column_name, udt_name FROM information_schema.columns
                WHERE table_name = ANY(%s)""",
            """SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid)
                 FROM pg_constraint WHERE conrelid::regclass::text = ANY(%s)""",
            """SELECT tablename, indexname, indexdef FROM pg_indexes
                WHERE tablename = ANY(%s)""",
            """SELECT tgrelid::regclass::text, tgname, pg_get_triggerdef(oid)
                 FROM pg_trigger
                WHERE tgrelid::regclass::text = ANY(%s) AND NOT tgisinternal""",
        )
        found = set()
        for query in queries:
            self.env.cr.execute(query, ([*STORE, *DIRECTORY],))
            found |= set(self.env.cr.fetchall())
        return found

    def init_again(self):
        """Initialise the models as Odoo does when the addon is upgraded."""
        names = [
            name
            for name, model in self.env.registry.items()
            if model._table in STORE and not model._abstract
        ]
        self.env.registry.init_models(self.env.cr, names, {"module": "spar_mapper"})

    def test_an_upgrade_changes_nothing(self):
        before = self.read_catalogue()
        self.init_again()
        after = self.read_catalogue()
        self.assertEqual(before - after, set())
        self.assertEqual(after - before, set())

    def test_ids_and_references_are_bigint(self):
        """``int4`` is too small for the events of a hundred million people."""
        self.env.cr.execute(
            """SELECT table_name, column_name FROM information_schema.columns
                WHERE table_name = ANY(%s) AND udt_name = 'int4'
                  AND (column_name = 'id' OR column_name LIKE '%%\\_id')""",
            (list(STORE),),
        )
        narrow = set(self.env.cr.fetchall())
        # Rows of the directory: Odoo's own.
        directory = {"type_id", "fa_type_id", "provider_id", "branch_id"}
        found = {place for place in narrow if place[1] not in directory}
        self.assertEqual(found, {("spar_alarm", "id")}, "there are few alarms")
        self.env.cr.execute(
            """SELECT sequencename FROM pg_sequences
                WHERE data_type = 'integer'::regtype AND sequencename = ANY(%s)""",
            ([f"{table}_id_seq" for table in STORE if table != "spar_alarm"],),
        )
        self.assertEqual(self.env.cr.fetchall(), [])

    def test_an_update_of_a_place_touches_no_index(self):
        """It is a HOT update: no changing column is indexed, and pages keep room."""
        self.update(ID, OTHER_FA)
        self.env.cr.execute(
            """SELECT indexname FROM pg_indexes WHERE tablename = 'spar_mapping'"""
        )
        names = {name for (name,) in self.env.cr.fetchall()}
        self.assertEqual(names, {"spar_mapping_pkey", "spar_mapping_place_uniq"})
        self.env.cr.execute(
            """SELECT relname FROM pg_class
                WHERE relname IN ('spar_mapping', 'spar_subject')
                  AND reloptions @> ARRAY['fillfactor=70']"""
        )
        self.assertEqual(len(self.env.cr.fetchall()), 2)

    def test_every_query_by_person_uses_an_index(self):
        """Otherwise each history, and each piece of the check, would scan tables."""
        self.env.cr.execute("SET LOCAL enable_seqscan = off")
        queries = {
            history._EVENTS: [1, ["revealed"]],
            f"{history.PERIODS} WHERE p.subject_id = %s": [1],
            history._WAITING: [["held"], 1],
            auditing._IDS: [[1, 2]],
            auditing._HEADS: [[1, 2]],
            auditing._PERIODS: [[1, 2]],
            auditing._EVENTS: [[1, 2]],
            auditing._SUBJECTS: [0, 9],
            loading._HEADS: [[1, 2]],
            **{
                resolving._BY_ID.format(column="a", **joined): [[b"x"]]
                for joined in (resolving._WITH_PROVIDER, resolving._WITHOUT_PROVIDER)
            },
            resolving._BY_ADDRESS.format(column="a"): [[b"x"], [""], None, None],
            following._MOVED.format(column="a"): [
                [b"x"],
                [""],
                [None],
                ["moved"],
                None,
                None,
                ["linked"],
            ],
        }
        for query, values in queries.items():
            self.env.cr.execute(f"EXPLAIN {query}", values)
            plan = "\n".join(line for (line,) in self.env.cr.fetchall())
            with self.subTest(query):
                self.assertNotIn("Seq Scan", plan)

    def test_no_hot_table_has_a_foreign_key(self):
        self.env.cr.execute(
            """SELECT conrelid::regclass::text, conname FROM pg_constraint
                WHERE contype = 'f' AND conrelid::regclass::text = ANY(%s)""",
            (list(HOT),),
        )
        self.assertEqual(self.env.cr.fetchall(), [])

    def test_legacy_foreign_key_is_dropped_by_an_upgrade(self):
        self.env.cr.execute(
            """ALTER TABLE spar_notice ADD CONSTRAINT spar_notice_event_id_fkey
               FOREIGN KEY (event_id) REFERENCES spar_event (id)"""
        )
        self.init_again()
        self.test_no_hot_table_has_a_foreign_key()
