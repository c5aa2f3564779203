import os
import secrets
from datetime import datetime, timezone

from odoo import api, fields, models
from odoo.exceptions import UserError

from odoo.addons.spar_mapper_connector.lib.contract import Authority, Operation
from odoo.addons.spar_mapper_connector.lib.g2p_connect import profiles

from ..lib.caller import Caller
from ..lib.disclosure import Rights
from ..lib.rules import RULES

#: Set where the server runs as a demo: lenient settings work nowhere else.
DEMO_VARIABLE = "SPAR_DEMO"

#: Right field -> the operation that it permits.
_OPERATIONS = {
    "may_link": Operation.LINK,
    "may_update": Operation.UPDATE,
    "may_unlink": Operation.UNLINK,
    "may_resolve": Operation.RESOLVE,
}
RIGHTS = (*_OPERATIONS, "may_resolve_by_fa")
#: Everything that an active participant is and may do, which takes two people to
#: change. Only its name and note are free.
GUARDED = (
    *("state", "sender_id", "client_id", "demo_only", "profile", *RULES),
    *("authority", "scope", "fa_strategy_id"),
    *("id_type_ids", "has_id_types"),
    *("own_providers_only", "own_provider_ids"),
    *RIGHTS,
    *("max_items", "daily_item_limit", "calls_per_minute", "items_per_minute"),
    *("proof", "signature_place", "answer_algorithm", "jwks_url", "origin_networks"),
    *("token_issuer_id", "issuer_client_id", "client_secret_digest"),
    *("callback_url", "callback_auth", "callback_token_url", "callback_client_id"),
    *("callback_scope", "callback_secret"),
)

#: The fields that are read for a call.
CALLER_FIELDS = (
    "sender_id state demo_only profile authority scope may_link may_update may_unlink "
    "may_resolve may_resolve_by_fa max_items daily_item_limit calls_per_minute "
    "items_per_minute own_providers_only callback_url proof signature_place "
    "answer_algorithm origin_networks fa_strategy_id has_id_types"
).split() + list(RULES)


class SparParticipant(models.Model):
    """An organisation that calls the registry, and what it may do there.

    State and rights are read on each call: a change takes effect at once. Every active
    participant was approved by two people, and so is each change of what it may do.
    """

    _name = "spar.participant"
    _description = "Participant"
    _inherit = ["spar.second.person", "spar.sealed.setting"]
    _order = "name, id"
    _guarded_fields = GUARDED
    _guarded_at_creation = ("state",)
    _guarded_parts = ("key_ids",)
    _guarded_secrets = ("client_secret_digest", "callback_secret")
    _sealed_beside = {
        "client_secret_digest": "encode(t.secret_digest, 'hex')",
        # A secret that was sealed under this reference cannot be unsealed under
        # another.
        "callback_secret": (
            "(SELECT c.uuid FROM spar_callback_secret c WHERE c.participant_id = t.id)"
        ),
    }

    name = fields.Char(required=True, help="The organisation, as people know it.")
    sender_id = fields.Char(
        string="Sender ID",
        required=True,
        copy=False,
        help="How the participant names itself in the header of its messages, "
        "for example payments.example.org.",
    )
    client_id = fields.Char(
        string="Client ID",
        required=True,
        readonly=True,
        copy=False,
        default=lambda self: self._default_client_id(),
        help="With the client secret, what the participant gets its access tokens for.",
    )
    state = fields.Selection(
        [("draft", "Draft"), ("active", "Active"), ("disabled", "Disabled")],
        required=True,
        readonly=True,
        copy=False,
        default="draft",
    )
    profile = fields.Selection(
        selection="_selection_profile",
        required=True,
        default=profiles.STRICT.code,
        help="How strict the syntax of messages is; it changes no right.",
    )
    authority = fields.Selection(
        [("institution", "Institution"), ("programme", "Programme")],
        required=True,
        default="institution",
        help="What its word weighs: a lower authority never overwrites a higher one.",
    )
    may_link = fields.Boolean(string="Link")
    may_update = fields.Boolean(string="Update")
    may_unlink = fields.Boolean(string="Unlink")
    may_resolve = fields.Boolean(string="Resolve", default=True)
    may_resolve_by_fa = fields.Boolean(
        string="Resolve by address",
        help="Ask with a financial address alone.",
    )
    scope = fields.Selection(
        [("yes_no", "Yes or no"), ("details", "Details")],
        required=True,
        default="yes_no",
        help="Whether it is told addresses, or only that there is one.",
    )
    max_items = fields.Integer(string="Items a message", required=True, default=1000)
    daily_item_limit = fields.Integer(
        string="Items a day",
        required=True,
        default=10000,
        help="Of all operations together, from midnight UTC; 0 for no limit.",
    )
    demo_only = fields.Boolean(
        readonly=True,
        copy=False,
        help="It may call only where the server was started as a demo.",
    )
    note = fields.Text()
    usage_ids = fields.One2many(
        "spar.participant.usage", "participant_id", readonly=True
    )
    items_today = fields.Integer(
        compute="_compute_items_today", help="Items asked for since midnight UTC."
    )

    _sender_id_uniq = models.UniqueIndex(
        "(sender_id)", "Another participant has this sender ID."
    )
    _client_id_uniq = models.UniqueIndex(
        "(client_id)", "Another participant has this client ID."
    )
    _sender_id_format = models.Constraint(
        "CHECK (sender_id ~ '^[!-~]{1,255}$')",
        "A sender ID has visible ASCII characters only, at most 255.",
    )
    _max_items_range = models.Constraint(
        "CHECK (max_items BETWEEN 1 AND 10000)",
        "A message may hold from 1 to 10,000 items.",
    )
    _daily_item_limit_positive = models.Constraint(
        "CHECK (daily_item_limit >= 0)", "The daily limit cannot be negative."
    )

    @api.model
    def _default_client_id(self) -> str:
        return f"spar-{secrets.token_hex(8)}"

    @api.model
    def _selection_profile(self) -> list[tuple[str, str]]:
        return profiles.selection()

    @api.depends("usage_ids.items", "usage_ids.day")
    def _compute_items_today(self) -> None:
        # The counters' day is a UTC day, not one of the user's time zone.
        today = datetime.now(timezone.utc).date()
        for participant in self:
            used = participant.usage_ids.filtered(lambda usage: usage.day == today)
            participant.items_today = sum(used.mapped("items"))

    # === STATES === #

    def _is_guarded(self, name: str, value) -> bool:
        """Return whether a change waits for approval.

        Activation waits, and so does every guarded change of a participant that is no
        longer a draft; a draft is approved as a whole.
        """
        if name == "state":
            return value != "disabled"
        return self.state != "draft"

    def _describe_effect(self, values: dict) -> list[str]:
        """Describe the whole participant and its keys to the approver of any change."""
        return super()._describe_effect(values) + self._describe_keys()

    def _begins(self, values: dict) -> bool:
        return values.get("state") == "active"

    def _stops(self, name: str, value) -> bool:
        return name == "state" and value == "disabled"

    def action_activate(self) -> None:
        """Activate drafts and disabled participants.

        They may call once a second person has approved it.
        """
        self._set_state("active", {"draft", "disabled"})

    def action_disable(self) -> None:
        """Refuse every further call of the participants, whatever token they have."""
        self._set_state("disabled", {"draft", "active"})

    def write(self, vals):
        to_draft = vals.get("state") == "draft" and not self.env.su
        if to_draft and set(self.mapped("state")) - {"draft"}:
            raise UserError(self.env._("What has been approved is no draft again."))
        return super().write(vals)

    def _set_state(self, state: str, allowed: set[str]) -> None:
        """Move the participants that are not there yet to ``state``.

        Raises UserError where one is in a state other than ``allowed``.
        """
        moving = self.filtered(lambda participant: participant.state != state)
        if not set(moving.mapped("state")) <= allowed:
            raise UserError(
                self.env._("This participant cannot be moved to that state.")
            )
        moving.write({"state": state})

    @api.ondelete(at_uninstall=False)
    def _unlink_only_draft(self) -> None:
        """Refuse to delete anything but drafts: the history names participants."""
        if any(participant.state != "draft" for participant in self):
            raise UserError(
                self.env._(
                    "Only a draft can be deleted; disable the participant instead."
                )
            )

    # === CALLING === #

    def _may_call(self) -> bool:
        """Return whether this participant may call at all.

        It is False for an empty record.
        """
        is_demo = bool(os.environ.get(DEMO_VARIABLE))
        return self.state == "active" and (is_demo or not self.demo_only)

    def _build_caller(self, operations: frozenset[Operation]) -> Caller:
        """Return what this participant is and may do now, within ``operations``."""
        self.ensure_one()
        granted = self._get_operations()
        return Caller(
            participant_id=self.id,
            sender_id=self.sender_id,
            # An intercepted signed message has no effect when it is replayed.
            must_not_repeat=not self.demo_only,
            rights=Rights(
                operations=granted & operations,
                sees_details=self.scope == "details",
                resolves_by_fa=self.may_resolve_by_fa,
            ),
            authority=Authority[self.authority.upper()],
            profile=self._get_profile(),
            max_items=self.max_items,
            daily_limit=self.daily_item_limit,
        )

    def _get_operations(self) -> frozenset[Operation]:
        return frozenset(o for name, o in _OPERATIONS.items() if self[name])
