from odoo import api, models
from odoo.exceptions import AccessError
from odoo.fields import Domain


class SparOfPerson(models.AbstractModel):
    """Rows that belong to a person: who may read the person may read them.

    A record rule cannot say this: Odoo evaluates rules as the superuser, so a domain on
    the person would not apply the rules of contacts to the user.
    """

    _name = "spar.of.person"
    _description = "Row of a person"

    #: The path to the person.
    _person_field = "partner_id"
    #: Whether rows may have no person: other rules decide who may read those.
    _person_is_optional = False

    @api.model
    def _search(self, domain, *args, bypass_access=False, **options):
        if not (self.env.su or bypass_access):
            people = self.env["res.partner"].with_context(active_test=False)
            seen = Domain(self._person_field, "in", people._search(Domain.TRUE))
            if self._person_is_optional:
                seen |= Domain(self._person_field, "=", False)
            domain = Domain(domain) & seen
        return super()._search(domain, *args, bypass_access=bypass_access, **options)

    @api.model
    def _search_of(self, people):
        """Return the query of the rows of ``people`` that the user may read.

        It finds what ``_search`` finds. That one asks who may be read of everybody,
        which takes longer the more people there are; this one asks about these alone.
        """
        seen = people.with_context(active_test=False)
        query = seen._search(Domain("id", "in", people.ids))
        return super()._search(Domain(self._person_field, "in", query))

    def _check_access(self, operation: str):
        refused = super()._check_access(operation)
        if refused or self.env.su:
            return refused
        rows_sudo = self.sudo()
        people = rows_sudo.mapped(self._person_field).with_env(self.env)
        seen = people._filtered_access("read")
        hidden_sudo = rows_sudo.filtered(
            lambda row: not row.mapped(self._person_field) <= seen
        )
        if not hidden_sudo:
            return None
        return hidden_sudo.with_env(self.env), self._refuse_hidden

    def _refuse_hidden(self) -> AccessError:
        return AccessError(
            self.env._("This belongs to a person whom you do not have access to.")
        )
