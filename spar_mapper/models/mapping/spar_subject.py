from odoo import fields, models
from odoo.tools import SQL

from odoo.addons.spar_mapper_connector.models.spar_sealed_storage import add_columns

from ...fields import BigMany2one, CheckedMany2one, StoreMany2one
from ...lib import integrity, seals
from ...store.identifying import find_rows


class SparSubject(models.Model):
    """A person who is paid."""

    _name = "spar.subject"
    _description = "Subject"
    _inherit = [
        "spar.store.table",
        "spar.subject.complaints",
        "spar.subject.late",
        "spar.subject.representatives",
        "spar.subject.provisional",
        "spar.next.person",
    ]
    _rec_name = "uuid"
    _log_access = False
    _refuses_delete = "people are not deleted"

    uuid = fields.Char(required=True, readonly=True)
    change_lock = fields.Selection(
        [
            ("none", "Not locked"),
            ("staff", "Only staff or the beneficiary can make changes"),
            ("owner", "Only the beneficiary can make changes"),
            ("objection", "Locked until an objection is closed"),
        ],
        string="Change lock",
        required=True,
        readonly=True,
    )
    pay_stop = fields.Boolean(readonly=True, string="Payments stopped")
    merged_into = BigMany2one(
        "spar.subject",
        string="Merged into",
        readonly=True,
        index="btree_not_null",
        ondelete="restrict",
        help="The record into which this one was merged, because both were the same "
        "person.",
    )
    since = fields.Datetime(required=True, readonly=True)
    last_seq = fields.Integer(
        string="Number of the last event",
        required=True,
        readonly=True,
        help="The last event of the person's history.",
    )
    marks = fields.Char(
        readonly=True, help="The event that last changed each address and ID."
    )
    identifier_ids = fields.One2many("spar.subject.id", "subject_id", readonly=True)
    mapping_ids = fields.One2many("spar.mapping", "subject_id", readonly=True)
    event_ids = fields.One2many("spar.event", "subject_id", readonly=True)
    evidence_ids = fields.One2many(
        "spar.evidence",
        "subject_id",
        string="Documents",
        readonly=True,
        groups="spar_fa_directory.group_supervisor,spar_fa_directory.group_auditor",
    )
    office_person_ids = fields.One2many(
        "spar.office.person", "subject_id", string="Person in an office", readonly=True
    )

    def init(self):
        result = super().init()
        add_columns(self.env.cr, self._table, ("last_mac", "mac"))
        # Each event updates the row in place: spare room on the page keeps that cheap.
        self.env.cr.execute("ALTER TABLE spar_subject SET (fillfactor = 70)")
        moving = ("change_lock", "pay_stop", "merged_into", "last_mac", "marks", "mac")
        guard = integrity.build_update_guard(self._table, ("uuid", "since"), moving)
        for statement in (*guard, *integrity.build_queue_table()):
            self.env.cr.execute(statement)
        for statement in integrity.build_subject_tie():
            self.env.cr.execute(statement)
        return result


class SparSubjectId(models.Model):
    """One ID of a subject: sealed, and found by its digest.

    A digest exists only once, whatever the state of its row: if a row that was switched
    off were ignored, the ID could be linked again, to another person's account.
    """

    _name = "spar.subject.id"
    _description = "ID of a subject"
    _inherit = ["spar.store.table", "spar.sealed.storage"]
    _rec_name = "uuid"
    _log_access = False
    _digest_columns = ("digest_a", "digest_b")
    _seal_purpose = seals.ID
    _seal_context_columns = ("uuid", "subject_id.uuid", "active", "last_seq")
    _references = {"type_id": "spar_id_type"}
    _refuses_delete = "IDs are switched off, not deleted"

    subject_id = StoreMany2one(
        "spar.subject", required=True, readonly=True, index=True, ondelete="restrict"
    )
    type_id = CheckedMany2one(
        "spar.id.type", required=True, readonly=True, ondelete="restrict"
    )
    uuid = fields.Char(required=True, readonly=True)
    active = fields.Boolean(readonly=True)
    form = fields.Integer(readonly=True, help="The form in which it is written.")
    last_seq = fields.Integer(
        string="Number of the last event",
        required=True,
        readonly=True,
        help="The event that last changed it.",
    )

    def init(self):
        result = super().init()
        for column in ("a", "b"):
            self.env.cr.execute(
                SQL(
                    """CREATE UNIQUE INDEX IF NOT EXISTS %(index)s
                           ON spar_subject_id (%(digest)s)
                        WHERE %(digest)s IS NOT NULL""",
                    index=SQL.identifier(f"spar_subject_id_digest_{column}_once"),
                    digest=SQL.identifier(f"digest_{column}"),
                )
            )
        # Finds rows that are not in the current form; the index grows only at its end.
        self.env.cr.execute(
            """CREATE INDEX IF NOT EXISTS spar_subject_id_form_index
                   ON spar_subject_id (form, id)"""
        )
        for statement in integrity.build_id_guard():
            self.env.cr.execute(statement)
        for statement in (*integrity.build_id_tie(), *integrity.build_form_check()):
            self.env.cr.execute(statement)
        return result

    def _build_seal_context(self, *values) -> bytes:
        return seals.id_context(*values)

    def _find_ids(self, keyring, canonicals: list[str]) -> dict[int, str]:
        """Return canonical IDs by row, for those that are stored."""
        rows = find_rows(self.env.cr, keyring, canonicals)
        return {row_id: canonical for row_id, _form, canonical in rows}
