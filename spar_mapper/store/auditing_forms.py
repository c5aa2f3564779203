"""Verification of the rows that govern the reading of IDs."""

from __future__ import annotations

from collections.abc import Iterator

from odoo.addons.spar_mapper_connector.exceptions import SealBroken
from odoo.addons.spar_mapper_connector.lib.keyring import OpenKeyring, bind

from ..lib import audit, seals
from .database import StoreCursor, fetch
from .listing import read_digests
from .sealing import CASES, FORMS, RUNS, RowSeals, mac_forecast

#: The context, together with its uuid, in which the ID of a case is sealed.
CASE = "form case"
_AT_ONCE = 10_000

_OPEN_RUNS = """
    SELECT id, coalesce(changing, 0) + coalesce(refused, 0) + coalesce(unknown, 0)
      FROM spar_form_run
     WHERE kind = 'ids' AND state IN ('looking', 'ready', 'rewriting') ORDER BY id
"""
_FORECASTS = """
    SELECT row_id, digest, verdict, mac FROM spar_form_row
     WHERE run_id = %s AND row_id > %s ORDER BY row_id LIMIT %s
"""
_OPEN_CASES = """
    SELECT id, uuid, sealed, digest_a, digest_b FROM spar_form_case
     WHERE kind = 'ids' AND state <> 'closed' AND id > %s AND id <= %s ORDER BY id
"""


class FormAuditor:
    """Checks forms, runs, their notes, and cases."""

    def __init__(self, cr: StoreCursor, keyring: OpenKeyring):
        self.cr = cr
        self.keyring = keyring
        self.row_seals = RowSeals(cr, keyring)

    def check_forms(self) -> list[audit.Finding]:
        """Return what is wrong with forms and runs, including missing ones."""
        found: list[audit.Finding] = []
        for table in (FORMS, RUNS):
            found += self.row_seals.find_altered(table)
        for table in (FORMS, RUNS, CASES):
            found += self.row_seals.find_altered_set(table)
        for run_id, expected in fetch(self.cr, _OPEN_RUNS):
            found += self._check_forecasts(run_id, expected)
        return found

    def _check_forecasts(self, run_id: int, expected: int) -> Iterator[audit.Finding]:
        after = count = 0
        while rows := fetch(self.cr, _FORECASTS, run_id, after, _AT_ONCE):
            for row_id, digest, verdict, mac in rows:
                values = (run_id, row_id, bytes(digest) if digest else None, verdict)
                if bytes(mac or b"") != mac_forecast(self.keyring, *values):
                    yield "spar_form_row", row_id, audit.FORECAST_ALTERED
            after, count = rows[-1][0], count + len(rows)
        if count < expected:
            yield "spar_form_run", run_id, audit.FORECASTS_REMOVED

    def check_cases(self, after: int, until: int) -> list[audit.Finding]:
        """Return what is wrong with the cases after ``after`` up to ``until``."""
        condition = "t.id > %s AND t.id <= %s"
        found = self.row_seals.find_altered(CASES, condition, after, until)
        for row_id, uuid, sealed, *digests in fetch(self.cr, _OPEN_CASES, after, until):
            if not self._is_found(uuid, bytes(sealed or b""), *digests):
                found.append(("spar_form_case", row_id, audit.CASE_OTHER))
        return found

    def _is_found(
        self, uuid: str, sealed: bytes, digest_a: bytes | None, digest_b: bytes | None
    ) -> bool:
        """Return whether a case is found by its ID, and by no other."""
        try:
            canonical = self.keyring.unseal(seals.ID, sealed, bind(CASE, uuid))
        except SealBroken:
            return False
        digests = self.keyring.digests(seals.ID, canonical)
        return digests == read_digests(digest_a, digest_b)
