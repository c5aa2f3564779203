from typing import NamedTuple

from odoo import api, models


class SourcePerson(NamedTuple):
    """Who a person is, as a registry of people knows them."""

    name: str
    household: str = ""


class SparPersonSource(models.AbstractModel):
    """A registry of people in this database, if there is one.

    The store knows IDs, and no names. An addon that knows the people inherits this.
    """

    _name = "spar.person.source"
    _description = "Registry of people"

    @api.model
    def _describe(self, id_value: str) -> SourcePerson | None:
        """Return who has an ID; nothing unless exactly one person is known to.

        For staff who may see that person in the store: callers check that.
        """
        return None
