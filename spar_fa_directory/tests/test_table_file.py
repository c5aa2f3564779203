import csv
import io

from hypothesis import given, settings
from hypothesis import strategies as st

from odoo.tests import BaseCase

from ..lib.directory_rows import count_known
from ..lib.table_file import FileChoices, guess_table, is_table, open_table
from ..models.directory_import.spar_directory_loader_branch import COLUMNS as BRANCH

HEADER = ["Bank Name", "branchCode", "Branch", "City"]
ROWS = [["One", "0012", "East", "Marn"], ["Two", "0044", "West", "Sella"]]


def known(cells):
    return count_known(cells, BRANCH)


def write(rows, delimiter=",", **options):
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter, **options).writerows(rows)
    return text.getvalue()


def read(data, chosen=None):
    """Return the guess, the headers, and the rows with their numbers."""
    stream = io.BytesIO(data.encode() if isinstance(data, str) else data)
    guess = guess_table(stream, known, chosen)
    table = open_table(stream, guess.choices)
    rows = [(r.row, r.cells) for r in table.read_rows() if any(r.cells)]
    return guess, table.headers, rows


class TestGuesses(BaseCase):
    def _assert_read(self, data, first=2, headers=None, doubts=(), rows=None):
        guess, found, cells = read(data)
        rows = rows or ROWS
        self.assertEqual(found, headers or HEADER)
        self.assertEqual(guess.doubts, doubts)
        self.assertEqual(cells, [(n, row) for n, row in enumerate(rows, first)])

    def test_delimiters(self):
        for sign in ",;\t|":
            with self.subTest(sign=sign):
                self._assert_read(write([HEADER, *ROWS], sign))

    def test_a_declared_delimiter(self):
        for sign in ",;\t|":
            for line in (f"sep={sign}\r\n", f"SEP={sign}\n", f'"sep={sign}"\n'):
                for mark in ("", "\ufeff"):
                    with self.subTest(line=line, mark=mark):
                        data = mark + line + write([HEADER, *ROWS], sign)
                        self._assert_read(data, 3)

    def test_rows_above_the_headers_are_skipped(self):
        for lines in (
            ["\n"],
            ["\n", "\n", "\n"],
            ["List of branches\n"],
            ["List of branches\n", "\n"],
            ["List of branches,,,\n", ",,,\n", "As of 1 May,,,\n"],
            ["Bank: all\n"],
            ['"A title\nin two lines"\n'],
            ['5" of titles\n'],
        ):
            with self.subTest(lines=lines):
                data = "".join(lines) + write([HEADER, *ROWS])
                self._assert_read(data, 2 + len(lines))

    def test_line_breaks_in_a_header(self):
        headers = ["Bank\nName", "Branch\r\nCode", "Branch", "City"]
        self._assert_read(write([headers, *ROWS]), headers=headers)

    def test_a_mark_and_then_a_quotation_mark(self):
        for mark in ("\ufeff", "\ufeff\ufeff"):
            for encoding in ("utf-8", "utf-16-le", "utf-16-be"):
                text = mark + write([HEADER, *ROWS], quoting=csv.QUOTE_ALL)
                with self.subTest(encoding=encoding, mark=mark):
                    self._assert_read(text.encode(encoding))

    def test_utf_16_without_a_mark(self):
        for encoding in ("utf-16-le", "utf-16-be"):
            self._assert_read(write([HEADER, *ROWS]).encode(encoding))

    def test_line_breaks_of_every_system(self):
        for line_break in ("\n", "\r\n", "\r"):
            with self.subTest(line_break=line_break):
                data = write([HEADER, *ROWS], lineterminator=line_break)
                self._assert_read(data)

    def test_no_header_is_asked(self):
        guess, headers, rows = read(write(ROWS))
        self.assertEqual((guess.choices.header, guess.doubts), (0, ("header",)))
        self.assertEqual(headers, [""] * 4)
        self.assertEqual(rows, list(enumerate(ROWS, 1)))

    def test_no_header_after_a_declared_delimiter(self):
        guess, _headers, rows = read("sep=;\n" + write(ROWS, ";"))
        self.assertEqual(guess.choices.header, 0)
        self.assertEqual(rows, list(enumerate(ROWS, 2)))

    def test_unknown_headers(self):
        strange = ["Haus", "Nummer", "Ort", "Stadt"]
        self._assert_read(write([strange, *ROWS]), headers=strange)
        letters = [["One", "x", "East", "Marn"], ["Two", "y", "West", "Sella"]]
        doubts = ("header",)
        self._assert_read(
            write([strange, *letters]), headers=strange, doubts=doubts, rows=letters
        )

    def test_choices_are_not_guessed(self):
        data = write([["List", "", "", ""], HEADER, *ROWS])
        guess, headers, rows = read(data, FileChoices(header=1))
        self.assertEqual((guess.doubts, headers), ((), ["List", "", "", ""]))
        self.assertEqual(rows[0], (2, HEADER))
        guess, _headers, rows = read(data, FileChoices(header=0, delimiter=";"))
        self.assertEqual(guess.choices.delimiter, ";")
        self.assertEqual(len(rows), 4)

    def test_one_column_is_asked_for_its_delimiter(self):
        guess, _headers, _rows = read("Haus:Nummer\nOne:1\nTwo:2\n")
        self.assertIn("delimiter", guess.doubts)

    def test_files_without_a_table(self):
        for head in (b"%PDF-1.7", b"\xd0\xcf\x11\xe0\xa1", b"\x1f\x8b\x08", b"{\\rtf1"):
            self.assertFalse(is_table(head))
        for head in (b"a,b", b"PK\x03\x04", b"", b"\xff\xfea\0"):
            self.assertTrue(is_table(head))

    @settings(deadline=None)
    @given(st.binary(max_size=300))
    def test_no_bytes_are_an_error(self, data):
        if not data.startswith(b"PK\x03\x04"):
            read(data)

    @settings(deadline=None)
    @given(
        st.lists(st.sampled_from(["", "A title", "of 2024", "x,y"]), max_size=4),
        st.sampled_from(",;\t|"),
        st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le"]),
        st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
        st.sampled_from(["\n", "\r\n"]),
    )
    def test_every_writing_is_read_alike(self, titles, sign, encoding, quoting, end):
        table = [[title] for title in titles] + [HEADER, *ROWS]
        text = write(table, sign, quoting=quoting, lineterminator=end)
        guess, headers, rows = read(text.encode(encoding))
        self.assertEqual((headers, guess.doubts), (HEADER, ()))
        self.assertEqual(rows, list(enumerate(ROWS, len(titles) + 2)))


class TestGoingOn(BaseCase):
    def test_reading_continues_from_any_row(self):
        for above in ("", "sep=,\n", "A title\n\n", '"A\ntitle"\n'):
            data = above + write([HEADER, *ROWS, ["x\ny", "1", "2", "3"], *ROWS])
            stream = io.BytesIO(data.encode())
            table = open_table(stream, guess_table(stream, known).choices)
            rows = list(table.read_rows())
            for number, row in enumerate(rows, 1):
                with self.subTest(above=above, number=number):
                    rest = list(table.read_rows(row.end, row.row))
                    self.assertEqual(rest, rows[number:])
