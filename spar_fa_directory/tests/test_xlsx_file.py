import datetime
import io
import zipfile

import openpyxl

from odoo.tests import BaseCase

from ..lib import xlsx_file
from ..lib.directory_rows import count_known
from ..lib.table_file import FileChoices, guess_table, open_table
from ..lib.xlsx_file import BadWorkbook, read_sheet
from ..models.directory_import.spar_directory_loader_branch import COLUMNS as BRANCH

HEADER = ["Bank", "Branch Code", "Branch", "City"]
ROWS = [["One", "0012", "East", "Marn"], ["Two", "0044", "West", "Sella"]]


def build(*sheets, change=None):
    """Return the bytes of a workbook of sheets, each a list of rows."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for number, rows in enumerate(sheets, 1):
        sheet = book.create_sheet(f"Sheet {number}")
        for row in rows:
            sheet.append(row)
    if change:
        change(book)
    data = io.BytesIO()
    book.save(data)
    return data.getvalue()


def rewrite(data, change):
    """Return the archive with parts changed by ``change(name, bytes)``."""
    output = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as archive,
        zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED) as copy,
    ):
        for name in archive.namelist():
            copy.writestr(name, change(name, archive.read(name)))
    return output.getvalue()


def read(data, chosen=None):
    stream = io.BytesIO(data)
    guess = guess_table(stream, lambda cells: count_known(cells, BRANCH), chosen)
    table = open_table(stream, guess.choices)
    return guess, table.headers, [(r.row, r.cells) for r in table.read_rows()]


class TestRows(BaseCase):
    def test_a_sheet_is_read_with_its_row_numbers(self):
        guess, headers, rows = read(build([HEADER, *ROWS]))
        self.assertEqual((headers, guess.doubts), (HEADER, ()))
        self.assertEqual(rows, [(2, ROWS[0]), (3, ROWS[1])])

    def test_titles_and_empty_rows_stand_above_the_headers(self):
        _guess, headers, rows = read(build([["A title"], [], HEADER, [], *ROWS]))
        self.assertEqual(headers, HEADER)
        self.assertEqual([row for row, _cells in rows], [5, 6])

    def test_cells_are_texts_as_they_are_shown(self):
        def change(book):
            sheet = book.active
            for cell, value, form in (
                ("A1", 123, "00000"),
                ("B1", 1001.0, "General"),
                ("C1", 30100, "000-000"),
                ("D1", 7, '"BR"000'),
                ("E1", 12.5, "0"),
                ("F1", 2.00776062012345e15, "0"),
                ("G1", 123456789012, "General"),
                ("H1", True, "General"),
                ("I1", datetime.datetime(2024, 3, 2), "DD-MMM"),
                ("J1", "0044", "@"),
            ):
                sheet[cell] = value
                sheet[cell].number_format = form

        _guess, _headers, rows = read(build([[]], change=change), FileChoices(header=0))
        self.assertEqual(
            rows[0][1],
            [
                "00123",
                "1001",
                "030-100",
                "BR007",
                "12.5",
                "2.00776062012345E+15",
                "123456789012",
                "TRUE",
                "2024-03-02",
                "0044",
            ],
        )

    def test_merged_cells_are_the_same_as_above(self):
        table = [HEADER, ROWS[0], [None, "0013", "North"], [None, "0014", "South"]]
        table += [["Two", "0044", "West"], [None, None, None]]

        def change(book):
            book.active.merge_cells("A2:A4")
            book.active.merge_cells("A5:A6")

        _guess, _headers, rows = read(build(table, change=change))
        self.assertEqual([cells[0] for _row, cells in rows], ["One"] * 3 + ["Two"])

    def test_cells_merged_sideways_are_one_cell(self):
        def change(book):
            book.active.merge_cells("A1:D1")

        guess, headers, _rows = read(
            build([["Our list"], HEADER, *ROWS], change=change)
        )
        self.assertEqual((guess.choices.header, headers), (2, HEADER))

    def test_it_goes_on_after_any_row_in_merged_cells_too(self):
        table = [
            HEADER,
            ["One", "1", "East"],
            [None, "2", "West"],
            [None, "3", "North"],
        ]
        data = build(table, change=lambda book: book.active.merge_cells("A2:A4"))
        whole = list(read_sheet(io.BytesIO(data), "Sheet 1"))
        for record in whole:
            rest = list(read_sheet(io.BytesIO(data), "Sheet 1", after=record.row))
            self.assertEqual(rest, whole[record.row :])
        self.assertEqual(whole[-1].end, len(data))

    def test_wrong_dimension_loses_no_row(self):
        def change(name, data):
            return data.replace(b'<dimension ref="A1:D3"', b'<dimension ref="A1"')

        data = rewrite(build([HEADER, *ROWS]), change)
        self.assertEqual(len(read(data)[2]), 2)


class TestSheets(BaseCase):
    def test_the_sheet_with_known_headers_is_taken(self):
        guess, headers, _rows = read(build([["Read me first"]], [HEADER, *ROWS], []))
        self.assertEqual((guess.choices.sheet, guess.doubts), ("Sheet 2", ()))
        self.assertEqual(headers, HEADER)

    def test_ambiguous_sheets_are_asked_about(self):
        data = build([HEADER, ROWS[0]], [HEADER, ROWS[1]])
        guess, _headers, _rows = read(data)
        self.assertEqual((guess.doubts, len(guess.sheets)), (("sheet",), 2))
        guess, _headers, rows = read(data, FileChoices(sheet="Sheet 2"))
        self.assertEqual((guess.doubts, rows), ((), [(2, ROWS[1])]))

    def test_hidden_sheets_are_left_out(self):
        def change(book):
            book["Sheet 1"].sheet_state = "hidden"

        guess, _headers, rows = read(
            build([HEADER, ROWS[0]], [HEADER, ROWS[1]], change=change)
        )
        self.assertEqual((guess.sheets, rows), (("Sheet 2",), [(2, ROWS[1])]))


class TestBadWorkbooks(BaseCase):
    def _assert_bad(self, code, data):
        with self.assertRaises(BadWorkbook) as caught:
            read(data)
        self.assertEqual(caught.exception.code, code)

    def test_archives_of_another_kind(self):
        output = io.BytesIO()
        with zipfile.ZipFile(output, "w") as archive:
            archive.writestr("content.xml", "<office/>")
        self._assert_bad("kind", output.getvalue())
        data = rewrite(build([HEADER]), lambda name, data: data)
        with zipfile.ZipFile(binary := io.BytesIO(data), "a") as archive:
            archive.writestr("xl/workbook.bin", b"")
        self._assert_bad("kind", binary.getvalue())

    def test_truncated_and_random_archives_are_refused(self):
        data = build([HEADER, *ROWS])
        for bad in (data[: len(data) // 2], b"PK\x03\x04" + b"\0" * 100):
            self._assert_bad("damaged", bad)
        for name in ("xl/workbook.xml", "xl/worksheets/sheet1.xml"):
            with self.subTest(name=name):
                bad = rewrite(data, lambda n, d, name=name: b"<x" if n == name else d)
                self._assert_bad("damaged", bad)

    def test_oversized_archives_are_refused(self):
        for name, size in xlsx_file._MAX_BYTES.items():
            part = {
                "sheet": "xl/worksheets/sheet1.xml",
                "strings": "xl/sharedStrings.xml",
            }
            with self.subTest(name=name):
                data = io.BytesIO(build([HEADER]))
                with zipfile.ZipFile(data, "a", zipfile.ZIP_DEFLATED) as archive:
                    path = part.get(name, "xl/other.xml").replace(".xml", "0.xml")
                    with archive.open(path, "w", force_zip64=True) as out:
                        for _block in range(size // (1 << 20) + 1):
                            out.write(bytes(1 << 20))
                self.assertLess(len(data.getvalue()), 2_000_000)
                self._assert_bad("large", data.getvalue())

    def test_too_many_parts(self):
        data = io.BytesIO(build([HEADER]))
        with zipfile.ZipFile(data, "a") as archive:
            for number in range(xlsx_file._MAX_PARTS):
                archive.writestr(f"x/{number}", b"")
        self._assert_bad("large", data.getvalue())

    def test_declarations_of_its_own_are_refused(self):
        bomb = b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
        for text in (bomb, bomb.decode().encode("utf-16-le")):
            data = rewrite(
                build([HEADER, *ROWS]),
                lambda n, d, text=text: text + d if "sheet1" in n else d,
            )
            self._assert_bad("damaged", data)

    def test_a_row_number_out_of_all_bounds_ends_the_sheet(self):
        def change(name, data):
            return data.replace(b'<row r="3"', b'<row r="999999999"')

        data = rewrite(build([HEADER, *ROWS]), change)
        self.assertEqual(len(read(data)[2]), 1)
