from odoo import api, models
from odoo.tools import SQL

from odoo.addons.spar_mapper_connector.exceptions import KeyMissing
from odoo.addons.spar_mapper_connector.lib.g2p_connect.signing import (
    KEY_USE,
    place_signature,
)

#: The algorithm whose keys are published even before there are participants.
DEFAULT_ALGORITHM = "ES256"


class SparG2pConnectSignature(models.AbstractModel):
    """Our signatures, which both synchronous answers and callbacks carry."""

    _name = "spar.g2p.connect.signature"
    _description = "Signatures of our messages"

    @api.model
    def _sign_document(
        self, place: str, algorithm: str, document: dict
    ) -> tuple[dict, list[tuple[str, str]]]:
        """Return ``document`` as it is sent, and the headers that go with it.

        ``place`` is where the signature stands, "" for none.
        """
        return place_signature(
            place, document, lambda payload: self._sign(payload, algorithm)
        )

    @api.model
    def _sign(self, payload: bytes, algorithm: str) -> str:
        """Return the signature of ``payload``, generating the key on first use."""
        keys = self.env["spar.signing.key"]
        try:
            return keys._sign(KEY_USE, payload, algorithm)
        except KeyMissing:
            keys._generate(KEY_USE, algorithm)
            return keys._sign(KEY_USE, payload, algorithm)

    @api.model
    def _get_published_keys(self) -> dict:
        """Return our public keys (JWKS) for verifying our signatures; never empty.

        The next key is published long before it is used, for each algorithm by which
        some participant's answers are signed.
        """
        keys = self.env["spar.signing.key"]
        for algorithm in self._get_algorithms():
            for state in ("current", "next"):
                keys._generate(KEY_USE, algorithm, state)
        return keys._get_key_set(KEY_USE)

    @api.model
    def _get_algorithms(self) -> list[str]:
        """Return the algorithms that sign our messages, including the usual one."""
        self.env["spar.participant"].flush_model(["answer_algorithm"])
        rows = self.env.execute_query(
            SQL("SELECT DISTINCT answer_algorithm FROM spar_participant")
        )
        return sorted({DEFAULT_ALGORITHM, *(name for (name,) in rows if name)})
