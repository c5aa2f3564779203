from odoo import api, models
from odoo.tools import SQL

from odoo.addons.spar_mapper_connector.lib.keyring import OpenKeyring

from ...lib import audit
from ...lib.transitions import OFFICE_CHANGED, SILENT_EVENTS
from ...store.auditing import CHECK, Auditor
from ...store.auditing_forms import FormAuditor
from ...store.auditing_proofs import ProofAuditor
from ...store.noticing import find_altered_links
from ...store.placing import find_misplaced


class SparAudit(models.AbstractModel):
    """The detection of alterations in the store, one range of rows at a time.

    Each method takes a keyring, checks the rows with an id after ``after`` up to
    ``until``, and runs in one snapshot. ``spar.audit.run`` iterates over the ranges.
    """

    _name = "spar.audit"
    _description = "Integrity check"

    # === THE CHECK === #

    @api.model
    def _check_store(self) -> list[audit.Finding]:
        """Return everything in the store that was altered: (table, row id, problem).

        It reads everything in this transaction. Each finding is also raised as an
        alarm.
        """
        run = self.env["spar.audit.run"]._start()
        return [finding for findings in run._walk() for finding in findings]

    @api.model
    def _cron_check(self) -> None:
        """Run the nightly check in committed pieces; it resumes after a time limit."""
        run = self.env["spar.audit.run"]._get_nightly()
        cron = self.env["ir.cron"]
        for _findings in run._walk():
            if not cron._commit_progress(1, remaining=int(not run.finished_at)):
                return

    # === RANGES === #

    @api.model
    def _check_subjects(
        self, keyring: OpenKeyring, after: int, until: int
    ) -> list[audit.Finding]:
        """Return what is wrong with the subjects of a range and all their rows."""
        forms = self.env["spar.id.form"]._get_state()
        return Auditor(CHECK, self.env.cr, keyring, forms).check(after, until)

    @api.model
    def _check_forms(self, keyring: OpenKeyring) -> list[audit.Finding]:
        """Return what is wrong with the rows that govern the reading of IDs."""
        self.env["spar.id.form"].flush_model()
        self.env["spar.form.run"].flush_model()
        problem = self.env["spar.id.form"]._find_problem()
        found = FormAuditor(self.env.cr, keyring).check_forms()
        return [problem, *found] if problem else found

    @api.model
    def _check_cases(
        self, keyring: OpenKeyring, after: int, until: int
    ) -> list[audit.Finding]:
        """Return what is wrong with the cases of a range."""
        return FormAuditor(self.env.cr, keyring).check_cases(after, until)

    @api.model
    def _check_orphans(self, table: str, after: int, until: int) -> list[audit.Finding]:
        """Return rows without a subject, which the check of subjects cannot see."""
        query = SQL(
            """SELECT r.id FROM %s r LEFT JOIN spar_subject s ON s.id = r.subject_id
                WHERE r.id > %s AND r.id <= %s AND s.id IS NULL ORDER BY 1""",
            SQL.identifier(table),
            after,
            until,
        )
        rows = self.env.execute_query(query)
        return [(table, row_id, audit.SUBJECT_REMOVED) for (row_id,) in rows]

    @api.model
    def _check_ids(
        self, _keyring: OpenKeyring, after: int, until: int
    ) -> list[audit.Finding]:
        return self._check_orphans("spar_subject_id", after, until)

    @api.model
    def _check_mappings(
        self, _keyring: OpenKeyring, after: int, until: int
    ) -> list[audit.Finding]:
        return self._check_orphans("spar_mapping", after, until)

    @api.model
    def _check_events(
        self, keyring: OpenKeyring, after: int, until: int
    ) -> list[audit.Finding]:
        """Return events without subject or notice, or with an altered notice."""
        return [
            *self._check_orphans("spar_event", after, until),
            *self._search_lost_notices(after, until),
            *find_altered_links(self.env.cr, keyring, after, until),
            *self._check_left_offices(keyring, after, until),
            *self._build_proof_auditor().check_events(after, until),
        ]

    @api.model
    def _check_proofs(
        self, _keyring: OpenKeyring, after: int, until: int
    ) -> list[audit.Finding]:
        """Return what is wrong with the owners' proofs in a range of rows."""
        return self._build_proof_auditor().check(after, until)

    @api.model
    def _build_proof_auditor(self) -> ProofAuditor:
        return ProofAuditor(
            self.env["spar.mapper.local"]._begin_work(CHECK, for_write=False)
        )

    @api.model
    def _check_offices(
        self, keyring: OpenKeyring, after: int, until: int
    ) -> list[audit.Finding]:
        """Return people in a range of rows whose office differs from their history."""
        query = SQL(
            "SELECT subject_id FROM spar_office_person WHERE id > %s AND id <= %s",
            after,
            until,
        )
        return self._find_misplaced(keyring, query)

    @api.model
    def _check_left_offices(
        self, keyring: OpenKeyring, after: int, until: int
    ) -> list[audit.Finding]:
        """Return the same, for people who moved by an event of a range."""
        query = SQL(
            """SELECT DISTINCT subject_id FROM spar_event
                WHERE id > %s AND id <= %s AND kind = %s""",
            after,
            until,
            OFFICE_CHANGED,
        )
        return self._find_misplaced(keyring, query)

    @api.model
    def _find_misplaced(self, keyring: OpenKeyring, query: SQL) -> list[audit.Finding]:
        ids = [row_id for (row_id,) in self.env.execute_query(query)]
        wrong = find_misplaced(self.env.cr, keyring, ids)
        return [("spar_subject", row_id, audit.OFFICE_OTHER) for row_id in wrong]

    @api.model
    def _search_lost_notices(self, after: int, until: int) -> list[audit.Finding]:
        """Return the events of a range that have no notice, although they should.

        An event that ties a history to the previous one concerns no one, and events
        that concern an ID are not notified.
        """
        query = SQL(
            """SELECT e.id FROM spar_event e
                 LEFT JOIN (SELECT event_id FROM spar_notice
                             WHERE event_id > %(after)s AND event_id <= %(until)s) n
                   ON n.event_id = e.id
                WHERE e.id > %(after)s AND e.id <= %(until)s AND n.event_id IS NULL
                  AND e.kind != ALL(%(silent)s)
                ORDER BY e.id""",
            after=after,
            until=until,
            silent=list(SILENT_EVENTS),
        )
        rows = self.env.execute_query(query)
        return [("spar_event", row_id, audit.NOTICE_REMOVED) for (row_id,) in rows]
