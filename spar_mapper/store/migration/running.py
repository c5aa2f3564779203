"""The migration: stage by stage, in pieces that are each committed."""

# A command's own transactions; table names cannot be parameters.
# pylint: disable=invalid-commit,sql-injection

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

from odoo.addons.spar_mapper_connector.lib.contract import CallContext
from odoo.addons.spar_mapper_connector.lib.keyring import OpenKeyring

from ...lib.audit import Finding
from ...lib.old_store.convert import Converter
from ...lib.old_store.rules import examine
from ..auditing import Auditor
from ..database import StoreCursor, fetch
from . import checking, copying, position, swapping
from .position import MigrationPosition
from .reading import read_subjects
from .tables import NEXT, TABLES, build_indexes
from .writing import Writer

SUBJECTS, INDEXES, CHECK, READY = "spar_subject", "indexes", "check", "ready"
#: The stages in order. Those between the first and the indexes copy one table each.
STAGES = (SUBJECTS, *copying.COPIES, INDEXES, CHECK, READY)
#: The number of rows in one piece of a copy.
COPIED_AT_ONCE = 20_000

Report = Callable[[str], None]


class CommittingCursor(StoreCursor, Protocol):
    """A cursor that can end its transaction."""

    def commit(self) -> None: ...

    def rollback(self) -> None: ...


class MigrationRefused(Exception):
    """The integrity check failed, on the old store or on the new one.

    :param is_old: whether it was the old one
    """

    def __init__(self, findings: list[str], is_old: bool):
        super().__init__(f"{len(findings)} findings")
        self.findings = findings
        self.is_old = is_old


class Migration:
    """Brings a store to the new layout.

    :param call: on whose behalf sealed values are opened for the check
    :param batch: the number of subjects in one piece
    """

    def __init__(
        self,
        call: CallContext,
        cr: CommittingCursor,
        keyring: OpenKeyring,
        report: Report,
        batch: int,
    ):
        self.call = call
        self.cr = cr
        self.keyring = keyring
        self.report = report
        self.batch = batch
        self.findings: list[str] = []

    def build(self) -> None:
        """Make the new tables beside the old ones, and check them.

        It continues where an earlier run was interrupted. Raises MigrationRefused; then
        nothing is left of the new tables.
        """
        where, is_begun = position.begin(self.cr, STAGES[0])
        if is_begun:
            self.report(f"Continuing an interrupted run ({where.stage}).")
        else:
            self._add_findings(checking.find_orphans(self.cr))
        self.cr.commit()
        while where.stage != READY:
            where = self._do_piece(where)
            # After a finding nothing is written, so the position stays.
            if not self.findings:
                position.save(self.cr, where)
            self.cr.commit()

    def swap(self, locking: StoreCursor) -> None:
        """Put the new tables in the place of the old ones.

        :param locking: the cursor that has blocked other writers to the old ones
        """
        self.cr.commit()
        swapping.swap(locking)

    # === PIECES === #

    def _do_piece(self, where: MigrationPosition) -> MigrationPosition:
        """Process one piece; return where the next one is."""
        pieces = {
            SUBJECTS: self._convert,
            INDEXES: self._make_indexes,
            CHECK: self._check,
        }
        after = pieces.get(where.stage, self._copy)(where)
        if after is not None:
            return where._replace(after=after)
        if self.findings:
            self._refuse(is_old=where.stage == SUBJECTS)
        return MigrationPosition(
            STAGES[STAGES.index(where.stage) + 1], 0, where.started_at
        )

    def _convert(self, where: MigrationPosition) -> int | None:
        """Examine the next subjects by the old rules, and write their conversions.

        After the first finding nothing more is written, but all findings are listed.
        """
        subjects = read_subjects(self.cr, where.after, self.batch)
        if not subjects:
            return None
        for subject in subjects:
            self._add_findings(examine(self.keyring, subject))
        if not self.findings:
            writer = Writer(self.cr, self.keyring)
            converter = Converter(
                self.keyring, where.started_at, writer.take_period_ids
            )
            writer.save([converter.convert(subject) for subject in subjects])
        self._report_progress(
            "read, checked and sealed anew", "spar_subject", subjects[-1].row_id
        )
        return subjects[-1].row_id

    def _copy(self, where: MigrationPosition) -> int | None:
        after = copying.copy_range(self.cr, where.stage, where.after, COPIED_AT_ONCE)
        if after is not None:
            self._report_progress("copied", where.stage, after)
        return after

    def _make_indexes(self, _where: MigrationPosition) -> None:
        self.report("Making the indexes of the new tables.")
        for statement in build_indexes():
            self.cr.execute(statement)
        self.findings += checking.compare_counts(self.cr)
        self.cr.execute(f"ANALYZE {', '.join(f'{NEXT}.{t}' for t in TABLES)}")

    def _check(self, where: MigrationPosition) -> int | None:
        """Check the next subjects in the new tables as the regular check does."""
        self.cr.execute(f"SET LOCAL search_path TO {NEXT}, public")
        query = """SELECT max(id) FROM (SELECT id FROM spar_subject WHERE id > %s
                                         ORDER BY id LIMIT %s) AS piece"""
        ((until,),) = fetch(self.cr, query, where.after, self.batch)
        if until is None:
            return None
        auditor = Auditor(self.call, self.cr, self.keyring)
        self._add_findings(auditor.check(where.after, until))
        self._report_progress("checked in the new tables", "spar_subject", until)
        return int(until)

    # === REPORTING === #

    def _add_findings(self, findings: Iterator[Finding] | list[Finding]) -> None:
        for table, row_id, problem in findings:
            self.findings.append(f"{table}, row {row_id}: {problem}")

    def _refuse(self, is_old: bool) -> None:
        """Abort: nothing of what was made is left."""
        self.cr.rollback()
        position.discard(self.cr)
        self.cr.commit()
        raise MigrationRefused(self.findings, is_old)

    def _report_progress(self, step: str, table: str, row_id: int) -> None:
        ((last,),) = fetch(self.cr, f"SELECT coalesce(max(id), 0) FROM {table}")
        self.report(f"{table}: {step} up to row {row_id} of {last}")
