from collections.abc import Container

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL

from odoo.addons.spar_fa_directory.lib.fa_alike import list_alike
from odoo.addons.spar_fa_directory.lib.fa_mask import mask
from odoo.addons.spar_mapper_connector.clear_fields import ClearChar
from odoo.addons.spar_mapper_connector.exceptions import ServiceUnavailable
from odoo.addons.spar_mapper_connector.lib.identifier import fold
from odoo.addons.spar_mapper_connector.models.spar_sealed_storage import add_columns

from ...fields import StoreMany2one
from ...lib import integrity, seals
from ...lib.records import ADDRESS_COLUMNS, IN_FORCE
from ...lib.secrets_in_text import extract_secrets, find_guesses, mentions
from ...lib.stopping import SUSPENDED, Stop
from ...redirection import Redirection
from ...store.stopping import fetch_stops
from ..staff.spar_lookup import FoundPlace

#: The columns of a head that never change; the database enforces it.
_FIXED = ("uuid", "subject_id", "purpose", "rank")

#: The columns that change only with a new event; the rest is the sealed address.
_MOVING = (
    "state",
    "version",
    "state_since",
    "period_id",
    "address_uuid",
    "address_version",
    "mac",
    *ADDRESS_COLUMNS,
)

#: The most characters of a reason: thousands of guesses in one reason would reveal the
#: masked value.
MAX_REASON_LENGTH = 500
#: The most values in a reason that are compared with what is masked: the budget is
#: asked before, and a text of guesses would exceed it.
MAX_REASON_GUESSES = 20

#: IDs and addresses are found only by the whole value, so these all mean the same.
_EXACT = ("in", "ilike", "like", "=ilike", "=like")

#: The branches of a provider with more of them than this are not compared.
_BRANCHES = 20_000
#: The kind of event that is no change: an auditor has viewed the address.
_VIEWED = "revealed"


class SparMapping(models.Model):
    """One place of a subject, and the address that is in it now: what resolve reads.

    A row is changed where it stands. Earlier states are in the periods. Users see IDs
    and addresses masked, and find them only by the exact value.
    """

    _name = "spar.mapping"
    _description = "Mapping"
    _inherit = ["spar.store.table", "spar.stored.address", "spar.sealed.storage"]
    _rec_name = "uuid"
    _order = "id desc"
    _log_access = False
    _references = {"subject_id": "spar_subject"}
    _refuses_delete = "rows are ended, not deleted"

    uuid = fields.Char(required=True, readonly=True, string="Reference")
    subject_id = StoreMany2one(
        "spar.subject", required=True, readonly=True, ondelete="restrict"
    )
    purpose = fields.Char(required=True, readonly=True, help="If empty, any purpose.")
    rank = fields.Integer(
        readonly=True, help="1 is paid first; higher ranks are fallbacks."
    )
    period_id = StoreMany2one(
        "spar.mapping.period", readonly=True, string="Current period"
    )
    last_seq = fields.Integer(
        string="Number of the last event",
        required=True,
        readonly=True,
        help="The event that last changed it.",
    )
    change_ids = fields.One2many("spar.change", "mapping_id", readonly=True)

    # Also finds a subject's places, for resolve and for changes.
    _place_uniq = models.UniqueIndex(
        "(subject_id, purpose, rank)",
        "A person can have only one address for each purpose and rank.",
    )

    id_masked = fields.Char(string="Beneficiary ID", compute="_compute_masked")
    fa_masked = fields.Char(string="Financial address", compute="_compute_masked")
    contact_masked = fields.Char(
        string="Known contact",
        compute="_compute_masked",
        help="The phone number that is notified when the address changes.",
    )
    id_value = fields.Char(
        string="ID (exact)", compute="_compute_values", search="_search_id_value"
    )
    fa_value = fields.Char(
        string="Financial address (exact)",
        compute="_compute_values",
        search="_search_fa_value",
    )
    in_force_on = fields.Date(
        string="In force on", compute="_compute_values", search="_search_in_force_on"
    )
    authority_name = fields.Selection(
        string="Authority name",
        selection="_selection_authority",
        compute="_compute_authority_name",
    )
    origin_name = fields.Char(
        string="Entered by",
        compute="_compute_origin_name",
        search="_search_origin_name",
    )
    period_ids = fields.Many2many(
        "spar.mapping.period", string="All periods", compute="_compute_past"
    )
    event_ids = fields.Many2many("spar.event", string="Events", compute="_compute_past")
    valid_to = fields.Datetime(string="Valid to", compute="_compute_valid_to")

    pay_state = fields.Selection(
        [
            ("proposed", "Proposed"),
            ("active", "Active"),
            ("suspended", "Suspended"),
            ("stopped", "Payments stopped"),
            ("disputed", "Disputed"),
            ("closed", "Provider closed"),
            ("unreadable", "Cannot be paid"),
            ("ended", "Ended"),
        ],
        string="State",
        compute="_compute_masked",
        help="Active: payments go to this address. Payments stopped: nothing is paid "
        "to this person. Disputed: nothing is paid until a case is closed. Provider "
        "closed: nothing is paid until the address is moved to the successor. Cannot "
        "be paid: the address cannot be opened.",
    )
    last_kind = fields.Selection(
        selection=lambda self: self._selection_last_kind(),
        string="Last change",
        compute="_compute_last_change",
    )
    last_by = fields.Char(string="Changed by", compute="_compute_last_change")
    last_at = fields.Datetime(string="Changed on", compute="_compute_last_change")

    def init(self):
        result = super().init()
        add_columns(self.env.cr, self._table, ("mac",))
        # No column that changes is indexed, and pages keep room: an update stays on its
        # page and touches no index.
        self.env.cr.execute("ALTER TABLE spar_mapping SET (fillfactor = 70)")
        self._guard_table()
        return result

    @api.model
    def _guard_table(self):
        """Make the database refuse changes that come without an event.

        This is an obstacle to a plain statement, not a lock: if triggers are switched
        off, the seals reveal the change at resolve, and the chain at the check.
        """
        guard = integrity.build_update_guard(self._table, _FIXED, _MOVING)
        for statement in (*guard, *integrity.build_queue_table()):
            self.env.cr.execute(statement)
        for statement in integrity.build_head_tie():
            self.env.cr.execute(statement)

    # === DISPLAY === #

    @api.model
    def _selection_authority(self):
        return self.env["spar.change.rule"]._selection_authority()

    @api.depends("uuid")
    def _compute_display_name(self):
        for mapping in self:
            mapping.display_name = self.env._(
                "Address %(reference)s", reference=(mapping.uuid or "")[:8]
            )

    @api.depends("authority")
    def _compute_authority_name(self):
        known = dict(self._selection_authority())
        for mapping in self:
            authority = str(mapping.authority)
            mapping.authority_name = authority if authority in known else False

    @api.depends("origin")
    def _compute_origin_name(self):
        names = self.env["spar.event"]._get_actor_names(self.mapped("origin"))
        for mapping in self:
            mapping.origin_name = names.get(mapping.origin, mapping.origin)

    @api.model
    def _search_origin_name(self, operator, values):
        return self.env["spar.event"]._build_actor_domain("origin", operator, values)

    @api.depends("last_seq")
    def _compute_past(self):
        """Compute by subject, because periods and events have no index by place."""
        domain = [("subject_id", "in", self.subject_id.ids)]
        periods = self.env["spar.mapping.period"].search(domain)
        events = self.env["spar.event"].search(domain, order="id desc")
        for mapping in self:
            subject = mapping.subject_id
            mapping.period_ids = periods.filtered(
                lambda period, subject=subject: period.subject_id == subject
            ).sorted("state_since", reverse=True)
            mapping.event_ids = events.filtered(
                lambda event, mapping=mapping: event.mapping_id == mapping
            )

    @api.depends("state", "state_since")
    def _compute_valid_to(self):
        for mapping in self:
            has_ended = mapping.state == "ended"
            mapping.valid_to = mapping.state_since if has_ended else False

    # === MASKED === #

    @api.depends("state", "subject_id.pay_stop")
    @api.depends_context("lang")
    def _compute_masked(self):
        """Open the values for this display only; the result is not stored."""
        try:
            opened = self._show()
        except ServiceUnavailable:
            self.id_masked = self.fa_masked = self.env._("Encryption keys unavailable")
            self.contact_masked = False
            self._set_pay_state(set())
            return
        broken = self.env._("Cannot be opened: see the alarms")
        words = self.env["spar.masked.words"]
        addresses = words._write_addresses([shown.fa for shown in opened.values()])
        ids = words._write_ids([shown.canonical for shown in opened.values()])
        masks = dict(zip(opened, zip(ids, addresses, strict=True), strict=True))
        for mapping in self:
            shown = opened.get(mapping.id)
            mapping.id_masked, mapping.fa_masked = masks.get(
                mapping.id, (broken, broken)
            )
            mapping.contact_masked = mask(shown.phone) if shown else False
        self._set_pay_state(opened)

    def _show(self):
        """Return ID and address of each mapping that opens, in clear, by row id.

        It may be called only for masking and for logged accesses.
        """
        self.check_access("read")
        mapper = self.env["spar.mapper.local"]
        return mapper._show_heads(mapper._build_staff_call(), self.ids)

    # === REASONS === #

    def _check_reason(self, reason: str, *more: str) -> None:
        """Refuse a reason that contains the ID, the account, or one of ``more``.

        Raises UserError: reasons are kept in the history in clear.
        """
        if len(reason or "") > MAX_REASON_LENGTH:
            raise UserError(
                self.env._(
                    "Reason: enter at most %(max)s characters.", max=MAX_REASON_LENGTH
                )
            )
        shown = self._show().values()
        past = self.period_ids._show().values()
        values = [text for one in shown for text in (one.canonical, one.fa)]
        secrets = extract_secrets(*values, *past)
        guesses = len(find_guesses(reason or "", secrets))
        if guesses > MAX_REASON_GUESSES:
            raise UserError(
                self.env._("Reason: leave out numbers that are not needed here.")
            )
        is_disclosed = mentions(reason or "", secrets)
        self._count_guesses(reason or "", guesses, is_disclosed)
        if is_disclosed or mentions(reason or "", extract_secrets(*more)):
            raise UserError(
                self.env._(
                    "Reason: leave out the ID and the account number. The reason is "
                    "stored unencrypted."
                )
            )

    def _count_guesses(self, reason: str, guesses: int, is_disclosed: bool) -> None:
        """Count what looks like a masked value in a reason as guesses at it.

        A refusal of a reason reveals whether one of them is right.
        """
        if guesses:
            places = [FoundPlace(place.id, place.subject_id.id) for place in self]
            self.env["spar.lookup"]._search_counted(
                "reason",
                f"{self.ids} {reason}",
                lambda: places if is_disclosed else [],
                guesses,
            )

    # === FOUND BY EXACT VALUE === #

    @api.depends_context("uid")
    def _compute_values(self):
        """Leave empty: these fields are for searching only."""
        self.id_value = self.fa_value = self.in_force_on = False

    @api.model
    def _search_id_value(self, operator, values):
        return self._search_exact("id", operator, values, self._find_by_ids)

    @api.model
    def _search_exact(self, kind: str, operator: str, values, find) -> Domain:
        """Return the places that one value finds; the lookup counts and is recorded.

        Several values at once find nothing: each would be a guess.
        """
        if operator not in _EXACT:
            return _refuse_operator(operator)
        texts = _get_texts(values)
        if len(texts) != 1 or len(texts[0]) > ClearChar.spar_longest:
            return Domain.FALSE
        found = self.env["spar.lookup"]._search_counted(
            kind, texts[0], lambda: find(texts)
        )
        return Domain("id", "in", [place.mapping_id for place in found])

    @api.model
    def _find_by_ids(self, texts: list[str]) -> list[FoundPlace]:
        """Return places of people with these IDs, uncounted: see ``spar.lookup``."""
        canonicals = self._get_canonicals(texts)
        digests = self._get_search_digests(seals.ID, canonicals)
        column = SQL.identifier("i", f"digest_{self._get_read_column()}")
        return self._fetch_places(
            SQL(
                """SELECT m.id, m.subject_id FROM spar_mapping m
                     JOIN spar_subject_id i ON i.subject_id = m.subject_id
                    WHERE %s = ANY(%s)""",
                column,
                digests,
            )
        )

    @api.model
    def _get_canonicals(self, texts: list[str]) -> list[str]:
        """Return the stored IDs that ``texts`` may stand for, in every form of them."""
        id_types = self.env["spar.id.type"]
        return [
            identifier.canonical
            for text in texts
            for written in id_types._get_written_forms(text)
            for identifier in id_types._get_forms(written)
        ]

    @api.model
    def _search_fa_value(self, operator, values):
        return self._search_exact("account", operator, values, self._find_by_accounts)

    @api.model
    def _find_by_accounts(self, texts: list[str]) -> list[FoundPlace]:
        """Return places that have, or had, one of these addresses; not counted."""
        # As keys, and as the texts from which an older form was made.
        forms = [*self.env["spar.mapper.local"]._build_keys(texts), *map(fold, texts)]
        digests = self._get_search_digests(seals.ADDRESS, forms)
        column = SQL.identifier(f"fa_digest_{self._get_read_column()}")
        return self._fetch_places(
            SQL(
                """SELECT DISTINCT mapping_id, subject_id
                     FROM spar_mapping_period WHERE %s = ANY(%s)""",
                column,
                digests,
            )
        )

    @api.model
    def _find_alike_in_force(self, fa: str) -> list[FoundPlace]:
        """Return places that have, or wait for, the same account in other words.

        At most banks the number alone is the account: the branch and leading zeros do
        not count here. It is not counted: see ``spar.lookup``.
        """
        (formed,) = self.env["spar.fa.strategy"]._canonicalise_addresses([fa])
        provider_sudo = self.env["spar.fsp"].sudo().browse(formed.provider_id or ())
        branches_sudo = provider_sudo.with_context(active_test=False).branch_ids
        codes = branches_sudo.mapped("code") if len(branches_sudo) < _BRANCHES else []
        return self._fetch_in_force([*list_alike(formed.key, codes), fold(fa)])

    @api.model
    def _find_in_force(self, texts: list[str]) -> list[FoundPlace]:
        """Return places that have one of these addresses now, or wait for it.

        It is not counted: see ``spar.lookup``.
        """
        forms = [*self.env["spar.mapper.local"]._build_keys(texts), *map(fold, texts)]
        return self._fetch_in_force(forms)

    @api.model
    def _fetch_in_force(self, forms: list[str]) -> list[FoundPlace]:
        """Return places that have an address now, or wait for it, in one of ``forms``.

        The periods are found first: a place is not found by its address.
        """
        digests = self._get_search_digests(seals.ADDRESS, forms)
        column = SQL.identifier(f"fa_digest_{self._get_read_column()}")
        return self._fetch_places(
            SQL(
                """WITH found AS MATERIALIZED (
                        SELECT id, mapping_id FROM spar_mapping_period
                         WHERE %s = ANY(%s))
                   SELECT m.id, m.subject_id FROM found f
                     JOIN spar_mapping m ON m.id = f.mapping_id AND m.period_id = f.id
                    WHERE m.state <> 'ended'""",
                column,
                digests,
            )
        )

    @api.model
    def _search_in_force_on(self, operator, values):
        """Return places whose address was in force at some time of a day."""
        periods = self.env["spar.mapping.period"]
        found = periods._search_in_force_on(operator, values)
        if found is NotImplemented:
            return NotImplemented
        return Domain("id", "in", periods._search(found).subselect("mapping_id"))

    @api.model
    def _get_read_column(self) -> str:
        return self._open_for_search().roles.read_column

    @api.model
    def _get_search_digests(self, purpose: str, texts: list[str]) -> list[bytes]:
        digest = self._open_for_search().digester(purpose)
        return [digest(text) for text in texts]

    @api.model
    def _open_for_search(self):
        """Return the keyring; raises Redirection.

        In a search, Odoo takes a UserError for an operator that it should invert.
        """
        try:
            return self.env["spar.keyring"]._open()
        except ServiceUnavailable as error:
            raise Redirection(
                self.env["spar.staff.answers"]._get_error_text(error),
                self.env.ref("spar_mapper.spar_mapping_action").id,
                self.env._("Back to the list"),
            ) from error

    @api.model
    def _fetch_places(self, query: SQL) -> list[FoundPlace]:
        return [FoundPlace(*row) for row in self.env.execute_query(query)]

    # === PAYMENT STATE === #

    @api.model
    def _selection_last_kind(self):
        return self.env["spar.event"]._selection_kind()

    def _set_pay_state(self, opened: Container[int]) -> None:
        """Set the state that is displayed; ``opened`` contains the rows that open."""
        disputed = self._filter_disputed()
        for mapping in self:
            mapping.pay_state = mapping._get_pay_state(
                mapping.id in opened, mapping in disputed
            )

    def _get_pay_state(self, is_open: bool, is_disputed: bool) -> str:
        """Return the state, or what prevents payment."""
        if self.state not in IN_FORCE:
            return self.state
        if not is_open:
            return "unreadable"
        is_stopped = self.subject_id.pay_stop
        if is_disputed and (is_stopped or self.state == "suspended"):
            return "disputed"
        if self.state != "active":
            return self.state
        return "stopped" if is_stopped else self._get_place_state()

    def _get_place_state(self) -> str:
        """Return whether the provider and the branch of an address still exist."""
        places = (self.provider_id.sudo(), self.branch_id.sudo())
        return "closed" if any(place.is_closed for place in places) else "active"

    def _filter_disputed(self):
        """Return those that are not paid because of an open case."""
        cases = self.env["spar.objection"].search(
            [
                ("state", "=", "open"),
                ("stop", "in", ("all", "one")),
                ("mapping_id.subject_id", "in", self.subject_id.ids),
            ]
        )
        stopped = cases.filtered(lambda case: case.stop == "all").mapping_id.subject_id
        return self.filtered(
            lambda mapping: mapping in cases.mapping_id or mapping.subject_id in stopped
        )

    @api.depends("last_seq")
    def _compute_last_change(self):
        """Compute the last change and its author; an access alone is not a change."""
        for mapping in self:
            changes = mapping.event_ids.filtered(lambda event: event.kind != _VIEWED)
            last = changes.sorted("seq")[-1:]
            mapping.last_kind = last.kind
            mapping.last_by = last.actor_name
            mapping.last_at = last.happened_at

    def _get_stop(self) -> Stop | None:
        """Return who has suspended payments to this address, None if nobody has."""
        self.ensure_one()
        if self.state != SUSPENDED:
            return None
        return fetch_stops(self.env.cr, [self.id])[self.id]

    # === NOTIFYING === #

    def _notify_done(self, operation: str) -> dict:
        """Notify the user what applies to this period after ``operation``."""
        answers = self.env["spar.staff.answers"]
        if operation in ("link", "update", "resume") and self.pay_state != "active":
            states = dict(self._fields["pay_state"]._description_selection(self.env))
            text = self.env._(
                "Done, but nothing is paid to this address: %(state)s.",
                state=states.get(self.pay_state, ""),
            )
            return answers._notify(text, is_warning=True)
        return answers._notify(self._get_done_texts()[operation])

    @api.model
    def _get_done_texts(self) -> dict[str, str]:
        return {
            "link": self.env._("Linked. Payments go to this address from now on."),
            "update": self.env._(
                "Changed. Payments go to the new address from now on."
            ),
            "suspend": self.env._(
                "Suspended. Nothing is paid to this address until it is resumed."
            ),
            "resume": self.env._("Resumed. Payments go to this address again."),
            "unlink": self.env._("Unlinked. Nothing is paid to this address any more."),
            "unlock": self.env._("Lifted. Others can change the address again."),
        }

    # === BUTTONS === #

    def _open_wizard(self, operation: str, name: str) -> dict:
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": name,
            "res_model": "spar.mapping.wizard",
            "view_mode": "form",
            "target": "new",
            "context": {
                "default_operation": operation,
                "default_mapping_id": self.id,
                "default_seen_version": self.version,
            },
        }

    def action_update(self):
        """Give the person another address."""
        return self._open_wizard("update", self.env._("Change the address"))

    def action_suspend(self):
        """Suspend payments."""
        return self._open_wizard("suspend", self.env._("Suspend the address"))

    def action_resume(self):
        """Resume payments."""
        return self._open_wizard("resume", self.env._("Resume the address"))

    def action_unlink(self):
        """End the address."""
        return self._open_wizard("unlink", self.env._("Unlink the address"))

    def action_unlock(self):
        """Lift the lock that the beneficiary has put on changes."""
        return self._open_wizard("unlock", self.env._("Lift the beneficiary's lock"))

    def action_reveal(self):
        """Show the full ID and address, for auditors."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Reveal"),
            "res_model": "spar.reveal.wizard",
            "view_mode": "form",
            "target": "new",
            "context": {"default_mapping_id": self.id},
        }


def _refuse_operator(operator: str):
    """Return a domain without results, or leave a negation to Odoo to invert.

    It is never an error, because Odoo would log it with the value.
    """
    return NotImplemented if operator.startswith("not ") else Domain.FALSE


def _get_texts(values) -> list[str]:
    values = [values] if isinstance(values, str) else values
    return [text.strip() for text in values if isinstance(text, str) and text.strip()]
