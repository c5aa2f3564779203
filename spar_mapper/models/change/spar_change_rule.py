from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain

from odoo.addons.spar_mapper_connector.lib.contract import Authority, Operation

from ...lib.assessment import Decision, Proposal, Proposer, Rule, find_rule

_ASSESSED = (
    Operation.LINK,
    Operation.UPDATE,
    Operation.UNLINK,
    Operation.SUSPEND,
    Operation.RESUME,
)


class SparChangeRule(models.Model):
    """The conditions for applying, holding, reviewing or refusing a change."""

    _name = "spar.change.rule"
    _description = "Rule for changes"
    _inherit = ["spar.second.person", "spar.sealed.setting", "spar.cached.records"]
    _order = "sequence, id"
    _counts_by = "active"
    _guarded_fields = (
        "sequence",
        "active",
        "operation",
        "channel",
        "below_authority",
        "decision",
        "hold_hours",
        "needs_evidence",
    )

    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    operation = fields.Selection(
        selection=lambda self: self._selection_operation(),
        help="If empty, any operation except suspending, which only a rule that names "
        "it can delay.",
    )
    channel = fields.Selection(
        selection=lambda self: self._selection_channel(),
        help="If empty, any channel.",
    )
    below_authority = fields.Selection(
        string="Below authority",
        selection=lambda self: self._selection_authority(),
        help="Applies only to callers with a lower authority than this. If empty, to "
        "all.",
    )
    decision = fields.Selection(
        [
            ("apply", "Apply at once"),
            ("hold", "Hold for some hours"),
            ("approve", "A second person decides"),
            ("refuse", "Refuse"),
        ],
        required=True,
    )
    hold_hours = fields.Integer(string="Hours on hold")
    needs_evidence = fields.Boolean(
        string="Document required",
        help="Staff must attach a picture or a scan of the person's document. Without "
        "it, the change is refused.",
    )

    _hold_hours_positive = models.Constraint(
        "CHECK (decision != 'hold' OR hold_hours > 0)",
        "Enter for how many hours the change is held.",
    )

    @api.constrains("channel")
    def _check_channel(self):
        """Refuse a channel that no change comes by: its rule would never apply."""
        names = self.env["spar.channel.name"]._get_channel_names()
        for rule in self:
            if rule.channel and rule.channel not in names:
                raise ValidationError(self.env._("Channel: choose one of the list."))

    def _is_guarded(self, name: str, value) -> bool:
        """Return whether a write needs approval.

        Every change of an active rule does; of an inactive one, only its activation.
        """
        return bool(self.active or name == "active")

    @api.model
    def _selection_operation(self):
        field = self.env["spar.change"]._fields["operation"]
        names = dict(field._description_selection(self.env))
        return [(code.value, names[code.value]) for code in _ASSESSED]

    @api.model
    def _selection_channel(self):
        return list(self.env["spar.channel.name"]._get_channel_names().items())

    @api.model
    def _selection_authority(self):
        names = {
            Authority.INSTITUTION: self.env._("Institution"),
            Authority.PROGRAMME: self.env._("Programme"),
            Authority.STAFF: self.env._("Staff"),
            Authority.OWNER: self.env._("Beneficiary"),
        }
        return [(str(int(authority)), names[authority]) for authority in Authority]

    @api.model
    def _get_rules(self) -> tuple[Rule, ...]:
        """Return the active rules, in order."""
        versions = self.env["spar.row.versions"]
        return versions._reuse(self, "_build_rules", self._name)

    @api.model
    def _build_rules(self) -> tuple[Rule, ...]:
        self._check_settings()
        rules_sudo = self.sudo().search(Domain.TRUE)
        return tuple(rule._get_rule() for rule in rules_sudo)

    @api.model
    def _asks_evidence(self, operation: str, authority: Authority) -> bool:
        """Return whether staff who request ``operation`` must attach a document.

        Lifting the beneficiary's own lock always takes one.
        """
        if operation == Operation.UNLOCK.value:
            return True
        proposal = Proposal(operation or "", Proposer("staff", authority))
        rule = find_rule(self._get_rules(), proposal)
        return rule is not None and rule.needs_evidence

    def _get_rule(self) -> Rule:
        authority = self.below_authority
        return Rule(
            decision=Decision(self.decision),
            operation=self.operation or None,
            channel=self.channel or None,
            below_authority=int(authority) if authority else None,
            hold_hours=self.hold_hours,
            why=f"rule:{self.id}",
            needs_evidence=self.needs_evidence,
        )
