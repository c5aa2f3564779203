from collections import Counter

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import escape_psql

#: Operators that mean the same in a search for people by name.
_ALIKE = ("in", "=", "ilike", "like")
#: Operators that take a pattern: the web client's *starts with* sends ``Omar%``.
_PATTERNS = ("=ilike", "=like")


def build_words_domain(names: tuple[str, ...], text: str) -> Domain:
    """Return a domain that finds each word of ``text`` in any of the fields ``names``.

    The words may be in any order. PostgreSQL's wildcards are ordinary characters here.
    """
    return Domain.AND(
        Domain.OR(Domain(name, "ilike", escape_psql(word)) for name in names)
        for word in text.split()
    )


class SparEvent(models.Model):
    """The actor of an event, as people read it and search for it."""

    _inherit = "spar.event"

    actor_name = fields.Char(
        string="By", compute="_compute_actor_name", search="_search_actor_name"
    )

    @api.depends("actor", "on_behalf_of")
    def _compute_actor_name(self):
        names = self._get_actor_names(self.mapped("actor"))
        for event in self:
            event.actor_name = names.get(event.actor, event.actor)

    @api.model
    def _search_actor_name(self, operator, values):
        return self._build_actor_domain("actor", operator, values)

    @api.model
    def formatted_read_group(self, domain, groupby=(), *args, **kwargs):
        """Label groups of events with the names of the people who caused them."""
        groups = super().formatted_read_group(domain, groupby, *args, **kwargs)
        if "actor" in groupby:
            self._name_groups(groups)
        return groups

    @api.model
    def _name_groups(self, groups: list[dict]) -> None:
        """Replace references by names; two people of the same name stay distinct."""
        names = self._get_actor_names([group["actor"] for group in groups])
        times = Counter(names.values())
        for group in groups:
            actor = group["actor"]
            name = names.get(actor, actor)
            group["actor"] = f"{name} ({actor})" if times[name] > 1 else name

    # === NAMES === #

    @api.model
    def _get_actor_names(self, actors: list[str]) -> dict[str, str]:
        """Return names by references such as ``user:7`` and ``participant:x``."""
        names, users = {}, {}
        for actor in filter(None, actors):
            kind, _colon, reference = actor.partition(":")
            if kind == "user" and reference.isdigit():
                users[int(reference)] = actor
            elif kind == "person":
                names[actor] = self._get_person_name()
            else:
                names[actor] = reference or kind
        for user_sudo in self.env["res.users"].sudo().browse(users).exists():
            names[users[user_sudo.id]] = user_sudo.name
        return names

    @api.model
    def _get_person_name(self) -> str:
        return self.env._("The beneficiary")

    @api.model
    def _build_actor_domain(self, name: str, operator: str, values) -> Domain:
        """Return a domain of rows by the names of the people in their field ``name``.

        Words of a name or of a login suffice, in any order.
        """
        values = [values] if isinstance(values, str) else values
        texts = [text for text in values if isinstance(text, str) and text.strip()]
        if operator in _PATTERNS:
            texts = [text.strip("%") for text in texts]
        elif operator not in _ALIKE:
            return NotImplemented
        return Domain.OR(self._build_named_domain(name, text) for text in texts if text)

    @api.model
    def _build_named_domain(self, name: str, text: str) -> Domain:
        domain = Domain(name, "in", self._search_actors(text))
        # Other actors are displayed by the text of the reference itself.
        shown = build_words_domain((name,), text)
        domain |= shown & ~Domain(name, "=like", "user:%")
        person = self._get_person_name().casefold()
        if all(word in person for word in text.casefold().split()):
            domain |= Domain(name, "=like", "person:%")
        return domain

    @api.model
    def _search_actors(self, text: str) -> list[str]:
        """Return references of actors whose name matches ``text``, archived ones too.

        Extend this for other kinds of actors that have names.
        """
        users_sudo = self.env["res.users"].sudo().with_context(active_test=False)
        found_sudo = users_sudo.search(build_words_domain(("name", "login"), text))
        return [f"user:{user_id}" for user_id in found_sudo.ids]
