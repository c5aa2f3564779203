from odoo import api, fields, models
from odoo.fields import Domain


class SparByWhom(models.AbstractModel):
    """A row that says who did something, and to which person.

    An heir stores the reference of who did it in ``actor``, and names in ``_whom`` the
    path of fields that leads to the person.
    """

    _name = "spar.by.whom"
    _description = "Who did it, and to whom"
    _whom = "subject_id"

    actor = fields.Char(required=True, readonly=True)
    actor_name = fields.Char(
        string="By", compute="_compute_actor_name", search="_search_actor_name"
    )
    is_own = fields.Boolean(
        string="Own", compute="_compute_is_own", search="_search_is_own"
    )
    id_masked = fields.Char(string="Beneficiary ID", compute="_compute_id_masked")

    # === BY === #

    @api.depends("actor")
    def _compute_actor_name(self):
        names = self.env["spar.event"]._get_actor_names(self.mapped("actor"))
        for row in self:
            row.actor_name = names.get(row.actor, row.actor)

    @api.model
    def _search_actor_name(self, operator, values):
        return self.env["spar.event"]._build_actor_domain("actor", operator, values)

    @api.depends_context("uid")
    @api.depends("actor")
    def _compute_is_own(self):
        for row in self:
            row.is_own = row.actor == self._get_actor()

    @api.model
    def _search_is_own(self, operator, values):
        if operator != "in":
            return NotImplemented
        own = Domain("actor", "=", self._get_actor())
        return Domain.OR(own if value else ~own for value in values)

    @api.model
    def _get_actor(self) -> str:
        """Return the reference of the user who is logged in."""
        return f"user:{self.env.uid}"

    @api.model
    def formatted_read_group(self, domain, groupby=(), *args, **kwargs):
        """Label groups of rows with the names of the people who did it."""
        groups = super().formatted_read_group(domain, groupby, *args, **kwargs)
        if "actor" in groupby:
            self.env["spar.event"]._name_groups(groups)
        return groups

    # === WHAT === #

    @api.depends(lambda self: (self._rec_name,) if self._rec_name else ())
    def _compute_display_name(self):
        """Compute the name of what was done, not its code."""
        field = self._fields[self._rec_name]
        names = {}
        if field.type == "selection":
            names = dict(field._description_selection(self.env))
        for row in self:
            row.display_name = names.get(row[field.name], row[field.name])

    # === WHOM === #

    @api.depends(lambda self: (self._whom,))
    def _compute_id_masked(self):
        for row in self:
            row.id_masked = row.mapped(self._whom).mapping_ids[:1].id_masked
