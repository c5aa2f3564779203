from odoo import api, models
from odoo.fields import Domain

from odoo.addons.spar_mapper.models.mapping.spar_event import build_words_domain

_KIND = "participant"


class SparEvent(models.Model):
    """History events that show and find participants by their names."""

    _inherit = "spar.event"

    @api.model
    def _get_actor_names(self, actors):
        names = super()._get_actor_names(actors)
        senders = [
            actor.partition(":")[2] for actor in names if actor.startswith(f"{_KIND}:")
        ]
        for participant_sudo in self._search_participants_sudo(
            Domain("sender_id", "in", senders)
        ):
            names[f"{_KIND}:{participant_sudo.sender_id}"] = participant_sudo.name
        return names

    @api.model
    def _search_actors(self, text):
        found_sudo = self._search_participants_sudo(build_words_domain(("name",), text))
        return [
            *super()._search_actors(text),
            *(f"{_KIND}:{sender}" for sender in found_sudo.mapped("sender_id")),
        ]

    @api.model
    def _search_participants_sudo(self, domain: Domain):
        """Search with sudo: readers of the history need names of participants.

        They may not read the participants themselves.
        """
        participants_sudo = self.env["spar.participant"].sudo()
        return participants_sudo.with_context(active_test=False).search(domain)
