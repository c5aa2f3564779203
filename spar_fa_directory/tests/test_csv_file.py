import csv
import io
import random

from odoo.tests import BaseCase

from ..lib.cell_rules import clean_text
from ..lib.csv_file import CsvFormat, guard_cell, is_undecoded, read_records

COMMA = CsvFormat("utf-8", ",")


def read(data, form=COMMA, **options):
    return list(read_records(io.BytesIO(data), form, **options))


class TestRecords(BaseCase):
    def test_line_breaks_of_any_kind(self):
        for line_break in ("\n", "\r\n", "\r"):
            data = line_break.join(["a,b", "1,2", "3,4"]).encode()
            with self.subTest(line_break=line_break):
                cells = [record.cells for record in read(data, width=2)]
                self.assertEqual(cells, [["a", "b"], ["1", "2"], ["3", "4"]])

    def test_reading_continues_from_any_record(self):
        draw = random.Random(5)
        rows = ['é,"x\ny"', "ł,2", '"say ""no""",3', "", "plain,4", "Ω,5"]
        for encoding in ("utf-8", "utf-16-le", "utf-16-be"):
            text = "\r\n".join(["a,b", *draw.choices(rows, k=60)])
            data, form = text.encode(encoding), CsvFormat(encoding, ",")
            records = read(data, form, width=2)
            for record in records:
                rest = read(data, form, start=record.end, row=record.row, width=2)
                self.assertEqual(rest, records[record.row :])
            self.assertEqual(records[-1].end, len(data))

    def test_undecodable_bytes_affect_one_record_only(self):
        data = b"a,b\nOrl\xe9ans,1\nParis,2\n"
        first, second, third = read(data, width=2)
        self.assertTrue(is_undecoded(second.cells[0]))
        self.assertFalse(is_undecoded("".join(first.cells + third.cells)))
        self.assertEqual(third.end, len(data))

    def test_unclosed_quotation_mark_affects_one_record_only(self):
        data = b'a,b\n"open,1\nx,2\ny,3\n'
        problems = [(record.problem, record.cells) for record in read(data, width=2)]
        self.assertEqual(
            problems,
            [("", ["a", "b"]), ("quote", []), ("", ["x", "2"]), ("", ["y", "3"])],
        )

    def test_two_stray_marks_do_not_swallow_what_is_between_them(self):
        data = b'a,b\n5" pipe,1\nx,2\n6" pipe,3\ny,4\n'
        records = read(data, width=2)
        self.assertEqual([r.row for r in records if r.problem], [2, 4])
        self.assertEqual(
            [r.cells for r in records if r.cells][1:], [["x", "2"], ["y", "4"]]
        )

    def test_a_line_without_end_is_refused_piece_by_piece(self):
        records = read(b"a,b\n" + b"x" * 250_000 + b"\n1,2\n", width=2)
        self.assertEqual(records[1].problem, "long")
        self.assertEqual(records[-1].cells, ["1", "2"])

    def test_nul_and_noise_do_not_end_the_reading(self):
        draw = random.Random(11)
        for _ in range(50):
            data = draw.randbytes(3_000)
            self.assertEqual(read(data, width=2)[-1].end, len(data))

    def test_a_byte_order_mark_is_no_part_of_the_header(self):
        self.assertEqual(read("\ufeffa,b".encode())[0].cells, ["a", "b"])


class TestRoundTrip(BaseCase):
    """A spreadsheet's file is read unchanged, in every encoding and shape."""

    LETTERS = "abc ,;|\t\"'\n\u00e9"

    def _draw_table(self, draw, letters):
        width = draw.randrange(2, 5)
        cells = [
            ["".join(draw.choices(letters, k=draw.randrange(6))) for _ in range(width)]
            for _ in range(draw.randrange(1, 8))
        ]
        # The cells at the ends of a row are not empty: an empty row has no width.
        return [["x", *row[1:-1], "y"] for row in cells]

    def _write(self, table, form, line_break):
        output = io.StringIO(newline="")
        writer = csv.writer(output, delimiter=form.delimiter, lineterminator=line_break)
        writer.writerows(table)
        return output.getvalue().encode(form.encoding)

    def test_tables_come_back(self):
        draw = random.Random(3)
        for _ in range(400):
            encoding = draw.choice(("utf-8", "utf-16-le", "cp1252"))
            form = CsvFormat(encoding, draw.choice(",;\t|"))
            table = self._draw_table(draw, self.LETTERS)
            data = self._write(table, form, draw.choice(("\n", "\r\n")))
            records = read(data, form, width=len(table[0]))
            self.assertEqual([record.cells for record in records], table)
            self.assertEqual(records[-1].end, len(data))

    def test_spoilt_row_affects_no_other(self):
        draw = random.Random(4)
        for _ in range(200):
            table = self._draw_table(draw, "abc ")
            lines = self._write(table, COMMA, "\n").splitlines(keepends=True)
            place = draw.randrange(len(lines))
            lines[place] = b'"' + lines[place]
            records = read(b"".join(lines), width=len(table[0]))
            kept = [record.cells for record in records if not record.problem]
            self.assertEqual(kept, table[:place] + table[place + 1 :])


class TestGuards(BaseCase):
    def test_no_cell_is_a_formula(self):
        self.assertEqual(guard_cell("\tx"), "'\tx")
        for cell in ("=1+1", "+1", "-1", "@x"):
            self.assertEqual(guard_cell(cell)[0], "'")
            self.assertEqual(clean_text(guard_cell(cell)), cell)
        self.assertEqual(clean_text("'s-Hertogenbosch"), "'s-Hertogenbosch")
