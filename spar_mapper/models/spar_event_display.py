from collections import Counter

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import escape_psql

#: Whoever is looked for by name, these ways of comparing mean the same.
_ALIKE = ("in", "=", "ilike", "like")
#: These name a pattern: the web client's *starts with* gives ``Omar%``.
_PATTERNS = ("=ilike", "=like")


def build_words_domain(names: tuple[str, ...], text: str) -> Domain:
    """Find each word of ``text``, in any order, in one of the fields ``names``.

    What is a wildcard to PostgreSQL is a character like others here.
    """
    return Domain.AND(
        Domain.OR(Domain(name, "ilike", escape_psql(word)) for name in names)
        for word in text.split()
    )


class SparEvent(models.Model):
    """Who did it, as people read it and look for it."""

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
        """Name the groups of events by the people who did them."""
        groups = super().formatted_read_group(domain, groupby, *args, **kwargs)
        if "actor" in groupby:
            self._name_groups(groups)
        return groups

    @api.model
    def _name_groups(self, groups: list[dict]) -> None:
        """Replace references by names; two people of one name stay apart."""
        names = self._get_actor_names([group["actor"] for group in groups])
        times = Counter(names.values())
        for group in groups:
            actor = group["actor"]
            name = names.get(actor, actor)
            group["actor"] = f"{name} ({actor})" if times[name] > 1 else name

    # === NAMES === #

    @api.model
    def _get_actor_names(self, actors: list[str]) -> dict[str, str]:
        """The names behind references such as ``user:7`` and ``participant:x``."""
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
        """Find by what people are called the rows whose field ``name`` refers to them.

        Words of a name or of a login are enough, in any order.
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
        # Others are shown by what they are called in the reference itself.
        shown = build_words_domain((name,), text)
        domain |= shown & ~Domain(name, "=like", "user:%")
        person = self._get_person_name().casefold()
        if all(word in person for word in text.casefold().split()):
            domain |= Domain(name, "=like", "person:%")
        return domain

    @api.model
    def _search_actors(self, text: str) -> list[str]:
        """The references of whoever is called like ``text``; archived ones included.

        To be extended where there are other kinds of actors with names.
        """
        users_sudo = self.env["res.users"].sudo().with_context(active_test=False)
        found_sudo = users_sudo.search(build_words_domain(("name", "login"), text))
        return [f"user:{user_id}" for user_id in found_sudo.ids]
