from dataclasses import dataclass, field

from odoo import api, models

from ..lib.directory_rows import Column, Problem, Row, check_row


@dataclass
class Outcome:
    """What became of rows: ids of records, and the rows that were refused."""

    added: list[int] = field(default_factory=list)
    updated: list[int] = field(default_factory=list)
    refused: list[tuple[Row, list[Problem]]] = field(default_factory=list)


@dataclass(frozen=True)
class Prepared:
    """A good row: what makes its record unique, and the record's values."""

    row: Row
    key: tuple
    values: dict


@dataclass(frozen=True)
class Existing:
    """A record that has a key already, and the row of the file it came from."""

    record_id: int
    import_id: int | None
    import_row: int | None


class SparDirectoryLoader(models.AbstractModel):
    """What a kind of file holds, and how its rows become records: the role.

    `_target` is the model of the records; they have `import_id` and `import_row`.
    """

    _name = "spar.directory.loader"
    _description = "Loader of Directory Files"
    _target = ""

    @api.model
    def _get_columns(self) -> tuple[Column, ...]:
        """The columns that such a file may have."""
        raise NotImplementedError

    @api.model
    def _prepare(self, job, rows: list[Row], outcome: Outcome) -> list[Prepared]:
        """The values of the rows' records; the rows that cannot be are refused.

        A constant number of statements, however many rows there are.
        """
        raise NotImplementedError

    @api.model
    def _search_existing(self, keys: list[tuple]) -> dict[tuple, Existing]:
        """The records that have one of these keys already, archived ones too."""
        raise NotImplementedError

    @api.model
    def _load_rows(self, job, rows: list[Row]) -> Outcome:
        """Load rows of a file: the good ones are kept, the others refused."""
        outcome = Outcome()
        columns = self._get_columns()
        good = []
        for row in rows:
            if problems := check_row(row, columns):
                outcome.refused.append((row, problems))
            else:
                good.append(row)
        prepared = self._prepare(job, good, outcome)
        self._save(job, prepared, outcome)
        return outcome

    @api.model
    def _save(self, job, prepared: list[Prepared], outcome: Outcome) -> None:
        """Create what is new; what is there already is updated or refused."""
        target = self.env[self._target]
        target.flush_model()
        existing = self._search_existing([each.key for each in prepared])
        new: dict[tuple, Prepared] = {}
        for each in prepared:
            found = existing.get(each.key)
            if first := new.get(each.key):
                self._refuse_twice(each, first.row.number, outcome)
            elif not found:
                new[each.key] = each
            elif found.import_id == job.id:
                self._refuse_twice(each, found.import_row, outcome)
            elif job.on_existing == "update":
                self._update(job, each, found, outcome)
                existing[each.key] = Existing(found.record_id, job.id, each.row.number)
            else:
                outcome.refused.append((each.row, [Problem("code", "exists")]))
        records = target.create([self._add_source(job, e) for e in new.values()])
        outcome.added += records.ids

    @api.model
    def _update(self, job, each: Prepared, found: Existing, outcome: Outcome) -> None:
        record = self.env[self._target].browse(found.record_id)
        record.write({**self._add_source(job, each), "code": record.code})
        outcome.updated.append(found.record_id)

    @api.model
    def _refuse_twice(self, each: Prepared, number: int, outcome: Outcome) -> None:
        outcome.refused.append((each.row, [Problem("code", "twice", {"row": number})]))

    @api.model
    def _add_source(self, job, each: Prepared) -> dict:
        return {**each.values, "import_id": job.id, "import_row": each.row.number}

    @api.model
    def _get_problem_text(self, problem: Problem) -> str:
        """What is wrong and what to do, in the user's language."""
        return self._get_problem_texts()[problem.code] % problem.values

    @api.model
    def _get_problem_texts(self) -> dict[str, str]:
        """Texts by code of `Problem`; a loader extends them with its own."""
        return self._get_cell_texts() | self._get_row_texts()

    @api.model
    def _get_cell_texts(self) -> dict[str, str]:
        return {
            "missing": self.env._("This is empty: write it."),
            "encoding": self.env._(
                "Some letters are not in the encoding that was chosen: save the file "
                "as UTF-8, or choose its encoding."
            ),
            "too_long": self.env._("This is longer than 250 characters: shorten it."),
            "control": self.env._("There are signs that cannot be seen: type it anew."),
            "space": self.env._("A code has no spaces: take them out."),
            "signs": self.env._("A code has plain letters, digits and signs only."),
            "number": self.env._(
                "A spreadsheet has made a number of this code: format the column as "
                "text and write the code again."
            ),
        }

    @api.model
    def _get_row_texts(self) -> dict[str, str]:
        return {
            "quote": self.env._(
                "A quotation mark is not closed: close it, or write it twice where it "
                "is meant."
            ),
            "long": self.env._(
                "This row is far too long: see whether line breaks are missing."
            ),
            "cells": self.env._(
                "The row has %(count)s cells, the header %(width)s: put cells that "
                "hold the delimiter in quotation marks."
            ),
            "twice": self.env._(
                "Row %(row)s of the file has the same code: delete one of them."
            ),
            "exists": self.env._(
                "The directory has this code already: delete the row, or choose to "
                "update what is there."
            ),
        }
