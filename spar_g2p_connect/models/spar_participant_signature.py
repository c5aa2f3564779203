import contextlib
from collections.abc import Iterable

from odoo import api, models

from odoo.addons.spar_mapper_connector.lib.jose.exceptions import (
    KeySetUnavailable,
    SignatureRefused,
)
from odoo.addons.spar_mapper_connector.lib.jose.key_sets import CACHE, choose_key
from odoo.addons.spar_mapper_connector.lib.jose.keys import PrivateKey, PublicKey
from odoo.addons.spar_mapper_connector.lib.jose.signatures import Signature

from ..exceptions import ProtocolError, SignatureInvalid
from ..lib import evidence as evidences
from ..lib.known_participant import KnownParticipant

#: The dummy key for an unknown sender's signature: verifying takes as long.
_NOBODY = PrivateKey.generate("ES256").public


class SparParticipant(models.Model):
    """The verification of a message's signature with one of the participant's keys."""

    _inherit = "spar.participant"  # pylint: disable=consider-merging-classes-inherited

    @api.model
    def _verify(
        self, known: KnownParticipant, http_signature: str, document: object, raw: bytes
    ) -> PublicKey:
        """Return the key of the ``known`` participant that signed ``document``.

        Raises SignatureMissing or SignatureInvalid.
        """
        place = known.signature_place
        signature = evidences.read_document_signature(place, document, http_signature)
        payloads = evidences.build_payloads(place, document, raw)
        try:
            key = self._find_key(known, signature.kid, signature.algorithm)
        except SignatureInvalid:
            verify_in_vain(signature, payloads)
            raise
        try:
            signature.verify(payloads, key)
        except SignatureRefused as error:
            raise SignatureInvalid(str(error)) from None
        return key

    @api.model
    def _find_key(self, known: KnownParticipant, kid: str, algorithm: str) -> PublicKey:
        """Return the key of the ``known`` participant that ``kid`` names.

        Without a key ID, it is the only one that fits. Raises SignatureInvalid where
        there is none, or one that may not be used now.
        """
        now = self.env["spar.row.versions"]._get("now")
        if kid in known.keys:
            problem = known.keys[kid].get_problem(now)
            if problem:
                raise SignatureInvalid(f"the key {problem}")
            return known.keys[kid].key
        usable = [each.key for each in known.keys.values() if not each.get_problem(now)]
        only = choose_key(usable, "", algorithm) if not kid else None
        return only or self._find_published_key(known.jwks_url, kid, algorithm)

    @api.model
    def _find_published_key(self, url: str, kid: str, algorithm: str) -> PublicKey:
        if not url:
            raise SignatureInvalid("no key with this ID (kid) is known")
        try:
            key = CACHE.find(url, kid, algorithm)
        except KeySetUnavailable as error:
            raise SignatureInvalid(str(error)) from None
        if key is None:
            raise SignatureInvalid("their key set has no key with this ID (kid)")
        return key

    def _diagnose_signature(self, http_signature: str, document, raw: bytes) -> str:
        """Return what is wrong with a signature, as a text for the participant.

        The text is "" for a valid signature.
        """
        try:
            self._verify(self._know_by_id(self.id), http_signature, document, raw)
        except ProtocolError as error:
            return getattr(error, "text", error.description)
        return ""


def verify_in_vain(signature: Signature, payloads: Iterable[bytes]) -> None:
    """Verify with a dummy key, which takes as long as with a participant's own."""
    with contextlib.suppress(SignatureRefused):
        signature.verify(payloads, _NOBODY)
