import contextlib
import logging
from collections.abc import Iterable
from dataclasses import replace

from odoo import api, models

from odoo.addons.spar_mapper_connector.lib.g2p_connect import signing, wire_json
from odoo.addons.spar_mapper_connector.lib.g2p_connect.exceptions import (
    MalformedMessage,
)
from odoo.addons.spar_mapper_connector.lib.jose.exceptions import (
    KeySetUnavailable,
    SignatureRefused,
)
from odoo.addons.spar_mapper_connector.lib.jose.key_sets import CACHE, choose_key
from odoo.addons.spar_mapper_connector.lib.jose.keys import PrivateKey, PublicKey
from odoo.addons.spar_mapper_connector.lib.jose.signatures import Signature

from ...exceptions import (
    ForeignOrigin,
    MissingToken,
    ProtocolError,
    SignatureInvalid,
)
from ...lib import proofs
from ...lib.cached_participant import CachedParticipant
from ...lib.caller import Caller
from ...lib.error_texts import get_text
from ...lib.proofs import RequestEvidence
from ...lib.tokens import read_bearer

_logger = logging.getLogger(__name__)

#: A key that verifies an unknown sender's signature: it takes as long as a real one.
_DUMMY_KEY = PrivateKey.generate("ES256").public


class SparG2pConnectAuthentication(models.AbstractModel):
    """Who sent a request: proved by a token, by the message's signature, or by both."""

    _name = "spar.g2p.connect.authentication"
    _description = "Authentication of participants"

    @api.model
    def _authenticate(
        self, evidence: RequestEvidence, raw: bytes | None = None
    ) -> Caller:
        """Return the sender of a request, and what it may do now.

        For a message (``raw``) the signature may be the only proof. Where a token was
        sent as well, ``_check_signature`` has yet to be called. Raises Unauthorized,
        ForeignOrigin, WireError, or ServiceUnavailable.
        """
        if evidence.has_token or raw is None:
            token = read_bearer(evidence.authorization)
            caller = self.env["spar.g2p.connect.token"]._get_caller(token)
        else:
            caller = self._get_signer(evidence, raw)
        return self._check_origin(replace(caller, evidence=evidence))

    @api.model
    def _check_origin(self, caller: Caller) -> Caller:
        """Return ``caller``; raises ForeignOrigin where its address is not listed."""
        networks = caller.origin_networks
        unlisted = networks and not proofs.is_listed(caller.evidence.address, networks)
        if unlisted or (caller.needs_origin and not networks):
            raise ForeignOrigin()
        return caller

    @api.model
    def _get_signer(self, evidence: RequestEvidence, raw: bytes) -> Caller:
        """Return the caller that the signature of a message proves.

        An unknown sender, a disabled one and a wrong signature get the same answer.
        """
        document = wire_json.parse(raw)
        if not proofs.has_signature(document, evidence.signature):
            raise MissingToken()
        sender = self.env["spar.participant.cache"]._find(
            "p.sender_id = %s", proofs.get_sender(document)
        )
        if not self._may_sign(sender, evidence, document):
            self._refuse_unknown(evidence, document, raw)
        try:
            self._verify(sender, evidence.signature, document, raw)
        except SignatureInvalid as error:
            _logger.info("participant %s: %s", sender.participant_id, error.text)
            raise SignatureInvalid() from None
        if sender.caller.proof != proofs.SIGNATURE:
            raise MissingToken()
        return replace(sender.caller, document=document)

    @api.model
    def _may_sign(
        self, sender: CachedParticipant, evidence: RequestEvidence, document: object
    ) -> bool:
        """Return whether ``sender`` may call by the signature present.

        False where it is not a real participant.
        """
        if not sender.may_call or not sender.caller.needs_signature:
            return False
        place = sender.caller.signature_place
        return proofs.has_signature_at(place, document, evidence.signature)

    @api.model
    def _refuse_unknown(self, evidence: RequestEvidence, document, raw: bytes) -> None:
        """Raise what a wrong signature raises, after as much work."""
        in_header = bool(evidence.signature)
        place = signing.IN_HTTP_HEADER if in_header else signing.IN_MESSAGE
        signature = proofs.read_document_signature(place, document, evidence.signature)
        dummy_verify(signature, signing.build_payloads(place, document, raw))
        raise SignatureInvalid()

    @api.model
    def _check_signature(self, caller: Caller, document: object, raw: bytes) -> None:
        """Raise unless a caller that has to sign is proved to be the message's author.

        Raises SignatureMissing or SignatureInvalid.
        """
        if not caller.needs_signature or caller.document is not None:
            return
        if not isinstance(document, dict):
            raise MalformedMessage("the message must be an object")
        sender = self.env["spar.participant.cache"]._find_by_id(caller.participant_id)
        self._verify(sender, caller.evidence.signature, document, raw)

    # === SIGNATURES === #

    @api.model
    def _verify(
        self,
        sender: CachedParticipant,
        http_signature: str,
        document: object,
        raw: bytes,
    ) -> PublicKey:
        """Return the key of ``sender`` that signed ``document``.

        Raises SignatureMissing or SignatureInvalid.
        """
        place = sender.caller.signature_place
        signature = proofs.read_document_signature(place, document, http_signature)
        payloads = signing.build_payloads(place, document, raw)
        try:
            key = self._find_key(sender, signature.kid, signature.algorithm)
        except SignatureInvalid:
            dummy_verify(signature, payloads)
            raise
        try:
            signature.verify(payloads, key)
        except SignatureRefused as error:
            raise SignatureInvalid(str(error)) from None
        return key

    @api.model
    def _find_key(
        self, sender: CachedParticipant, kid: str, algorithm: str
    ) -> PublicKey:
        """Return the key of ``sender`` that ``kid`` names.

        Without a key ID, it is the only one that fits. Raises SignatureInvalid where
        there is none, or one that may not be used now.
        """
        now = self.env["spar.row.versions"]._get("now")
        if kid in sender.keys:
            problem = sender.keys[kid].get_problem(now)
            if problem:
                raise SignatureInvalid(f"the key {problem}")
            return sender.keys[kid].key
        usable = [
            each.key for each in sender.keys.values() if not each.get_problem(now)
        ]
        only = choose_key(usable, "", algorithm) if not kid else None
        return only or self._find_published_key(sender.jwks_url, kid, algorithm)

    @api.model
    def _find_published_key(self, url: str, kid: str, algorithm: str) -> PublicKey:
        if not url:
            raise SignatureInvalid("this participant has no key with this ID (kid)")
        try:
            key = CACHE.find(url, kid, algorithm)
        except KeySetUnavailable as error:
            raise SignatureInvalid(str(error)) from None
        if key is None:
            raise SignatureInvalid("its JWKS URL has no key with this ID (kid)")
        return key

    @api.model
    def _diagnose_signature(
        self, participant_id: int, http_signature: str, document, raw: bytes
    ) -> str:
        """Return what is wrong with a signature, as a text for the participant.

        The text is "" for a valid signature.
        """
        sender = self.env["spar.participant.cache"]._find_by_id(participant_id)
        try:
            self._verify(sender, http_signature, document, raw)
        except ProtocolError as error:
            return get_text(error)
        return ""


def dummy_verify(signature: Signature, payloads: Iterable[bytes]) -> None:
    """Verify with a dummy key, which takes as long as with a participant's own."""
    with contextlib.suppress(SignatureRefused):
        signature.verify(payloads, _DUMMY_KEY)
