from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from odoo.addons.spar_mapper_connector.exceptions import ServiceUnavailable
from odoo.addons.spar_mapper_connector.lib.contract import Outcome, Result

from ...exceptions import NoConsent, RegistryError
from ...lib.identity import RegistryIdentity

#: The purposes of the seals and digests. They must never change.
ACCOUNT = "registry_account"


class SparPaymentAccount(models.Model):
    """An account that somebody collected from a person, on its way to the mapper.

    It is not the truth: the mapper is. Once the mapper has confirmed it, the account
    itself is destroyed, and its keyed digest stays: it shows whether the mapper still
    resolves to it.
    """

    _name = "spar.payment.account"
    _description = "Collected account"
    _inherit = ["spar.of.person", "spar.sealed.storage"]
    _order = "collected_at desc, id desc"
    _rec_name = "masked"
    _digest_columns = ("digest_a", "digest_b", "drift_key")
    _seal_purpose = ACCOUNT
    _seal_prefix = (ACCOUNT,)
    _seal_context_columns = ("id", "partner_id", "purpose")

    partner_id = fields.Many2one(
        "res.partner", string="Person", required=True, index=True, ondelete="restrict"
    )
    programme_id = fields.Many2one("spar.programme", index=True, ondelete="restrict")
    purpose = fields.Char(readonly=True, default="")
    payee_id = fields.Many2one("res.partner", readonly=True, string="Paid to")
    operation = fields.Selection(
        [("set", "Set the address"), ("remove", "Remove the address")],
        required=True,
        default="set",
        readonly=True,
    )
    fa_type_id = fields.Many2one("spar.fa.type", string="Kind", readonly=True)
    provider_id = fields.Many2one("spar.fsp", readonly=True)
    branch_id = fields.Many2one("spar.fsp.branch", readonly=True)
    masked = fields.Char(string="Account", compute="_compute_masked")
    origin = fields.Selection(
        [
            ("staff", "Entered by staff"),
            ("field", "Collected in the field"),
            ("portal", "Entered by the person"),
            ("file", "Loaded from a file"),
            ("api", "Sent by another system"),
            ("move", "Moved from an ID that was replaced"),
        ],
        required=True,
        default="staff",
        readonly=True,
    )
    collected_at = fields.Datetime(
        string="Collected at",
        required=True,
        default=fields.Datetime.now,
        readonly=True,
    )
    collected_by = fields.Many2one(
        "res.users", readonly=True, default=lambda self: self.env.user
    )
    state = fields.Selection(
        [
            ("draft", "Not sent"),
            ("queued", "Waiting to be sent"),
            ("parked", "Waiting for approval"),
            ("confirmed", "Confirmed"),
            ("superseded", "Superseded"),
            ("conflict", "Conflict"),
            ("failed", "Failed"),
            ("given_up", "Given up"),
        ],
        required=True,
        default="draft",
        readonly=True,
        index=True,
    )
    reason = fields.Char(readonly=True, string="Code")
    reason_text = fields.Char(compute="_compute_reason_text", string="Reason")
    entry_ids = fields.One2many("spar.outbox.entry", "account_id")
    task_id = fields.Many2one(
        "spar.registry.task",
        readonly=True,
        index="btree_not_null",
        ondelete="set null",
        help="The move of which this account is a step.",
    )
    #: The row of the ID to which it was sent, of whatever model.
    identity_row = fields.Integer(readonly=True, aggregator=None)

    # === COLLECTING === #

    @api.model
    def _collect(self, partner, fa: str, **values):
        """Return a new collected account, with the address ``fa`` sealed.

        :param fa: the address as it is transmitted; "" to remove the one in force
        :param values: ``programme_id``, ``origin``, ``collected_at``

        Raises UserError for an address that the directory refuses, and AccessError for
        people whom the user does not see.
        """
        partner.check_access("read")
        parts = self._read_address(fa) if fa else {}
        programme = self.env["spar.programme"].browse(values.get("programme_id") or ())
        # Nobody may create one past the directory's checks.
        account_sudo = self.sudo().create(
            {
                **values,
                **parts,
                "partner_id": partner.id,
                "purpose": programme.sudo().purpose or "",
                "operation": "set" if fa else "remove",
            }
        )
        if fa:
            account_sudo._set_address(fa)
        return account_sudo.sudo(False)

    @api.model
    def _read_address(self, fa: str) -> dict:
        """Return what the directory says of an address; raises UserError."""
        strategies = self.env["spar.fa.strategy"]
        ((address, problem),) = strategies._examine_addresses([fa])
        if problem:
            values = strategies._get_problem_values(address, problem)
            result = Result(
                Outcome.INVALID_FA, problem=problem.code, problem_values=values
            )
            raise UserError(self.env["spar.staff.answers"]._get_refusal(result))
        return {
            "fa_type_id": address.type_id,
            "provider_id": address.provider_id,
            "branch_id": address.branch_id,
        }

    def _set_address(self, fa: str) -> None:
        """Seal the address, and store the digest of its canonical form."""
        self.ensure_one()
        self._write_sealed(fa)
        (canonical,) = self.env["spar.fa.strategy"]._canonicalise_addresses([fa])
        keyring = self.env["spar.keyring"]._open(for_write=True)
        digests = keyring.digests(ACCOUNT, canonical.key)
        self.env.cr.execute(
            SQL(
                "UPDATE spar_payment_account SET digest_a = %s, digest_b = %s"
                " WHERE id = %s",
                digests.get("a"),
                digests.get("b"),
                self.id,
            )
        )
        self.invalidate_recordset(["masked"])

    # === DISPLAY === #

    def _compute_masked(self):
        """Open the accounts for this display only; empty once they are destroyed."""
        try:
            texts = self._read_sealed_rows()
        except ServiceUnavailable:
            self.masked = self.env._("Encryption keys unavailable")
            return
        strategies = self.env["spar.fa.strategy"]
        masks = dict(
            zip(texts, strategies._mask_addresses(list(texts.values())), strict=True)
        )
        for account in self:
            account.masked = masks.get(account.id, "")

    @api.depends("reason")
    def _compute_reason_text(self):
        entries = self.env["spar.outbox.entry"]
        for account in self:
            account.reason_text = entries._get_reason_text(account.reason or "")

    # === SENDING === #

    def action_send(self):
        """Queue the accounts: each is sent as soon as the mapper is available.

        One that failed is tried again in the outbox, where its turn is kept.
        """
        for account in self.filtered(lambda one: one.state == "draft"):
            try:
                account._queue()
            except RegistryError as error:
                raise UserError(self._get_refusal(error.code)) from error

    def _queue(self) -> None:
        """Put the account into the outbox; raises RegistryError."""
        self.ensure_one()
        self.check_access("read")
        programme = self.programme_id
        consents = self.env["spar.consent"]
        needs_consent = self.operation == "set"
        if needs_consent and not consents._find_consented(
            programme, self.partner_id.ids
        ):
            raise NoConsent()
        if needs_consent:
            payee, identity = self.partner_id._spar_get_paid(programme)
        else:
            payee, identity = self.partner_id._spar_get_last_paid(programme)
        self._queue_for(payee, identity)

    def _queue_for(self, payee, identity: RegistryIdentity, base=None) -> None:
        """Put the account into the outbox for an ID of ``payee``.

        :param base: the digest of the address that is expected to be in force, b"" for
            none; another one is a conflict. None if any may be replaced.
        """
        self.ensure_one()
        account_sudo = self.sudo()
        account_sudo.write(
            {
                "payee_id": payee.id,
                "identity_row": identity.row_id,
                "state": "queued",
                "reason": False,
            }
        )
        self.env["spar.outbox.entry"]._add(account_sudo, identity, base)

    def _get_confirmed_key(self) -> bytes | None:
        """Return the digest of the address, b"" for a removal.

        None if it was made with a key that is no longer searched.
        """
        self.ensure_one()
        if self.operation == "remove":
            return b""
        return self._fetch_confirmed_keys().get(self.id)

    def _fetch_confirmed_keys(self) -> dict[int, bytes]:
        """Return the digests of these accounts' addresses, by row id."""
        column = self.env["spar.keyring"]._open().roles.read_column
        query = SQL(
            "SELECT id, %(column)s FROM spar_payment_account"
            " WHERE id = ANY(%(ids)s) AND %(column)s IS NOT NULL",
            column=SQL.identifier(f"digest_{column}"),
            ids=list(self.ids),
        )
        return {row_id: bytes(key) for row_id, key in self.env.execute_query(query)}

    def _get_refusal(self, code: str) -> str:
        """Return why an account cannot be sent, and what to do."""
        texts = {
            "no_consent": self.env._(
                "The programme requires the person's consent. Record it first."
            ),
            "no_payee": self.env._(
                "Nobody can be paid for this person: name a head of the household or a "
                "recipient."
            ),
            "no_identity": self.env._(
                "The person who is paid has no ID, or only expired ones. Add an ID "
                "first."
            ),
            "shared_identity": self.env._(
                "Another person has the same ID. Correct one of them first."
            ),
        }
        return texts.get(code) or self.env._("This account cannot be sent.")
