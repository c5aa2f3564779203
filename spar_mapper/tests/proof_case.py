"""The store with an ID provider that it trusts, and owners who confirm changes."""

import json
from dataclasses import replace
from datetime import timezone

from odoo.tools import SQL

from odoo.addons.spar_mapper_connector.lib.confirmed_change import (
    Binding,
    build_change,
)
from odoo.addons.spar_mapper_connector.lib.contract import (
    LinkRequest,
    ObjectionRequest,
    UnlinkRequest,
    UnlockRequest,
    UpdateRequest,
)
from odoo.addons.spar_mapper_connector.lib.owner_proof import make_salt
from odoo.addons.spar_mapper_connector.tests.id_provider import (
    CLIENT,
    ISSUER,
    IdProvider,
)

from .common import StoreCase

#: The ID of the person who confirms, as the provider has it, and of somebody else.
VALUE, OTHER_VALUE = "Ada-1815", "Grace-1906"


class OwnerProofCase(StoreCase):
    """A store that requires proofs, and one issuer with pinned keys."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.proofs = cls.env["spar.owner.proof"]
        cls.id_type = cls.env.ref("spar_mapper_connector.id_type_national_id")
        cls.id_type.issuers = ISSUER
        cls.provider = IdProvider(cls.get_moment())
        cls.issuer = cls.env["spar.proof.issuer"].create(
            {
                "name": "National ID",
                "issuer": ISSUER,
                "audiences": CLIENT,
                "algorithms": "ES256",
                "id_claim": "individual_id",
                "pinned_keys": json.dumps(cls.provider.publish()),
                "id_type_ids": [(6, 0, cls.id_type.ids)],
            }
        )
        cls.env.ref("spar_mapper.limit_owner_proof_required").is_on = True

    @classmethod
    def get_moment(cls) -> int:
        now = cls.env["spar.mapper.local"]._get_now()
        return int(now.replace(tzinfo=timezone.utc).timestamp())

    def setUp(self):
        super().setUp()
        self.provider.now, key = self.get_moment(), self.provider.key
        self.addCleanup(setattr, self.provider, "key", key)

    # === CONFIRMED CHANGES === #

    def build_binding(self, **values) -> Binding:
        usual = {
            "receiver": self.proofs._get_receiver_id(),
            "draft_id": "draft-1",
            "salt": make_salt(),
        }
        return Binding(**{**usual, **values})

    def confirm(self, request, value=VALUE, binding=None, **values):
        """Return the owner's call with the proof that they confirmed ``request``."""
        change = build_change(request, binding or self.build_binding())
        proof = self.provider.confirm(change, value, **values)
        return replace(self.owner, owner_proof=proof)

    def send(self, request, call=None):
        """Send one request as its owner; return its result."""
        call = call or self.confirm(request)
        return self.get_method(request)(call, [request])[0]

    def get_method(self, request):
        return {
            LinkRequest: self.mapper._link_fa,
            UpdateRequest: self.mapper._update_fa,
            UnlinkRequest: self.mapper._unlink_fa,
            UnlockRequest: self.mapper._unlock_changes,
        }[type(request)]

    def object_to(self, request: ObjectionRequest, call=None):
        return self.mapper._object_to(call or self.confirm(request), request)

    def assert_refused(self, code, request, call=None):
        """Assert that a change is refused, and that nothing was changed by it."""
        before = self.count_rows()
        result = self.send(request, call)
        self.assertEqual((result.outcome.value, result.problem), ("forbidden", code))
        self.assertEqual(self.count_rows(), before)

    def count_rows(self):
        tables = ("spar_event", "spar_owner_proof", "spar_subject", "spar_change")
        count = "SELECT count(*) FROM %s"
        return [
            self.env.execute_query(SQL(count, SQL.identifier(table)))[0][0]
            for table in tables
        ]

    # === STORED PROOFS === #

    def get_proofs(self):
        """Return the stored proofs, oldest first."""
        return self.proofs.search([], order="id")

    def rotate_keys(self):
        """Let the provider rotate its key; the store's two people follow."""
        self.provider.rotate()
        self.issuer.pinned_keys = json.dumps(self.provider.publish())
