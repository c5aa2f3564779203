"""Who called before signatures, limits a minute and checks of messages calls as before.

Each column is looked at by itself: where it is there already, it says what somebody
chose, or what the participant was made with. A draft never called: it gets what new
participants get, and is approved as a whole.
"""

from odoo.tools.sql import SQL, column_exists

STRICT = "g2p-connect-1.0-strict"  # what other profiles check is as it was

#: Column -> its type, what it says of a draft, and of a participant that has called.
COLUMNS = {
    "proof": (
        *("varchar", "token_and_signature"),
        SQL("CASE WHEN demo_only THEN 'token' ELSE 'token_as_before' END"),
    ),
    "calls_per_minute": ("int4", 600, 0),
    "items_per_minute": ("int4", 6000, 0),
    **{
        name: ("varchar", None, SQL("CASE WHEN profile = %s THEN %s END", STRICT, said))
        for name, said in (
            ("rule_max_age_seconds", "0"),
            ("rule_max_ahead_seconds", "0"),
            ("rule_checks_parties", "off"),
            ("rule_checks_addresses", "off"),
            ("rule_message_ids_are_unique", "off"),
        )
    },
}


def migrate(cr, version):
    for name, (kind, of_draft, of_caller) in COLUMNS.items():
        if not column_exists(cr, "spar_participant", name):
            add_column(cr, SQL.identifier(name), SQL(kind), of_draft, of_caller)


def add_column(cr, name, kind, of_draft, of_caller):
    """Add a column, with what it says of each participant that is there."""
    cr.execute(SQL("ALTER TABLE spar_participant ADD COLUMN %s %s", name, kind))
    cr.execute(
        SQL(
            "UPDATE spar_participant SET %s = CASE WHEN state = 'draft' THEN %s"
            " ELSE %s END",
            *(name, of_draft, of_caller),
        )
    )
