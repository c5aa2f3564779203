from dataclasses import replace

from odoo import fields, models

from odoo.addons.spar_mapper_connector.lib.g2p_connect import profiles
from odoo.addons.spar_mapper_connector.lib.g2p_connect.profiles import Profile

from ..lib.rules import AGES, SWITCHES

_SWITCH = [("on", "Yes"), ("off", "No")]
_SECONDS = [
    ("60", "a minute"),
    ("300", "5 minutes"),
    ("3600", "an hour"),
    ("86400", "a day"),
    ("0", "any time"),
]


def _switch(label: str) -> fields.Selection:
    return fields.Selection(_SWITCH, string=label)


class SparParticipant(models.Model):
    """The syntax rules for a participant: a preset and a switch for each rule.

    An empty switch leaves the rule as the preset has it.
    """

    _inherit = "spar.participant"  # pylint: disable=consider-merging-classes-inherited

    rule_checks_version = _switch("Version must be ours")
    rule_counts_must_match = _switch("Total count must match")
    rule_timestamps_need_zone = _switch("Times need a zone")
    rule_references_are_unique = _switch("Reference IDs are unique in a message")
    rule_names_sender = _switch("Sender ID must be there")
    rule_checks_parties = _switch("Receiver and callback must be the agreed ones")
    rule_checks_addresses = _switch("Addresses must be known to the directory")
    rule_attributes_are_pairs = _switch("Additional info is names and values")
    rule_nulls_are_absent = _switch("Null and empty count as absent")
    rule_ignores_encryption_flag = _switch("Encryption flag says nothing")
    rule_answers_on_action = _switch("Answers have the action on-…")
    rule_always_sends_message = _switch("Answers always have a message")
    rule_message_ids_are_unique = _switch("Message IDs stand for one message")
    rule_resolve_is_strict = _switch("Resolve looks at ID, address and scope")
    rule_needs_items = _switch("A message needs an item")
    rule_callback_needs_ack = _switch("Callbacks need an acknowledgement")
    rule_header_tells_failures = _switch("Header tells failures of items")
    rule_speaks_openg2p_2 = _switch("Envelope of OpenG2P 2.x is served")
    rule_max_age_seconds = fields.Selection(_SECONDS, string="How old a message may be")
    rule_max_ahead_seconds = fields.Selection(
        _SECONDS, string="How far ahead its time may be"
    )

    def _get_profile(self) -> Profile:
        """Return the syntax that applies to this participant."""
        changed = {
            name: self[field] == "on" for field, name in SWITCHES.items() if self[field]
        }
        changed |= {
            name: int(self[field]) for field, name in AGES.items() if self[field]
        }
        return replace(profiles.get_profile(self.profile), **changed)
