from typing import NamedTuple

from odoo import api, models


class SourcePerson(NamedTuple):
    """Who a person is, as a registry of people knows them."""

    name: str
    household: str = ""
    birth_year: int | None = None
    place: str = ""


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

    @api.model
    def _has_names(self) -> bool:
        """Return whether people can be found by name."""
        return False

    @api.model
    def _find_by_name(
        self, name: str, year: int | None, place: str, limit: int
    ) -> list[list[str]]:
        """Return the IDs of each person of this name who fits all given facts.

        Accents, the order of words and the script do not matter. Nobody is found
        without a fact. At most ``limit`` people are.

        For staff who search in the store: callers count the search, and show only whom
        the user may see.
        """
        return []
