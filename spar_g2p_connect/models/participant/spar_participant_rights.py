from dataclasses import replace
from datetime import datetime, timezone

from odoo import api, fields, models
from odoo.exceptions import ValidationError

from odoo.addons.spar_mapper_connector.lib.contract import (
    Authority,
    Capability,
    Operation,
)
from odoo.addons.spar_mapper_connector.lib.g2p_connect import profiles
from odoo.addons.spar_mapper_connector.lib.g2p_connect.profiles import Profile

from ...lib.caller import Caller, CallerSettings, build_caller
from ...lib.disclosure import Rights
from ...lib.rules import AGES, RULES, SWITCHES
from .spar_callback_target import CALLBACK_FIELDS
from .spar_participant import IDENTITY_FIELDS

#: Right -> the operation that it permits.
OPERATION_RIGHTS = {
    "may_link": Operation.LINK,
    "may_update": Operation.UPDATE,
    "may_unlink": Operation.UNLINK,
    "may_resolve": Operation.RESOLVE,
}

#: Right -> what another SPAR may ask with it, beyond G2P Connect. Without the first one
#: it may ask nothing.
EXTENSION_RIGHTS = {
    "may_use_extension": (Capability.VERSIONS, Capability.CHANGE_STATUS),
    "may_suspend": (Capability.SUSPEND,),
    "may_read_standing": (Capability.STANDING,),
    "may_read_history": (Capability.HISTORY,),
    "may_read_waiting": (Capability.WAITING_CHANGES,),
    "may_object": (Capability.OBJECTION, Capability.CHANGE_LOCK),
    "may_propose": (Capability.CONFIRMATION,),
    "may_read_own": (Capability.OWN_ADDRESS, Capability.VISIT),
}

#: Of them, those whose answers contain addresses.
_SHOWING_ADDRESSES = ("may_read_history", "may_read_waiting")

#: What a portal may do beside reading the address of somebody who has logged in there:
#: nothing that reads or changes anything of other people.
_OF_PORTALS = ("may_use_extension", "may_read_own", "may_propose", "may_object")

#: The fields of this file; each takes two people to change, and is read for a call.
RIGHTS_FIELDS = (
    *OPERATION_RIGHTS,
    *EXTENSION_RIGHTS,
    "may_resolve_by_fa",
    "scope",
    "authority",
    "own_providers_only",
    "own_provider_ids",
    "id_type_ids",
    "has_id_types",
    "fa_strategy_id",
    "max_items",
    "daily_item_limit",
    "calls_per_minute",
    "items_per_minute",
    "profile",
    *RULES,
)

_SWITCH = [("on", "Yes"), ("off", "No")]
_SECONDS = [
    ("60", "1 minute"),
    ("300", "5 minutes"),
    ("3600", "1 hour"),
    ("86400", "1 day"),
    ("0", "No limit"),
]


def _switch(label: str) -> fields.Selection:
    return fields.Selection(_SWITCH, string=label)


class SparParticipant(models.Model):
    """What a participant may do: its rights, its limits and the syntax it may use.

    To add a right to an operation, add its field, its line in ``OPERATION_RIGHTS`` and
    its line in the view.
    """

    _inherit = "spar.participant"
    _guarded_fields = (*IDENTITY_FIELDS, *RIGHTS_FIELDS, *CALLBACK_FIELDS)

    # === RIGHTS === #

    may_link = fields.Boolean(string="Link")
    may_update = fields.Boolean(string="Update")
    may_unlink = fields.Boolean(string="Unlink")
    may_resolve = fields.Boolean(string="Resolve", default=True)
    may_resolve_by_fa = fields.Boolean(
        string="Resolve by address",
        help="Send requests that contain only a financial address.",
    )
    scope = fields.Selection(
        [("yes_no", "Yes or no"), ("details", "Details")],
        required=True,
        default="yes_no",
        help="Whether answers contain addresses, or only state that there is one.",
    )
    authority = fields.Selection(
        [("institution", "Institution"), ("programme", "Programme")],
        required=True,
        default="institution",
        help="The weight of its changes: a lower authority never overwrites a higher "
        "one.",
    )
    own_providers_only = fields.Boolean(
        string="Own providers only",
        help="It links only to accounts with its own providers. To move a link away "
        "from another provider, a second person has to approve.",
    )
    own_provider_ids = fields.Many2many(
        "spar.fsp", string="Own providers", help="For a bank, the bank itself."
    )
    id_type_ids = fields.Many2many(
        "spar.id.type", string="ID types", help="Empty: IDs of every type."
    )
    has_id_types = fields.Boolean(
        string="Has ID types", compute="_compute_has_id_types", store=True
    )
    fa_strategy_id = fields.Many2one(
        "spar.fa.strategy",
        string="Address format",
        ondelete="restrict",
        help="The strategy in which addresses are written in answers. Empty: as they "
        "were received. An address of another kind is not rewritten.",
    )

    # === RIGHTS OF ANOTHER SPAR === #

    may_use_extension = fields.Boolean(
        string="SPAR to SPAR",
        help="It is another SPAR: its messages may have purposes and versions, and it "
        "may ask what became of its changes. Its users have at most the authority of "
        "this participant.",
    )
    may_suspend = fields.Boolean(
        string="Suspend", help="Suspend and resume payments to an address."
    )
    may_read_standing = fields.Boolean(
        string="Payment readiness",
        help="Query whether people would be paid now: also whether their address is "
        "disputed or shared with others, or about to change.",
    )
    may_read_history = fields.Boolean(
        string="History", help="Read every address that an ID ever had."
    )
    may_read_waiting = fields.Boolean(
        string="Waiting changes", help="Read the changes of an ID that wait."
    )
    may_object = fields.Boolean(
        string="Objections",
        help="Freeze changes in the name of a person who disputes one, and lock them "
        "for a person who has logged in there. Nothing is undone or unlocked without "
        "that person's own login.",
    )
    may_read_own = fields.Boolean(
        string="Own address (portal)",
        help="It is a portal: it reads the address of a person who has logged in "
        "there, masked, one at a time, with that person's ID token, after that person "
        "has allowed the visit on this registry's own page. It has no other right to "
        "read or change addresses.",
    )
    may_propose = fields.Boolean(
        string="Proposals",
        help="Send people to this registry's own page, to confirm a change there. For "
        "portals, which also have to be listed as one.",
    )

    # === LIMITS === #

    max_items = fields.Integer(string="Items per message", required=True, default=1000)
    daily_item_limit = fields.Integer(
        string="Items per day",
        required=True,
        default=10000,
        help="All operations together, counted from midnight UTC; 0 for no limit.",
    )
    calls_per_minute = fields.Integer(
        string="Calls per minute",
        required=True,
        default=600,
        help="All operations together; 0 for no limit.",
    )
    items_per_minute = fields.Integer(
        string="Items per minute",
        required=True,
        default=6000,
        help="Also the most that one call may contain; it is refilled within a minute. "
        "An unknown ID counts as 20 items, which makes guessing slow. 0 for no limit.",
    )
    usage_ids = fields.One2many(
        "spar.participant.usage", "participant_id", readonly=True
    )
    items_today = fields.Integer(
        string="Items today",
        compute="_compute_items_today",
        help="Items requested since midnight UTC.",
    )

    _max_items_range = models.Constraint(
        "CHECK (max_items BETWEEN 1 AND 10000)",
        "A message may contain from 1 to 10,000 items.",
    )
    _daily_item_limit_positive = models.Constraint(
        "CHECK (daily_item_limit >= 0)", "The daily limit cannot be negative."
    )
    _pace_positive = models.Constraint(
        "CHECK (calls_per_minute >= 0 AND items_per_minute >= 0)",
        "A limit cannot be negative.",
    )

    # === SYNTAX === #
    # A preset, and a switch for each of its rules; an empty switch changes nothing.

    profile = fields.Selection(
        selection="_selection_profile",
        required=True,
        default=profiles.STRICT.code,
        help="How strictly the syntax of messages is checked. It changes no right.",
    )
    rule_checks_version = _switch("Version must match ours")
    rule_counts_must_match = _switch("Total count must match")
    rule_timestamps_need_zone = _switch("Timestamps need a time zone")
    rule_references_are_unique = _switch("Reference IDs are unique in a message")
    rule_names_sender = _switch("Sender ID is required")
    rule_checks_parties = _switch("Receiver and callback must match this record")
    rule_checks_addresses = _switch("Addresses must be in the directory")
    rule_attributes_are_pairs = _switch("Additional info is a list of names and values")
    rule_nulls_are_absent = _switch("Null and empty count as absent")
    rule_ignores_encryption_flag = _switch("Encryption flag is ignored")
    rule_answers_on_action = _switch("Answers have the action on-…")
    rule_always_sends_message = _switch("Answers always have a message")
    rule_message_ids_are_unique = _switch("Message IDs are unique")
    rule_resolve_is_strict = _switch("Resolve checks ID, address and scope")
    rule_needs_items = _switch("A message needs at least one item")
    rule_callback_needs_ack = _switch("Callbacks need an acknowledgement")
    rule_header_tells_failures = _switch("Header reports failed items")
    rule_speaks_openg2p_2 = _switch("Envelope of OpenG2P 2.x is accepted")
    rule_max_age_seconds = fields.Selection(_SECONDS, string="Maximum age of a message")
    rule_max_ahead_seconds = fields.Selection(
        _SECONDS, string="Maximum time in the future"
    )

    @api.model
    def _selection_profile(self) -> list[tuple[str, str]]:
        return profiles.selection()

    @api.constrains("scope", *EXTENSION_RIGHTS)
    def _check_extension(self) -> None:
        for participant in self:
            granted = [name for name in EXTENSION_RIGHTS if participant[name]]
            if granted and not participant.may_use_extension:
                raise ValidationError(
                    self.env._(
                        "%(name)s: rights beyond G2P Connect also need SPAR to SPAR.",
                        name=participant.name,
                    )
                )
            if participant.scope != "details" and set(granted) & set(
                _SHOWING_ADDRESSES
            ):
                raise ValidationError(
                    self.env._(
                        "%(name)s: history and waiting changes contain addresses, so "
                        "they need the scope Details.",
                        name=participant.name,
                    )
                )

    @api.constrains("scope", "may_resolve_by_fa", *OPERATION_RIGHTS, *EXTENSION_RIGHTS)
    def _check_portal(self) -> None:
        rights = {*OPERATION_RIGHTS, *EXTENSION_RIGHTS, "may_resolve_by_fa"}
        others = sorted(rights - set(_OF_PORTALS))
        for participant in self.filtered("may_read_own"):
            granted = [name for name in others if participant[name]]
            if granted or participant.scope == "details":
                raise ValidationError(
                    self.env._(
                        "%(name)s: a portal reads the addresses of people who have "
                        "logged in there, and nothing else. Remove its other rights, "
                        "and choose the scope Yes or no.",
                        name=participant.name,
                    )
                )

    @api.depends("id_type_ids")
    def _compute_has_id_types(self) -> None:
        for participant in self:
            participant.has_id_types = bool(participant.id_type_ids)

    @api.depends("usage_ids.items", "usage_ids.day")
    def _compute_items_today(self) -> None:
        # The counters' day is a UTC day, not one of the user's time zone.
        today = datetime.now(timezone.utc).date()
        for participant in self:
            used = participant.usage_ids.filtered(lambda usage: usage.day == today)
            participant.items_today = sum(used.mapped("items"))

    # === CALLING === #

    def _build_caller(self) -> Caller:
        """Return what this participant is and may do now."""
        return build_caller(self._get_caller_settings())

    def _get_caller_settings(self) -> CallerSettings:
        """Return what this record says about calls; ``lib/caller.py`` applies it."""
        self.ensure_one()
        return CallerSettings(
            participant_id=self.id,
            sender_id=self.sender_id,
            rights=Rights(
                operations=self._get_operations(),
                sees_details=self.scope == "details",
                resolves_by_fa=self.may_resolve_by_fa,
                extension=self._get_extension(),
            ),
            authority=Authority[self.authority.upper()],
            profile=self._get_profile(),
            max_items=self.max_items,
            daily_limit=self.daily_item_limit,
            calls_per_minute=self.calls_per_minute,
            items_per_minute=self.items_per_minute,
            provider_ids=self._get_provider_ids(),
            id_type_ids=self._get_id_type_ids(),
            strategy_number=self._get_strategy_number(),
            callback=self.callback_url or "",
            receiver_id=self._get_receiver_id(),
            proof=self.proof,
            demo_only=self.demo_only,
            origin_networks=self.origin_networks or "",
            signature_place=self.signature_place,
            answer_algorithm=self.answer_algorithm,
        )

    def _get_operations(self) -> frozenset[Operation]:
        return frozenset(
            operation for name, operation in OPERATION_RIGHTS.items() if self[name]
        )

    def _get_extension(self) -> frozenset[Capability]:
        """Return what it may ask beyond G2P Connect, as another SPAR."""
        if not self.may_use_extension:
            return frozenset()
        granted = (each for name, each in EXTENSION_RIGHTS.items() if self[name])
        found = frozenset().union(*granted)
        if self.scope != "details":
            hidden = (EXTENSION_RIGHTS[name] for name in _SHOWING_ADDRESSES)
            found -= frozenset().union(*hidden)
        return found

    def _get_profile(self) -> Profile:
        """Return the syntax that applies to this participant."""
        changed = {
            name: self[field] == "on" for field, name in SWITCHES.items() if self[field]
        }
        changed |= {
            name: int(self[field]) for field, name in AGES.items() if self[field]
        }
        return replace(profiles.get_profile(self.profile), **changed)

    # The following use sudo, because the service user may read neither the directory
    # nor its settings; they only read what the participant's own record refers to.

    def _get_provider_ids(self) -> frozenset[int] | None:
        """Return the providers to which it may link; None for all."""
        if not self.own_providers_only:
            return None
        participant_sudo = self.sudo()
        return frozenset(participant_sudo.own_provider_ids.ids)

    def _get_id_type_ids(self) -> frozenset[int] | None:
        """Return the types of ID that it may name; None for all."""
        if not self.has_id_types:
            return None  # the usual case: skip the query for the types
        participant_sudo = self.sudo()
        return frozenset(participant_sudo.id_type_ids.ids)

    def _get_strategy_number(self) -> int:
        """Return the strategy in which it reads addresses; 0 for none."""
        if not self.fa_strategy_id:
            return 0
        participant_sudo = self.sudo()
        return participant_sudo.fa_strategy_id.number

    @api.model
    def _get_receiver_id(self) -> str:
        """Return our name in callers' messages; "" where none is configured."""
        return self.env["spar.row.versions"]._get("receiver") or ""

    # === A PARTICIPANT'S OWN RECORD === #

    @api.model
    def _get_own_record(self, caller: Caller) -> dict:
        """Return what a participant may read of its own record.

        These are its rights, its limits and what is left of them, but neither keys nor
        secrets, nor anything of another participant.
        """
        names = sorted(operation.value for operation in caller.rights.operations)
        return {
            "sender_id": caller.sender_id,
            "receiver_id": caller.receiver_id,
            "state": "active",
            "profile": caller.profile.code,
            "operations": names,
            "scope": "details" if caller.rights.sees_details else "yes_no",
            "resolves_by_fa": caller.rights.resolves_by_fa,
            "own_providers_only": caller.provider_ids is not None,
            "extension": sorted(each.value for each in caller.rights.extension),
            "callback": caller.callback,
            "limits": self._get_own_limits(caller),
        }

    @api.model
    def _get_own_limits(self, caller: Caller) -> dict:
        """Return each limit with what is left of it; None where there is no limit."""
        left = self.env["spar.participant.usage"]._get_remaining(caller)
        given = {
            "calls_a_minute": caller.calls_per_minute,
            "items_a_minute": caller.items_per_minute,
            "items_a_day": caller.daily_limit,
        }
        limits = {
            name: {"limit": limit, "left": left[name]} if limit else None
            for name, limit in given.items()
        }
        return {"items_a_message": caller.max_items, **limits}
