import os
import secrets

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import SQL

from odoo.addons.spar_mapper_connector.exceptions import OutgoingRefused, TargetUnknown
from odoo.addons.spar_mapper_connector.lib.g2p_connect import signing
from odoo.addons.spar_mapper_connector.lib.jose.key_sets import CACHE
from odoo.addons.spar_mapper_connector.lib.jose.keys import ALGORITHMS
from odoo.addons.spar_mapper_connector.lib.outgoing import check_url

from ...lib import proofs

#: Set where the server runs as a demo: lenient settings work nowhere else.
DEMO_VARIABLE = "SPAR_DEMO"

#: The fields of this file that take two people to change: all but name and note.
IDENTITY_FIELDS = (
    "state",
    "sender_id",
    "client_id",
    "demo_only",
    "proof",
    "signature_place",
    "answer_algorithm",
    "jwks_url",
    "origin_networks",
    "token_issuer_id",
    "issuer_client_id",
    "client_secret_digest",
)


class SparParticipant(models.Model):
    """An organisation that calls the registry: its identity, its keys and its state.

    What it may do is in ``spar_participant_rights.py``, where it is called back in
    ``spar_callback_target.py``. State and rights are read on each call: a change takes
    effect at once. Every active participant was approved by two people, and so is each
    change of what it may do.

    Syntax may be relaxed, identity never: a participant that does not sign calls from
    listed networks only, and only to resolve. Lenient settings for trials work in a
    demo only. Participants that called with a token alone before signatures were
    required may continue to, until an administrator chooses another proof; there is no
    way back.
    """

    _name = "spar.participant"
    _description = "Participant"
    _inherit = [
        "spar.second.person",
        "spar.sealed.setting",
        "spar.cached.records",
        "spar.callback.target",
    ]
    _order = "name, id"
    # The cache reads the version of each participant's row, not of the whole table.
    _is_whole = False
    # ``spar_participant_rights.py`` adds the other fields that take two people.
    _guarded_fields = IDENTITY_FIELDS
    _guarded_at_creation = ("state",)
    _guarded_parts = ("key_ids",)
    _guarded_secrets = ("client_secret_digest", "callback_secret")
    _sealed_beside = {
        "client_secret_digest": "encode(t.secret_digest, 'hex')",
        # A secret that was sealed under this reference cannot be unsealed under
        # another.
        "callback_secret": (
            "(SELECT c.uuid FROM spar_callback_secret c WHERE c.participant_id = t.id)"
        ),
    }

    name = fields.Char(required=True, help="The organisation's name.")
    sender_id = fields.Char(
        string="Sender ID",
        required=True,
        copy=False,
        help="How the participant names itself in the header of its messages, "
        "for example payments.example.org.",
    )
    client_id = fields.Char(
        string="Client ID",
        required=True,
        readonly=True,
        copy=False,
        default=lambda self: self._default_client_id(),
        help="The participant obtains access tokens with it and the client secret.",
    )
    state = fields.Selection(
        [("draft", "Draft"), ("active", "Active"), ("disabled", "Disabled")],
        required=True,
        readonly=True,
        copy=False,
        default="draft",
    )
    demo_only = fields.Boolean(
        string="Demo only",
        copy=False,
        help="Its calls are accepted only by a server that was started as a demo.",
    )
    note = fields.Text()

    # How the participant proves who it is, and how we sign for it.
    proof = fields.Selection(
        [
            (proofs.BOTH, "Token and signature"),
            (proofs.SIGNATURE, "Signature"),
            (proofs.TOKEN, "Token, from listed networks, resolve only"),
            (proofs.TOKEN_AS_BEFORE, "Token alone, as before signatures"),
        ],
        string="Authentication",
        required=True,
        default=proofs.BOTH,
    )
    signature_place = fields.Selection(
        [
            (signing.IN_MESSAGE, "In the message (jws_envelope)"),
            (signing.IN_HTTP_HEADER, "In the HTTP header (jws_header)"),
        ],
        string="Signature location",
        required=True,
        default=signing.IN_MESSAGE,
        help="Of the participant's signatures, and of ours in answers and callbacks.",
    )
    answer_algorithm = fields.Selection(
        selection=lambda self: self._selection_answer_algorithm(),
        string="Our signature algorithm",
        required=True,
        default="ES256",
    )
    key_ids = fields.One2many("spar.participant.key", "participant_id", string="Keys")
    jwks_url = fields.Char(
        string="JWKS URL",
        help="Where the participant publishes its keys, in addition to or instead of "
        "the keys entered here.",
    )
    origin_networks = fields.Char(
        string="Allowed networks",
        help="Networks or addresses that the participant calls from, separated by "
        "commas; empty for any. Required if it does not sign.",
    )

    # The client secret, and the issuer of the participant's access tokens.
    client_secret_digest = fields.Char(
        string="Client secret",
        compute="_compute_client_secret_digest",
        inverse="_inverse_client_secret_digest",
        groups="spar_fa_directory.group_administrator",
    )
    token_issuer_id = fields.Many2one(
        "spar.token.issuer",
        string="Token issuer",
        ondelete="restrict",
        help="Empty: this registry issues the tokens, for the client ID and secret.",
    )
    issuer_client_id = fields.Char(
        string="Client ID at the issuer",
        help="The participant's client ID in that issuer's tokens (azp, client_id).",
    )

    _sender_id_uniq = models.UniqueIndex(
        "(sender_id)", "Another participant has this sender ID."
    )
    _client_id_uniq = models.UniqueIndex(
        "(client_id)", "Another participant has this client ID."
    )
    _issuer_client_uniq = models.UniqueIndex(
        "(token_issuer_id, issuer_client_id) WHERE token_issuer_id IS NOT NULL",
        "Another participant has this client ID at that issuer.",
    )
    _sender_id_format = models.Constraint(
        "CHECK (sender_id ~ '^[!-~]{1,255}$')",
        "A sender ID has only visible ASCII characters, at most 255.",
    )

    def init(self) -> None:
        # The digest of the client secret is a column without a field: no form, export
        # or remote call can read it.
        self.env.cr.execute(
            "ALTER TABLE spar_participant ADD COLUMN IF NOT EXISTS secret_digest bytea"
        )
        return super().init()

    @api.model
    def _default_client_id(self) -> str:
        return f"spar-{secrets.token_hex(8)}"

    @api.model
    def _selection_answer_algorithm(self) -> list[tuple[str, str]]:
        return [(name, name) for name in ALGORITHMS]

    @api.constrains("origin_networks")
    def _check_origin_networks(self) -> None:
        for participant in self.filtered("origin_networks"):
            try:
                proofs.parse_networks(participant.origin_networks)
            except ValueError:
                raise ValidationError(
                    self.env._(
                        "Allowed networks: enter networks such as 192.0.2.0/24, "
                        "separated by commas."
                    )
                ) from None

    @api.constrains("jwks_url")
    def _check_jwks_url(self) -> None:
        for participant in self.filtered("jwks_url"):
            try:
                check_url(participant.jwks_url)
            except (OutgoingRefused, TargetUnknown):
                raise ValidationError(
                    self.env._(
                        "JWKS URL: it must begin with https:// and lead to a public "
                        "address."
                    )
                ) from None
            CACHE.forget(participant.jwks_url)

    @api.constrains("proof", "state", "origin_networks", "jwks_url", "key_ids")
    def _check_proof(self) -> None:
        """Ensure that an active participant has what its proof requires."""
        for participant in self.filtered(lambda p: p.state == "active"):
            if participant.demo_only:
                continue
            if participant.proof == proofs.TOKEN and not participant.origin_networks:
                raise ValidationError(
                    self.env._(
                        "A participant that does not sign must list the addresses it "
                        "calls from."
                    )
                )

    @api.model_create_multi
    def create(self, vals_list):
        if any(v.get("proof") == proofs.TOKEN_AS_BEFORE for v in vals_list):
            self._raise_legacy_proof()
        return super().create(vals_list)

    def write(self, vals):
        has_legacy_proof = set(self.mapped("proof")) <= {proofs.TOKEN_AS_BEFORE}
        if vals.get("proof") == proofs.TOKEN_AS_BEFORE and not has_legacy_proof:
            self._raise_legacy_proof()
        to_draft = vals.get("state") == "draft" and not self.env.su
        if to_draft and set(self.mapped("state")) - {"draft"}:
            raise UserError(
                self.env._("A participant that was approved cannot become a draft.")
            )
        return super().write(vals)

    def copy_data(self, default=None):
        """Give a copy the default proof where the original's is only for legacy use."""
        copies = super().copy_data(default)
        for vals in copies:
            if vals.get("proof") == proofs.TOKEN_AS_BEFORE:
                del vals["proof"]
        return copies

    @api.model
    def _raise_legacy_proof(self):
        raise UserError(
            self.env._(
                "A token alone is accepted only from participants that called before "
                "signatures were required. Choose another authentication."
            )
        )

    # === STATES === #

    def _is_guarded(self, name: str, value) -> bool:
        """Return whether a change waits for approval.

        Activation waits, and so does every guarded change of a participant that is no
        longer a draft; a draft is approved as a whole.
        """
        if name == "state":
            return value != "disabled"
        return self.state != "draft"

    def _describe_effect(self, values: dict) -> list[str]:
        """Describe the whole participant and its keys to the approver of any change."""
        return super()._describe_effect(values) + self._describe_keys()

    def _describe_keys(self) -> list[str]:
        """Return this participant's active keys, as shown to an approver."""
        label = self._fields["key_ids"]._description_string(self.env)
        keys = self.key_ids.filtered(lambda key: key.state == "active")
        return [f"{label}: {key.kid} ({key.thumbprint})" for key in keys]

    def _begins(self, values: dict) -> bool:
        return values.get("state") == "active"

    def _stops(self, name: str, value) -> bool:
        return name == "state" and value == "disabled"

    def action_activate(self) -> None:
        """Activate drafts and disabled participants.

        They may call once a second person has approved it.
        """
        self._set_state("active", {"draft", "disabled"})

    def action_disable(self) -> None:
        """Refuse every further call of the participants, whatever token they have."""
        self._set_state("disabled", {"draft", "active"})

    def _set_state(self, state: str, allowed: set[str]) -> None:
        """Move the participants that are not there yet to ``state``.

        Raises UserError where one is in a state other than ``allowed``.
        """
        moving = self.filtered(lambda participant: participant.state != state)
        if not set(moving.mapped("state")) <= allowed:
            raise UserError(
                self.env._("This participant cannot be moved to that state.")
            )
        moving._as_code().write({"state": state})

    @api.ondelete(at_uninstall=False)
    def _unlink_only_draft(self) -> None:
        """Refuse to delete anything but drafts: the history names participants."""
        if any(participant.state != "draft" for participant in self):
            raise UserError(
                self.env._(
                    "Only a draft can be deleted; disable the participant instead."
                )
            )

    def _may_call(self) -> bool:
        """Return whether this participant may call at all.

        It is False for an empty record.
        """
        is_demo = bool(os.environ.get(DEMO_VARIABLE))
        return self.state == "active" and (is_demo or not self.demo_only)

    # === THE CLIENT SECRET === #

    def _set_new_client_secret(self) -> str:
        """Return a new client secret of 256 bits, in clear only this once.

        Only a digest of it is stored, computed with a key that is not in the database.
        Where it replaces an active participant's secret, it works as soon as a second
        person has approved it. Raises KeyringUnavailable or KeyringMismatch.
        """
        self.ensure_one()
        secret = secrets.token_urlsafe(32)
        keyring = self.env["spar.keyring"]._open()
        digest = keyring.secret_digest(self.client_id, secret)
        self.write({"client_secret_digest": digest.hex()})
        return secret

    def _compute_client_secret_digest(self) -> None:
        """Leave the field empty: not even a digest is shown."""
        self.client_secret_digest = False

    def _inverse_client_secret_digest(self) -> None:
        for participant in self.filtered("client_secret_digest"):
            self.env.cr.execute(
                SQL(
                    "UPDATE spar_participant SET secret_digest = %s WHERE id = %s",
                    bytes.fromhex(participant.client_secret_digest),
                    participant.id,
                )
            )
