from dataclasses import replace
from datetime import datetime
from unittest.mock import patch

import psycopg2

from odoo.exceptions import AccessError, UserError
from odoo.service.model import get_public_method
from odoo.tools import mute_logger

from ..exceptions import KeyringUnavailable, MapperError, NotSupported
from ..lib.contract import Outcome, PaymentState, Period, Result, Standing
from .common import KeyringCase

BATCHES = (
    "_link_fa",
    "_update_fa",
    "_unlink_fa",
    "_resolve_fa",
    "_suspend_fa",
    "_resume_fa",
)


class TestContractModel(KeyringCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.mapper = cls.env["spar.mapper"]

    def test_a_mapper_supports_nothing_by_default(self):
        self.assertEqual(self.mapper._capabilities(), frozenset())

    def test_missing_operations_are_not_supported(self):
        for name in BATCHES:
            with self.subTest(name):
                method = getattr(self.mapper, name)
                self.assert_refused(NotSupported, method, self.call, [])
        self.assert_refused(NotSupported, self.mapper._history, self.call, "4711")
        self.assert_refused(NotSupported, self.mapper._change_status, self.call, [])

    def test_the_address_at_a_moment_comes_from_the_history(self):
        begin, end = datetime(2026, 3, 1), datetime(2026, 4, 1)
        march = Period("u", "fa", "ended", "", 1, begin, end, "rest", "x")
        with patch.object(type(self.mapper), "_history", lambda *args: [march]):
            found = self.mapper._address_at(self.call, "4711", datetime(2026, 3, 5))
            self.assertEqual(found, replace(march, state="active"))
            self.assertIsNone(self.mapper._address_at(self.call, "4711", end))

    def test_standing_of_a_mapper_that_only_resolves(self):
        results = [
            Result(Outcome.FOUND, fa="account:1@b"),
            Result(Outcome.NOT_LINKED),
            Result(Outcome.RETRY),
        ]
        with patch.object(type(self.mapper), "_resolve_fa", lambda *args: results):
            found = self.mapper._standing(self.call, ["1", "2", "3"], "pension")
        self.assertEqual(
            found,
            [
                Standing("1", "pension", PaymentState.PAYABLE),
                Standing("2", "pension", PaymentState.NOT_LINKED),
                Standing("3", "pension", PaymentState.UNKNOWN),
            ],
        )

    def test_nothing_of_it_can_be_called_from_outside(self):
        for model in ("spar.mapper", "spar.keyring"):
            own = [
                name
                for name in dir(type(self.env[model]))
                if not hasattr(type(self.env["base"]), name)
            ]
            self.assertTrue(own)
            for name in own:
                with self.subTest(model=model, name=name):
                    if callable(getattr(self.env[model], name)):
                        with self.assertRaises(AccessError):
                            get_public_method(self.env[model], name)


class TestBackend(KeyringCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.backends = cls.env["spar.mapper.backend"]
        cls.backends.search([]).write({"is_default": False})

    def create_backend(self, implementation="spar.mapper", **values):
        """Return a backend; its implementation need not be among those offered."""
        offered = [(implementation, "Somebody")]
        self.patch(
            type(self.backends), "_selection_implementation", lambda _self: offered
        )
        return self.backends.create(
            {"name": "Somebody", "implementation": implementation, **values}
        )

    def test_the_default_backend_is_used(self):
        self.create_backend(is_default=True)
        self.assertEqual(self.backends._get_mapper()._name, "spar.mapper")

    def test_a_user_without_rights_finds_the_default_backend(self):
        self.create_backend(is_default=True)
        outsider = self.create_user(login="test_nobody")
        mapper = self.backends.with_user(outsider)._get_mapper()
        self.assertEqual(mapper.env.user, outsider)

    def test_a_mapper_is_bound_to_its_backend(self):
        default = self.create_backend(is_default=True)
        other = self.create_backend(name="Another")
        id_type = self.env["spar.id.type"].search([], limit=1)
        for named, expected in ((self.backends, default), (other, other)):
            with self.subTest(named.name):
                id_type.backend_id = named
                mapper = self.backends._get_mapper(id_type)
                self.assertEqual(mapper._get_backend(), expected)
                self.assertEqual(mapper.sudo()._get_backend(), expected)
        self.assertEqual(self.backends._get_mapper()._get_backend(), default)

    def test_an_unbound_mapper_has_no_backend(self):
        self.assert_refused(ValueError, self.env["spar.mapper"]._get_backend)

    def test_without_a_default_there_is_no_mapper(self):
        self.create_backend()
        self.assert_refused(MapperError, self.backends._get_mapper)

    def test_an_archived_default_is_not_used(self):
        self.create_backend(is_default=True).active = False
        self.assert_refused(MapperError, self.backends._get_mapper)

    def test_there_is_one_default(self):
        self.create_backend(is_default=True)
        with (
            mute_logger("odoo.sql_db"),
            self.assertRaises(psycopg2.errors.UniqueViolation),
            self.env.cr.savepoint(),
        ):
            self.create_backend(is_default=True)

    def test_every_implementation_of_the_contract_is_offered(self):
        offered = {name for name, _label in self.backends._selection_implementation()}
        self.assertLessEqual({"spar.mapper.g2p_connect", "spar.mapper.spar"}, offered)
        self.assertNotIn("spar.mapper", offered)

    def test_what_is_for_the_demo_is_not_offered(self):
        self.patch(type(self.env["spar.mapper.spar"]), "_is_offered", False)
        offered = {name for name, _label in self.backends._selection_implementation()}
        self.assertNotIn("spar.mapper.spar", offered)

    def test_test_connection_shows_the_capabilities(self):
        backend = self.create_backend()
        action = backend.action_test_connection()
        self.assertEqual(action["params"]["type"], "success")

    def test_test_connection_without_keys_shows_the_cause(self):
        backend = self.create_backend()
        failing = patch.object(
            type(self.keyrings),
            "_open",
            lambda _self: (_ for _ in ()).throw(KeyringUnavailable("no file")),
        )
        with failing, self.assertRaisesRegex(UserError, "no file"):
            backend.action_test_connection()
