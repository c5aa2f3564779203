"""A database beside an ID provider that does what a test wants."""

import os
from unittest.mock import patch

from ..lib.jose.key_sets import CACHE
from .common import KeyringCase
from .hostile_provider import CLIENT_ID, GENERATED_CODE, HostileProvider

ALLOWED = {"SPAR_OUTGOING_ALLOW": "127.0.0.0/8"}


class HostileProviderCase(KeyringCase):
    """A database that may call the hostile provider, which is honest at first."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.startClassPatcher(patch.dict(os.environ, ALLOWED))
        cls.hostile = HostileProvider()
        cls.hostile.start()
        cls.addClassCleanup(cls.hostile.stop)

    def setUp(self):
        super().setUp()
        self.hostile.reset()
        CACHE.forget(self.hostile.metadata["jwks_uri"])

    @classmethod
    def enable_client(cls, model, **values):
        """Create a client of ``model`` at the hostile provider, and enable it."""
        client = cls.env[model].create(
            {
                "name": "Test ID",
                "client_id": CLIENT_ID,
                "issuer": cls.hostile.issuer,
                "client_authentication": "private_key_jwt",
                "userinfo_format": "jws",
                "accepted_acrs": GENERATED_CODE,
                "id_type_id": cls.env.ref(
                    "spar_mapper_connector.id_type_national_id"
                ).id,
                "id_claim": "individual_id",
                **values,
            }
        )
        client.action_discover()
        client._register_issuers()
        client.enabled = True
        return client
