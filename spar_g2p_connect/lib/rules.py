"""The fields of a participant that control the rules of its profile."""

from __future__ import annotations

#: Field -> the switch of the profile that it controls.
SWITCHES = {
    f"rule_{name}": name
    for name in (
        "checks_version",
        "counts_must_match",
        "timestamps_need_zone",
        "references_are_unique",
        "names_sender",
        "checks_parties",
        "checks_addresses",
        "attributes_are_pairs",
        "nulls_are_absent",
        "ignores_encryption_flag",
        "answers_on_action",
        "always_sends_message",
        "message_ids_are_unique",
        "needs_items",
        "resolve_is_strict",
        "callback_needs_ack",
        "header_tells_failures",
        "speaks_openg2p_2",
    )
}
AGES = {
    "rule_max_age_seconds": "max_age_seconds",
    "rule_max_ahead_seconds": "max_ahead_seconds",
}
RULES = (*SWITCHES, *AGES)
