from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain


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
    version = fields.Char(readonly=True, help="Of the text that the person agreed to.")
    text = fields.Html(readonly=True, string="Text that the person agreed to")
    lang = fields.Char(string="Language", readonly=True)
    given_at = fields.Datetime(required=True, default=fields.Datetime.now)
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
        "res.users", readonly=True, default=lambda self: self.env.user
    )
    withdrawn_at = fields.Datetime(readonly=True)
    withdrawn_by = fields.Many2one("res.users", readonly=True)

    _person = models.Index("(partner_id, programme_id) WHERE withdrawn_at IS NULL")

    @api.model_create_multi
    def create(self, vals_list):
        """Keep the text, in the language in which the person read it."""
        for values in vals_list:
            programme = self.env["spar.programme"].browse(values["programme_id"])
            lang = values.get("lang") or self.env.lang or "en_US"
            values.update(
                lang=lang,
                version=programme.consent_version,
                text=programme.with_context(lang=lang).consent_text,
                recorded_by=self.env.uid,
            )
        return super().create(vals_list)

    def write(self, vals):
        if vals.keys() - {"withdrawn_at", "withdrawn_by"}:
            raise UserError(
                self.env._(
                    "A consent cannot be changed. Withdraw it, and record a new one."
                )
            )
        return super().write(vals)

    def action_withdraw(self):
        """Record that people withdrew their consent, and propose what follows."""
        current = self.filtered(lambda consent: not consent.withdrawn_at)
        current.write(
            {"withdrawn_at": fields.Datetime.now(), "withdrawn_by": self.env.uid}
        )
        for consent in current:
            consent.partner_id._spar_propose(
                "consent_withdrawn", programme=consent.programme_id
            )

    @api.model
    def _find_consented(self, programme, partner_ids: list[int]) -> set[int]:
        """Return those of ``partner_ids`` who consented; all, where none is needed."""
        if not programme.needs_consent:
            return set(partner_ids)
        domain = Domain("programme_id", "=", programme.id)
        domain &= Domain("partner_id", "in", partner_ids)
        domain &= Domain("withdrawn_at", "=", False)
        return set(self.search(domain).partner_id.ids)
