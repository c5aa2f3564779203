from odoo import fields, models


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
    consent_text = fields.Html(translate=True)
    consent_version = fields.Char(default="1")
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
        help="Whoever prepares payments of a cycle sees who is not ready. Nobody is "
        "left out because of it.",
    )

    _code_uniq = models.UniqueIndex("(code)", "A programme with this code exists.")

    def action_check_readiness(self):
        """Ask which people of the programme are to be checked."""
        self.ensure_one()
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
        households = {person.id: _get_household(person) for person in people}
        heads = people.browse([each.id for each in households.values()])._spar_head()
        return {
            row_id: heads[household.id]
            for row_id, household in households.items()
            if household.id in heads
        }

    def _find_households(self, people) -> dict[int, int]:
        return {person.id: _get_household(person).id for person in people}

    def _find_named(self, people) -> dict[int, int]:
        members = self.env["spar.programme.member"].search(
            [("programme_id", "=", self.id), ("partner_id", "in", people.ids)]
        )
        return {
            member.partner_id.id: member.recipient_id.id
            for member in members
            if member.recipient_id
        }


def _get_household(person):
    """Return a person's household; a household, or somebody alone, is their own."""
    return person.parent_id or person


_PAYEE_RULES = {
    "self": SparProgramme._find_self,
    "head": SparProgramme._find_heads,
    "household": SparProgramme._find_households,
    "named": SparProgramme._find_named,
}
