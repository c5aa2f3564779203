from collections import Counter

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import escape_psql

from odoo.addons.spar_mapper_connector.models.spar_sealed_storage import add_columns

from ...fields import StoreMany2one
from ...lib import integrity
from ...lib.objection import DISPUTABLE
from ...lib.transitions import MIGRATED, OLD_EVENTS, PLACE_EVENTS, SUBJECT_EVENTS
from ...store.listing import EVENT_BYTES

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
    """One thing that happened to a subject; never rewritten, never removed.

    It contains no ID and no address, sealed or not: only keyed commitments to them.
    """

    _name = "spar.event"
    _description = "Event"
    _inherit = ["spar.store.table"]
    _rec_name = "kind"
    _order = "id desc"
    _log_access = False
    # The subject is checked with its chain, the place with the period.
    _references = {"period_id": "spar_mapping_period"}
    _owned = {"period_id": ("subject_id", "mapping_id")}

    subject_id = StoreMany2one(
        "spar.subject", required=True, readonly=True, ondelete="restrict"
    )
    mapping_id = StoreMany2one(
        "spar.mapping",
        readonly=True,
        ondelete="restrict",
        help="If empty, the event concerns the person.",
    )
    period_id = StoreMany2one("spar.mapping.period", readonly=True, ondelete="restrict")
    format = fields.Integer(
        required=True,
        readonly=True,
        help="How the event is secured. 1: in the history of one address, as in "
        "previous versions.",
    )
    uuid = fields.Char(required=True, readonly=True)
    seq = fields.Integer(required=True, readonly=True, string="No.")
    kind = fields.Selection(
        selection=lambda self: self._selection_kind(), required=True, readonly=True
    )
    actor = fields.Char(required=True, readonly=True)
    on_behalf_of = fields.Char(string="On behalf of", readonly=True)
    channel = fields.Char(required=True, readonly=True)
    authenticated_by = fields.Char(string="Authenticated by", readonly=True)
    message_reference = fields.Char(string="Message reference", readonly=True)
    reason = fields.Char(readonly=True)
    happened_at = fields.Datetime(string="Happened at", required=True, readonly=True)

    # Serves a subject's history and the check; and, read from the end, each resolve,
    # which verifies that the subject is up to date. Legacy events are numbered
    # separately for each address.
    _chain = models.UniqueIndex(
        "(subject_id, seq, (CASE WHEN format = 1 THEN id ELSE 0 END))",
        "An event has only one position in the history.",
    )
    # Rows arrive in chronological order: a few kilobytes suffice for a filter by date.
    _happened_at = models.Index("USING brin (happened_at)")

    actor_name = fields.Char(
        string="By", compute="_compute_actor_name", search="_search_actor_name"
    )

    is_disputable = fields.Boolean(
        string="Can be disputed",
        compute="_compute_is_disputable",
        search="_search_is_disputable",
        help="Whether the person can state that it was not their doing.",
    )

    @api.model
    def _selection_kind(self):
        kinds = (*PLACE_EVENTS, *SUBJECT_EVENTS, *OLD_EVENTS, MIGRATED)
        return [(kind, kind.replace("_", " ").capitalize()) for kind in kinds]

    def init(self):
        result = super().init()
        add_columns(
            self.env.cr,
            self._table,
            EVENT_BYTES,
        )
        self._tie_to_subjects()
        self._make_append_only()
        return result

    @api.model
    def _tie_to_subjects(self):
        """Make a statement fail unless its events continue their subjects' chains."""
        for statement in integrity.build_event_tie():
            self.env.cr.execute(statement)

    @api.model
    def _make_append_only(self):
        """Make the database refuse UPDATE, DELETE and TRUNCATE."""
        self.env.cr.execute(
            """
            CREATE OR REPLACE FUNCTION spar_event_append_only() RETURNS trigger AS $$
            BEGIN
                RAISE EXCEPTION 'spar_event: history is not rewritten';
            END $$ LANGUAGE plpgsql;
            CREATE OR REPLACE TRIGGER spar_event_append_only
                BEFORE UPDATE OR DELETE ON spar_event
                FOR EACH STATEMENT EXECUTE FUNCTION spar_event_append_only();
            CREATE OR REPLACE TRIGGER spar_event_append_only_truncate
                BEFORE TRUNCATE ON spar_event
                EXECUTE FUNCTION spar_event_append_only();
            """
        )

    @api.model
    def _lift_append_only(self):
        """Lift the protection, as a named step of a migration that must change rows.

        Call ``_make_append_only`` when done. If a migration changes an event's content,
        the check finds it.
        """
        self.env.cr.execute(
            """
            DROP TRIGGER IF EXISTS spar_event_append_only ON spar_event;
            DROP TRIGGER IF EXISTS spar_event_append_only_truncate ON spar_event;
            """
        )

    # === DISPUTES === #

    @api.depends("kind", "period_id")
    def _compute_is_disputable(self):
        for event in self:
            event.is_disputable = bool(event.period_id) and event.kind in DISPUTABLE

    @api.model
    def _search_is_disputable(self, operator, values):
        if operator != "in":
            return NotImplemented
        disputable = Domain("kind", "in", sorted(DISPUTABLE))
        disputable &= Domain("period_id", "!=", False)
        return Domain.OR(disputable if value else ~disputable for value in values)

    # === ACTORS === #

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
