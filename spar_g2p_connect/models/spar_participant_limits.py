from dataclasses import replace

from odoo import api, fields, models

from ..lib.caller import Caller


class SparParticipant(models.Model):
    """A participant's limits per minute, and the providers to which it may link."""

    _inherit = "spar.participant"  # pylint: disable=consider-merging-classes-inherited

    calls_per_minute = fields.Integer(
        string="Calls a minute",
        required=True,
        default=600,
        help="Of all kinds together; 0 for no limit.",
    )
    items_per_minute = fields.Integer(
        string="Items a minute",
        required=True,
        default=6000,
        help="The most that can be asked at once; it is refilled within a minute. An "
        "unknown ID counts as 20 items, so that guessing ends soon. 0 means no limit.",
    )
    own_providers_only = fields.Boolean(
        string="Own providers only",
        help="It links only to accounts with its own providers. A link away from "
        "another provider waits until a second person approves it.",
    )
    own_provider_ids = fields.Many2many(
        "spar.fsp", string="Its providers", help="For a bank: itself."
    )

    _pace_positive = models.Constraint(
        "CHECK (calls_per_minute >= 0 AND items_per_minute >= 0)",
        "A limit cannot be negative.",
    )

    def _build_caller(self, operations) -> Caller:
        caller = super()._build_caller(operations)
        return replace(
            caller,
            calls_per_minute=self.calls_per_minute,
            items_per_minute=self.items_per_minute,
            provider_ids=self._get_provider_ids(),
            callback=self.callback_url or "",
            receiver_id=self._get_receiver_id(),
        )

    def _get_provider_ids(self) -> frozenset[int] | None:
        """Return the providers to which it may link; None for all."""
        if not self.own_providers_only:
            return None
        # sudo, because callers may not read the directory; this only reads their own
        # limits.
        participant_sudo = self.sudo()
        return frozenset(participant_sudo.own_provider_ids.ids)

    @api.model
    def _get_receiver_id(self) -> str:
        """Return our name in callers' messages; "" where none is configured."""
        return self.env["spar.row.versions"]._get("receiver") or ""

    # === A PARTICIPANT'S OWN RECORD === #

    @api.model
    def _describe(self, caller: Caller) -> dict:
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
            "callback": caller.callback,
            "limits": self._describe_limits(caller),
        }

    @api.model
    def _describe_limits(self, caller: Caller) -> dict:
        """Return each limit with what is left of it; None where there is no limit."""
        left = self.env["spar.participant.usage"]._get_left(caller)
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
