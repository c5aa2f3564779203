"""Tables as files that people open in a spreadsheet: every cell is a text."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from itertools import chain

import xlsxwriter

from odoo.addons.spar_fa_directory.lib.csv_file import guard_cell, show_text

#: A workbook has no more rows than this.
MAX_WORKBOOK_ROWS = 1_048_576


def build_csv(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """Return a CSV file in UTF-8 with a mark, in which no cell is a formula.

    >>> build_csv(["Name"], [["=1+1"]]).decode("utf-8-sig")
    "Name\\r\\n'=1+1\\r\\n"
    """
    output = io.StringIO()
    writer = csv.writer(output)
    for row in chain([headers], rows):
        writer.writerow([guard_cell(show_text(cell)) for cell in row])
    return b"\xef\xbb\xbf" + output.getvalue().encode()


def build_workbook(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """Return an XLSX workbook whose cells are texts, not numbers, links or formulas."""
    output = io.BytesIO()
    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_numbers": False,
        "strings_to_urls": False,
    }
    with xlsxwriter.Workbook(output, options) as book:
        sheet = book.add_worksheet()
        text, bold = book.add_format({"num_format": "@"}), book.add_format({"bold": 1})
        sheet.freeze_panes(1, 0)
        sheet.set_column(0, len(headers) - 1, 24, text)
        for place, header in enumerate(headers):
            sheet.write_string(0, place, header, bold)
        for number, row in enumerate(rows, 1):
            for place, cell in enumerate(row):
                sheet.write_string(number, place, show_text(cell), text)
    return output.getvalue()


#: How a file is built, by its extension.
BUILDERS = {"csv": build_csv, "xlsx": build_workbook}
