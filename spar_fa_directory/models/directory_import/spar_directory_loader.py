from dataclasses import dataclass, field
from datetime import date

from odoo import api, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain

from ...lib.cell_rules import EMPTIED
from ...lib.directory_rows import Column, Row, RowProblem, check_row
from ...lib.fa_reader import fold_code


@dataclass
class LoadOutcome:
    """The result for a set of rows: IDs of records, and the rows that were rejected."""

    added: list[int] = field(default_factory=list)
    updated: list[int] = field(default_factory=list)
    refused: list[tuple[Row, list[RowProblem]]] = field(default_factory=list)


@dataclass(frozen=True)
class PreparedRow:
    """A valid row: what makes its record unique, and the record's values."""

    row: Row
    key: tuple
    values: dict


@dataclass(frozen=True)
class ExistingRecord:
    """A record that already has a key, and the row of the file that it came from."""

    record_id: int
    import_id: int | None
    import_row: int | None


#: The columns in which a file may state the closing of a provider or a branch.
CLOSING_COLUMNS = (
    Column("closed_on", ("closed", "closing date", "date closed", "end date")),
    Column("successor", ("successor code", "merged into", "replaced by"), rule="code"),
    Column("close_reason", ("reason", "reason of closing")),
)


class SparDirectoryLoader(models.AbstractModel):
    """The role of a loader: what a kind of file contains, and how rows become records.

    ``_target`` is the model of the records; they have ``import_id`` and ``import_row``.
    """

    _name = "spar.directory.loader"
    _description = "Loader of Directory Files"
    _target = ""

    @api.model
    def _get_columns(self) -> tuple[Column, ...]:
        """Return the columns that such a file may have."""
        raise NotImplementedError

    @api.model
    def _prepare(self, job, rows: list[Row], outcome: LoadOutcome) -> list[PreparedRow]:
        """Return the values of the rows' records, rejecting the rows that have none.

        The number of statements is constant, however many rows there are.
        """
        raise NotImplementedError

    @api.model
    def _search_existing(self, keys: list[tuple]) -> dict[tuple, ExistingRecord]:
        """Return the records that already have one of these keys, archived ones too."""
        raise NotImplementedError

    @api.model
    def _load_rows(self, job, rows: list[Row]) -> LoadOutcome:
        """Load rows of a file: the valid ones are kept, the others rejected."""
        outcome = LoadOutcome()
        columns = self._get_columns()
        optional = {"name"} if job.on_existing == "update" else set()
        good = []
        for row in rows:
            if problems := check_row(row, columns, optional):
                outcome.refused.append((row, problems))
            else:
                good.append(row)
        prepared = self._prepare(job, good, outcome)
        self._save(job, prepared, outcome)
        return outcome

    @api.model
    def _get_filled(self, row: Row, names: tuple[str, ...]) -> dict:
        """Return the cells that have a value: an empty one changes nothing.

        :return: by name of the column; False for one that is to be emptied
        """
        cells = {name: row.values.get(name, "") for name in names}
        return {
            name: False if cell.lower() == EMPTIED else cell
            for name, cell in cells.items()
            if cell
        }

    @api.model
    def _save(self, job, prepared: list[PreparedRow], outcome: LoadOutcome) -> None:
        """Create new records; update existing ones or reject their rows."""
        target = self.env[self._target]
        target.flush_model()
        existing = self._search_existing([each.key for each in prepared])
        new: dict[tuple, PreparedRow] = {}
        for each in prepared:
            found = existing.get(each.key)
            if first := new.get(each.key):
                self._refuse_duplicates(each, first.row.number, outcome)
            elif not found and "name" not in each.values:
                outcome.refused.append((each.row, [RowProblem("name", "missing")]))
            elif not found:
                new[each.key] = each
            elif found.import_id == job.id:
                self._refuse_duplicates(each, found.import_row, outcome)
            elif job.on_existing == "update":
                self._update(job, each, found, outcome)
                existing[each.key] = ExistingRecord(
                    found.record_id, job.id, each.row.number
                )
            else:
                outcome.refused.append((each.row, [RowProblem("code", "exists")]))
        self._create_new(job, new, outcome)
        self._save_successors(prepared, outcome)

    @api.model
    def _create_new(
        self, job, new: dict[tuple, PreparedRow], outcome: LoadOutcome
    ) -> None:
        values = [self._add_source(job, each) for each in new.values()]
        records = self.env[self._target]._as_code()
        records = records.create([{**each, "import_change": "new"} for each in values])
        outcome.added += records.ids

    @api.model
    def _read_closing(self, row: Row, problems: list[RowProblem]) -> dict:
        """Return the values of a row's closing; add what is wrong to the problems."""
        values = self._get_filled(row, ("closed_on", "close_reason"))
        if values.get("closed_on"):
            try:
                values["closed_on"] = date.fromisoformat(values["closed_on"])
            except ValueError:
                del values["closed_on"]
                problems.append(RowProblem("closed_on", "day"))
        return values

    @api.model
    def _save_successors(
        self, prepared: list[PreparedRow], outcome: LoadOutcome
    ) -> None:
        """Write the successors, once all records of the rows exist.

        A row whose successor does not exist, or cannot take over, is reported as
        rejected; the rest of it is kept.
        """
        named = [each for each in prepared if each.row.values.get("successor")]
        if not named:
            return
        keys = [self._get_successor_key(each) for each in named]
        found = self._search_existing([*(each.key for each in named), *keys])
        target = self.env[self._target]
        for each, key in zip(named, keys, strict=True):
            if each.key not in found:
                continue
            problem = self._write_successor(
                target.browse(found[each.key].record_id),
                target.browse(found[key].record_id if key in found else ()),
            )
            if problem:
                outcome.refused.append((each.row, [RowProblem("successor", problem)]))

    @api.model
    def _get_successor_key(self, each: PreparedRow) -> tuple:
        """Return the key of the successor, from the code in the row."""
        return (*each.key[:-1], fold_code(each.row.values["successor"]))

    @api.model
    def _write_successor(self, record, successor) -> str:
        """Write the successor; return the code of the problem, or ""."""
        if not successor:
            return "successor_unknown"
        if record.successor_id != successor:
            try:
                with self.env.cr.savepoint():
                    record.successor_id = successor
            except ValidationError:
                return "successor_refused"
        return ""

    @api.model
    def _update(
        self, job, each: PreparedRow, found: ExistingRecord, outcome: LoadOutcome
    ) -> None:
        record = self.env[self._target]._as_code().browse(found.record_id)
        change = "changed" if self._differs(record, each) else "same"
        state = {"import_change": change, "gone_from_source": False}
        record.write({**self._add_source(job, each), **state, "code": record.code})
        outcome.updated.append(found.record_id)

    @api.model
    def _differs(self, record, each: PreparedRow) -> bool:
        """Return whether a row differs from a record of the directory."""
        fields_ = record._fields
        return any(
            fields_[name].convert_to_write(record[name], record) != value
            for name, value in each.values.items()
            if name != "code"
        )

    @api.model
    def _note_gone(self, job) -> None:
        """Note the records from previous files that are not in this one.

        A file that was intended to update existing records is treated as the complete
        list: of the providers, or of the branches of each provider that it names.
        """
        target = self.env[self._target]._as_code().with_context(active_test=True)
        domain = self._get_rivals(job) & Domain("import_id", "!=", False)
        target.search(domain & Domain("import_id", "!=", job.id)).write(
            {"gone_from_source": True}
        )

    @api.model
    def _get_rivals(self, job) -> Domain:
        """Return the records that a complete list would contain."""
        raise NotImplementedError

    @api.model
    def _refuse_duplicates(
        self, each: PreparedRow, number: int, outcome: LoadOutcome
    ) -> None:
        outcome.refused.append(
            (each.row, [RowProblem("code", "twice", {"row": number})])
        )

    @api.model
    def _add_source(self, job, each: PreparedRow) -> dict:
        return {**each.values, "import_id": job.id, "import_row": each.row.number}

    @api.model
    def _get_problem_text(self, problem: RowProblem) -> str:
        """Return what is wrong and what to do, in the user's language."""
        return self._get_problem_texts()[problem.code] % problem.values

    @api.model
    def _get_problem_texts(self) -> dict[str, str]:
        """Return texts by code of ``RowProblem``; loaders add their own."""
        return {
            **self._get_cell_texts(),
            **self._get_row_texts(),
            **self._get_closing_texts(),
        }

    @api.model
    def _get_cell_texts(self) -> dict[str, str]:
        return {
            "missing": self.env._("This is empty: fill it in."),
            "encoding": self.env._(
                "Some letters cannot be read in the chosen encoding: save the file as "
                "UTF-8, or choose its encoding."
            ),
            "too_long": self.env._("This is longer than 250 characters: shorten it."),
            "control": self.env._("This contains invisible characters: type it again."),
            "placeholder": self.env._(
                "A program writes this for an empty value or an error: enter the real "
                "value."
            ),
            "space": self.env._("A code cannot contain spaces: remove them."),
            "signs": self.env._(
                "A code can contain only plain letters, digits and symbols."
            ),
        } | self._get_altered_texts()

    @api.model
    def _get_altered_texts(self) -> dict[str, str]:
        """Return texts for values that a spreadsheet has converted."""
        return {
            "number": self.env._(
                "A spreadsheet has turned this into a number in scientific notation, "
                "and its digits are lost: format the column as text and enter it again."
            ),
            "fraction": self.env._(
                "A program has turned this into a decimal number: format the column as "
                "text and enter it again."
            ),
            "thousands": self.env._(
                "A program has added thousands separators to this: format the column "
                "as text and enter it again."
            ),
            "date": self.env._(
                "A spreadsheet has turned this into a date: format the column as text "
                "and enter it again."
            ),
            "formula": self.env._(
                "This is a formula: replace it with its result, as text."
            ),
        }

    @api.model
    def _get_row_texts(self) -> dict[str, str]:
        return {
            "quote": self.env._(
                "A quotation mark is not closed: close it, or double it if it is part "
                "of the text."
            ),
            "header": self.env._(
                "This row repeats the headers: delete it from the file."
            ),
            "long": self.env._(
                "This row is too long: check whether line breaks are missing."
            ),
            "cells": self.env._(
                "The row has %(count)s cells, the header %(width)s: put cells that "
                "contain the delimiter in quotation marks."
            ),
        }

    @api.model
    def _get_closing_texts(self) -> dict[str, str]:
        return {
            "day": self.env._("Write the date as 2026-12-31."),
            "successor_unknown": self.env._(
                "The successor is not in the directory: load it first. The rest of the "
                "row is loaded."
            ),
            "successor_refused": self.env._(
                "This one cannot take over: it is of another kind, or is itself taken "
                "over by this one. The rest of the row is loaded."
            ),
            "twice": self.env._(
                "Row %(row)s of the file has the same code: delete one of them."
            ),
            "exists": self.env._(
                "The directory already has this code: delete the row, or choose to "
                "update existing records."
            ),
        }
