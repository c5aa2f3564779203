from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from odoo.addons.spar_fa_directory.lib.fa_mask import mask
from odoo.addons.spar_mapper_connector.exceptions import (
    InvalidIdentifier,
    ServiceUnavailable,
)
from odoo.addons.spar_mapper_connector.lib.contract import MAX_SHARED

from ...lib.readiness import ReadinessState

#: The purpose of the seals. It must never change.
LINE = "registry_readiness"

_YES_NO = [("yes", "Yes"), ("no", "No")]


class SparReadinessLine(models.Model):
    """One person of a run: whether they can be paid, and why not.

    It holds no address, and an ID only where it came in a file: sealed. Lines are
    written by SQL alone.
    """

    _name = "spar.readiness.line"
    _description = "Readiness of a person"
    _inherit = ["spar.of.person", "spar.sealed.storage"]
    _person_is_optional = True
    _log_access = False
    _order = "id"
    _rec_name = "shown_name"
    _digest_columns = ("id_digest",)
    _seal_purpose = LINE
    _seal_prefix = (LINE,)
    _seal_context_columns = ("run_id", "file_row")

    run_id = fields.Many2one(
        "spar.readiness.run", required=True, readonly=True, ondelete="cascade"
    )
    partner_id = fields.Many2one(
        "res.partner", string="Person", readonly=True, ondelete="cascade"
    )
    payee_id = fields.Many2one(
        "res.partner",
        string="Paid to",
        readonly=True,
        ondelete="set null",
        help="The person who receives the payment, if it is somebody else.",
    )
    file_row = fields.Integer(string="Row of the file", readonly=True, aggregator=None)
    state = fields.Selection(
        [
            ("waiting", "Not checked yet"),
            ("payable", "Ready"),
            ("not_linked", "No address"),
            ("stopped", "Payments stopped"),
            ("provider_closed", "Provider closed"),
            ("contested", "ID of several people at the registry"),
            ("locked", "Locked"),
            ("invalid_id", "Invalid ID"),
            ("unknown", "Unknown"),
            ("no_identity", "No ID"),
            ("shared_identity", "ID of several contacts"),
            ("no_payee", "Nobody is paid"),
            ("error", "Could not be checked"),
        ],
        required=True,
        readonly=True,
        default="waiting",
    )
    reason = fields.Char(readonly=True, string="Code")
    is_disputed = fields.Selection(
        _YES_NO,
        string="Disputed",
        readonly=True,
        help="The person objected to a change. Empty if the registry does not say.",
    )
    has_waiting_change = fields.Selection(
        _YES_NO,
        string="Change waiting",
        readonly=True,
        help="A change of the address waits for its time or for approval. Empty if the "
        "registry does not say.",
    )
    shared_with = fields.Integer(
        string="Others with the same address", readonly=True, aggregator="max"
    )
    previous_state = fields.Selection(
        selection=lambda self: self._selection_state(), readonly=True, string="Before"
    )
    change = fields.Selection(
        [
            ("same", "As before"),
            ("newly_ready", "Newly ready"),
            ("newly_not_ready", "No longer ready"),
            ("first", "Not in the run before"),
            ("unclear", "Cannot be compared"),
        ],
        string="Since the run before",
        readonly=True,
    )
    shown_name = fields.Char(compute="_compute_shown_name", string="Name")
    phone = fields.Char(compute="_compute_phone")
    reason_text = fields.Char(compute="_compute_reason_text", string="What to do")

    _person = models.Index("(partner_id, run_id)")
    _place = models.Index("(run_id, id)")

    def init(self):
        result = super().init()
        # Lines are filled in where they are: no index changes with the state.
        self.env.cr.execute("ALTER TABLE spar_readiness_line SET (fillfactor = 60)")
        # An ID counts once in a file.
        self.env.cr.execute(
            """CREATE UNIQUE INDEX IF NOT EXISTS spar_readiness_line_id_uniq
                   ON spar_readiness_line (run_id, id_digest)
                WHERE id_digest IS NOT NULL"""
        )
        return result

    @api.model
    def _selection_state(self):
        return self._fields["state"]._description_selection(self.env)

    # === DISPLAY === #

    @api.depends("partner_id")
    def _compute_shown_name(self):
        """Return the person's name, or the ID of somebody who is no contact, masked."""
        masks = self.filtered(lambda line: not line.partner_id)._mask_ids()
        for line in self:
            person = line.partner_id
            line.shown_name = person.display_name if person else masks.get(line.id)

    def _mask_ids(self) -> dict[int, str]:
        """Return the IDs of lines from a file, masked, by row id."""
        if not self:
            return {}
        try:
            texts = self._read_sealed_rows()
        except ServiceUnavailable:
            text = self.env._("Encryption keys unavailable")
            return dict.fromkeys(self.ids, text)
        return {row_id: self._mask_id(text) for row_id, text in texts.items()}

    @api.model
    def _mask_id(self, text: str) -> str:
        try:
            return mask(self.env["spar.id.type"]._get_clean_value(text))
        except InvalidIdentifier:
            return mask(text)

    @api.depends("partner_id")
    def _compute_phone(self):
        """Return the number of the person, or else of the one who is paid."""
        people = (self.partner_id | self.payee_id)._filtered_access("read")
        phones = people._spar_phones()
        for line in self:
            found = phones.get(line.partner_id.id) or phones.get(line.payee_id.id)
            line.phone = found or False

    @api.depends("state", "reason", "is_disputed", "has_waiting_change", "shared_with")
    def _compute_reason_text(self):
        for line in self:
            line.reason_text = line._get_reason_text()

    def _get_reason_text(self) -> str:
        """Return why the person is not ready and what to do, in plain words."""
        texts = [
            self._get_error_texts().get(self.reason or "")
            or self._get_state_texts().get(self.state, "")
        ]
        if self.is_disputed == "yes":
            texts.append(self.env._("The person disputes the latest change."))
        if self.has_waiting_change == "yes":
            texts.append(self.env._("A change of the account is waiting."))
        if self.shared_with:
            texts.append(self._get_shared_text())
        return " ".join(filter(None, texts))

    def _get_shared_text(self) -> str:
        if self.shared_with >= MAX_SHARED:
            return self.env._(
                "%(count)s or more others have the same account.", count=MAX_SHARED
            )
        if self.shared_with == 1:
            return self.env._("1 other person has the same account.")
        return self.env._(
            "%(count)s others have the same account.", count=self.shared_with
        )

    @api.model
    def _get_state_texts(self) -> dict[str, str]:
        return {
            ReadinessState.NOT_LINKED: self.env._(
                "No account is registered. Ask the person for one."
            ),
            ReadinessState.STOPPED: self.env._(
                "Payments to this person are stopped. Ask the registry's office why."
            ),
            ReadinessState.PROVIDER_CLOSED: self.env._(
                "The bank, wallet or branch has closed. Ask the person for another "
                "account."
            ),
            ReadinessState.CONTESTED: self.env._(
                "Several people have this ID at the registry. Send the person to an "
                "office with the card."
            ),
            ReadinessState.LOCKED: self.env._(
                "The registered account cannot be verified. Tell an administrator."
            ),
            ReadinessState.INVALID_ID: self.env._(
                "The ID is not valid. Compare it with the card."
            ),
            ReadinessState.UNKNOWN: self.env._(
                "The registry did not say. Check again later."
            ),
            ReadinessState.NO_IDENTITY: self.env._(
                "There is no ID, or only expired ones. Ask the person for the card."
            ),
            ReadinessState.SHARED_IDENTITY: self.env._(
                "Another contact has the same ID. Compare both with their cards."
            ),
            ReadinessState.NO_PAYEE: self.env._(
                "Nobody can be paid: the person died or is archived, or the household "
                "has no head or recipient."
            ),
        }

    @api.model
    def _get_error_texts(self) -> dict[str, str]:
        return {
            "row": self.env._(
                "The row cannot be split into cells: a quotation mark is missing."
            ),
            "hidden": self.env._(
                "You do not have access to this person, or to the one who is paid."
            ),
            "unavailable": self.env._(
                "The registry was unavailable. Check again later."
            ),
            "late": self.env._(
                "The registry did not answer in time. Check again later."
            ),
            "failed": self.env._(
                "An unexpected error stopped this check. Tell an administrator."
            ),
            "unreadable": self.env._(
                "The ID can no longer be opened. Tell an administrator."
            ),
        }

    # === EXPORT === #

    def export_data(self, fields_to_export):
        """Refuse Odoo's own export, which leaves no record."""
        if self.env.su:
            return super().export_data(fields_to_export)
        raise UserError(
            self.env._("Use Export on the readiness run: each export is recorded.")
        )

    # === CLEANING UP === #

    @api.model
    def _delete_of(self, run_ids: list[int], limit: int) -> int:
        """Delete up to ``limit`` lines of runs; return how many there were."""
        self.env.cr.execute(
            SQL(
                """DELETE FROM spar_readiness_line WHERE id IN (
                       SELECT id FROM spar_readiness_line
                        WHERE run_id = ANY(%s) LIMIT %s)""",
                run_ids,
                limit,
            )
        )
        self.invalidate_model()
        return self.env.cr.rowcount
