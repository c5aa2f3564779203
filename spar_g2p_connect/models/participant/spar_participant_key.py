import json

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import SQL

from odoo.addons.spar_mapper_connector.lib.jose.exceptions import KeyRefused
from odoo.addons.spar_mapper_connector.lib.jose.keys import PublicKey, read_public_key

from ...lib.cached_participant import CachedKey

KEY_STATES = [
    ("waiting", "Waiting"),
    ("active", "Active"),
    ("revoked", "Revoked"),
]


class SparParticipantKey(models.Model):
    """A public key of a participant, which verifies its signatures.

    Several may be in use at a time, each for a period of its own: a new one is entered
    before the old one expires. For an active participant a new key waits for a second
    person; revoking one does not.
    """

    _name = "spar.participant.key"
    _description = "Key of a participant"
    _inherit = ["spar.second.person", "spar.sealed.setting", "spar.cached.records"]
    _order = "participant_id, id desc"
    _rec_name = "kid"
    _guarded_fields = ("is_trusted", "valid_from", "valid_to", "revoked_at")
    _guarded_at_creation = ("is_trusted",)
    _is_whole = False
    _sealed_fields = ("participant_id", "kid", "public_jwk", "thumbprint")

    participant_id = fields.Many2one(
        "spar.participant", required=True, ondelete="cascade", index=True
    )
    key_text = fields.Text(
        string="Key",
        required=True,
        help="The public key as PEM, as X.509 certificate in PEM, or as JWK.",
    )
    kid = fields.Char(
        string="Key ID",
        help="How signatures name the key; by default, the ID that the key contains.",
    )
    algorithms = fields.Char(readonly=True)
    public_jwk = fields.Text(string="JWK", readonly=True)
    thumbprint = fields.Char(string="Thumbprint (RFC 7638)", readonly=True)
    valid_from = fields.Datetime(string="Valid from", help="Empty: valid immediately.")
    valid_to = fields.Datetime(
        string="Valid to", help="Empty: valid until it is revoked."
    )
    is_trusted = fields.Boolean(string="Trusted", readonly=True)
    revoked_at = fields.Datetime(string="Revoked", readonly=True)
    state = fields.Selection(KEY_STATES, compute="_compute_state", store=True)

    _kid_uniq = models.UniqueIndex(
        "(participant_id, kid) WHERE revoked_at IS NULL",
        "This participant already has a key with this ID.",
    )
    _thumbprint_uniq = models.UniqueIndex(
        "(thumbprint) WHERE revoked_at IS NULL",
        "This key is already in use. Every participant needs its own keys.",
    )

    @api.onchange("key_text")
    def _onchange_key_text(self) -> None:
        """Show the attributes that the key itself contains."""
        if self.key_text:
            self.update(self._read_key(self.key_text))

    @api.depends("is_trusted", "revoked_at")
    def _compute_state(self) -> None:
        for record in self:
            trusted = "active" if record.is_trusted else "waiting"
            record.state = "revoked" if record.revoked_at else trusted

    @api.model
    def _read_key(self, text: str) -> dict:
        """Return the attributes that a key contains.

        Raises ValidationError, naming what is wrong.
        """
        try:
            return _get_values(read_public_key(text or ""))
        except KeyRefused as error:
            raise ValidationError(
                self.env._("The key cannot be used: %(cause)s.", cause=error)
            ) from None

    @api.constrains("key_text", "kid")
    def _check_kid(self) -> None:
        for record in self:
            if not record.kid or len(record.kid) > 255 or not record.kid.isprintable():
                raise ValidationError(
                    self.env._("A key ID must have 1 to 255 visible characters.")
                )

    @api.constrains("valid_from", "valid_to")
    def _check_dates(self) -> None:
        for record in self:
            ends = record.valid_from and record.valid_to
            if ends and record.valid_to <= record.valid_from:
                raise ValidationError(self.env._("A key must end after it begins."))

    # === TWO PEOPLE === #

    def _is_guarded(self, name: str, value) -> bool:
        """Return whether a change waits for approval.

        Anything that makes a key valid, or valid for longer, does. A key is revoked at
        once; undoing that takes two people whatever the participant's state.
        """
        if name == "revoked_at":
            return not value
        return self.participant_id.state != "draft"

    def _stops(self, name: str, value) -> bool:
        return name == "revoked_at" and bool(value)

    def _check_draft_unclaimed(self) -> None:
        """Ensure that a draft's keys do not change while its approval is pending."""
        drafts = self.participant_id.filtered(lambda record: record.state == "draft")
        if not self.env.su:
            drafts._check_unclaimed({})

    @api.model_create_multi
    def create(self, vals_list):
        """Create keys with the attributes that they contain.

        Values given by the caller take precedence, except for fields in ``_READ``.
        """
        self._refuse_code_fields(set().union(*vals_list))
        complete = []
        for vals in vals_list:
            given = {name: value for name, value in vals.items() if value}
            contained = self._read_key(vals.get("key_text"))
            fixed = {name: contained[name] for name in _READ}
            complete.append({**contained, **given, **fixed, "is_trusted": True})
        keys = super(SparParticipantKey, self._as_code()).create(complete)
        keys = keys.with_env(self.env)
        keys._check_draft_unclaimed()
        return keys

    def write(self, vals):
        if _FIXED & set(vals):
            raise UserError(
                self.env._(
                    "A key cannot be changed: enter a new one and revoke this one."
                )
            )
        return super().write(vals)

    def action_revoke(self) -> None:
        """Accept nothing that is signed with these keys, from this moment."""
        valid = self.filtered(lambda key: not key.revoked_at)
        valid._as_code().write({"revoked_at": fields.Datetime.now()})
        self.flush_recordset()

    @api.ondelete(at_uninstall=False)
    def _unlink_only_of_draft(self) -> None:
        if any(key.participant_id.state != "draft" for key in self):
            raise UserError(
                self.env._(
                    "A key that was in use cannot be deleted; revoke it instead."
                )
            )
        self._check_draft_unclaimed()

    # === USING === #

    @api.model
    def _read_keys(self, participant_id: int) -> dict[str, CachedKey]:
        """Return a participant's keys by their IDs, except keys that were altered."""
        self.flush_model()
        mine_sudo = self.sudo().search([("participant_id", "=", participant_id)])
        rows = self.env.execute_query(
            SQL(
                """SELECT kid, public_jwk,
                          CASE WHEN revoked_at IS NOT NULL THEN 'was revoked'
                               WHEN is_trusted THEN ''
                               ELSE 'is not approved yet' END, valid_from, valid_to
                     FROM spar_participant_key WHERE id = ANY(%s)
                    ORDER BY revoked_at DESC NULLS LAST, id""",
                mine_sudo._filter_true().ids,
            )
        )
        return {kid: CachedKey(read_public_key(jwk), *rest) for kid, jwk, *rest in rows}


#: _READ: read from the key itself, whatever callers send. _FIXED: never changes.
_READ = ("algorithms", "public_jwk", "thumbprint")
_FIXED = frozenset({"key_text", "participant_id", "kid", *_READ})


def _get_values(key: PublicKey) -> dict:
    """Return the values of the fields that a key's text provides."""
    first, last = (m and m.replace(tzinfo=None) for m in (key.valid_from, key.valid_to))
    return {
        "kid": key.kid,
        "algorithms": ", ".join(key.algorithms),
        "public_jwk": json.dumps(_narrow(key)),
        "thumbprint": key.thumbprint,
        "valid_from": first or False,
        "valid_to": last or False,
    }


def _narrow(key: PublicKey) -> dict:
    """Return the key as a JWK that states its algorithm, where it has only one."""
    one = len(key.algorithms) == 1
    return {**key.jwk, "alg": key.algorithms[0]} if one else key.jwk
