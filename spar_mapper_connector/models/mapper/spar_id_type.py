from collections.abc import Callable

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain

from odoo.addons.spar_fa_directory.lib import fa_checks
from odoo.addons.spar_fa_directory.lib.exceptions import InvalidParameter

from ...exceptions import InvalidIdentifier, InvalidIdTemplate
from ...lib import identifier, tokenisers
from ...lib.id_forms import NEWEST, IdForm, read_in_forms
from ...lib.id_rules import (
    CardCheck,
    CardRule,
    Identifier,
    IdRule,
    get_clean_value,
    read_id,
)


class SparIdType(models.Model):
    """A kind of ID: how it is written, checked and turned into the stored key.

    Two people change the definition of its IDs, and the backend that is called for
    them.
    """

    _name = "spar.id.type"
    _description = "ID type"
    _inherit = ["spar.second.person", "spar.sealed.setting", "spar.cached.records"]
    _guarded_fields = (
        "active",
        "sequence",
        "strategy",
        "tokeniser",
        "tokeniser_parameter",
        "stored_strategy",
        "check",
        "check_parameter",
        "ignores_gaps",
        "ignores_case",
        "card_pattern",
        "card_min_length",
        "card_max_length",
        "card_check",
        "card_check_parameter",
        "card_binds_programs",
        "backend_id",
        "issuers",
    )
    _guarded_at_creation = ("backend_id",)
    _counts_by = "active"
    _sealed_fields = ("code",)
    _order = "sequence, id"

    name = fields.Char(required=True, translate=True)
    code = fields.Char(required=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    strategy = fields.Char(
        help="How the ID is written in messages, with one placeholder for its value, "
        "for example token:{sub}@nationalId. Leave empty for the type of every "
        "ID that no other type recognises.",
    )
    tokeniser = fields.Selection(
        selection=lambda self: self._selection_tokeniser(),
        required=True,
        default="none",
        help="How the value that people enter is turned into the stored value.",
    )
    tokeniser_parameter = fields.Char(
        string="Tokeniser parameter", help="For example the partner ID."
    )
    stored_strategy = fields.Char(
        string="Stored strategy",
        help="How the stored ID is written, if that differs from the strategy.",
    )
    check = fields.Selection(
        selection=lambda self: self._selection_check(),
        help="A check that each value must pass, on every channel.",
    )
    check_parameter = fields.Char(
        string="Check parameter", help="For example a regular expression."
    )
    ignores_gaps = fields.Boolean(
        string="Ignore gaps",
        help="2007 816 053, 2007-816053 and 2007816053 are the same ID: spaces, "
        "dashes, dots and slashes are ignored. Tokens of more than 30 letters "
        "and digits keep theirs.",
    )
    ignores_case = fields.Boolean(
        string="Ignore case",
        help="ab123k and AB123K are the same ID. Do not use this for tokens: two of "
        "them may differ by case alone.",
    )
    backend_id = fields.Many2one(
        "spar.mapper.backend",
        ondelete="restrict",
        help="The mapper that is called for these IDs. Leave empty for the default "
        "one.",
    )
    issuers = fields.Text(
        string="Trusted issuers",
        help="The issuers (iss) of ID providers whose logins are accepted for IDs of "
        "this type, one per line, for example https://id.example.org. Leave "
        "empty to accept none.",
    )

    # The format of IDs on the card applies to IDs that people type, show or load:
    # staff's forms, the beneficiary's pages, files. Callers of the API send other texts
    # (tokens), so it applies to them only where a type requires it. Stored IDs can
    # always be found, suspended and ended.
    card_look = fields.Char(
        string="Format on the card, in words",
        translate=True,
        help="Shown to people who type something else. For example: 10 digits, such "
        "as 2007816053.",
    )
    card_pattern = fields.Char(
        string="Pattern on the card",
        help="A regular expression for the whole value, for example [0-9]{10}. "
        "Ignored gaps are removed first.",
    )
    card_min_length = fields.Integer(
        string="Minimum length on the card",
        help="In characters; 0 for no limit.",
    )
    card_max_length = fields.Integer(
        string="Maximum length on the card",
        help="In characters; 0 for no limit.",
    )
    card_check = fields.Selection(
        selection=lambda self: self._selection_check(),
        string="Check digit on the card",
        help="For example Luhn, or a number format from python-stdnum.",
    )
    card_check_parameter = fields.Char(string="Parameter of the check digit")
    # The column is sealed under this name.
    card_binds_programs = fields.Boolean(
        string="Also in the API",
        help="Participants, too, can link only IDs in the format on the card. "
        "Otherwise they can also send other texts, such as tokens.",
    )
    has_card_rule = fields.Boolean(
        string="Has a card rule", compute="_compute_has_card_rule"
    )

    _code_uniq = models.UniqueIndex(
        "(code)", "An ID type with this code already exists."
    )

    @api.model
    def _selection_tokeniser(self):
        return tokenisers.selection()

    @api.model
    def _selection_check(self):
        return [(check.code, check.label) for check in fa_checks.CHECKS.values()]

    @api.constrains("strategy", "stored_strategy", "active")
    def _check_strategies(self):
        for record in self:
            for template in filter(None, (record.strategy, record.stored_strategy)):
                record._check_template(template)
            if record.active:
                record._check_collisions()

    def _check_template(self, template: str) -> None:
        """Check that a strategy names kind and provider, and no part of the value."""
        try:
            identifier.parse_template(template)
        except InvalidIdTemplate as error:
            raise ValidationError(
                self.env._(
                    "%(template)s: use exactly one placeholder, such as {sub}.",
                    template=template,
                )
            ) from error
        if not identifier.is_plain(template):
            raise ValidationError(
                self.env._(
                    "%(template)s: only a kind with a colon may precede the "
                    "placeholder, and only @ with a provider may follow it, as in "
                    "token:{sub}@nationalId.",
                    template=template,
                )
            )

    def _check_collisions(self) -> None:
        """Check that no IDs of one type are stored like those of another."""
        for other_sudo in self.sudo().search(Domain.TRUE) - self:
            if self._get_stored_templates() & other_sudo._get_templates() or (
                other_sudo._get_stored_templates() & self._get_templates()
            ):
                raise ValidationError(
                    self.env._(
                        "%(name)s would be stored in the same form as %(other)s: one "
                        "person could be mistaken for another.",
                        name=self.name,
                        other=other_sudo.name,
                    )
                )

    def _get_templates(self) -> set:
        """Return the templates in which IDs of this type travel and are stored."""
        texts = filter(None, (self.strategy, self.stored_strategy))
        return {identifier.parse_template(text) for text in texts}

    def _get_stored_templates(self) -> set:
        """Return the templates in which they are stored, if defined."""
        stored = self.stored_strategy
        return {identifier.parse_template(stored)} if stored else set()

    @api.constrains("check", "check_parameter")
    def _check_check_parameter(self):
        for record in self.filtered("check"):
            try:
                fa_checks.run_parameter_check(
                    record.check, record.check_parameter or ""
                )
            except InvalidParameter as error:
                raise ValidationError(
                    self.env._(
                        "%(name)s: the check does not accept this parameter.",
                        name=record.name,
                    )
                ) from error

    # === IDS ON THE CARD === #

    @api.depends("card_pattern", "card_min_length", "card_max_length", "card_check")
    def _compute_has_card_rule(self) -> None:
        for id_type in self:
            id_type.has_card_rule = bool(
                id_type.card_pattern
                or id_type.card_min_length
                or id_type.card_max_length
                or id_type.card_check
            )

    @api.constrains("card_pattern", "card_check", "card_check_parameter")
    def _check_card_checks(self):
        for record in self:
            if record.card_pattern:
                record._check_card_parameter("regex", record.card_pattern)
            if record.card_check:
                parameter = record.card_check_parameter or ""
                record._check_card_parameter(record.card_check, parameter)

    def _check_card_parameter(self, code: str, parameter: str) -> None:
        try:
            fa_checks.run_parameter_check(code, parameter)
        except InvalidParameter as error:
            raise ValidationError(
                self.env._(
                    "%(name)s: this pattern or parameter cannot be used to check IDs "
                    "on the card.",
                    name=self.name,
                )
            ) from error

    @api.constrains("card_min_length", "card_max_length")
    def _check_card_lengths(self):
        for record in self:
            least, most = record.card_min_length, record.card_max_length
            if least < 0 or most < 0 or (most and most < least):
                raise ValidationError(
                    self.env._(
                        "%(name)s: the maximum length of an ID on the card must not "
                        "be below the minimum.",
                        name=record.name,
                    )
                )

    @api.constrains("card_look", "card_pattern", "card_check")
    def _check_card_look(self):
        """Check that a rule has a description: a pattern does not help users."""
        for record in self:
            if record.has_card_rule and not (record.card_look or "").strip():
                raise ValidationError(
                    self.env._(
                        "%(name)s: describe in words what an ID on the card looks "
                        "like.",
                        name=record.name,
                    )
                )

    def _get_card_rule(self) -> CardRule | None:
        """Return the rule for an ID on the card; None if there is none."""
        if not self.has_card_rule:
            return None
        return CardRule(
            pattern=self.card_pattern or "",
            min_length=self.card_min_length,
            max_length=self.card_max_length,
            check=self.card_check or "",
            check_parameter=self.card_check_parameter or "",
            binds_participants=self.card_binds_programs,
        )

    @api.model
    def _get_card_look(self, type_id: int | None) -> str:
        """Return the description of IDs on the card, in the user's language."""
        return self.sudo().browse(type_id or ()).card_look or ""

    @api.model
    def _has_card_rule(self, type_id: int) -> bool:
        return any(r.type_id == type_id and r.card for r in self._get_rules())

    # === ISSUERS === #

    def _get_issuers(self) -> list[str]:
        """Return the issuers that may assert IDs of this type."""
        return (self.issuers or "").split()

    def _may_be_asserted_by(self, issuer: str) -> bool:
        """Return whether a login at ``issuer`` proves that a person has such an ID."""
        self.ensure_one()
        self._get_rules()  # raises if types were changed past the registry
        return bool(issuer) and issuer in self._get_issuers()

    # === TWO PEOPLE === #

    def _is_guarded(self, name: str, value) -> bool:
        """Return whether the type is in use, or the change would put it to use."""
        return self.active or name in ("active", "backend_id")

    # === READING IDS === #

    @api.model
    def _identify(
        self, text: str, card_check: CardCheck = CardCheck.NONE
    ) -> Identifier:
        """Return the stored form and the type of one ID.

        :param card_check: the callers whose IDs must have the format of the card
        :raises InvalidIdentifier: see ``id_rules.read_id``
        """
        return self._build_reader()(text, card_check)

    @api.model
    def _build_reader(self) -> Callable[[str, CardCheck], Identifier]:
        """Return a function that works like ``_identify``, for many IDs of one call."""
        rules = self._get_rules()

        def read(text: str, card_check: CardCheck) -> Identifier:
            if isinstance(text, identifier.StoredIdentifier):
                return Identifier(str(text), text.type_id)
            return read_id(rules, text, card_check)

        return read

    @api.model
    def _get_clean_value(self, text: str) -> str:
        """Return the value in an ID as its type spells it; raises InvalidIdentifier."""
        return get_clean_value(self._get_rules(), text)

    @api.model
    def _get_forms(self, text: str) -> list[Identifier]:
        """Return every form in which ``text`` may be stored, newest first.

        A form shared by several is listed once; the list is empty for a text that is an
        ID in no form. The first one is the result of ``_identify``, if that accepts the
        text.
        """
        if isinstance(text, identifier.StoredIdentifier):
            return [Identifier(str(text), text.type_id)]
        return read_in_forms(self._get_id_forms(), text)

    @api.model
    def _get_id_forms(self) -> tuple[IdForm, ...]:
        """Return the forms in which rows may be stored, newest first.

        Overridden where previous forms are kept: it adds those with rows that are not
        yet rewritten.
        """
        rules = self._get_rules()
        return IdForm(NEWEST, rules), IdForm(1, rules)

    def _write_id(self, text: str) -> str:
        """Return the ID as it travels.

        A mere value is put into the type's strategy, if it has one. Raises
        InvalidIdentifier.
        """
        if ":" in text or "@" in text or not self.strategy:
            return text
        return identifier.parse_template(self.strategy).build(text)

    def _read_claim(
        self, value: str, card_check: CardCheck = CardCheck.NONE
    ) -> tuple[str, Identifier]:
        """Return the ID of this type in a claim, as it travels and as it is stored.

        Raises InvalidIdentifier, also for a value that could change the meaning of what
        surrounds it, and for one that is an ID of another type.
        """
        self.ensure_one()
        value = value.strip()
        if not value or ":" in value or "@" in value:
            raise InvalidIdentifier("claim")
        written = self._write_id(value)
        found = self._identify(written, card_check)
        if found.type_id != self.id:
            raise InvalidIdentifier("type")
        return written, found

    @api.model
    def _get_written_forms(self, text: str) -> list[str]:
        """Return the IDs that people may mean by ``text``.

        These are the text itself, and the text as the value of each ID type (the number
        on a card rather than what travels).
        """
        types_sudo = self.sudo().search([("strategy", "!=", False)])
        forms = [text]
        for id_type_sudo in types_sudo:
            try:
                forms.append(id_type_sudo._write_id(text))
            except InvalidIdentifier:
                continue
        return list(dict.fromkeys(forms))

    @api.model
    def _get_rules(self) -> tuple[IdRule, ...]:
        """Return the types in use, in their order."""
        return self.env["spar.row.versions"]._reuse(self, "_build_rules", self._name)

    @api.model
    def _build_rules(self) -> tuple[IdRule, ...]:
        self._check_settings()
        types_sudo = self.sudo().search(Domain.TRUE)
        return tuple(record._get_rule() for record in types_sudo)

    def _get_rule(self) -> IdRule:
        return IdRule(
            type_id=self.id,
            strategy=self.strategy and identifier.parse_template(self.strategy) or None,
            stored=self.stored_strategy
            and identifier.parse_template(self.stored_strategy)
            or None,
            tokeniser=self.tokeniser,
            parameter=self.tokeniser_parameter or "",
            check=self.check or "",
            check_parameter=self.check_parameter or "",
            ignores_gaps=self.ignores_gaps,
            ignores_case=self.ignores_case,
            card=self._get_card_rule(),
        )
