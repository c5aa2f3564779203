import json

from markupsafe import Markup, escape

from odoo import api, fields, models

from odoo.addons.spar_mapper_connector.lib.g2p_connect import signing
from odoo.addons.spar_mapper_connector.lib.g2p_connect.timestamps import (
    format_timestamp,
    now,
)
from odoo.addons.spar_mapper_connector.lib.jose.canonical import canonicalise
from odoo.addons.spar_mapper_connector.lib.jose.keys import PrivateKey
from odoo.addons.spar_mapper_connector.lib.jose.signatures import sign_detached

from ..lib import proofs
from ..models.server.spar_g2p_connect_trial import FAILED, PASSED, TrialCheck

_SIGNS = {PASSED: ("text-success", "✓"), FAILED: ("text-danger", "✗")}


class SparParticipantTrial(models.TransientModel):
    """Instructions for calling the API, and a check of a participant's message.

    A message that is pasted here is stored in no table: it is checked while it is
    typed, by the form's onchange calls, and gone when the dialog is closed.
    """

    _name = "spar.participant.trial"
    _description = "Trial of a participant's calls"

    participant_id = fields.Many2one(
        "spar.participant",
        required=True,
        readonly=True,
        ondelete="cascade",
        default=lambda self: self._default_participant_id(),
    )
    action = fields.Selection(
        [
            ("resolve", "Resolve"),
            ("link", "Link"),
            ("update", "Update"),
            ("unlink", "Unlink"),
        ],
        string="Operation",
        required=True,
        default="resolve",
    )
    settings = fields.Html(compute="_compute_settings", sanitize=False)
    sample = fields.Text(
        string="Example request", compute="_compute_sample", readonly=True
    )
    sample_key = fields.Text(string="Key that signed it", compute="_compute_sample")
    body = fields.Text(string="Request body", store=False)
    http_signature = fields.Char(string="Signature header", store=False)
    result = fields.Html(store=False, sanitize=False)

    @api.model
    def _default_participant_id(self) -> int:
        return self.env.context.get("active_id", False)

    # === HOW TO CALL === #

    @api.depends("participant_id")
    def _compute_settings(self) -> None:
        for trial in self:
            rows = trial._get_settings(trial.participant_id)
            lines = [
                Markup("<tr><th scope='row'>%s</th><td>%s</td></tr>") % row
                for row in rows
            ]
            trial.settings = Markup("<table class='table table-sm'>%s</table>") % (
                Markup().join(lines)
            )

    @api.model
    def _get_settings(self, participant) -> list[tuple[str, str]]:
        """Return what the participant has to know, as labels and values."""
        fields_get = participant.fields_get(["proof", "signature_place"], ["selection"])
        proof_labels = dict(fields_get["proof"]["selection"])
        place_labels = dict(fields_get["signature_place"]["selection"])
        api_url = self._get_api_url()
        token_endpoint = self.env["spar.g2p.connect.token"]._get_token_endpoint()
        rows = [
            (self.env._("API URL"), api_url),
            (self.env._("API documentation"), f"{api_url}/docs"),
            (self.env._("Token endpoint"), token_endpoint),
            (self.env._("Client ID"), participant.client_id),
            (self.env._("Sender ID"), participant.sender_id),
            (self.env._("Receiver ID (ours)"), participant._get_receiver_id()),
            (self.env._("Authentication"), proof_labels[participant.proof]),
        ]
        if participant.proof not in proofs.UNSIGNED:
            keys = participant.key_ids.filtered(lambda key: key.state == "active")
            rows += [
                (
                    self.env._("Signature location"),
                    place_labels[participant.signature_place],
                ),
                (self.env._("Active keys"), ", ".join(keys.mapped("kid")) or "–"),
                (self.env._("Our JWKS URL"), f"{api_url}/.well-known/jwks.json"),
                (self.env._("Our signature algorithm"), participant.answer_algorithm),
            ]
        return rows

    @api.model
    def _get_api_url(self) -> str:
        """Return the API's URL as configured, which client assertions have to name."""
        return self.env["spar.g2p.connect.token"]._get_api_url()

    @api.depends("participant_id", "action")
    def _compute_sample(self) -> None:
        for trial in self:
            message = trial._build_sample()
            trial.sample, trial.sample_key = trial._sign_sample(message)

    def _build_sample(self) -> dict:
        moment = format_timestamp(now())
        item = {"reference_id": "r-1", "timestamp": moment, "id": "token:1@nationalId"}
        if self.action == "resolve":
            item["scope"] = self.participant_id.scope
        elif self.action != "unlink":
            item["fa"] = "account:001234567890@BR01.BANK"
        return {
            "header": {
                "version": "1.0.0",
                "message_id": "m-1",
                "message_ts": moment,
                "action": self.action,
                "sender_id": self.participant_id.sender_id or "",
                "receiver_id": self.participant_id._get_receiver_id(),
                "total_count": 1,
            },
            "message": {"transaction_id": "t-1", f"{self.action}_request": [item]},
        }

    def _sign_sample(self, message: dict) -> tuple[str, str]:
        """Return the whole request, signed with a key made for it, and that key.

        With the key, a participant can compare its own signer with ours.
        """
        participant = self.participant_id
        lines = [f"POST {self._get_api_url()}/mapper/sync/{self.action}"]
        if participant.proof != proofs.SIGNATURE:
            lines.append("Authorization: Bearer <token>")
        lines.append("Content-Type: application/json")
        if participant.proof in proofs.UNSIGNED:
            return "\n".join([*lines, "", json.dumps(message, indent=2)]), ""
        key = PrivateKey.generate("ES256")
        if participant.signature_place == signing.IN_HTTP_HEADER:
            lines.append(f"Signature: {sign_detached(canonicalise(message), key)}")
        else:
            signature = sign_detached(canonicalise(message), key)
            message = {"signature": signature, **message}
        jwk = json.dumps(key.to_jwk(), indent=2)
        return "\n".join([*lines, "", json.dumps(message, indent=2)]), jwk

    # === TRYING A MESSAGE === #

    @api.onchange("body", "http_signature", "action")
    def _onchange_body(self) -> None:
        """Run all checks on the pasted message."""
        if not (self.body or "").strip():
            self.result = False
            return
        participant = self.participant_id._origin or self.participant_id
        checks = self.env["spar.g2p.connect.trial"]._try_message(
            participant,
            self.action,
            self.body.encode(errors="replace"),
            self.http_signature or "",
        )
        self.result = Markup("<ul class='list-unstyled'>%s</ul>") % Markup().join(
            self._render_check(check) for check in checks
        )

    @api.model
    def _render_check(self, check: TrialCheck) -> Markup:
        css, sign = _SIGNS.get(check.outcome, ("text-muted", "·"))
        labels = {PASSED: self.env._("passed"), FAILED: self.env._("failed")}
        label = labels.get(check.outcome, self.env._("not reached"))
        text = Markup(": %s") % escape(check.text) if check.text else ""
        line = "<li class='%s'><span aria-hidden='true'>%s</span> %s (%s)%s</li>"
        return Markup(line) % (css, sign, check.name, label, text)
