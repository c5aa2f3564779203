from odoo.tools import SQL

from odoo.addons.spar_registry.tests.common import RegistryCase


class SourceCase(RegistryCase):
    """People of another registry: two, and a household with a head.

    Each registry's tests say how its rows are made.
    """

    NUMBER_OF_HOPE, NUMBER_OF_IVAN = "3007760620", "3007816053"
    ID_OF_HOPE = "token:3007760620@nationalid"
    ID_OF_IVAN = "token:3007816053@nationalid"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.source = cls.get_source()
        cls.index = cls.env["spar.source.index"]
        cls.identities = cls.env["spar.source.identity"]
        cls.their_type = cls.get_their_type()
        cls.their_type.spar_id_type_id = cls.id_type
        cls.hope = cls.create_registrant("Hope", cls.NUMBER_OF_HOPE)
        cls.ivan = cls.create_registrant("Ivan", cls.NUMBER_OF_IVAN)
        cls.household = cls.create_registrant("Household", is_group=True)

    # === EACH REGISTRY'S OWN === #

    #: The group of those who change people.
    REGISTRARS = ""

    @classmethod
    def get_source(cls):
        """Return the model of IDs."""
        raise NotImplementedError

    @classmethod
    def get_their_type(cls):
        """Return a type of IDs of the registry."""
        raise NotImplementedError

    @classmethod
    def add_member(cls, group, person, is_head=False, **values):
        """Return a new membership."""
        raise NotImplementedError

    @classmethod
    def get_phones(cls):
        """Return the model of phone numbers."""
        raise NotImplementedError

    # === SHARED === #

    @classmethod
    def create_registrant(cls, name, number=None, **values):
        values = {"name": name, "is_registrant": True, **values}
        person = cls.env["res.partner"].create(values)
        if number:
            cls.add_id(person, number)
        return person

    @classmethod
    def add_id(cls, person, value, **values):
        """Return a new row with an ID."""
        return cls.source.create(
            {
                "partner_id": person.id,
                cls.source._spar_type_field: cls.their_type.id,
                "value": value,
                **values,
            }
        )

    def get_ids(self, *people):
        """Return the IDs of people as a mapper would get them."""
        records = self.env["res.partner"].concat(*people)
        found = records._spar_identities()
        return [one.id_value for person in people for one in found[person.id]]

    def write_by_sql(self, row, value):
        """Change an ID past the ORM, as programs beside Odoo do."""
        self.env.flush_all()
        table = SQL.identifier(row._table)
        query = SQL("UPDATE %s SET value = %s WHERE id = %s", table, value, row.id)
        self.env.cr.execute(query)
        self.env.invalidate_all()

    def rebuild(self):
        """Run the nightly job to its end."""
        self.index._cron_start()
        index = self.index.search([])
        while index.is_running:
            index._rebuild_next()
