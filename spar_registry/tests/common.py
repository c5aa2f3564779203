from contextlib import nullcontext

from odoo.tests import new_test_user

from odoo.addons.spar_mapper_connector.tests.common import KeyringCase, add_model

#: As they travel: kind and provider in small letters.
ID, OTHER_ID = "token:2007760620@nationalid", "token:2007816053@nationalid"
NUMBER, OTHER_NUMBER = "2007760620", "2007816053"
FA, OTHER_FA, THIRD_FA = (
    "account:111100001111@BR01.TESTBANK",
    "account:222200002222@BR02.TESTBANK",
    "account:333300003333@BR01.TESTBANK",
)


class RegistryCase(KeyringCase):
    """A stand-in mapper, a bank, a programme, and two people with an ID."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._add_stand_in()
        cls.bank = cls.env["spar.fsp"].create(
            {
                "name": "Test Bank",
                "code": "TESTBANK",
                "branch_ids": [
                    (0, 0, {"name": "North", "code": "BR01"}),
                    (0, 0, {"name": "South", "code": "BR02"}),
                ],
            }
        )
        cls.id_type = cls.env.ref("spar_mapper_connector.id_type_national_id")
        cls.user = new_test_user(
            cls.env,
            "programme.user",
            groups="base.group_user,base.group_partner_manager,"
            "spar_registry.group_programme_user",
        )
        cls.manager = new_test_user(
            cls.env,
            "programme.manager",
            groups="base.group_user,base.group_partner_manager,"
            "spar_registry.group_programme_manager",
        )
        cls.programme = cls.env["spar.programme"].create(
            {
                "name": "Child Grant",
                "code": "CHILD",
                "manager_ids": [(4, cls.manager.id)],
            }
        )
        cls.accounts = cls.env["spar.payment.account"]
        cls.entries = cls.env["spar.outbox.entry"]
        cls.worker = cls.env["spar.outbox.worker"]
        cls.ada = cls.create_person("Ada", NUMBER)
        cls.grace = cls.create_person("Grace", OTHER_NUMBER)

    @classmethod
    def _add_stand_in(cls):
        from .stand_in import StandIn

        cls.stand_in = StandIn
        name = StandIn._name
        add_model(cls, StandIn)
        backends = cls.env["spar.mapper.backend"]
        offered = [(name, "Stand-in")]
        cls.classPatch(
            type(backends), "_selection_implementation", lambda _self: offered
        )
        backends.search([]).write({"is_default": False})
        cls.backend = backends.create(
            {"name": "Stand-in", "implementation": name, "is_default": True}
        )

    @classmethod
    def create_person(cls, name, number=None, **values):
        """Return a person, with an ID if ``number`` is given."""
        person = cls.env["res.partner"].create({"name": name, **values})
        if number:
            cls.env["spar.person.identity"].create(
                {
                    "partner_id": person.id,
                    "id_type_id": cls.id_type.id,
                    "value": number,
                }
            )
        return person

    def setUp(self):
        super().setUp()
        from .stand_in import StandInStore

        # In the test's own transaction: nothing is left in the test database.
        self.patch(
            type(self.env["spar.registry.lookup"]),
            "_open_cursor",
            lambda lookups: nullcontext(lookups.env.cr),
        )
        self.store = StandInStore()
        self.registry["spar.mapper.stand.in"].store = self.store

    def collect(self, person, fa, queue=True, **values):
        """Return a collected account, queued unless ``queue`` is false."""
        values.setdefault("programme_id", self.programme.id)
        account = self.accounts._collect(person, fa, **values)
        if queue:
            account._queue()
        return account

    def run_outbox(self) -> None:
        """Send what is due, as the scheduled job does."""
        with self.enter_registry_test_mode(), self.registry.cursor() as cr:
            self.env(cr=cr)["spar.outbox.worker"]._cron_send()
        self.env.invalidate_all()
