from odoo import api, fields, models


class SparEvent(models.Model):
    """Who did it, as people read it."""

    _inherit = "spar.event"

    actor_name = fields.Char(string="By", compute="_compute_actor_name")

    @api.depends("actor", "on_behalf_of")
    def _compute_actor_name(self):
        names = self._get_actor_names(self.mapped("actor"))
        for event in self:
            event.actor_name = names.get(event.actor, event.actor)

    @api.model
    def _get_actor_names(self, actors: list[str]) -> dict[str, str]:
        """The names behind references such as ``user:7`` and ``participant:x``."""
        names, users = {}, {}
        for actor in filter(None, actors):
            kind, _colon, reference = actor.partition(":")
            if kind == "user" and reference.isdigit():
                users[int(reference)] = actor
            elif kind == "person":
                names[actor] = self.env._("The beneficiary")
            else:
                names[actor] = reference or kind
        for user_sudo in self.env["res.users"].sudo().browse(users).exists():
            names[users[user_sudo.id]] = user_sudo.name
        return names
