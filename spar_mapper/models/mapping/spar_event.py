import re
from collections import Counter

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import escape_psql, format_datetime

from odoo.addons.spar_mapper_connector.models.spar_sealed_storage import add_columns

from ...fields import StoreMany2one
from ...lib import integrity
from ...lib.actors import PARTICIPANT, PERSON, get_reason, read_actors, shorten
from ...lib.objection import DISPUTABLE
from ...lib.transitions import (
    ANSWERED_FOR,
    MIGRATED,
    OLD_EVENTS,
    PLACE_EVENTS,
    SUBJECT_EVENTS,
)
from ...store.listing import EVENT_BYTES

#: Operators that mean the same in a search for people by name.
_ALIKE = ("in", "=", "ilike", "like")

#: A UUID, with or without hyphens.
_UUID = re.compile(r"[0-9a-fA-F-]{32,36}")

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
    _inherit = ["spar.store.table", "spar.channel.name"]
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
    reason = fields.Char(string="Reason (as recorded)", readonly=True)
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

    # Few of many: who looked at what is asked often.
    _revealed = models.Index("(happened_at) WHERE kind = 'revealed'")

    actor_name = fields.Char(
        string="By", compute="_compute_actor_name", search="_search_actor_name"
    )
    reason_text = fields.Char(string="Reason", compute="_compute_reason_text")
    id_masked = fields.Char(string="Beneficiary ID", compute="_compute_id_masked")
    reference_name = fields.Char(
        string="Short reference",
        compute="_compute_reference_name",
        help="The first characters of the reference of the message, document or case.",
    )
    is_change = fields.Boolean(
        string="Change", compute="_compute_is_change", search="_search_is_change"
    )
    is_own = fields.Boolean(
        string="Own", compute="_compute_is_own", search="_search_is_own"
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
        labels = self._get_kind_labels()
        return [
            (kind, labels.get(kind) or kind.replace("_", " ").capitalize())
            for kind in kinds
        ]

    @api.model
    def _get_kind_labels(self) -> dict[str, str]:
        """Return what each kind of event is called."""
        return {
            "linked": self.env._("Linked"),
            "proposed": self.env._("Proposed"),
            "updated": self.env._("Changed"),
            "updated_suspended": self.env._("Changed while suspended"),
            "moved": self.env._("Moved to the successor"),
            "moved_suspended": self.env._("Moved to the successor while suspended"),
            "unlinked": self.env._("Unlinked"),
            "withdrawn": self.env._("Proposal withdrawn"),
            "suspended": self.env._("Suspended"),
            "resumed": self.env._("Resumed"),
            "held": self.env._("Change waits"),
            "change_cancelled": self.env._("Waiting change cancelled"),
            "change_refused": self.env._("Waiting change refused"),
            "change_stale": self.env._("Waiting change overtaken"),
            "change_expired": self.env._("Waiting change expired"),
            "change_approved": self.env._("Waiting change approved"),
            "address_rewritten": self.env._("Address rewritten in the current form"),
            "revealed": self.env._("Revealed"),
            **self._get_case_labels(),
            **self._get_person_labels(),
            "replaced": self.env._("Replaced"),
            MIGRATED: self.env._("Taken over from the previous version"),
        }

    @api.model
    def _get_case_labels(self) -> dict[str, str]:
        return {
            "objected": self.env._("Objection made"),
            "objection_confirmed": self.env._("Objection confirmed"),
            "objection_upheld": self.env._("Objection upheld"),
            "objection_rejected": self.env._("Objection rejected"),
            "reversed": self.env._("Disputed address ended"),
            "restored": self.env._("Previous address restored"),
            "restored_suspended": self.env._(
                "Previous address restored while suspended"
            ),
            "complaint_recorded": self.env._("Complaint recorded"),
            "complaint_closed": self.env._("Complaint closed"),
            "complaint_taken_over": self.env._("Complaint taken over"),
            "complaint_handed_over": self.env._("Complaint handed over"),
            "changes_locked": self.env._("Changes locked by the beneficiary"),
            "changes_unlocked": self.env._("Changes unlocked by the beneficiary"),
            "lock_lifted": self.env._("Beneficiary's lock lifted by staff"),
        }

    @api.model
    def _get_person_labels(self) -> dict[str, str]:
        return {
            "id_rewritten": self.env._("ID rewritten in the current form"),
            "id_switched_off": self.env._("ID switched off"),
            "id_given_away": self.env._("ID given to another record"),
            "id_taken_over": self.env._("ID taken over from another record"),
            "id_proposed": self.env._("ID waits to be added"),
            "id_added": self.env._("ID added"),
            "id_not_added": self.env._("ID not added"),
            "merged": self.env._("Merged into another record"),
            "merged_with": self.env._("Merged with another record"),
            "office_changed": self.env._("Office changed"),
            "proofs_erased": self.env._("Owner's proofs destroyed"),
            **self._get_representative_labels(),
        }

    @api.model
    def _get_representative_labels(self) -> dict[str, str]:
        return {
            "representative_proposed": self.env._("Guardian or collector entered"),
            "representative_approved": self.env._("Guardian or collector approved"),
            "representative_refused": self.env._("Guardian or collector refused"),
            "representative_ended": self.env._("Guardian or collector ended"),
            "representative_taken_over": self.env._(
                "Guardian or collector taken over from a merged record"
            ),
        }

    @api.depends_context("lang", "tz", "uid")
    @api.depends("kind", "actor", "happened_at")
    def _compute_display_name(self):
        labels = dict(self._selection_kind())
        for event in self:
            event.display_name = self.env._(
                "%(what)s, %(time)s, %(who)s",
                what=labels.get(event.kind, ""),
                time=format_datetime(self.env, event.happened_at),
                who=event.actor_name,
            )

    @api.depends("subject_id")
    def _compute_id_masked(self):
        for event in self:
            event.id_masked = event.subject_id.mapping_ids[:1].id_masked

    @api.depends("message_reference")
    def _compute_reference_name(self):
        """Shorten what nobody can read aloud: the first eight characters suffice."""
        for event in self:
            text = (event.message_reference or "").rpartition(":")[2]
            is_long = bool(_UUID.fullmatch(text))
            event.reference_name = text[:8].upper() if is_long else text[:40]

    @api.depends("kind")
    def _compute_is_change(self):
        for event in self:
            event.is_change = event.kind in ANSWERED_FOR

    @api.model
    def _search_is_change(self, operator, values):
        if operator != "in":
            return NotImplemented
        changes = Domain("kind", "in", sorted(ANSWERED_FOR))
        return Domain.OR(changes if value else ~changes for value in values)

    @api.depends_context("uid")
    @api.depends("actor")
    def _compute_is_own(self):
        for event in self:
            event.is_own = event.actor == f"user:{self.env.uid}"

    @api.model
    def _search_is_own(self, operator, values):
        if operator != "in":
            return NotImplemented
        own = Domain("actor", "=", f"user:{self.env.uid}")
        return Domain.OR(own if value else ~own for value in values)

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

    @api.depends("actor", "on_behalf_of", "reason")
    def _compute_actor_name(self):
        """Compute who did it, and for whom or with whom, if there were two."""
        rows = [(e.actor, e.on_behalf_of or "", e.reason or "") for e in self]
        for event, name in zip(self, self._build_actor_names(rows), strict=True):
            event.actor_name = name

    @api.depends("reason")
    def _compute_reason_text(self):
        for event in self:
            event.reason_text = get_reason(event.reason or "")

    @api.model
    def _build_actor_names(self, rows: list[tuple[str, str, str]]) -> list[str]:
        """Return who acted, in words, for each actor, whom it acted for, and reason."""
        found = [read_actors(*row) for row in rows]
        references = {ref for d in found for ref in (d.actor, d.other, d.portal)}
        names = self._get_actor_names(sorted(references))
        return [self._describe_actors(actors, names) for actors in found]

    @api.model
    def _describe_actors(self, actors, names: dict[str, str]) -> str:
        name = names.get(actors.actor, "")
        if actors.officer:
            name = self.env._(
                "Staff member %(number)s of %(participant)s",
                number=actors.officer,
                participant=name,
            )
        if actors.portal:
            name = self.env._(
                "%(name)s, at %(participant)s",
                name=name,
                participant=names[actors.portal],
            )
        if actors.has_person:
            return self.env._("%(name)s, with the beneficiary", name=name)
        if actors.other:
            other = names[actors.other]
            return self.env._("%(name)s, for %(other)s", name=name, other=other)
        return name

    @api.model
    def _search_actor_name(self, operator, values):
        found = self._build_actor_domain("actor", operator, values)
        if found is NotImplemented:
            return found
        # Staff of a portal elsewhere have numbers of that portal.
        elsewhere = Domain("actor", "=like", f"{PARTICIPANT}%")
        elsewhere &= Domain("on_behalf_of", "=like", "user:%")
        others = self._build_actor_domain("on_behalf_of", operator, values)
        return found | (others & ~elsewhere)

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
        logins = self._get_logins([a for a in names if times[names[a]] > 1])
        for group in groups:
            actor = group["actor"]
            name = names.get(actor, actor)
            login = logins.get(actor)
            group["actor"] = f"{name} ({login})" if login else name

    @api.model
    def _get_logins(self, actors: list[str]) -> dict[str, str]:
        """Return what tells actors of one name apart: a login or a sender."""
        logins = {}
        for actor in actors:
            kind, _colon, reference = actor.partition(":")
            user_sudo = self.env["res.users"].sudo()
            if kind == "user" and reference.isdigit():
                user_sudo = user_sudo.browse(int(reference)).exists()
            logins[actor] = user_sudo.login or reference or kind
        return logins

    @api.model
    def _get_actor_names(self, actors: list[str]) -> dict[str, str]:
        """Return a name for each reference such as ``user:7`` or ``participant:x``."""
        names, users = {}, {}
        programs = self._get_program_names()
        for actor in filter(None, actors):
            kind, _colon, reference = actor.partition(":")
            if kind == "user" and reference.isdigit():
                users[int(reference)] = actor
                names[actor] = self.env._(
                    "Deleted account %(number)s", number=reference
                )
            elif f"{kind.rpartition('/')[2]}:" == PERSON:
                names[actor] = self._get_person_name()
            else:
                names[actor] = programs.get(kind) or shorten(reference or kind)
        for user_sudo in self.env["res.users"].sudo().browse(users).exists():
            names[users[user_sudo.id]] = user_sudo.name
        return names

    @api.model
    def _get_program_names(self) -> dict[str, str]:
        """Return the names of actors that are no people, by their reference."""
        staff_elsewhere = self.env._("Staff of the programme")
        return {
            "system": self.env._("The registry itself"),
            "notice": self.env._("Whoever had the link in a notice"),
            "registry": self.env._("The programme"),
            "registry/user": staff_elsewhere,
            "mapper": self.env._("Another registry"),
        }

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
