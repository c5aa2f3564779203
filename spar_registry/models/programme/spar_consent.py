from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL


class SparConsent(models.Model):
    """A person's consent to a programme's use of their account; never rewritten."""

    _name = "spar.consent"
    _description = "Consent"
    _inherit = ["spar.of.person"]
    _order = "given_at desc, id desc"
    _rec_name = "partner_id"

    partner_id = fields.Many2one(
        "res.partner", string="Person", required=True, index=True, ondelete="restrict"
    )
    programme_id = fields.Many2one("spar.programme", required=True, ondelete="restrict")
    version = fields.Char(
        readonly=True, help="The version of the text that the person agreed to."
    )
    text = fields.Html(readonly=True, string="Text that the person agreed to")
    lang = fields.Selection(
        selection="_selection_lang",
        string="Language",
        default=lambda self: self._default_lang(),
        help="The language in which the person read or heard the text.",
    )
    shown_text = fields.Html(
        compute="_compute_shown_text",
        string="Consent text",
        help="To be read to the person before they agree.",
    )
    given_at = fields.Datetime(
        string="Given at", required=True, default=fields.Datetime.now
    )
    given_how = fields.Selection(
        [
            ("signed", "Signed on paper"),
            ("spoken", "Spoken, in front of a witness"),
            ("online", "Online"),
            ("phone", "By telephone"),
        ],
        required=True,
        string="How it was given",
    )
    recorded_by = fields.Many2one(
        "res.users",
        string="Recorded by",
        readonly=True,
        default=lambda self: self.env.user,
    )
    withdrawn_at = fields.Datetime(string="Withdrawn at", readonly=True)
    withdrawn_by = fields.Many2one("res.users", string="Withdrawn by", readonly=True)
    state = fields.Selection(
        [
            ("valid", "Valid"),
            ("outdated", "Earlier version: ask again"),
            ("withdrawn", "Withdrawn"),
        ],
        compute="_compute_state",
        search="_search_state",
    )

    _person = models.Index("(partner_id, programme_id) WHERE withdrawn_at IS NULL")

    @api.model
    def _selection_lang(self):
        return self.env["res.lang"].get_installed()

    @api.model
    def _default_lang(self):
        return self.env.lang or "en_US"

    @api.model
    def default_get(self, fields):
        """Propose the programme, where the person is a member of only one."""
        values = super().default_get(fields)
        person_id = values.get("partner_id")
        if person_id and not values.get("programme_id"):
            members = self.env["spar.programme.member"].search(
                [
                    ("partner_id", "=", person_id),
                    ("programme_id.needs_consent", "=", True),
                ]
            )
            if len(members.programme_id) == 1:
                values["programme_id"] = members.programme_id.id
        return values

    @api.depends("programme_id", "lang", "text")
    def _compute_shown_text(self):
        """Show what the person agreed to, or agrees to now, in their language."""
        for consent in self:
            programme = consent.programme_id.with_context(lang=consent.lang)
            is_stored = bool(consent._origin)
            consent.shown_text = consent.text if is_stored else programme.consent_text

    # === STATE === #

    @api.depends("withdrawn_at", "version", "programme_id.consent_version")
    def _compute_state(self):
        for consent in self:
            is_current = consent.version == consent.programme_id.consent_version
            consent.state = "valid" if is_current else "outdated"
            if consent.withdrawn_at:
                consent.state = "withdrawn"

    @api.model
    def _search_state(self, operator, value):
        """Search by state; people who agreed to a newer version are not outdated."""
        if operator != "in":
            return NotImplemented
        self.env["spar.programme"].flush_model(["consent_version"])
        self.flush_model(["version", "withdrawn_at", "partner_id", "programme_id"])
        query = SQL(
            """(SELECT c.id FROM spar_consent c
                  JOIN spar_programme p ON p.id = c.programme_id
                 WHERE CASE
                       WHEN c.withdrawn_at IS NOT NULL THEN 'withdrawn'
                       WHEN c.version IS NOT DISTINCT FROM p.consent_version
                       THEN 'valid'
                       WHEN EXISTS (
                            SELECT FROM spar_consent n
                             WHERE n.partner_id = c.partner_id
                               AND n.programme_id = c.programme_id AND n.id > c.id)
                       THEN 'replaced'
                       ELSE 'outdated' END = ANY(%s))""",
            [str(state) for state in value],
        )
        return Domain("id", "in", query)

    # === RECORDING === #

    @api.model_create_multi
    def create(self, vals_list):
        """Keep the text, in the language in which the person read it."""
        as_code = super(SparConsent, self._as_code())
        new = as_code.create([self._prepare_new(values) for values in vals_list])
        return new.with_env(self.env)

    @api.model
    def _prepare_new(self, values: dict) -> dict:
        """Return the values of a new consent; raises UserError."""
        programme = self.env["spar.programme"].browse(values["programme_id"])
        lang = values.get("lang") or self._default_lang()
        given_at = fields.Datetime.to_datetime(values.get("given_at"))
        now = fields.Datetime.now()
        if given_at and given_at > now:
            raise UserError(self.env._("Given at: it must not be in the future."))
        return {
            "partner_id": values.get("partner_id"),
            "programme_id": programme.id,
            "given_at": given_at or now,
            "given_how": values.get("given_how"),
            "lang": lang,
            "version": programme.consent_version,
            "text": programme.with_context(lang=lang).consent_text,
            "recorded_by": self.env.uid,
        }

    def write(self, vals):
        """Raise UserError: a consent is withdrawn by its button, never rewritten."""
        if not self.env.su or vals.keys() - {"withdrawn_at", "withdrawn_by"}:
            raise UserError(
                self.env._(
                    "A consent cannot be changed. Withdraw it, and record a new one."
                )
            )
        return super().write(vals)

    def action_withdraw(self):
        """Record that people withdrew their consent, and propose what follows."""
        self.check_access("write")
        current = self.filtered(lambda consent: not consent.withdrawn_at)
        current_sudo = current.sudo()
        current_sudo.write(
            {"withdrawn_at": fields.Datetime.now(), "withdrawn_by": self.env.uid}
        )
        for consent in current:
            consent.partner_id._spar_propose(
                "consent_withdrawn", programme=consent.programme_id
            )

    # === WHO CONSENTED === #

    @api.model
    def _find_consented(self, programme, partner_ids: list[int]) -> set[int]:
        """Return those of ``partner_ids`` who agreed to the text as it is now.

        All of them, where the programme requires no consent.
        """
        if not programme.needs_consent:
            return set(partner_ids)
        domain = self._get_given_domain(programme, partner_ids)
        domain &= Domain("version", "=", programme.consent_version)
        return set(self.search(domain).partner_id.ids)

    @api.model
    def _find_withdrawn(self, programme, partner_ids: list[int]) -> set[int]:
        """Return those of ``partner_ids`` who have no consent left, to any version.

        What was queued with a consent is sent, although the text has changed since;
        nothing is sent once it was withdrawn. None, where no consent is required.
        """
        if not programme.needs_consent:
            return set()
        domain = self._get_given_domain(programme, partner_ids)
        return set(partner_ids) - set(self.search(domain).partner_id.ids)

    @api.model
    def _get_given_domain(self, programme, partner_ids: list[int]) -> Domain:
        domain = Domain("programme_id", "=", programme.id)
        domain &= Domain("partner_id", "in", partner_ids)
        return domain & Domain("withdrawn_at", "=", False)
