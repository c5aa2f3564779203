from datetime import datetime

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from odoo.tests import TransactionCase

from ..lib.records import new_uuid
from ..store.database import (
    build_array,
    build_bytes_array,
    build_moments,
    copy_rows,
    fetch,
)

# PostgreSQL's texts contain no NUL, and UTF-8 no half of a surrogate pair.
TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
ROWS = st.tuples(
    st.none() | TEXTS,
    st.none() | st.integers(-(2**31), 2**31 - 1),
    st.none() | st.binary(max_size=64),
    st.none() | st.datetimes(datetime(1, 1, 1), datetime(9999, 1, 1)),
    st.none() | st.booleans(),
)
EACH = settings(
    max_examples=50,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


class TestStoreDatabase(TransactionCase):
    """Values sent by COPY or in an array are read back unchanged, whatever they are."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env.cr.execute(
            """CREATE TEMPORARY TABLE spar_copied (id serial, t varchar, n int,
                                                   b bytea, d timestamp, f boolean)"""
        )

    def read_back(self):
        rows = fetch(self.env.cr, "SELECT t, n, b, d, f FROM spar_copied ORDER BY id")
        return [(t, n, None if b is None else bytes(b), d, f) for t, n, b, d, f in rows]

    @EACH
    @given(rows=st.lists(ROWS, max_size=20))
    def test_rows_come_back_as_they_went(self, rows):
        self.env.cr.execute("TRUNCATE spar_copied")
        copy_rows(self.env.cr, "spar_copied", ("t", "n", "b", "d", "f"), rows)
        self.assertEqual(self.read_back(), rows)

    def test_words_of_the_format_are_texts(self):
        texts = ["\\N", "\\.", "\t", "a\\tb", "\\", "", "NULL", "\r\n", "\x7f", "٢"]
        rows = [(text, None, None, None, None) for text in texts]
        self.env.cr.execute("TRUNCATE spar_copied")
        copy_rows(self.env.cr, "spar_copied", ("t", "n", "b", "d", "f"), rows)
        self.assertEqual([row[0] for row in self.read_back()], texts)

    def test_no_row_is_no_statement(self):
        copy_rows(self.env.cr, "no_such_table", ("x",), [])

    @EACH
    @given(values=st.lists(st.binary(max_size=40), max_size=20))
    def test_bytes_come_back_from_an_array(self, values):
        array = build_bytes_array(values)
        ((found,),) = fetch(self.env.cr, "SELECT %s::bytea[]", array)
        self.assertEqual([bytes(value) for value in found], values)

    @EACH
    @given(values=st.lists(st.none() | st.integers(-(2**31), 2**31 - 1), max_size=20))
    def test_numbers_come_back_from_an_array(self, values):
        ((found,),) = fetch(self.env.cr, "SELECT %s::int[]", build_array(values))
        self.assertEqual(found, values)

    @EACH
    @given(values=st.lists(ROWS.map(lambda row: row[3]), max_size=20))
    def test_moments_come_back_from_an_array(self, values):
        array = build_moments(values)
        ((found,),) = fetch(self.env.cr, "SELECT %s::timestamp[]", array)
        self.assertEqual(found, values)

    def test_no_identifier_is_made_twice(self):
        made = [new_uuid() for _n in range(2000)]
        self.assertEqual(len(set(made)), 2000)
        self.assertTrue(all(len(uuid) == 32 and int(uuid, 16) >= 0 for uuid in made))
