from odoo import api, fields, models
from odoo.exceptions import RedirectWarning, UserError
from odoo.fields import Domain
from odoo.tools import SQL

from odoo.addons.spar_mapper_connector.exceptions import ServiceUnavailable
from odoo.addons.spar_mapper_connector.lib.identifier import fold

from ..lib import seals
from ..lib.masking import mask_id
from ..lib.secrets_in_text import count_numbers, extract_secrets, mentions
from .spar_lookup import Place

#: The most characters of a reason: thousands of guesses in one reason would reveal the
#: masked value.
LONGEST_REASON = 500
#: IDs and addresses are found only by the whole value, so these all mean the same.
_EXACT = ("in", "ilike", "like", "=ilike", "=like")


def _refuse_operator(operator: str):
    """Return a domain without results, or leave a negation to Odoo to invert.

    It is never an error, because Odoo would log it with the value.
    """
    return NotImplemented if operator.startswith("not ") else Domain.FALSE


def _get_texts(values) -> list[str]:
    values = [values] if isinstance(values, str) else values
    return [text.strip() for text in values if isinstance(text, str) and text.strip()]


class SparMapping(models.Model):
    """The display and search of mappings: masked, and by exact value."""

    # One file per concern: display here, actions in spar_mapping_actions.
    # pylint: disable-next=consider-merging-classes-inherited
    _inherit = "spar.mapping"

    id_masked = fields.Char(string="Beneficiary ID", compute="_compute_masked")
    fa_masked = fields.Char(string="Financial address", compute="_compute_masked")
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
        selection="_selection_authority", compute="_compute_authority_name"
    )
    origin_name = fields.Char(
        string="Put there by",
        compute="_compute_origin_name",
        search="_search_origin_name",
    )
    period_ids = fields.Many2many(
        "spar.mapping.period", string="All periods", compute="_compute_past"
    )
    event_ids = fields.Many2many("spar.event", string="Events", compute="_compute_past")
    valid_to = fields.Datetime(compute="_compute_valid_to")

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
    def _compute_masked(self):
        """Open the values for this display only; the result is not stored."""
        try:
            opened = self._show()
        except ServiceUnavailable:
            self.id_masked = self.fa_masked = self.env._("The keyring is away")
            self._set_pay_state(set())
            return
        broken = self.env._("Does not open: see the alarms")
        masks = dict(
            zip(
                opened,
                self.env["spar.fa.strategy"]._mask_addresses(
                    [shown.fa for shown in opened.values()]
                ),
                strict=True,
            )
        )
        for mapping in self:
            shown = opened.get(mapping.id)
            mapping.id_masked = mask_id(shown.canonical) if shown else broken
            mapping.fa_masked = masks.get(mapping.id, broken)
        self._set_pay_state(opened)

    def _show(self):
        """Return ID and address of each mapping that opens, in clear, by row id.

        It may be called only for masking and for logged accesses.
        """
        self.check_access("read")
        mapper = self.env["spar.mapper.local"]
        return mapper._show_heads(mapper._build_staff_call(), self.ids)

    def _check_told(self, reason: str, *more: str) -> None:
        """Refuse a reason that contains the ID, the account, or one of ``more``.

        Raises UserError: reasons are kept in the history in clear.
        """
        if len(reason or "") > LONGEST_REASON:
            raise UserError(
                self.env._("Reason: %(most)s characters at most.", most=LONGEST_REASON)
            )
        shown = self._show().values()
        past = self.period_ids._show().values()
        values = [text for one in shown for text in (one.canonical, one.fa)]
        values = [text for text in (*values, *past) if text]
        is_told = mentions(reason or "", extract_secrets(*values))
        self._count_guesses(reason or "", is_told)
        if is_told or mentions(reason or "", extract_secrets(*more)):
            raise UserError(
                self.env._(
                    "Reason: leave out the ID and the account number. The reason is "
                    "kept in clear."
                )
            )

    def _count_guesses(self, reason: str, is_told: bool) -> None:
        """Count the numbers in a reason as guesses at what is masked.

        A refusal of a reason reveals whether a number in it is right.
        """
        guesses = count_numbers(reason) if self else 0
        if guesses:
            places = [Place(place.id, place.subject_id.id) for place in self]
            self.env["spar.lookup"]._look(
                "reason",
                f"{self.ids} {reason}",
                lambda: places if is_told else [],
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
        if len(texts) != 1:
            return Domain.FALSE
        found = self.env["spar.lookup"]._look(kind, texts[0], lambda: find(texts))
        return Domain("id", "in", [place.mapping_id for place in found])

    @api.model
    def _find_by_ids(self, texts: list[str]) -> list[Place]:
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
    def _find_by_accounts(self, texts: list[str]) -> list[Place]:
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
        """Return the keyring; raises RedirectWarning.

        In a search, Odoo takes a UserError for an operator that it should invert.
        """
        try:
            return self.env["spar.keyring"]._open()
        except ServiceUnavailable as error:
            raise RedirectWarning(
                self.env["spar.staff.answers"]._get_error_text(error),
                self.env.ref("spar_mapper.spar_mapping_action").id,
                self.env._("Back to the list"),
            ) from error

    @api.model
    def _fetch_places(self, query: SQL) -> list[Place]:
        return [Place(*row) for row in self.env.execute_query(query)]
