"""Tests with mappers elsewhere beside the store of this database."""

from odoo.orm.model_classes import add_to_registry

from odoo.addons.spar_g2p_connect.models.server.spar_g2p_connect_backends import (
    RESTING,
)

from .common import seal_settings
from .stand_in import Elsewhere, ElsewhereStore
from .test_asynchronous import AsynchronousCase

BACKEND_LOGGER = "odoo.addons.spar_g2p_connect.models.server.spar_g2p_connect_backends"


class BackendCase(AsynchronousCase):
    """Two mappers elsewhere: for IDs ``token:…@second`` and ``token:…@third``."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._add_stand_in()
        cls.second = cls.make_backend("second")
        cls.third = cls.make_backend("third")
        seal_settings(cls.env, "spar.id.type", "spar.mapper.backend")

    @classmethod
    def _add_stand_in(cls):
        add_to_registry(cls.registry, Elsewhere)
        cls.registry._setup_models__(cls.env.cr, [Elsewhere._name])
        cls.addClassCleanup(cls.registry.__delitem__, Elsewhere._name)

    @classmethod
    def make_backend(cls, word):
        """Return a backend that an ID type of its own names."""
        backend = cls.env["spar.mapper.backend"].create(
            {"name": word, "implementation": Elsewhere._name}
        )
        cls.env["spar.id.type"].create(
            {
                "name": word,
                "code": word,
                "strategy": f"token:{{sub}}@{word}",
                "backend_id": backend.id,
            }
        )
        return backend

    def setUp(self):
        super().setUp()
        RESTING.__init__()
        names = (self.second.id, self.third.id)
        self.stores = {name: ElsewhereStore() for name in names}
        self.registry[Elsewhere._name].stores = self.stores
        self.store = self.stores[self.second.id]
        self.other = self.stores[self.third.id]

    def build_items(self, *words, **members):
        """Return an item for each ``key@backend``; "" is the store of this database.

        ``{}`` in other members is replaced by the key.
        """
        items = []
        for word in words:
            key, _at, backend = word.partition("@")
            filled = {
                name: value.format(key) if isinstance(value, str) else value
                for name, value in members.items()
            }
            items.append(
                {
                    "reference_id": f"ref-{word}",
                    "timestamp": "2026-03-01T10:00:00.000+00:00",
                    "id": f"token:{key}@{backend or 'nationalId'}",
                    **filled,
                }
            )
        return items

    def ask_for(self, operation, *words, participant=None, **members):
        """Return the answers to one item for each word."""
        items = self.build_items(*words, **members)
        return self.ask(participant or self.full, operation, items)

    def link_all(self, *words):
        answers = self.ask_for("link", *words, fa="account:{}@BANK")
        self.assertEqual({each["status"] for each in answers}, {"succ"}, answers)
