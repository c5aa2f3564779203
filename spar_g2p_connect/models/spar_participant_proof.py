import logging
from dataclasses import replace

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from odoo.addons.spar_mapper_connector.exceptions import OutgoingRefused, TargetUnknown
from odoo.addons.spar_mapper_connector.lib.contract import Operation
from odoo.addons.spar_mapper_connector.lib.g2p_connect import wire_json
from odoo.addons.spar_mapper_connector.lib.g2p_connect.exceptions import (
    MalformedMessage,
)
from odoo.addons.spar_mapper_connector.lib.jose.key_sets import CACHE
from odoo.addons.spar_mapper_connector.lib.jose.keys import ALGORITHMS
from odoo.addons.spar_mapper_connector.lib.outgoing import check_url

from ..exceptions import ForeignOrigin, MissingToken, SignatureInvalid
from ..lib import evidence as evidences
from ..lib.caller import Caller
from ..lib.evidence import Evidence
from ..lib.known_participant import KnownParticipant
from ..lib.tokens import read_bearer
from .spar_participant_signature import verify_in_vain

_logger = logging.getLogger(__name__)

#: How the history records that a participant was authenticated.
_WORDS = {
    evidences.TOKEN: "bearer",
    evidences.TOKEN_AS_BEFORE: "bearer",
    evidences.SIGNATURE: "signature",
    evidences.BOTH: "bearer+signature",
}


class SparParticipant(models.Model):
    """Authentication by a token, by the signature of the message, or by both.

    Syntax may be relaxed, identity never: a participant that does not sign calls from
    listed addresses only, and only to resolve. Lenient settings for trials work in a
    demo only. Participants that called with a token alone before signatures were
    required go on as before, until an administrator chooses another proof: there is no
    way back.
    """

    _inherit = "spar.participant"  # pylint: disable=consider-merging-classes-inherited

    proof = fields.Selection(
        [
            (evidences.BOTH, "Token and signature"),
            (evidences.SIGNATURE, "Signature"),
            (evidences.TOKEN, "Token, from listed addresses, only to resolve"),
            (evidences.TOKEN_AS_BEFORE, "Token alone, as before signatures"),
        ],
        string="What proves who calls",
        required=True,
        default=evidences.BOTH,
    )
    signature_place = fields.Selection(
        [
            (evidences.IN_MESSAGE, "In the message (jws_envelope)"),
            (evidences.IN_HTTP_HEADER, "In the HTTP header (jws_header)"),
        ],
        string="Place of signatures",
        required=True,
        default=evidences.IN_MESSAGE,
        help="Of theirs, and of ours in answers and callbacks.",
    )
    answer_algorithm = fields.Selection(
        selection=lambda self: self._selection_answer_algorithm(),
        string="Algorithm of our signatures",
        required=True,
        default="ES256",
    )
    key_ids = fields.One2many("spar.participant.key", "participant_id", string="Keys")
    jwks_url = fields.Char(
        string="Address of their key set",
        help="Where the participant publishes its keys (JWKS), beside or in place of "
        "those entered here.",
    )
    origin_networks = fields.Char(
        string="Addresses of origin",
        help="Networks or addresses from which it calls, separated by commas; empty "
        "for any. Required where it does not sign.",
    )

    @api.model
    def _selection_answer_algorithm(self) -> list[tuple[str, str]]:
        return [(name, name) for name in ALGORITHMS]

    @api.constrains("origin_networks")
    def _check_origin_networks(self) -> None:
        for participant in self.filtered("origin_networks"):
            try:
                evidences.parse_networks(participant.origin_networks)
            except ValueError:
                raise ValidationError(
                    self.env._(
                        "Addresses of origin: write networks such as 192.0.2.0/24, "
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
                        "Address of their key set: it must begin with https:// and "
                        "lead to a public address."
                    )
                ) from None
            CACHE.forget(participant.jwks_url)

    @api.constrains("proof", "state", "origin_networks", "jwks_url", "key_ids")
    def _check_proof(self) -> None:
        """Ensure that an active participant has what its proof requires."""
        for participant in self.filtered(lambda p: p.state == "active"):
            if participant.demo_only:
                continue
            if participant.proof == evidences.TOKEN and not participant.origin_networks:
                raise ValidationError(
                    self.env._("Who does not sign calls from listed addresses only.")
                )

    @api.model_create_multi
    def create(self, vals_list):
        if any(v.get("proof") == evidences.TOKEN_AS_BEFORE for v in vals_list):
            self._raise_not_from_before()
        return super().create(vals_list)

    def write(self, vals):
        keeps = set(self.mapped("proof")) <= {evidences.TOKEN_AS_BEFORE}
        if vals.get("proof") == evidences.TOKEN_AS_BEFORE and not keeps:
            self._raise_not_from_before()
        return super().write(vals)

    def copy_data(self, default=None):
        """Give a copy the default proof where the original's is only for legacy use."""
        copies = super().copy_data(default)
        for vals in copies:
            if vals.get("proof") == evidences.TOKEN_AS_BEFORE:
                del vals["proof"]
        return copies

    @api.model
    def _raise_not_from_before(self):
        raise UserError(
            self.env._(
                "A token alone proves only who called before signatures were asked "
                "for. Choose another proof."
            )
        )

    # === AUTHENTICATION === #

    @api.model
    def _know_caller(self, evidence: Evidence, raw: bytes | None = None) -> Caller:
        """Return the sender of a request, and what it may do now.

        For a message (``raw``) the signature may be the only proof. Where a token was
        sent as well, ``_prove`` has yet to be called. Raises Unauthorized,
        ForeignOrigin, WireError, or ServiceUnavailable.
        """
        if evidence.has_token or raw is None:
            caller = self._get_caller(read_bearer(evidence.authorization))
        else:
            caller = self._get_signer(evidence, raw)
        return self._check_origin(replace(caller, evidence=evidence))

    @api.model
    def _check_origin(self, caller: Caller) -> Caller:
        """Return ``caller``; raises ForeignOrigin where its address is not listed."""
        networks = caller.origin_networks
        unlisted = networks and not evidences.is_listed(
            caller.evidence.address, networks
        )
        if unlisted or (caller.needs_origin and not networks):
            raise ForeignOrigin()
        return caller

    @api.model
    def _get_signer(self, evidence: Evidence, raw: bytes) -> Caller:
        """Return the caller that the signature of a message proves.

        An unknown sender, a disabled one and a wrong signature get the same answer.
        """
        document = wire_json.parse(raw)
        if not evidences.has_signature(document, evidence.signature):
            raise MissingToken()
        known = self._know("p.sender_id = %s", evidences.get_sender(document))
        if not self._may_sign(known, evidence, document):
            self._refuse_unknown(evidence, document, raw)
        try:
            self._verify(known, evidence.signature, document, raw)
        except SignatureInvalid as error:
            _logger.info("participant %s: %s", known.participant_id, error.text)
            raise SignatureInvalid() from None
        if known.proof != evidences.SIGNATURE:
            raise MissingToken()
        return replace(known.caller, document=document)

    @api.model
    def _may_sign(
        self, known: KnownParticipant, evidence: Evidence, document: object
    ) -> bool:
        """Return whether the ``known`` participant may call by the signature present.

        False where it is not a real participant.
        """
        if not known.may_call or known.proof in evidences.UNSIGNED:
            return False
        place = known.signature_place
        return evidences.has_signature_at(place, document, evidence.signature)

    @api.model
    def _refuse_unknown(self, evidence: Evidence, document, raw: bytes) -> None:
        """Raise what a wrong signature raises, after as much work."""
        in_header = bool(evidence.signature)
        place = evidences.IN_HTTP_HEADER if in_header else evidences.IN_MESSAGE
        signature = evidences.read_document_signature(
            place, document, evidence.signature
        )
        verify_in_vain(signature, evidences.build_payloads(place, document, raw))
        raise SignatureInvalid()

    @api.model
    def _prove(self, caller: Caller, document: object, raw: bytes) -> None:
        """Raise unless a caller that has to sign is proved to be the message's author.

        Raises SignatureMissing or SignatureInvalid.
        """
        if not caller.needs_signature or caller.document is not None:
            return
        if not isinstance(document, dict):
            raise MalformedMessage("the message must be an object")
        known = self._know_by_id(caller.participant_id)
        self._verify(known, caller.evidence.signature, document, raw)

    def _describe_keys(self) -> list[str]:
        """Return this participant's active keys, as shown to an approver."""
        label = self._fields["key_ids"]._description_string(self.env)
        keys = self.key_ids.filtered(lambda key: key.state == "active")
        return [f"{label}: {key.kid} ({key.thumbprint})" for key in keys]

    # === RIGHTS === #

    def _build_caller(self, operations: frozenset[Operation]) -> Caller:
        caller = super()._build_caller(operations)
        signs = self.proof not in evidences.UNSIGNED
        needs_origin = self.proof == evidences.TOKEN and not self.demo_only
        if needs_origin:
            rights = caller.rights
            asks = rights.operations & {Operation.RESOLVE}
            caller = replace(caller, rights=replace(rights, operations=asks))
        return replace(
            caller,
            authenticated_by=_WORDS[self.proof],
            needs_signature=signs,
            needs_origin=needs_origin,
            must_not_repeat=caller.must_not_repeat
            and self.proof != evidences.TOKEN_AS_BEFORE,
            origin_networks=self.origin_networks or "",
            signature_place=self.signature_place if signs else "",
            answer_algorithm=self.answer_algorithm,
        )
