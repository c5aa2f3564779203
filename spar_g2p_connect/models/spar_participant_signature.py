import contextlib
from collections.abc import Iterable

from odoo import models

from odoo.addons.spar_mapper_connector.lib.jose.exceptions import (
    KeySetUnavailable,
    SignatureRefused,
)
from odoo.addons.spar_mapper_connector.lib.jose.key_sets import CACHE, choose_key
from odoo.addons.spar_mapper_connector.lib.jose.keys import PrivateKey, PublicKey
from odoo.addons.spar_mapper_connector.lib.jose.signatures import Signature

from ..exceptions import ProtocolError, SignatureInvalid
from ..lib import evidence as evidences

#: Whose signature an unknown sender's is compared with: it takes as long.
_NOBODY = PrivateKey.generate("ES256").public


class SparParticipant(models.Model):
    """By which of its keys a participant signed a message."""

    _inherit = "spar.participant"  # pylint: disable=consider-merging-classes-inherited

    def _verify(self, http_signature: str, document: object, raw: bytes) -> PublicKey:
        """The key of this participant that signed ``document``.

        Raises SignatureMissing or SignatureInvalid.
        """
        self.ensure_one()
        place = self.signature_place
        signature = evidences.read_document_signature(place, document, http_signature)
        payloads = evidences.build_payloads(place, document, raw)
        try:
            key = self._find_key(signature.kid, signature.algorithm)
        except SignatureInvalid:
            verify_in_vain(signature, payloads)
            raise
        try:
            signature.verify(payloads, key)
        except SignatureRefused as error:
            raise SignatureInvalid(str(error)) from None
        return key

    def _find_key(self, kid: str, algorithm: str) -> PublicKey:
        """The key that ``kid`` names; without a name, the only one that fits.

        Raises SignatureInvalid for none, or one that may not be used now.
        """
        keys = self.env["spar.participant.key"]._get_keys(self.id)
        if kid in keys:
            key, problem = keys[kid]
            if problem:
                raise SignatureInvalid(f"the key {problem}")
            return key
        usable = [key for key, problem in keys.values() if not problem]
        only = choose_key(usable, "", algorithm) if not kid else None
        return only or self._find_published_key(kid, algorithm)

    def _find_published_key(self, kid: str, algorithm: str) -> PublicKey:
        if not self.jwks_url:
            raise SignatureInvalid("no key with this ID (kid) is known")
        try:
            key = CACHE.find(self.jwks_url, kid, algorithm)
        except KeySetUnavailable as error:
            raise SignatureInvalid(str(error)) from None
        if key is None:
            raise SignatureInvalid("their key set has no key with this ID (kid)")
        return key

    def _diagnose_signature(self, http_signature: str, document, raw: bytes) -> str:
        """What is wrong with a signature, in words for the participant; "" if right."""
        try:
            self._verify(http_signature, document, raw)
        except ProtocolError as error:
            return getattr(error, "text", error.description)
        return ""


def verify_in_vain(signature: Signature, payloads: Iterable[bytes]) -> None:
    """Take as long as with a key of somebody who is known."""
    with contextlib.suppress(SignatureRefused):
        signature.verify(payloads, _NOBODY)
