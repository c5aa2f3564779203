from odoo import api, fields, models
from odoo.exceptions import UserError


class SparProgramme(models.Model):
    """A programme: whom it pays, for which purpose, and what it needs before that."""

    _name = "spar.programme"
    _description = "Programme"
    _inherit = ["mail.thread"]
    _order = "name"

    name = fields.Char(required=True, translate=True)
    code = fields.Char(
        required=True, copy=False, help="A short word for files and messages."
    )
    active = fields.Boolean(default=True)
    company_id = fields.Many2one("res.company", default=lambda self: self.env.company)
    purpose = fields.Char(
        help="The purpose of the financial address, for example pension. Leave empty "
        "for the address that a person uses for everything.",
    )
    payee_rule = fields.Selection(
        [
            ("self", "The person"),
            ("head", "The head of the household"),
            ("household", "The household, by its own ID"),
            ("named", "The recipient named for each member"),
        ],
        required=True,
        default="self",
        string="Who is paid",
    )
    id_type_ids = fields.Many2many(
        "spar.id.type",
        string="ID types",
        help="The IDs that people are paid by, in this order. Leave empty for any.",
    )
    needs_consent = fields.Boolean(
        string="Consent required",
        help="Accounts are sent only for people who consented.",
    )
    consent_text = fields.Html(
        translate=True,
        help="Once somebody has agreed to this text, a change of it is a new version, "
        "and everybody is asked again.",
        string="Consent text",
    )
    consent_version = fields.Char(string="Version of the text", default="1")
    outdated_consent_count = fields.Integer(
        compute="_compute_outdated_consent_count",
        string="People to ask again",
        help="They agreed to an earlier version of the text only.",
    )
    manager_ids = fields.Many2many(
        "res.users",
        string="Responsible",
        help="Conflicts and accounts that could not be sent are assigned to the first "
        "of them.",
    )
    member_ids = fields.One2many("spar.programme.member", "programme_id")
    cycle_ids = fields.One2many("spar.programme.cycle", "programme_id")
    readiness_gate = fields.Boolean(
        string="Check before each payment",
        help="Staff who prepare the payments of a cycle see who is not ready. Nobody "
        "is left out of the payment because of it.",
    )

    _code_uniq = models.UniqueIndex(
        "(code)", "A programme with this code already exists."
    )

    # === CONSENT === #

    def write(self, vals):
        """Write; a text that people have agreed to becomes a new version."""
        if "consent_version" in vals:
            self._check_new_version(vals["consent_version"])
        if "consent_text" not in vals or "consent_version" in vals:
            return super().write(vals)
        before = {programme: programme._get_texts() for programme in self}
        result = super().write(vals)
        for programme, texts in before.items():
            programme._begin_version(texts)
        return result

    def _update_field_translations(
        self, field_name, translations, digest=None, source_lang=""
    ):
        """Translate; a text that people have agreed to becomes a new version."""
        before = self._get_texts()
        result = super()._update_field_translations(
            field_name, translations, digest, source_lang
        )
        self._begin_version(before)
        return result

    def _get_texts(self) -> dict[str, str]:
        """Return the text that people read, by language."""
        self.ensure_one()
        return {
            lang: self.with_context(lang=lang).consent_text
            for lang, _name in self.env["res.lang"].get_installed()
        }

    def _begin_version(self, before: dict[str, str]) -> None:
        """Begin a version if somebody agreed to a text that has changed.

        :param before: the texts before the change, by language
        """
        after = self._get_texts()
        changed = {lang for lang, text in before.items() if text != after[lang]}
        agreed = self._find_agreed(self.consent_version)
        if changed & set(agreed.mapped("lang")):
            self.consent_version = self._get_next_version()

    def _get_next_version(self) -> str:
        """Return the number after the present version; words get a number."""
        head, number = _split_version(self.consent_version or "1")
        number += 1
        while self._find_agreed(f"{head}{number}"):
            number += 1
        return f"{head}{number}"

    def _find_agreed(self, version: str):
        """Return every consent to a version of the text, withdrawn ones included."""
        self.ensure_one()
        domain = [("programme_id", "=", self.id), ("version", "=", version)]
        return self.env["spar.consent"].sudo().search(domain)

    def _check_new_version(self, version: str) -> None:
        """Raise UserError for a version that people have agreed to, as another text."""
        for programme in self:
            if programme.consent_version == version:
                continue
            if not version or programme._find_agreed(version):
                raise UserError(
                    self.env._(
                        "Version: people have agreed to a text with this version. "
                        "Enter a new one."
                    )
                )

    @api.depends("consent_version", "needs_consent")
    def _compute_outdated_consent_count(self):
        """Count the consents that the user may see."""
        for programme in self:
            count = 0
            if programme.needs_consent:
                count = self.env["spar.consent"].search_count(
                    programme._get_outdated_domain()
                )
            programme.outdated_consent_count = count

    def _get_outdated_domain(self) -> list:
        self.ensure_one()
        return [("programme_id", "=", self.id), ("state", "=", "outdated")]

    def action_open_outdated(self):
        """List the people who agreed to an earlier version of the text."""
        self.ensure_one()
        self.check_access("read")
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("People to ask again"),
            "res_model": "spar.consent",
            "view_mode": "list,form",
            "domain": self._get_outdated_domain(),
        }

    def action_check_readiness(self):
        """Ask which people of the programme are to be checked."""
        self.ensure_one()
        self.check_access("read")
        return self.env["spar.readiness.wizard"]._open_for("programme", programme=self)

    # === WHO IS PAID === #

    def _find_payees(self, people) -> dict[int, int]:
        """Return who is paid for each of ``people``, by row id.

        Those for whom nobody can be paid are omitted: the head of their household has
        left, died or was never named. Without a programme everybody is their own payee.
        """
        find = _PAYEE_RULES[self.payee_rule or "self"]
        found = find(self, people)
        payable = people.browse(list(set(found.values())))._spar_payable()
        return {row_id: payee for row_id, payee in found.items() if payee in payable}

    def _find_self(self, people) -> dict[int, int]:
        return {row_id: row_id for row_id in people.ids}

    def _find_heads(self, people) -> dict[int, int]:
        """Return the head of each household, or of each member's household."""
        households = people._spar_households()
        heads = people.browse(list(set(households.values())))._spar_head()
        return {
            row_id: heads[household_id]
            for row_id, household_id in households.items()
            if household_id in heads
        }

    def _find_households(self, people) -> dict[int, int]:
        return people._spar_households()

    def _find_named(self, people) -> dict[int, int]:
        members = self.env["spar.programme.member"].search(
            [("programme_id", "=", self.id), ("partner_id", "in", people.ids)]
        )
        return {
            member.partner_id.id: member.recipient_id.id
            for member in members
            if member.recipient_id
        }


def _split_version(version: str) -> tuple[str, int]:
    """Return a version's words and its number, which is 1 if it has none."""
    head = version.rstrip("0123456789")
    if head != version:
        return head, int(version[len(head) :])
    return f"{version}.", 1


_PAYEE_RULES = {
    "self": SparProgramme._find_self,
    "head": SparProgramme._find_heads,
    "household": SparProgramme._find_households,
    "named": SparProgramme._find_named,
}
