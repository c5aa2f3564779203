"""Tests with mappers elsewhere beside the store of this database."""

from odoo.orm.model_classes import add_to_registry

from odoo.addons.spar_g2p_connect.models.server.spar_g2p_connect_backends import (
    RESTING,
)

from .common import build_items, seal_settings
from .stand_in import Elsewhere, ElsewhereStore
from .test_asynchronous import StatusCase

BACKEND_LOGGER = "odoo.addons.spar_g2p_connect.models.server.spar_g2p_connect_backends"


class BackendCase(StatusCase):
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
        self.reset_stores()

    def reset_stores(self):
        """Let the mappers elsewhere have nothing, and answer at once."""
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
            (item,) = build_items(key, **members)
            item["reference_id"] = f"ref-{word}"
            item["id"] = f"token:{key}@{backend or 'nationalId'}"
            items.append(item)
        return items

    def ask_for(self, operation, *words, participant=None, **members):
        """Return the answers to one item for each word."""
        items = self.build_items(*words, **members)
        return self.ask(participant or self.full, operation, items)

    def ask_status(self, operation, *references):
        """Return the items in the status of earlier messages."""
        status = self.get_status("reference_id_list", list(references), operation)
        return status[f"{operation}_response"]

    def link_all(self, *words):
        answers = self.ask_for("link", *words, fa="account:{}@BANK")
        self.assertEqual({each["status"] for each in answers}, {"succ"}, answers)
