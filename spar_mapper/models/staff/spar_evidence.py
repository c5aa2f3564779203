from base64 import b64decode, b64encode
from binascii import Error as NoBase64
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL, format_date

from odoo.addons.spar_mapper_connector.exceptions import SealBroken
from odoo.addons.spar_mapper_connector.lib.contract import CallContext

from ...lib.evidence import (
    EVIDENCE,
    MAX_PIXELS,
    build_reference,
    count_pixels,
    get_media_type,
    is_heic,
)
from .spar_lookup import FoundPlace


class SparEvidence(models.Model):
    """A person's document, stored with a change that staff made; sealed.

    The change's event names it, under the event's MAC; the seal names the person, so a
    document that was swapped does not open. It is stored in no attachment and no field.
    """

    _name = "spar.evidence"
    _description = "Stored document"
    _inherit = ["spar.subject.row", "spar.by.whom", "spar.sealed.storage"]
    _rec_name = "uuid"
    _order = "id desc"
    _log_access = False
    _seal_purpose = EVIDENCE
    _seal_prefix = (EVIDENCE,)
    _seal_context_columns = ("uuid", "subject_id.uuid", "media_type")
    _refuses_delete = "stored documents are not deleted"

    uuid = fields.Char(required=True, readonly=True, string="Number")
    media_type = fields.Char(required=True, readonly=True, string="File type")
    size = fields.Integer(required=True, readonly=True, string="Size (bytes)")
    added_at = fields.Datetime(string="Added at", required=True, readonly=True)
    destroyed_at = fields.Datetime(
        string="Destroyed at",
        readonly=True,
        help="When the document was destroyed, because it need not be kept any longer.",
    )

    _uuid_uniq = models.UniqueIndex(
        "(uuid)", "The number of a document must be unique."
    )

    # === KEEPING === #

    @api.model
    def _read_file(self, text: str) -> tuple[bytes, str]:
        """Return a file that a browser sent, and its type by its content.

        Raises UserError for one that is too large or of another type.
        """
        maximum = self.env["spar.limit"]._get_number("evidence_kilobytes")
        try:
            data = b64decode(text, validate=True)
        except (NoBase64, ValueError):
            data = b""
        media_type = get_media_type(data)
        if is_heic(data):
            raise UserError(
                self.env._(
                    "Document: this is a HEIC photo, which cannot be stored. Set the "
                    "phone's camera to JPEG (Most compatible), or attach a screenshot "
                    "of the photo."
                )
            )
        if not media_type:
            raise UserError(
                self.env._("Document: attach a PDF file or a JPEG or PNG image.")
            )
        if count_pixels(data) > MAX_PIXELS:
            raise UserError(
                self.env._(
                    "Document: the image has too many pixels. Scan it at a lower "
                    "resolution."
                )
            )
        if len(data) > maximum * 1024:
            raise UserError(
                self.env._(
                    "Document: the file is larger than %(max)s kilobytes. Scan it at a "
                    "lower resolution.",
                    max=maximum,
                )
            )
        return data, media_type

    @api.model
    def _store(self, call: CallContext, uuid: str, text: str, subject) -> None:
        """Store a file with the change that names it by ``uuid``."""
        data, media_type = self._read_file(text)
        text = b64encode(data).decode()
        self.env.cr.execute(
            """INSERT INTO spar_evidence
                      (uuid, subject_id, media_type, size, actor, added_at, sealed)
               VALUES (%s, %s, %s, %s, %s, %s, %s)""",
            (
                uuid,
                subject.id,
                media_type,
                len(data),
                call.actor,
                self.env["spar.mapper.local"]._get_now(),
                self._seal_value(text, uuid, subject.uuid, media_type),
            ),
        )
        self.invalidate_model()

    # === DESTROYING === #

    @api.model
    def _cron_destroy(self) -> None:
        """Destroy the documents whose time is over; their rows stay.

        A document is kept while its change waits, and while its person has an open
        objection. What the event states about it stays, too.
        """
        days = self.env["spar.limit"]._get_number("evidence_days")
        now = self.env["spar.mapper.local"]._get_now()
        self.env.cr.execute(
            SQL(
                """UPDATE spar_evidence e SET sealed = NULL, destroyed_at = %s
                    WHERE e.sealed IS NOT NULL AND e.added_at < %s
                      AND NOT EXISTS (
                          SELECT FROM spar_change c
                           WHERE c.state = 'waiting'
                             AND c.message_reference = %s || e.uuid)
                      AND NOT EXISTS (
                          SELECT FROM spar_objection o
                            JOIN spar_mapping m ON m.id = o.mapping_id
                           WHERE o.state = 'open' AND m.subject_id = e.subject_id)""",
                now,
                now - timedelta(days=days),
                build_reference(""),
            )
        )
        self.invalidate_model()

    # === VIEWING === #

    def action_view(self):
        """Record the access, then show the document, to supervisors and auditors."""
        self.ensure_one()
        self.check_access("read")
        with self.env["spar.staff.answers"]._raise_user_errors():
            self.env["spar.mapper.local"]._build_staff_call()
        if self.destroyed_at:
            raise UserError(
                self.env._(
                    "This document was destroyed on %(date)s, because it need not be "
                    "kept any longer.",
                    date=format_date(self.env, self.destroyed_at),
                )
            )
        place = FoundPlace(0, self.subject_id.id)
        self.env["spar.lookup"]._search_counted("evidence", self.uuid, lambda: [place])
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Stored document"),
            "res_model": "spar.evidence.wizard",
            "view_mode": "form",
            "target": "new",
            "context": {"default_evidence_id": self.id},
        }

    def _open(self) -> str:
        """Return the document in base64, for a user whose access was recorded.

        Raises SealBroken.
        """
        text = self._read_sealed()
        if text is None:
            raise SealBroken("a stored document is gone")
        return text
